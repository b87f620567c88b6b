// The sidebar in a real browser: a hundred thousand chats, nothing that jumps, every key, search, Trash, the palette.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deeds } from "./fake";
import { axe, launch, modes, openWindow, shoot } from "./window";

/** Noon, so that "today" is not empty just after midnight. */
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
  ({ page, troubles } = await openWindow(browser, modes[mode], { now: NOON, ...query }));
}

const row = (chat: string): Locator => page.locator(`[data-chat="${chat}"]`);
const opener = (chat: string): Locator => row(chat).locator(".open");
const focusOn = (chat: string): Promise<void> => opener(chat).focus();
const search = (): Locator => page.getByRole("combobox", { name: "Search chats and saved pages" });
const topOf = async (chat: string): Promise<number> => (await row(chat).boundingBox())!.y;
const focusedChat = (): Promise<string | undefined> =>
  page.evaluate(() => document.activeElement?.closest<HTMLElement>("[data-chat]")?.dataset.chat);

describe("a hundred thousand chats", () => {
  it("have few rows in the document, and the far end is reached", async () => {
    await open({ scenario: "huge" });
    // As a hand on the scroll bar does: to the end, and again when there is more.
    await page.locator(".list > .scroller").evaluate(async (scroller) => {
      while (!scroller.querySelector('[data-chat="chat_099990"]')) {
        scroller.scrollTop = scroller.scrollHeight;
        await new Promise((frame) => requestAnimationFrame(frame));
      }
    });
    expect(await page.locator("[data-chat]").count()).toBeLessThan(120);
    expect(await page.locator("#app *").count()).toBeLessThan(2500);
    await shoot(page, "library-huge-end");
  }, 120_000);

  it("are shown where they were looked at, after the sidebar was closed and after a search", async () => {
    await open();
    await opener("chat_wal").waitFor();
    const scroller = page.locator(".list > .scroller");
    const scrolled = (): Promise<number> => scroller.evaluate((list) => list.scrollTop);
    await scroller.evaluate((list) => (list.scrollTop = 500));
    await expect.poll(() => opener("chat_wal").isVisible()).toBe(false);
    await page.keyboard.press("Control+b");
    await scroller.waitFor({ state: "detached" });
    await page.keyboard.press("Control+b");
    await expect.poll(scrolled).toBe(500);
    await search().fill("heat");
    await scroller.waitFor({ state: "detached" });
    await search().fill("");
    await expect.poll(scrolled).toBe(500);
  });

  it("are walked through by End and Home", async () => {
    await open({ scenario: "huge" });
    await focusOn("chat_000012");
    await page.keyboard.press("End");
    await row("chat_099990").waitFor({ timeout: 60_000 });
    await expect.poll(focusedChat).toBe("chat_099990");
    await page.keyboard.press("Home");
    await expect
      .poll(() => page.locator(".list > .scroller").evaluate((element) => element.scrollTop))
      .toBeLessThan(40);
  }, 120_000);

  it("keep what is looked at in its place while others come in above", async () => {
    await open({ scenario: "huge", chat: "chat_001500" });
    const scroller = page.locator(".list > .scroller");
    await scroller.evaluate((element) => {
      element.scrollTop = 20_000;
    });
    await page.waitForTimeout(200);
    const chat = await page.evaluate(() => {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-chat]")];
      return rows.find((each) => each.getBoundingClientRect().top > 300)!.dataset.chat!;
    });
    const before = await topOf(chat);
    // A chat from far below goes to the top.
    await page.keyboard.press("Control+k");
    await page.keyboard.type("rename this");
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "New title, then Enter" }).fill("Moved to the top");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(500);
    expect(await topOf(chat)).toBeCloseTo(before, 0);
    // It has really come in above.
    const texts = await scroller.evaluate(async (element) => {
      element.scrollTop = 500 * 32;
      await new Promise((done) => setTimeout(done, 200));
      return [...element.querySelectorAll(".title")].map((title) => title.textContent);
    });
    expect(texts).toContain("Moved to the top");
  });
});

