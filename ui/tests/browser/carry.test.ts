// The way in and out in a real browser: an archive is looked through before anything is kept, what was left out is told,
// and chats go out as files.

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

async function open(query: Record<string, string | number>, mode: Mode = modes.light) {
  ({ page, troubles } = await openWindow(browser, mode, query));
}

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
const drop = (name: string) =>
  page.evaluate(
    (name) => (globalThis as unknown as { fakePlatform: { drop(name: string): void } }).fakePlatform.drop(name),
    name,
  );
type Deed = { what: string; about: unknown };
const deeds = (what: string) =>
  page.evaluate(
    (what) =>
      (globalThis as unknown as { fakePlatform: { deeds: Deed[] } }).fakePlatform.deeds
        .filter((deed) => deed.what === what)
        .map(({ about }) => about),
    what,
  );

describe.each([modes.light, modes.dark, modes.narrow, modes.rtl])("an import, $name", (mode) => {
  it("shows what is in the file and what came of it, at a glance", async () => {
    await open({ section: "data" }, mode);
    await page.locator("#settings-heading").waitFor();
    await drop("chatgpt-export-damaged.zip");
    const found = page.locator(".found");
    await found.waitFor();
    await found.scrollIntoViewIfNeeded();
    await found.locator("summary").first().click();
    await shoot(page, `carry-preview-${mode.name}`);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow: await overflow(), axe: await axe(page) }).toEqual({
      troubles: [],
      overflow: 0,
      axe: [],
    });
    await found.getByRole("button").first().click();
    await found.waitFor({ state: "detached" });
    await found.waitFor();
    await found.scrollIntoViewIfNeeded();
    await shoot(page, `carry-report-${mode.name}`);
    expect({ troubles, overflow: await overflow(), axe: await axe(page) }).toEqual({
      troubles: [],
      overflow: 0,
      axe: [],
    });
  });
});

describe("an import", () => {
  it("keeps nothing before it is told to, and finds everything here the second time", async () => {
    await open({ section: "data" });
    await button("Import chats…").click();
    await page.getByRole("heading", { name: "In this file" }).waitFor();
    expect(await deeds("importChats")).toEqual([]);
    await button("Import").click();
    await page.getByRole("heading", { name: "Imported" }).waitFor();
    expect(await deeds("importChats")).toEqual(["files:c0/chatgpt-export.zip"]);
    await button("Close").click();
    await button("Import chats…").click();
    await page.getByText("All of it is here already.").waitFor();
    expect(await button("Import").count()).toBe(0);
    expect(troubles).toEqual([]);
  });

  it("can be stopped, and says what that means", async () => {
    await open({ section: "data", latency: 400 });
    await button("Import chats…").click();
    await button("Import").click();
    await page.getByRole("progressbar").waitFor();
    await page.getByRole("progressbar").scrollIntoViewIfNeeded();
    await shoot(page, "carry-importing");
    await button("Stop").click();
    await page.getByText("What was imported until then is kept.", { exact: false }).waitFor();
    await shoot(page, "carry-stopped");
    expect(troubles).toEqual([]);
  });

  it("says what is wrong with a file that holds no chats", async () => {
    await open({ section: "data" });
    await drop("notes.json");
    await page.getByText("the file is of no kind that holds chats", { exact: false }).waitFor();
    await shoot(page, "carry-refused");
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });
});

