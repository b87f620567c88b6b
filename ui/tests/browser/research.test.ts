// A research as a person uses it: asked for, its plan changed while it runs, its report read by its sections.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import "./fake";
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
  await page.getByRole("menuitemradio", { name: depth }).click();
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

describe("the budget of a research", () => {
  const field = (name: string) => page.getByRole("dialog").getByRole("spinbutton", { name });

  async function chooseDeep(): Promise<void> {
    await page.locator("form button.choice").nth(1).click();
    await page.getByRole("menuitemradio", { name: "Deep research" }).click();
  }

  it("is asked for only where there is a research, ends it, and can be larger the next time", async () => {
    await open({ speed: 0 });
    expect(await button(/^Research budget/).count()).toBe(0);
    await chooseDeep();
    await button("Research budget: Usual budget").click();
    expect(await field("Searches").getAttribute("placeholder")).toBe("16");
    await page.getByText("This model has no price yet").waitFor();
    expect(await field("US dollars").count()).toBe(0);
    await field("Pages").fill("500");
    await field("Searches").fill("2");
    await page.getByText("From 1 to 120").waitFor();
    await field("Pages").fill("");
    expect(await page.getByText("From 1 to 120").count()).toBe(0);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await button("Research budget: Own budget").waitFor();
    await page.locator("form textarea").last().fill(QUESTION);
    await page.keyboard.press("Enter");
    await answer().getByText("Ask next").waitFor();
    await plan().getByRole("button").first().click();
    await plan().getByText("2 of 2 searches").waitFor();
    await plan().getByText("All searches that were allowed are made.").waitFor();

    await button("Research further…").click();
    expect(await field("Searches").inputValue()).toBe("4");
    expect(await field("Pages").inputValue()).toBe("30");
    await button("Research again").click();
    await page.getByText("2 of 2", { exact: true }).waitFor();
    await answer().getByText("Ask next").waitFor();
    await plan().getByRole("button").first().click();
    await plan().getByText("4 of 4 searches").waitFor();
  });

  it("goes back to what is usual", async () => {
    await open({ speed: 0 });
    await chooseDeep();
    await button("Research budget: Usual budget").click();
    await field("Minutes").fill("45");
    await button("Usual limits").click();
    expect(await field("Minutes").inputValue()).toBe("");
    await page.keyboard.press("Escape");
    await button("Research budget: Usual budget").waitFor();
  });

  it("is raised while it runs, and after it was stopped", async () => {
    await open({ speed: 60 });
    await page.evaluate(() => fakePlatform.updateSetting("models.prices", "openai/gpt-5-mini=0.25/2"));
    await ask("Deep research");
    await plan().getByText("of 16 searches").waitFor();
    await button("Change budget…").click();
    expect(await field("US dollars").getAttribute("placeholder")).toBe("no limit");
    await field("Searches").fill("40");
    // Leaving the fields leaves all as it was, the answer too.
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await plan().getByText("of 16 searches").waitFor();
    await button("Change budget…").click();
    expect(await field("Searches").inputValue()).toBe("16");
    await field("Searches").fill("40");
    await button("Use this budget").click();
    await plan().getByText("of 40 searches").waitFor();

    await button("Stop").click();
    await plan().getByText("Stopped. What was found is kept.").waitFor();
    await button("Change budget…").click();
    await field("Minutes").fill("60");
    await page.keyboard.press("Enter");
    await plan().getByText("of 60:00").waitFor();
    await answer()
      .getByRole("button", { name: /Try again|Continue/ })
      .click();
    await plan()
      .getByText(/^Looking into/)
      .waitFor();
    await plan().getByText("of 40 searches").waitFor();
    await plan().getByText("of 60:00").waitFor();
  });

  it.each(Object.values(modes))("looks as it should and keeps nobody out, in $name", async (mode) => {
    await open({ speed: 30 }, mode);
    await page.locator("form button.choice").nth(1).click();
    await page.locator("[role=menuitemradio]").nth(1).click();
    await page.locator("form button.choice").nth(2).click();
    await page.getByRole("dialog").getByRole("spinbutton").nth(0).fill("24");
    await page.getByRole("dialog").getByRole("spinbutton").nth(1).fill("500");
    await page.keyboard.press("Tab");
    await shoot(page, `budget-asked-${mode.name}`);
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.evaluate(() => fakePlatform.updateSetting("models.prices", "openai/gpt-5-mini=0.25/2"));
    await page.locator("form textarea").last().fill(QUESTION);
    await page.keyboard.press("Enter");
    await expect.poll(() => parts().count()).toBe(4);
    await plan().locator(".deeds button").first().click();
    await page.getByRole("dialog").getByRole("spinbutton").nth(4).waitFor();
    await shoot(page, `budget-changed-${mode.name}`);
    expect(await axe(page)).toEqual([]);
  });
});

describe.each(Object.values(modes))("in $name", (mode) => {
  it("looks as it should and keeps nobody out", async () => {
    await open({ speed: 30 }, mode);
    await page.locator("form button.choice").nth(1).click();
    await page.locator("[role=menuitemradio]").nth(1).click();
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
