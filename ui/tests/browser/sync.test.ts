// Sync in a real browser: every state of it on the account's page and at the foot of the sidebar, in every mode.

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
afterEach(() => page.context().close());

async function open(sync: string, mode: Mode = modes.light) {
  ({ page, troubles } = await openWindow(browser, mode, { section: "account", account: "signed_in", sync, speed: 0 }));
  await page.locator("#settings-heading").waitFor();
}

const STATES = ["signed_out", "idle", "running", "first", "offline", "held", "error", "much"];

describe.each([modes.light, modes.dark, modes.narrow, modes.rtl, modes.large])("$name", (mode) => {
  it.each(STATES)("%s", async (state) => {
    await open(state, mode);
    await page.waitForTimeout(300);
    await shoot(page, `sync-${state}-${mode.name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow, axe: await axe(page) }).toEqual({ troubles: [], overflow: 0, axe: [] });
  });
});

const button = (name: string) => page.getByRole("button", { name, exact: true });
const deeds = () =>
  page.evaluate(() => (globalThis as unknown as { fakePlatform: { deeds: unknown[] } }).fakePlatform.deeds);

it("hands earlier chats over, and asks no more", async () => {
  await open("much");
  await button("Sync them").click();
  await button("Sync them").waitFor({ state: "detached" });
  expect(await deeds()).toContainEqual({ what: "decideChatOffers", about: true });
});

it("keeps what lost until it is dismissed", async () => {
  await open("much");
  await page.getByText("Heating the farm house").waitFor();
  await button("Dismiss").first().click();
  await page.getByText("Heating the farm house").waitFor({ state: "detached" });
  expect(await button("Dismiss").count()).toBe(1);
});

it("leads from the foot of the sidebar to the account", async () => {
  ({ page, troubles } = await openWindow(browser, modes.light, { sync: "idle", speed: 0 }));
  await page.getByRole("button", { name: /^Synced\./ }).click();
  await page.locator("#settings-heading").waitFor();
});

it("offers to sign in again where the session is over", async () => {
  await open("error");
  await button("Sign in again").click();
  await page.getByRole("heading", { name: "Finish in your browser" }).waitFor();
  expect(await deeds()).toContainEqual({ what: "signOut", about: { removeLocalCopy: false, discard: false } });
});

it("says that changes are held back, and since when, where it says that all is synced", async () => {
  ({ page, troubles } = await openWindow(browser, modes.light, { sync: "held", speed: 0 }));
  await page.getByRole("button", { name: /^Changes held back\./ }).click();
  await page.locator("#settings-heading").waitFor();
  await page.getByText("a program there does not end what it writes").getByText("26 minutes ago").waitFor();
});