describe("an export", () => {
  it("of all chats tells how far it is, where it went, and shows it there", async () => {
    await open({ section: "data", latency: 300 });
    await page.getByRole("combobox", { name: "Format" }).click();
    await shoot(page, "carry-formats");
    await page.getByRole("option", { name: /^PDF/ }).click();
    await button("Export chats…").click();
    await page.getByRole("progressbar", { name: "Exporting" }).waitFor();
    await shoot(page, "carry-exporting");
    await page.getByText("Saved as /home/ada/Documents/deepsearch-chats.zip").waitFor();
    await shoot(page, "carry-exported");
    await button("Show in folder").click();
    await expect.poll(() => deeds("showExported")).toHaveLength(1);
    expect(await deeds("exportChats")).toEqual([{ choice: { kind: "all" }, format: "pdf" }]);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });

  it("of a tag or a collection is chosen beside the format", async () => {
    await open({ section: "data", sorted: 1 });
    await page.getByRole("combobox", { name: "Chats", exact: true }).click();
    await page.getByRole("option", { name: "Work" }).waitFor();
    await shoot(page, "carry-choices");
    await page.getByRole("option", { name: "to read" }).click();
    await button("Export chats…").click();
    await page.getByText("deepsearch-chats-to-read.json", { exact: false }).waitFor();
    expect(await deeds("exportChats")).toEqual([{ choice: { kind: "tag", tag: "to read" }, format: "json" }]);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });

  it("that is stopped leaves everything as it was", async () => {
    await open({ section: "data", latency: 300 });
    await button("Export chats…").click();
    await button("Stop").click();
    await page.getByRole("progressbar").waitFor({ state: "detached" });
    expect(await page.getByText("Saved as", { exact: false }).count()).toBe(0);
    expect(troubles).toEqual([]);
  });

  it.each([modes.light, modes.dark, modes.rtl])("of a collection is chosen from its menu, $name", async (mode) => {
    await open({ sorted: 1, latency: 900 }, mode);
    const work = page.locator("[data-collection]").filter({ hasText: "Work" });
    await work.hover();
    await work.locator(".more").click();
    await page.locator("[aria-haspopup=menu][role=menuitem]").press(mode.name === "rtl" ? "ArrowLeft" : "ArrowRight");
    await page.getByRole("menuitem", { name: /^HTML/ }).waitFor();
    await shoot(page, `carry-collection-menu-${mode.name}`);
    await page.getByRole("menuitem", { name: /^HTML/ }).click();
    // What takes a while says how far it is, and can be stopped.
    const toast = page.locator(".toast");
    await toast.locator(".toast-action").waitFor();
    await shoot(page, `carry-collection-far-${mode.name}`);
    await toast.filter({ hasText: "deepsearch-chats-Work.zip" }).waitFor();
    await shoot(page, `carry-collection-saved-${mode.name}`);
    const [deed] = await deeds("exportChats");
    expect(deed).toMatchObject({ choice: { kind: "collection" }, format: "html" });
    await expect.poll(() => toast.count()).toBe(1);
    expect(troubles).toEqual([]);
  });

  it("of an empty collection says that there is nothing in it", async () => {
    await open({ sorted: 1 });
    const empty = page.locator("[data-collection]").filter({ hasText: "旅行" });
    await empty.hover();
    await empty.locator(".more").click();
    await page.getByRole("menuitem", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: /^JSON/ }).click();
    await page.getByText("There is no chat outside Trash in this collection.").waitFor();
    expect(troubles).toEqual([]);
  });

  it("can be stopped where it says how far it is", async () => {
    await open({ sorted: 1, latency: 1500 });
    const work = page.locator("[data-collection]").filter({ hasText: "Work" });
    await work.hover();
    await work.locator(".more").click();
    await page.getByRole("menuitem", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: /^JSON/ }).click();
    await page.locator(".toast").getByRole("button", { name: "Stop" }).click();
    await page.locator(".toast").waitFor({ state: "detached" });
    expect(troubles).toEqual([]);
  });

  it.each([modes.light, modes.dark, modes.narrow, modes.rtl])(
    "of a collection or a tag is chosen in the palette by the keyboard, $name",
    async (mode) => {
      await open({ sorted: 1 }, mode);
      const field = page.locator(".palette input");
      const chosen = page.locator(".palette [role=option][aria-selected=true]");
      await page.keyboard.press("Control+k");
      await field.fill("House");
      await expect.poll(() => chosen.innerText()).toContain("House and garden");
      await shoot(page, `carry-palette-${mode.name}`);
      await page.keyboard.press("Enter");
      await expect.poll(() => chosen.innerText()).toContain("JSON");
      await shoot(page, `carry-palette-formats-${mode.name}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect({ overflow, axe: await axe(page) }).toEqual({ overflow: 0, axe: [] });

      // Back is where it came from, and nothing has gone out on the way.
      await page.keyboard.press("Escape");
      await expect.poll(() => chosen.innerText()).toContain("House and garden");
      await page.keyboard.press("Enter");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("Enter");
      await expect.poll(() => chosen.innerText()).toContain("House and garden");
      expect(await deeds("exportChats")).toEqual([]);

      await page.keyboard.press("Enter");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.locator(".toast").filter({ hasText: "deepsearch-chats-House-and-garden.zip" }).waitFor();
      await page.keyboard.press("Control+k");
      await field.fill("to read");
      await expect.poll(() => chosen.innerText()).toContain("to read");
      await page.keyboard.press("Enter");
      await page.locator(".palette").getByRole("option", { name: /^PDF/ }).click();
      await expect.poll(() => deeds("exportChats")).toHaveLength(2);
      expect(await deeds("exportChats")).toMatchObject([
        { choice: { kind: "collection" }, format: "markdown" },
        { choice: { kind: "tag", tag: "to read" }, format: "pdf" },
      ]);
      expect(troubles).toEqual([]);
    },
  );

  it.each([modes.light, modes.rtl])("of one chat is chosen from its menu by the keyboard, $name", async (mode) => {
    await open({}, mode);
    const row = page.locator("[data-chat]").first();
    await row.locator("button").first().focus();
    await page.keyboard.press("Shift+F10");
    const menu = page.getByRole("menu").first();
    await menu.waitFor();
    const isThere = () => page.evaluate(() => document.activeElement?.getAttribute("aria-haspopup") === "menu");
    for (let at = 0; at < 8 && !(await isThere()); at++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press(mode.name === "rtl" ? "ArrowLeft" : "ArrowRight");
    await page.getByRole("menuitem", { name: /^HTML/ }).waitFor();
    await shoot(page, `carry-menu-${mode.name}`);
    await page.keyboard.press("Enter");
    await expect.poll(() => deeds("exportChats")).toMatchObject([{ choice: { kind: "chats" }, format: "html" }]);
    await page.getByText("2026-11-23-chat.html", { exact: false }).waitFor();
    await shoot(page, `carry-saved-${mode.name}`);
    expect(troubles).toEqual([]);
  });
});
