// The one file that a chat is shared as, opened from the disk: its numbers lead to the sentences, it loads and runs nothing.
// The file is what the exporter writes of a chat full of hostile words; a test of the exporter says that it still is.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { axe, launch, modes, shoot } from "./window";

const FILE = resolve(import.meta.dirname, "../../../crates/deepsearch-archive/tests/all/shared.html");

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The file in a window of its own, with all that it asks for and all that it says. */
async function open(width: number, height: number, colorScheme: "light" | "dark") {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page: Page = await context.newPage();
  const noted: string[] = [];
  page.on("request", (request) => noted.push(`asked for ${request.url()}`));
  page.on("dialog", (dialog) => {
    noted.push(`said ${dialog.message()}`);
    // It is gone with its page.
    dialog.dismiss().catch(() => undefined);
  });
  page.on("console", (said) => noted.push(said.text()));
  page.on("pageerror", (error) => noted.push(String(error)));
  const address = pathToFileURL(FILE).href;
  await page.goto(address);
  // That it is counted at all is shown by the file itself.
  expect(noted).toEqual([`asked for ${address}`]);
  noted.length = 0;
  return { context, page, noted };
}

it("shows the sentence that a citation rests on, and asks nobody for anything", async () => {
  const { context, page, noted } = await open(1280, 800, "light");
  await page.getByRole("heading", { level: 1, name: "Tower" }).waitFor();
  const mark = page.locator("mark");
  expect(await mark.isVisible()).toBe(false);
  await page.getByRole("link", { name: "[1]" }).click();
  await expect.poll(() => mark.isVisible()).toBe(true);
  expect(await mark.textContent()).toBe("The tower is 330 m high.");
  expect(await page.locator("mark:target").count()).toBe(1);
  // Around it stands the page as it was saved, its markup as words.
  await page.getByText("After <script>alert(1)</script> it.").waitFor();
  await page.getByRole("link", { name: "Back to the answer" }).click();
  await expect.poll(() => mark.isVisible()).toBe(false);
  await page.getByRole("link", { name: "The tower is 330 m high." }).click();
  await expect.poll(() => mark.isVisible()).toBe(true);
  expect(noted).toEqual([]);
  await context.close();
});

it.each([modes.light, modes.dark, modes.narrow])("looks as it should and keeps nobody out, in $name", async (mode) => {
  const { context, page } = await open(mode.width, mode.height, mode.theme);
  await shoot(page, `shared-file-${mode.name}`);
  expect(await axe(page)).toEqual([]);
  await page.getByRole("link", { name: "[1]" }).click();
  await shoot(page, `shared-file-cited-${mode.name}`);
  expect(await axe(page)).toEqual([]);
  await context.close();
});