describe("the list", () => {
  it("stands under headings by day, the pinned first", async () => {
    await open();
    const headings = await page.locator(".list h2").allTextContents();
    expect(headings.slice(0, 3)).toEqual(["Pinned", "Today", "Yesterday"]);
  });

  it("shows which chat is open, and which is being answered", async () => {
    await open({ scenario: "running", chat: "chat_wal", speed: 5 });
    await expect.poll(() => opener("chat_wal").getAttribute("aria-current")).toBe("page");
    await row("chat_wal").getByRole("img", { name: "An answer is being written" }).waitFor();
  });

  it("is one stop of Tab, and the arrows walk from row to row over the headings", async () => {
    await open();
    await focusOn("chat_battery");
    const walked = [await focusedChat()];
    for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) {
      await page.keyboard.press(key);
      walked.push(await focusedChat());
    }
    const rows = await page
      .locator("[data-chat]")
      .evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.chat));
    const at = rows.indexOf("chat_battery");
    expect(walked).toEqual([rows[at], rows[at + 1], rows[at + 2], rows[at + 1]]);
    expect(await page.locator(".list .open[tabindex='0']").count()).toBe(1);
    await page.keyboard.press("Enter");
    await expect.poll(() => opener(rows[at + 1]!).getAttribute("aria-current")).toBe("page");
  });

  it("renames in place, and the row moves only when the pointer has gone", async () => {
    await open();
    await row("chat_leave").hover();
    const before = await topOf("chat_leave");
    await focusOn("chat_leave");
    await page.keyboard.press("F2");
    const field = page.getByRole("textbox", { name: "Title of the chat" });
    await field.fill("Days of leave");
    await page.keyboard.press("Enter");
    await expect.poll(() => opener("chat_leave").innerText()).toBe("Days of leave");
    await page.waitForTimeout(150);
    expect(await topOf("chat_leave")).toBe(before);
    await search().focus();
    await page.mouse.move(700, 300);
    await expect.poll(() => topOf("chat_leave")).toBeLessThan(before);
  });

  it("leaves the title as it was after Esc", async () => {
    await open();
    await focusOn("chat_leave");
    const title = await opener("chat_leave").innerText();
    await page.keyboard.press("F2");
    await page.keyboard.type("Something else");
    await page.keyboard.press("Escape");
    await expect.poll(() => opener("chat_leave").innerText()).toBe(title);
    await expect.poll(focusedChat).toBe("chat_leave");
  });

  it("has a menu under the right button, the dots and the menu key", async () => {
    await open();
    await opener("chat_leave").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Pin", exact: true }).click();
    await expect.poll(() => page.locator(".list h2:has-text('Pinned') >> nth=0").count()).toBe(1);
    await row("chat_crab").hover();
    await row("chat_crab")
      .getByRole("button", { name: /^More for/ })
      .click();
    await page.getByRole("menuitem", { name: "Open in new window" }).click();
    await focusOn("chat_crab");
    await page.keyboard.press("Shift+F10");
    await page.getByRole("menuitem", { name: "Archive", exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(focusedChat).toBe("chat_crab");
  });

  it("deletes by key, goes on to the next row, and takes it back", async () => {
    await open();
    await focusOn("chat_leave");
    await page.keyboard.press("Delete");
    await expect.poll(() => row("chat_leave").count()).toBe(0);
    await expect.poll(focusedChat).toBeTruthy();
    await page.getByRole("button", { name: "Undo" }).click();
    await row("chat_leave").waitFor();
  });
});

