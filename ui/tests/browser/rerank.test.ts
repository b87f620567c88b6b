// Reranking as a person sets it and sees it: one row of the settings, and a line among the steps of an answer.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

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

async function open(query: Record<string, string | number> = {}, mode: Mode = modes.light) {
  ({ page, troubles } = await openWindow(browser, mode, query));
}

const picker = () => page.getByRole("combobox", { name: "Rerank with a local embedding model" });
const chosen = () => picker().inputValue();

describe("the embedding model", () => {
  it("is chosen among those that were found, tried, and turned off again", async () => {
    await open({ section: "models" });
    await expect.poll(chosen).toBe("Off");
    await picker().click();
    await page.getByRole("option", { name: "ollama/all-minilm:latest" }).click();
    await page.getByText("Works", { exact: true }).waitFor();
    await expect.poll(chosen).toBe("ollama/all-minilm:latest");
    await picker().click();
    await page.getByRole("option", { name: /^Off/ }).click();
    await expect.poll(chosen).toBe("Off");
    await page.getByText("Works", { exact: true }).waitFor({ state: "detached" });
  });

  it("may be one that was not found: typed, from the keyboard alone, with what to do when it does not work", async () => {
    await open({ section: "models" });
    await expect.poll(chosen).toBe("Off");
    await picker().focus();
    await page.keyboard.type("ollama/bge-m3");
    await page.getByRole("option", { name: /Use this model/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByText("Does not work now.").waitFor();
    await page.getByText("ollama pull bge-m3").waitFor();
    await expect.poll(chosen).toBe("ollama/bge-m3");
  });

  it("is refused where it is not on this computer, and what was chosen before stays", async () => {
    await open({ section: "models", rerank: "works" });
    await page.getByText("Works", { exact: true }).waitFor();
    await picker().click();
    await page.keyboard.type("openai/text-embedding-3-small");
    await page.getByRole("option", { name: /Use this model/ }).click();
    await page.getByText("only a model of this computer").waitFor();
    await expect.poll(chosen).toBe("ollama/all-minilm:latest");
  });

  it("is told how to be had where none was found", async () => {
    await open({ section: "models", scenario: "empty" });
    await page.getByText("ollama pull all-minilm").waitFor();
  });
});

describe.each([modes.light, modes.dark, modes.narrow, modes.rtl])("the row, $name,", (mode) => {
  it.each(["off", "works", "fails"])("comes up well: %s", async (rerank) => {
    await open({ section: "models", rerank }, mode);
    const row = page.locator(".row", { has: page.locator(".model-picker") }).last();
    await row.waitFor();
    if (rerank !== "off") await row.locator(".state .state:not(.quiet)").first().waitFor();
    await row.scrollIntoViewIfNeeded();
    await shoot(page, `rerank-${rerank}-${mode.name}`);
    expect(await axe(page)).toEqual([]);
  });
});

describe("an answer", () => {
  async function asked(rerank: string) {
    await open({ speed: 0, rerank });
    await page.locator("form textarea").last().fill("How does SQLite's WAL mode work, and when should I not use it?");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /Read 4 pages/ }).click();
    return page.locator("article.answer").last();
  }

  it("says among its steps which model put the passages in order", async () => {
    const answer = await asked("works");
    await answer.getByText("ollama/all-minilm:latest").waitFor();
    await answer.getByText("Put in order by what they mean").waitFor();
  });

  it("says there why none did", async () => {
    const answer = await asked("fails");
    await answer.getByText("Left in the order of their words").scrollIntoViewIfNeeded();
    await answer.getByText("did not answer within 2s").waitFor();
    await shoot(page, "rerank-steps-fails");
  });

  it("says nothing of it where no model was chosen", async () => {
    const answer = await asked("off");
    await answer.getByText("Pages", { exact: false }).first().waitFor();
    expect(await answer.getByText("Order of the passages").count()).toBe(0);
  });
});
