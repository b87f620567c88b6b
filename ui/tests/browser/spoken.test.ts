// What a screen reader says of an answer while it is written: that it begins, each sentence once and in order, that it ends.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, modes, openWindow } from "./window";

const WAL = "How does SQLite's WAL mode work, and when should I not use it?";
const windows = [
  { name: "the main window", path: "/", size: {} },
  { name: "quick ask", path: "/quick.html", size: { width: 720, height: 660 } },
];

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

/** Every text that is put into a live region, as it is put there: what is only moved or taken away is not said. */
function listen(): Promise<void> {
  return page.evaluate(() => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver((changes) => {
      for (const { target, addedNodes, type } of changes) {
        const region = (target instanceof Element ? target : target.parentElement)?.closest("[aria-live=polite]");
        if (!region) continue;
        const added = type === "characterData" ? [target] : [...addedNodes];
        said.push(...added.map((node) => node.textContent?.trim() ?? "").filter(Boolean));
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
}

const said = () => page.evaluate(() => (window as unknown as { said: string[] }).said);

describe.each(windows)("in $name", ({ path, size }) => {
  it("an answer is said sentence by sentence while it is written", async () => {
    ({ page, troubles } = await openWindow(browser, { ...modes.light, ...size }, { speed: 200 }, path));
    await page.locator("textarea").last().waitFor();
    await listen();
    await page.locator("textarea").last().fill(WAL);
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await said()).length, { timeout: 20_000 }).toBeGreaterThan(3);
    // While words still come, some have been said.
    const early = await said();
    expect(early).not.toContain("The answer is complete.");
    await expect.poll(said, { timeout: 40_000 }).toContain("The answer is complete.");
    const all = await said();
    const begin = all.indexOf("Answering");
    const sentences = all.slice(begin + 1, all.indexOf("The answer is complete."));
    expect(begin).toBeGreaterThanOrEqual(0);
    expect(sentences.length).toBeGreaterThan(8);
    expect(new Set(sentences).size).toBe(sentences.length);
    expect(all.filter((text) => text === "The answer is complete.")).toHaveLength(1);
    // Each stands in the answer, and in this order.
    const plain = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");
    const answer = plain((await page.locator(".markdown").last().textContent())!.replace(/\[\d+\]/g, ""));
    expect(sentences[0]).toMatch(/^In WAL mode/);
    const first = sentences.slice(0, 3).map((sentence) => answer.indexOf(plain(sentence).slice(0, 20)));
    expect(first).toEqual([...first].sort((one, other) => one - other));
    expect(first.every((at) => at >= 0)).toBe(true);
    // What has been said stays for as long as it takes to be heard.
    const kept = await page.locator("[aria-live=polite]", { hasText: "The answer is complete." }).textContent();
    expect(kept).toContain(sentences.at(-1)!);
    expect(kept).toContain(sentences.at(-2)!);
  });
});

it("an answer that was there already is not said", async () => {
  ({ page, troubles } = await openWindow(browser, modes.light, { chat: "chat_heat" }));
  await page.locator(".markdown").last().waitFor();
  const live = await page.locator("article.answer [aria-live=polite]").allTextContents();
  expect(live.join("").trim()).toBe("");
});
