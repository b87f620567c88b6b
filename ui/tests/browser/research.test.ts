// A research as a person uses it: asked for, its plan changed while it runs, its report read by its sections.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, modes, openWindow, shoot } from "./window";

const QUESTION = "How does SQLite's WAL mode work, and when should I not use it?";

let browser: Browser;
let page: Page;
let troubles: string[];
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
afterEach(async () => {
  await page.context().close();
  expect(troubles).toEqual([]);
});

async function open(query: Record<string, string | number>, mode: (typeof modes)[keyof typeof modes] = modes.light) {
  ({ page, troubles } = await openWindow(browser, mode, query));
}

const button = (name: string | RegExp) => page.getByRole("button", { name });
const plan = () => page.locator("section.research").last();
const parts = () => plan().locator("ol > li");
const answer = () => page.locator("article.answer").last();

async function ask(depth: string): Promise<void> {
  await page.locator("form button.choice").nth(1).click();
  await page
    .getByRole("menuitem", { name: depth })
    .or(page.getByRole("menuitemradio", { name: depth }))
    .click();
  await page.locator("form textarea").last().fill(QUESTION);
  await page.keyboard.press("Enter");
}

describe("a plan that is to be seen first", () => {
  it("waits, can be changed, and is what the report answers", async () => {
    await open({ speed: 0 });
    await ask("Deep, plan first");
    await plan().getByText("Here is the plan").waitFor();
    expect(await parts().count()).toBe(4);

    await parts().nth(3).hover();
    await button(/^Leave out: How are WAL databases/).click();
    await expect.poll(() => parts().count()).toBe(3);
    await plan().getByPlaceholder("Add a question").fill("Who uses it in production?");
    await page.keyboard.press("Enter");
    await parts().filter({ hasText: "Who uses it in production?" }).waitFor();
    await parts().nth(1).hover();
    await button(/^Change: Which workloads/).click();
    await plan()
      .getByLabel(/^Change: Which workloads/)
      .fill("How much faster are writes?");
    await page.keyboard.press("Enter");
    await parts().filter({ hasText: "How much faster are writes?" }).waitFor();
    await button(/^Move up: How much faster/).click();
    await expect.poll(() => parts().first().textContent()).toContain("How much faster");

    await page.getByRole("button", { name: "Start", exact: true }).click();
    await answer().getByText("Ask next").waitFor();
    const sections = page.getByRole("navigation", { name: "Contents" }).getByRole("button");
    expect(await sections.allTextContents()).toEqual([
      "How much faster are writes?",
      "What does WAL mode change when SQLite writes?",
      "When should WAL mode not be used?",
      "Who uses it in production?",
    ]);
    await sections.last().click();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toBe("Who uses it in production?");
  });
});

describe("a research", () => {
  it("shows what it is at and what it has spent, and is changed while it runs", async () => {
    await open({ speed: 60 });
    await ask("Deep research");
    await plan()
      .getByText(/^Looking into: What does WAL mode change/)
      .waitFor();
    await plan().getByText("1 of 16 searches").waitFor();
    await plan().getByPlaceholder("Add a question").fill("Does it survive a power cut?");
    await page.keyboard.press("Enter");
    await parts().filter({ hasText: "Does it survive a power cut?" }).waitFor();
    await button("Write the report now").click();
    await answer().getByRole("heading", { name: "What does WAL mode change when SQLite writes?" }).waitFor();
    await plan()
      .getByText(/^A report from/)
      .waitFor();
    // The plan folds away when the report is there, and opens again.
    await expect.poll(() => parts().count()).toBe(0);
    await plan().getByRole("button").first().click();
    await plan().getByText("No more was searched for, as you wished.").waitFor();
    expect(await plan().getByPlaceholder("Add a question").count()).toBe(0);
  });

  it("is found again with its plan when its chat is opened anew", async () => {
    await open({ speed: 0 });
    await ask("Deep research");
    await answer().getByText("Ask next").waitFor();
    await page.keyboard.press("Control+n");
    await expect.poll(() => page.locator("article.answer").count()).toBe(0);
    await page.getByText("SQLite write-ahead logging").first().click();
    await plan()
      .getByText(/^A report from/)
      .waitFor();
  });

  it("is stopped with what there is, and can be gone on with", async () => {
    await open({ speed: 60 });
    await ask("Deep research");
    await plan()
      .getByText(/^Looking into/)
      .waitFor();
    await button("Stop").click();
    await plan().getByText("Stopped. What was found is kept.").waitFor();
    await answer()
      .getByRole("button", { name: /Try again|Continue/ })
      .click();
    await plan()
      .getByText(/^Looking into/)
      .waitFor();
  });
});

describe.each(Object.values(modes))("in $name", (mode) => {
  it("looks as it should and keeps nobody out", async () => {
    await open({ speed: 30 }, mode);
    await page.locator("form button.choice").nth(1).click();
    await page.locator("[role=menuitem], [role=menuitemradio]").nth(1).click();
    await page.locator("form textarea").last().fill(QUESTION);
    await page.keyboard.press("Enter");
    await expect.poll(() => parts().count()).toBe(4);
    await parts().locator(".state").nth(1).waitFor();
    await shoot(page, `research-running-${mode.name}`);
    expect(await axe(page)).toEqual([]);
    await expect.poll(() => answer().locator("nav").count(), { timeout: 20_000 }).toBe(1);
    await plan().getByRole("button").first().click();
    await shoot(page, `research-report-${mode.name}`);
    expect(await axe(page)).toEqual([]);
  });
});
