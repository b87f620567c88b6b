// Quick ask in a real browser: asked, read, left and come back to by keys alone, in a window that follows its text.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deeds } from "./fake";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

const SIZE = { width: 720, height: 660 };
const QUESTION = "How does SQLite write-ahead logging work?";

let browser: Browser;
let page: Page;
let troubles: string[];

beforeAll(async () => {
  browser = await launch();
});
afterEach(() => page.context().close());
afterAll(() => browser.close());

async function open(query: Record<string, string | number> = {}, mode: Mode = modes.light): Promise<void> {
  ({ page, troubles } = await openWindow(browser, { ...mode, ...SIZE }, { speed: 0, ...query }, "/quick.html"));
  await page.locator("textarea:focus").waitFor();
}

async function ask(question = QUESTION): Promise<void> {
  await page.keyboard.type(question);
  await page.keyboard.press("Enter");
  await page.locator("[data-follow-up]").first().waitFor();
}

const field = () => page.locator("textarea");
const hasFocus = () => field().evaluate((field) => field === document.activeElement);

describe("asking", () => {
  it("begins in the field and is done by Enter, not while an input method composes", async () => {
    await open();
    await page.keyboard.type(QUESTION);
    await field().dispatchEvent("keydown", { key: "Enter", isComposing: true });
    await field().dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
    expect(await field().inputValue()).toBe(QUESTION);
    await page.keyboard.press("Shift+Enter");
    expect(await field().inputValue()).toBe(`${QUESTION}\n`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: QUESTION }).waitFor();
    expect([await field().inputValue(), await hasFocus()]).toEqual(["", true]);
    expect(troubles).toEqual([]);
  });

  it("goes on by the arrow keys to a question that follows, in the same chat", async () => {
    await open();
    await ask();
    const chats = () => page.evaluate(async () => (await fakePlatform.listChats("active", null, 500)).length);
    const before = await chats();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const second = await page.evaluate(() => document.activeElement!.textContent!.trim());
    expect(second).toBe((await page.locator("[data-follow-up]").nth(1).textContent())!.trim());
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    expect(await hasFocus()).toBe(true);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 2, name: second }).waitFor();
    expect(await chats()).toBe(before);
  });

  it("takes a letter typed anywhere for the field", async () => {
    await open();
    await ask();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.type("why");
    expect([await field().inputValue(), await hasFocus()]).toEqual(["why", true]);
  });

  it("tells what is being done, can be stopped, and keeps what has come", async () => {
    await open({ speed: 40 });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.getByText("Writing from 4 sources").waitFor();
    await expect.poll(() => page.locator(".markdown").textContent()).toMatch(/\w{4}/);
    await page.keyboard.press("Control+.");
    await page.getByText("Stopped. What came is kept.").waitFor();
    expect(await page.locator(".markdown").textContent()).not.toBe("");
    await page.getByRole("button", { name: "Try again" }).waitFor();
  });
});

