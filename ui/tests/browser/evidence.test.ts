// What left this computer, private mode, how engines have been doing and what models used: in a real browser, in every
// mode, with what would keep people out examined.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

let browser: Browser;
let page: Page;
let troubles: string[];
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(() => () => page.context().close());

async function open(query: Record<string, string>, mode: Mode = modes.light, path = "/") {
  ({ page, troubles } = await openWindow(browser, mode, query, path));
}

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });

/** Looked at and examined: no complaint, nothing wider than the window, nothing that axe holds against it. */
async function examine(name: string, mode: Mode) {
  await page.waitForTimeout(250);
  await shoot(page, `${name}-${mode.name}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect({ troubles, overflow, axe: await axe(page) }).toEqual({ troubles: [], overflow: 0, axe: [] });
}

const LEDGER = /What left this computer|ما الذي غادر هذا الحاسوب/;

describe("the ledger of an answer", () => {
  it.each([modes.light, modes.dark, modes.narrow, modes.rtl])("stands behind its foot, $name", async (mode) => {
    await open({ chat: "chat_wal" }, mode);
    await button(LEDGER).first().click();
    await page.getByRole("dialog").getByRole("table").waitFor();
    await page.getByRole("dialog").locator("summary").first().click();
    await examine("ledger", mode);
  });

  it("says what was sent, to whom, and shows the very text", async () => {
    await open({ chat: "chat_wal" });
    await button(LEDGER).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/went to \d+ hosts/).waitFor();
    await dialog.getByRole("row", { name: /api\.search\.brave\.com/ }).waitFor();
    const text = dialog.locator("details").first();
    await text.locator("summary").click();
    await text.locator("pre").first().waitFor();
    expect(await text.locator("pre").first().textContent()).toContain("Answer from the sources alone");
    // Whatever stands in it is text: a source's own marks make no element.
    expect(await text.locator("pre source").count()).toBe(0);
    await page.keyboard.press("Escape");
    await expect.poll(() => dialog.count()).toBe(0);
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toMatch(LEDGER);
  });

  it("says so where nothing left", async () => {
    await open({ chat: "chat_wal", privacy: "private" });
    await button(LEDGER).first().click();
    await page.getByRole("dialog").getByText("Nothing left this computer for this answer.").waitFor();
  });
});

describe("private mode", () => {
  it("is turned on in the settings, is seen at once everywhere, and goes off again", async () => {
    await open({ section: "privacy" });
    const toggle = page.getByRole("switch", { name: "Private mode" });
    await toggle.waitFor();
    expect(await button(/Private mode is on/).count()).toBe(0);
    await toggle.click();
    await button(/Private mode is on/).waitFor();
    await page.getByText("Nothing leaves this computer", { exact: true }).waitFor();
    await toggle.click();
    await expect.poll(() => button(/Private mode is on/).count()).toBe(0);
  });

  it("has a mark that leads to it", async () => {
    await open({ chat: "chat_wal", privacy: "private" });
    await button(/Private mode is on/).click();
    await page.getByRole("switch", { name: "Private mode" }).waitFor();
  });

  it("says of engines and providers that it holds them back", async () => {
    await open({ section: "search", privacy: "private" });
    await page.getByText("Private mode is on", { exact: true }).waitFor();
    expect(await page.getByText("Held back by private mode").count()).toBe(7);
    expect(await button("Test all").or(button(/test/i)).first().isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Models" }).first().click();
    await expect.poll(() => page.getByText("Held back by private mode").count()).toBe(5);
  });

  it.each([modes.light, modes.dark, modes.narrow, modes.rtl])("looks right among the settings, $name", async (mode) => {
    await open({ section: "privacy", privacy: "private", sync: "private" }, mode);
    await examine("private-settings", mode);
  });

  it.each([modes.light, modes.dark])("is seen beside a chat, $name", async (mode) => {
    await open({ chat: "chat_wal", privacy: "private", sync: "private" }, mode);
    await examine("private-chat", mode);
  });

  it.each([modes.light, modes.dark, modes.rtl])("is seen in quick ask, $name", async (mode) => {
    await open({ privacy: "private" }, { ...mode, width: 640, height: 420 }, "/quick.html");
    await examine("private-quick", mode);
  });
});

describe("the history of the engines", () => {
  it("is shown when it is asked for, of one engine or of all, and of failures alone", async () => {
    await open({ section: "search" });
    await button("Show the history").click();
    const rows = page.getByRole("table").getByRole("row");
    await expect.poll(() => rows.count()).toBe(26);
    await button("Show more").click();
    await expect.poll(() => rows.count()).toBe(51);
    await page.getByRole("switch", { name: "Only failures" }).click();
    await expect.poll(() => page.getByRole("table").getByText("Answered").count()).toBe(0);
    await page.getByRole("switch", { name: "Only failures" }).click();
    await page.getByRole("combobox", { name: "Engine" }).click();
    await page.getByRole("option", { name: "Wikipedia" }).click();
    await expect.poll(() => page.getByRole("table").getByText("DuckDuckGo").count()).toBe(0);
    await page.getByRole("table").getByText("Wikipedia").first().waitFor();
    await button("Hide the history").click();
    await expect.poll(() => page.getByRole("table").count()).toBe(0);
  });

  it.each([modes.light, modes.dark, modes.narrow, modes.rtl])("looks right, $name", async (mode) => {
    await open({ section: "search" }, mode);
    await button(/Show the history|عرض السجل/).click();
    await page.getByRole("table").scrollIntoViewIfNeeded();
    await shoot(page, `engine-history-${mode.name}`);
    // Labels that are scrolled out of sight are none to axe.
    await page.evaluate(() => document.querySelector("#settings-heading")?.scrollIntoView());
    await examine("engine-history-top", mode);
  });
});

describe("usage", () => {
  it("leads to where prices are entered, and to the chats", async () => {
    await open({ section: "usage" });
    await page.getByText("Costs need prices").waitFor();
    await button("Open Models").click();
    await expect.poll(() => page.locator("#settings-heading").textContent()).toBe("Models");
  });

  it("says so where nothing was used", async () => {
    await open({ section: "usage", scenario: "empty" });
    await page.getByText("No model has told yet what it used.").waitFor();
  });

  it.each([modes.light, modes.dark, modes.narrow, modes.rtl])("looks right, $name", async (mode) => {
    await open({ section: "usage" }, mode);
    await examine("usage", mode);
  });
});
