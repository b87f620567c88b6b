// Pictures of the sources under an answer: a row, one large at a time, and the way to the source.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { axe, launch, modes, openWindow, shoot } from "./window";

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

async function open(mode: (typeof modes)[keyof typeof modes] = modes.light, query: Record<string, string> = {}) {
  ({ page, troubles } = await openWindow(browser, mode, { chat: "chat_heat", ...query }));
  await row().first().waitFor();
  await row().first().scrollIntoViewIfNeeded();
}

const row = () => page.locator("article.answer .pictures");
const dialog = () => page.getByRole("dialog");

it.each(Object.values(modes))("are a calm row, and large on request: $name", async (mode) => {
  await open(mode);
  await shoot(page, `pictures-${mode.name}`);
  expect(await axe(page)).toEqual([]);
  await row().first().getByRole("button").first().click();
  await dialog().waitFor();
  await page.waitForTimeout(300);
  await shoot(page, `pictures-large-${mode.name}`);
  expect(await axe(page)).toEqual([]);
});

it("go on with the arrow keys, round to the first, and close with Escape where they were opened", async () => {
  await open();
  const buttons = row().first().getByRole("button");
  const count = await buttons.count();
  expect(count).toBeGreaterThan(1);
  await buttons.first().click();
  const first = await dialog().locator("img").getAttribute("src");
  await page.keyboard.press("ArrowRight");
  await dialog().getByText(`2 / ${count}`).waitFor();
  expect(await dialog().locator("img").getAttribute("src")).not.toBe(first);
  for (let at = 1; at < count; at += 1) await page.keyboard.press("ArrowRight");
  await dialog().getByText(`1 / ${count}`).waitFor();
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  await expect.poll(() => buttons.first().evaluate((button) => button === document.activeElement)).toBe(true);
});

it("lead to the saved page of their source", async () => {
  await open();
  await row().first().getByRole("button").first().click();
  await dialog().getByRole("button", { name: "Open the source" }).click();
  await page.getByRole("region", { name: /^Saved page/ }).waitFor();
  await expect.poll(() => dialog().count()).toBe(0);
});