describe("archive and Trash", () => {
  it("show what was sent there, and give it back", async () => {
    await open({ now: Date.now() });
    await focusOn("chat_leave");
    await page.keyboard.press("Delete");
    await page.getByRole("button", { name: "Trash", exact: true }).click();
    await row("chat_leave").waitFor();
    await expect.poll(() => row("chat_leave").innerText()).toContain("30 days left");
    await opener("chat_leave").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Restore" }).click();
    await expect.poll(() => row("chat_leave").count()).toBe(0);
    await page.getByRole("button", { name: "Back to chats" }).click();
    await row("chat_leave").waitFor();
  });

  it("the archive shows its chats, and gives them back", async () => {
    await open();
    await opener("chat_leave").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Archive" }).click();
    await expect.poll(() => row("chat_leave").count()).toBe(0);
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await page.getByRole("heading", { name: "Archive" }).waitFor();
    await row("chat_leave").waitFor();
    await shoot(page, "library-archive");
    const shown = await page.locator("[data-chat]").evaluateAll((rows) => rows.map((each) => each.dataset.chat!));
    const archived = await page.evaluate(async () => {
      const chats = await fakePlatform.listChats("archived", null, 500);
      return chats.map(({ id }) => id);
    });
    expect([...shown].sort()).toEqual([...archived].sort());
    await opener("chat_leave").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Take out of archive" }).click();
    await expect.poll(() => row("chat_leave").count()).toBe(0);
    await page.getByRole("button", { name: "Back to chats" }).click();
    await row("chat_leave").waitFor();
  });

  it("delete for ever only after asking", async () => {
    await open();
    await page.getByRole("button", { name: "Trash", exact: true }).click();
    const first = page.locator("[data-chat]").first();
    const chat = (await first.getAttribute("data-chat"))!;
    await focusOn(chat);
    await page.keyboard.press("Delete");
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
    await row(chat).waitFor();
    await focusOn(chat);
    await page.keyboard.press("Delete");
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete for ever" }).click();
    await expect.poll(() => row(chat).count()).toBe(0);
    await page.getByRole("button", { name: "Empty Trash" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Empty Trash" }).click();
    await page.getByText("Trash is empty").waitFor();
  });
});

describe("search", () => {
  it("marks what it found and opens the chat at the message", async () => {
    await open();
    await focusOn("chat_crab");
    await page.keyboard.press("/");
    await page.keyboard.type("heat");
    await page.locator(".results mark").first().waitFor();
    expect(await page.locator(".results mark").first().innerText()).toMatch(/heat/i);
    await page.keyboard.press("ArrowDown");
    expect(
      await search().evaluate((field) => document.getElementById(field.getAttribute("aria-activedescendant")!)?.role),
    ).toBe("option");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "COP and SCOP of heat pumps" }).waitFor();
    await page.getByRole("button", { name: "Clear search" }).click();
    await expect.poll(() => opener("chat_heat").getAttribute("aria-current")).toBe("page");
  });

  it("narrows by chips and widens again", async () => {
    await open();
    await search().fill("heat");
    await page.locator("[role=option]").first().waitFor();
    await page.getByRole("button", { name: "Where", exact: true }).click();
    await page.getByRole("menu").getByText("Archive only").click();
    await page.getByText("Nothing within these filters").waitFor();
    await page.getByRole("button", { name: "Remove filter: Archive only" }).click();
    await page.locator("[role=option]").first().waitFor();
  });

  it("never takes markup for anything but text", async () => {
    await open();
    await focusOn("chat_leave");
    await page.keyboard.press("F2");
    await page.keyboard.type("<img src=x onerror=alert(1)> leave");
    await page.keyboard.press("Enter");
    await search().fill("onerror");
    await page.locator(".results").getByText("<img src=x onerror=alert(1)> leave").first().waitFor();
    expect(await page.locator(".results img").count()).toBe(0);
  });

  it("fetches further pages while it is scrolled", async () => {
    await open({ scenario: "huge" });
    await search().fill("e");
    await page.locator("[role=option]").first().waitFor();
    const scroller = page.locator(".results > .scroller");
    const before = await scroller.evaluate((element) => element.scrollHeight);
    for (let turn = 0; turn < 6; turn++) {
      await scroller.evaluate((element) => {
        element.scrollTop = element.scrollHeight;
      });
      await page.waitForTimeout(60);
    }
    expect(await scroller.evaluate((element) => element.scrollHeight)).toBeGreaterThan(before * 2);
    expect(await page.locator("[role=option]").count()).toBeLessThan(80);
  });
});

