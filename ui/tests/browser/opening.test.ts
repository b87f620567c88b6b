// What a start says before there is an app, in every look; and what is told at the start of one that was repaired.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Failure } from "../../src/bindings/bindings";
import { axe, launch, modes, openWindow, shoot } from "./window";

const SIZE = { width: 540, height: 280 };
const FAILURE: Failure = {
  code: "storage",
  message: "The folder `/home/ada/.local/share/deepsearch` cannot be created: Permission denied (os error 13).",
  hint: "Check who may write there.",
};

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it.each(Object.values(modes))("says what it does, or why it cannot be: $name", async (mode) => {
  for (const failure of [null, FAILURE]) {
    const query: Record<string, string> = failure ? { failure: JSON.stringify(failure) } : {};
    const { page, troubles } = await openWindow(browser, { ...mode, ...SIZE }, query, "/opening.html");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await shoot(page, `opening-${failure ? "failed" : "long"}-${mode.name}`);
    if (failure) expect(await page.locator("main").textContent()).toContain("Permission denied (os error 13)");
    expect(await axe(page)).toEqual([]);
    expect(troubles).toEqual([]);
    await page.context().close();
  }
});

it("tells once of a store that was repaired, with the way to what is missing", async () => {
  const { page, troubles } = await openWindow(browser, modes.light, { repaired: "" });
  const told = page.getByText("The data was repaired at the start");
  await told.waitFor();
  await page.waitForTimeout(300);
  await shoot(page, "repaired");
  await page.getByRole("button", { name: "Data settings" }).click();
  await page.getByRole("heading", { level: 1, name: "Data" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1 }).or(page.locator("textarea")).first().waitFor();
  await page.waitForTimeout(500);
  expect(await told.count()).toBe(0);
  expect(troubles).toEqual([]);
  await page.context().close();
});
