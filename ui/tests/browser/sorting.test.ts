// Sorting chats in a real browser: collections, tags, saved searches, and changes to many chats that can be undone.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deeds } from "./fake";
import { axe, launch, modes, openWindow, shoot } from "./window";

const NOON = new Date(new Date().setHours(12, 0, 0, 0)).getTime();

let browser: Browser;
let page: Page;
let troubles: string[];

beforeAll(async () => {
  browser = await launch();
});
afterEach(async () => {
  expect(troubles).toEqual([]);
  await page.context().close();
});
afterAll(() => browser.close());

async function open(query: Record<string, string | number> = {}, mode: keyof typeof modes = "light"): Promise<void> {
  ({ page, troubles } = await openWindow(browser, modes[mode], { now: NOON, sorted: 1, ...query }));
}

const row = (chat: string): Locator => page.locator(`[data-chat="${chat}"]`);
const opener = (chat: string): Locator => row(chat).locator(".open");
const collection = (name: string): Locator => page.locator("[data-collection]").filter({ hasText: name });
const countOf = (name: string): Promise<string> => collection(name).locator(".count > [aria-hidden]").innerText();
const bar = (): Locator => page.getByRole("toolbar", { name: "Selected chats" });
const inBar = (name: string): Locator => bar().getByRole("button", { name });
const says = (text: string): Promise<void> => page.locator(".toast").filter({ hasText: text }).first().waitFor();
const chatsShown = (): Promise<string[]> =>
  page.locator("[data-chat]").evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.chat!));
/** What the store would say, and not the window. */
const stored = (chat: string) => page.evaluate((id) => fakePlatform.library.chat(id), chat);

async function focusOn(chat: string): Promise<void> {
  await opener(chat).waitFor();
  await opener(chat).focus();
}