describe("a citation", () => {
  it("shows its quote where the answer is, and opens its page in the browser", async () => {
    await open();
    await ask();
    const citation = page.locator("button.citation").first();
    await citation.click();
    const card = page.getByRole("complementary", { name: "Source 1" });
    await card.waitFor();
    expect((await card.locator("blockquote").textContent())!.length).toBeGreaterThan(20);
    await card.getByRole("button", { name: "Open page" }).click();
    expect(await deeds(page, "openLink")).toEqual([expect.stringMatching(/^https:\/\//)]);
    await citation.click();
    await card.waitFor({ state: "detached" });
    expect(troubles).toEqual([]);
  });
});

describe("leaving and coming back", () => {
  it("hides by Esc, keeps the answer and is ready to be typed into", async () => {
    await open();
    await ask();
    await page.keyboard.type("half a que");
    await page.locator("button.citation").first().focus();
    await page.keyboard.press("Escape");
    expect(await deeds(page, "hideQuickAsk")).toHaveLength(1);
    await page.evaluate(() => fakePlatform.tellQuickAskShown());
    await expect.poll(hasFocus).toBe(true);
    expect(await field().evaluate((field: HTMLTextAreaElement) => [field.selectionStart, field.selectionEnd])).toEqual([
      0, 10,
    ]);
    expect(await page.getByRole("heading", { name: QUESTION }).count()).toBe(1);
  });

  it("stops nothing by Esc", async () => {
    await open({ speed: 200 });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.getByText("Writing from").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("[data-follow-up]").first().waitFor();
    expect(await page.getByText("Stopped.").count()).toBe(0);
  });

  it("carries on in the main window, and is empty then", async () => {
    await open();
    await ask();
    await page.keyboard.press("Control+Enter");
    await expect.poll(() => deeds(page, "carryOn")).toEqual([expect.stringMatching(/^chat_/)]);
    await page.getByRole("heading", { name: QUESTION }).waitFor({ state: "detached" });
  });

  it("carries a question on that was not even asked yet", async () => {
    await open({ speed: 60 });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Control+Enter");
    await expect.poll(() => deeds(page, "carryOn")).toEqual([expect.stringMatching(/^chat_/)]);
    const [chat] = (await deeds(page, "carryOn")) as string[];
    const asked = await page.evaluate(
      async (chat) => (await fakePlatform.openChat(chat!, null, 9)).messages[0]!.content,
      chat,
    );
    expect(asked).toBe(QUESTION);
  });

  it("begins anew by Ctrl+N", async () => {
    await open();
    await ask();
    await page.keyboard.press("Control+n");
    await page.getByRole("heading", { name: QUESTION }).waitFor({ state: "detached" });
    expect([await hasFocus(), await field().getAttribute("placeholder")]).toEqual([true, "Ask anything"]);
  });

  it("copies the answer where nothing is selected, and else what is selected", async () => {
    await open();
    await ask();
    await page.keyboard.press("Control+c");
    await page.getByText("Answer copied").waitFor();
    const [copied] = (await deeds(page, "copyText")) as string[];
    expect(copied).toMatch(/^In WAL mode[^]*## Sources\n\n1\. \[/);
    await page.locator(".markdown p").first().selectText();
    await page.keyboard.press("Control+c");
    await field().fill("some words");
    await field().selectText();
    await page.keyboard.press("Control+c");
    expect(await deeds(page, "copyText")).toHaveLength(1);
  });
});

describe("the window", () => {
  it("is as tall as what it shows, up to its most, and never twitches while text streams", async () => {
    await open({ speed: 300 });
    await expect.poll(() => deeds(page, "fitQuickAsk")).toEqual([76]);
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.locator("[data-follow-up]").first().waitFor({ timeout: 20_000 });
    await page.waitForTimeout(200);
    const heights = (await deeds(page, "fitQuickAsk")) as number[];
    const most = await page.evaluate(() => Math.min(640, Math.floor(screen.availHeight * 0.8)));
    expect(Math.max(...heights)).toBe(most);
    const shrinks = heights.slice(1).filter((height, at) => height < heights[at]!);
    expect(shrinks).toEqual([]);
    expect(heights.length).toBeGreaterThan(3);
    await page.keyboard.press("Control+n");
    await expect.poll(async () => (await deeds(page, "fitQuickAsk")).at(-1)).toBe(76);
  });

  it("fits what it shows to the pixel", async () => {
    await open({ ask: "key_refused" });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    const height = () => page.locator("main.quick").evaluate((main) => Math.ceil(main.getBoundingClientRect().height));
    await expect.poll(async () => (await deeds(page, "fitQuickAsk")).at(-1)).toBe(await height());
  });
});

describe("what goes wrong", () => {
  it("is said in words, with the way to where it is mended", async () => {
    await open({ ask: "key_refused" });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "Open in main window" }).click();
    await expect.poll(() => deeds(page, "carryOn")).toHaveLength(1);
  });

  it("offers another try where an answer broke off", async () => {
    await open({ ask: "broken" });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor();
    expect(troubles).toEqual([]);
  });

  it("is no network: then it says where questions go", async () => {
    await open({ scenario: "offline" });
    await page.getByText("You’re offline. Questions go to your past chats and the guide.").waitFor();
    await page.evaluate(() => fakePlatform.goOnline(true));
    await page.getByText("You’re offline.").waitFor({ state: "detached" });
  });
});

const looks: [name: string, query: Record<string, string | number>, mode: Mode][] = [
  ["light", {}, modes.light],
  ["dark", {}, modes.dark],
  ["rtl", {}, modes.rtl],
  ["large", {}, modes.large],
  ["offline", { scenario: "offline" }, modes.dark],
  ["error", { ask: "key_refused" }, modes.light],
];
describe.each(looks)("in %s", (name, query, mode) => {
  it("is legible and whole, empty, asked and answered", async () => {
    await open(query, mode);
    await page.waitForTimeout(200);
    await shoot(page, `quick-${name}-empty`);
    const complaints = await axe(page);
    await page.keyboard.type(mode.language === "ar" ? "كيف يعمل الأسطرلاب؟" : QUESTION);
    await page.keyboard.press("Enter");
    await page.locator("[data-follow-up], [role=alert]").first().waitFor();
    const citation = page.locator("button.citation").first();
    if (await citation.count()) await citation.click();
    await page.waitForTimeout(200);
    await shoot(page, `quick-${name}`);
    complaints.push(...(await axe(page)));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow, complaints }).toEqual({ troubles: [], overflow: 0, complaints: [] });
  });
});