describe("the palette", () => {
  const field = (): Locator => page.getByRole("combobox", { name: "Find a command, a chat, a saved page" });

  it("finds a command by some of its letters and runs it", async () => {
    await open();
    await page.keyboard.press("Control+k");
    await field().fill("drk thm");
    await page.getByRole("option", { name: "Dark theme" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    await expect.poll(() => field().count()).toBe(0);
  });

  it("gives the focus back where it was", async () => {
    await open();
    await focusOn("chat_crab");
    await page.keyboard.press("Control+k");
    await field().waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(focusedChat).toBe("chat_crab");
  });

  it("opens a chat that it found in the history", async () => {
    await open();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("checkpoint");
    await page.getByRole("group", { name: "In your history" }).getByRole("option").first().click();
    await expect.poll(() => opener("chat_wal").getAttribute("aria-current")).toBe("page");
  });

  it("renames the chat that is open", async () => {
    await open({ chat: "chat_crab" });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("rename");
    await page.getByRole("option", { name: "Rename" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "New title, then Enter" }).fill("Ferris");
    await page.keyboard.press("Enter");
    await expect.poll(() => opener("chat_crab").innerText()).toBe("Ferris");
  });

  it("searches the web without an answer, only when asked to, and reads what is chosen", async () => {
    await open();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("heat pumps");
    const search = page.getByRole("option", { name: "Search the web for “heat pumps”" });
    await search.waitFor();
    expect(await deeds(page, "searchWeb")).toEqual([]);
    await search.click();
    const found = page.getByRole("option", { name: "Efficiency figures of heat pumps, explained" });
    await found.waitFor();
    await page.getByRole("option", { name: "DuckDuckGo asks for a CAPTCHA." }).waitFor();
    await shoot(page, "palette-web");
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await search.waitFor();
    await search.click();
    await found.waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Efficiency figures of heat pumps, explained" }).waitFor();
    await page.getByText("Read just now, not saved").waitFor();
    expect(await deeds(page, "searchWeb")).toEqual(["heat pumps", "heat pumps"]);
  });

  it("keeps what is typed before it is here", async () => {
    await open();
    let send = () => {};
    const isTyped = new Promise<void>((done) => (send = done));
    await page.route(/PaletteDialog/, async (route) => {
      await isTyped;
      await route.continue();
    });
    await page.reload();
    await opener("chat_crab").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("heat pumps");
    send();
    const field = page.getByRole("dialog").getByRole("combobox");
    await expect.poll(() => field.inputValue()).toBe("heat pumps");
    await page.keyboard.type(" in");
    await page.getByRole("option", { name: "Search the web for “heat pumps in”" }).waitFor();
  });

  it("reads an address that is typed", async () => {
    await open();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("energy-handbook.example/heat-pumps/efficiency");
    await page.getByRole("option", { name: "Read this page of energy-handbook.example" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Read just now, not saved").waitFor();
    expect(await deeds(page, "readPage")).toEqual(["https://energy-handbook.example/heat-pumps/efficiency"]);
    await page.keyboard.press("Escape");
  });

  it("says why nothing was found on the web", async () => {
    await open({ scenario: "offline" });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("heat pumps");
    await page.getByRole("option", { name: "Search the web" }).click();
    await page.getByRole("option", { name: "There is no network." }).waitFor();
  });

  it("lists every shortcut on the sheet", async () => {
    await open();
    await focusOn("chat_crab");
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await sheet.getByText("Command palette").waitFor();
    await shoot(page, "palette-sheet");
    await page.keyboard.press("Escape");
    await expect.poll(() => sheet.count()).toBe(0);
  });
});

describe.each(["light", "dark", "narrow", "rtl", "large"] as const)("in %s", (mode) => {
  it("nobody is kept out", async () => {
    await open({ chat: "chat_wal" }, mode);
    // The list is there before the chat is, which has to be measured and then scrolled to its end.
    await page.locator("main .markdown").last().waitFor();
    await page.waitForTimeout(300);
    if (mode === "narrow") await page.keyboard.press("Control+b");
    const found: Record<string, string[]> = { list: await axe(page) };
    await shoot(page, `library-list-${mode}`);
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.type("heat");
    await page.locator("[role=option]").first().waitFor();
    found.search = await axe(page);
    await shoot(page, `library-search-${mode}`);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("the");
    await page.locator(".palette [role=option]").first().waitFor();
    await page.waitForTimeout(150);
    found.palette = await axe(page);
    await shoot(page, `library-palette-${mode}`);
    expect(found).toEqual({ list: [], search: [], palette: [] });
  });
});