describe("a collection", () => {
  it("shows its chats alone, and how many there are", async () => {
    await open();
    expect(await countOf("House and garden")).toBe("3");
    await collection("House and garden").locator(".open").click();
    await expect.poll(chatsShown).toEqual(["chat_heat", "chat_battery", "chat_000003"]);
    await page.getByRole("button", { name: "Back to chats" }).click();
    await opener("chat_wal").waitFor();
  });

  it("takes a chat that is dropped on it, and gives it back", async () => {
    await open();
    await opener("chat_failed").hover();
    await page.mouse.down();
    const box = (await collection("Work").boundingBox())!;
    await page.mouse.move(box.x + 40, box.y + 60, { steps: 4 });
    await page.mouse.move(box.x + 40, box.y + box.height / 2, { steps: 4 });
    await expect.poll(() => collection("Work").evaluate((each) => each.classList.contains("over"))).toBe(true);
    // The hand moves over texts, and selects none of them.
    expect(await page.evaluate(() => getSelection()?.toString())).toBe("");
    await shoot(page, "sorting-drag");
    await page.mouse.up();
    await says("Moved to “Work”");
    expect(await countOf("Work")).toBe("3");
    // Letting go was no click.
    expect(await opener("chat_failed").getAttribute("aria-current")).toBe(null);
    await page.keyboard.press("Control+z");
    await expect.poll(() => countOf("Work")).toBe("2");
  });

  it("is left by dragging that was called off", async () => {
    await open();
    await opener("chat_failed").hover();
    await page.mouse.down();
    const box = (await collection("Work").boundingBox())!;
    await page.mouse.move(box.x + 40, box.y + box.height / 2, { steps: 5 });
    await page.keyboard.press("Escape");
    await page.mouse.up();
    expect(await countOf("Work")).toBe("2");
    expect(await deeds(page, "changeChats")).toEqual([]);
  });

  it("is made, renamed, put in order and deleted, and its chats stay", async () => {
    await open();
    await page.getByRole("button", { name: "New collection" }).click();
    const name = page.getByRole("textbox", { name: "Name of the collection" });
    await name.fill("work");
    await page.keyboard.press("Enter");
    await page.getByText("There is a collection").waitFor();
    await name.fill("Reading");
    await page.keyboard.press("Enter");
    await collection("Reading").waitFor();

    const menu = async (of: string, item: string) => {
      await collection(of).hover();
      await page.getByRole("button", { name: `More for the collection “${of}”` }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await menu("Reading", "Move up");
    await expect
      .poll(() => page.locator("[data-collection] .name").allInnerTexts())
      .toEqual(["House and garden", "Work", "Reading", "旅行"]);
    await menu("Work", "Rename");
    await page.getByRole("textbox", { name: "Name of the collection" }).fill("Office");
    await page.keyboard.press("Enter");
    await collection("Office").locator(".open").click();
    await expect.poll(chatsShown).toEqual(["chat_wal", "chat_leave"]);
    await menu("Office", "Delete collection…");
    await page.getByRole("button", { name: "Delete collection" }).click();
    await expect.poll(() => collection("Office").count()).toBe(0);
    await opener("chat_wal").waitFor();
    await opener("chat_crab").waitFor();
  });
});

describe("many chats", () => {
  it("are selected by click and moved to Trash, and Ctrl+Z brings them back", async () => {
    await open({ chat: "chat_wal" });
    await opener("chat_wal").click({ modifiers: ["Control"] });
    const shown = await chatsShown();
    const from = shown.indexOf("chat_wal");
    const wanted = shown.slice(from, from + 3);
    await opener(wanted[2]!).click({ modifiers: ["Shift"] });
    await expect.poll(() => bar().innerText()).toContain("3 selected");
    for (const chat of wanted) expect(await opener(chat).getAttribute("aria-checked")).toBe("true");
    const before = await Promise.all(wanted.map(stored));
    await inBar("Move to Trash").click();
    await says("3 chats moved to Trash");
    expect(await bar().count()).toBe(0);
    for (const chat of wanted) expect(await row(chat).count()).toBe(0);
    // The chat that was shown has made room for a new one.
    expect(await page.locator("[aria-current=page]").count()).toBe(0);
    await page.locator("main").click();
    await page.keyboard.press("Control+z");
    await opener("chat_wal").waitFor();
    expect(await Promise.all(wanted.map(stored))).toEqual(before);
    await expect.poll(() => opener("chat_wal").getAttribute("aria-current")).toBe("page");
    await expect.poll(() => page.locator(".toast").count()).toBe(0);
  });

  it("are selected by keys alone, and Esc lets them go", async () => {
    await open();
    await focusOn("chat_wal");
    await page.keyboard.press("Control+Space");
    await expect.poll(() => bar().innerText()).toContain("1 selected");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+ArrowDown");
    await expect.poll(() => bar().innerText()).toContain("3 selected");
    await page.keyboard.press("Shift+ArrowUp");
    await expect.poll(() => bar().innerText()).toContain("2 selected");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await expect.poll(() => bar().innerText()).toContain("3 selected");
    expect(await page.locator("[aria-live=polite]", { hasText: "3 selected" }).count()).toBe(1);
    await page.keyboard.press("Escape");
    await expect.poll(() => bar().count()).toBe(0);
    await page.keyboard.press("Control+Space");
    await page.keyboard.press("Delete");
    await says("Moved to Trash");
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(async () => (await chatsShown()).length).toBeGreaterThan(8);
  });

  it("are archived, pinned and tagged together", async () => {
    await open();
    await opener("chat_crab").click({ modifiers: ["Control"] });
    await opener("chat_leave").click();
    await inBar("Tags…").click();
    const field = page.getByRole("textbox", { name: "Find a tag, or write a new one" });
    await page.getByRole("checkbox", { name: "to read", exact: true }).waitFor();
    // One of the two has it.
    expect(await page.getByRole("checkbox", { name: "to read", exact: true }).getAttribute("aria-checked")).toBe(
      "mixed",
    );
    await shoot(page, "sorting-tags");
    await field.fill("Seen");
    await page.keyboard.press("Enter");
    await says("2 chats tagged “Seen”");
    await expect
      .poll(() => page.getByRole("checkbox", { name: "Seen", exact: true }).getAttribute("aria-checked"))
      .toBe("true");
    await page.keyboard.press("Escape");
    await inBar("Pin").click();
    await says("2 chats pinned");
    await inBar("Archive").click();
    await says("2 chats archived");
    expect((await stored("chat_crab")).archived).toBe(true);
    expect((await stored("chat_leave")).pinned).toBe(true);
    // Where a pinned chat comes back; the list stays where it is looked at.
    await page.locator(".list > .scroller").evaluate((list) => (list.scrollTop = 0));
    // The latest first, one after the other.
    await page.keyboard.press("Control+z");
    await opener("chat_crab").waitFor();
    await page.keyboard.press("Control+z");
    await expect.poll(async () => (await stored("chat_leave")).pinned).toBe(false);
  });

  it("go into a collection that is named on the way", async () => {
    await open();
    await opener("chat_crab").hover();
    await row("chat_crab").locator(".more").click();
    await page.getByRole("menuitem", { name: "Move to collection…" }).click();
    await page.getByRole("textbox").last().fill("Sea life");
    await shoot(page, "sorting-move");
    await page.keyboard.press("Enter");
    await says("Moved to “Sea life”");
    await expect.poll(() => countOf("Sea life")).toBe("1");
  });

  it("are a thousand at most", async () => {
    await open({ scenario: "huge" });
    await focusOn("chat_000012");
    await page.locator(".list > .scroller").evaluate(async (scroller) => {
      while (scroller.scrollHeight < 2_000 * 32) {
        scroller.scrollTop = scroller.scrollHeight;
        await new Promise((frame) => requestAnimationFrame(frame));
      }
      scroller.scrollTop = 0;
    });
    await focusOn("chat_000012");
    await page.keyboard.press("Control+a");
    await says("At most 1,000 chats are changed at once.");
    await expect.poll(() => bar().innerText()).toContain("1,000 selected");
    expect(await page.locator("[data-chat]").count()).toBeLessThan(120);
    await inBar("Archive").click();
    await says("1,000 chats archived");
    await page.keyboard.press("Control+z");
    await expect.poll(async () => (await stored("chat_000012")).archived, { timeout: 20_000 }).toBe(false);
  }, 60_000);
});

describe("a search", () => {
  it("is narrowed to a tag and a collection", async () => {
    await open();
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.type("the");
    await page.locator("[role=option]").first().waitFor();
    const filters = page.getByRole("group", { name: "Filters" });
    await filters.getByRole("button", { name: "Tag" }).click();
    await page.getByRole("menu").getByText("energy", { exact: true }).click();
    const foundIn = () => page.locator("[role=listbox] .row").allInnerTexts();
    await expect.poll(async () => (await foundIn()).join(" ")).not.toContain("SQLite");
    expect((await foundIn()).join(" ")).toContain("heat pump");
    await shoot(page, "sorting-search");
    await filters.getByRole("button", { name: "Collection" }).click();
    await page.getByRole("menu").getByText("Work", { exact: true }).click();
    await page.getByText("Nothing found").waitFor();
  });

  it("is kept under a name and asked again with its filters, and forgotten with a way back", async () => {
    await open();
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.type("log");
    await page.locator("[role=option]").first().waitFor();
    await page.getByRole("button", { name: "Pinned" }).click();
    await page.getByRole("button", { name: "Save search" }).click();
    await page.getByRole("textbox", { name: "Name of the search" }).fill("Logs that I keep");
    await page.keyboard.press("Enter");
    await says("Search saved");
    await page.getByRole("button", { name: "Clear search" }).click();
    await page.getByRole("button", { name: "Logs that I keep", exact: true }).click();
    await expect
      .poll(() => page.getByRole("combobox", { name: "Search chats and saved pages" }).inputValue())
      .toBe("log");
    expect(await page.getByRole("button", { name: "Pinned" }).getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Clear search" }).click();
    await page.getByRole("button", { name: "Logs that I keep", exact: true }).hover();
    await page.getByRole("button", { name: "Remove the saved search “Logs that I keep”" }).click();
    await says("Saved search removed");
    await page.getByRole("button", { name: "Undo" }).first().click();
    await page.getByRole("button", { name: "Logs that I keep", exact: true }).waitFor();
  });
});

describe.each(["light", "dark", "narrow", "rtl", "large"] as const)("in %s", (mode) => {
  it("nobody is kept out", async () => {
    await open({ chat: "chat_wal" }, mode);
    if (mode === "narrow") await page.keyboard.press("Control+b");
    await collection("House and garden").waitFor();
    await page.waitForTimeout(200);
    const found: Record<string, string[]> = { shelf: await axe(page) };
    await shoot(page, `sorting-shelf-${mode}`);
    await opener("chat_wal").click({ modifiers: ["Control"] });
    await opener("chat_battery").click();
    await bar().or(page.getByRole("toolbar")).first().waitFor();
    found.selected = await axe(page);
    await shoot(page, `sorting-selected-${mode}`);
    await page.keyboard.press("Escape");
    await collection("旅行").locator(".open").click();
    await page.waitForTimeout(200);
    found.empty = await axe(page);
    await shoot(page, `sorting-empty-${mode}`);
    expect(found).toEqual({ shelf: [], selected: [], empty: [] });
  });
});
