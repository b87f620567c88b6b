// The pictures of the README, made anew by `npm run pictures`: the interface on its fake library, in both themes.

import { mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, type Mode, modes, openWindow } from "./window";

const docs = resolve(import.meta.dirname, "../../../docs");
/** People read the README on a slow line too. */
const MOST_BYTES = 300_000;
const SCALE = 1.2;
const NOON = new Date(2026, 10, 23, 12).getTime();

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

/** In a font that many desktops have, so that the picture does not depend on whose machine made it. */
async function open(mode: Mode, query: Record<string, string | number>, path?: string): Promise<Page> {
  const { page } = await openWindow(browser, mode, { now: NOON, ...query }, path, SCALE);
  await page.addStyleTag({ content: ':root { --font-ui: "Inter", system-ui, sans-serif !important }' });
  await page.evaluate(() => document.fonts.ready);
  return page;
}

async function keep(page: Page, name: string, part: Page | Locator = page): Promise<void> {
  mkdirSync(docs, { recursive: true });
  const path = join(docs, `${name}.png`);
  await page.waitForTimeout(600);
  await part.screenshot({ path });
  expect(statSync(path).size).toBeLessThan(MOST_BYTES);
  await page.context().close();
}

describe.runIf(import.meta.env.MODE === "pictures").each([modes.light, modes.dark])("$name", (mode) => {
  it("an answer, with the page that it cites at the sentence", async () => {
    const page = await open({ ...mode, width: 1320, height: 800 }, { chat: "chat_heat" });
    await page
      .getByRole("button", { name: /^Source 1/ })
      .nth(1)
      .click();
    await page.getByRole("region", { name: /^Saved page/ }).waitFor();
    await page
      .locator("main h2")
      .first()
      .evaluate((question) => question.scrollIntoView({ block: "start" }));
    await page.mouse.move(0, 0);
    await keep(page, `answer-${mode.name}`);
  });

  it("quick ask", async () => {
    const page = await open({ ...mode, width: 720, height: 420 }, { speed: 0 }, "/quick.html");
    const field = page.getByRole("textbox");
    await field.fill("What is the difference between COP and SCOP for a heat pump?");
    await field.press("Enter");
    await page
      .getByRole("button", { name: /^Source 1/ })
      .first()
      .waitFor();
    await keep(page, `quick-ask-${mode.name}`, page.locator("#app > *").first());
  });
});
