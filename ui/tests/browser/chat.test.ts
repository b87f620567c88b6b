// A chat as a person uses it: ask, read, follow a citation, stop, go on, ask in other words.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deeds } from "./fake";
import { axe, launch, modes, openWindow, shoot } from "./window";

/** A long answer, and a short one. */
const WAL = "How does SQLite's WAL mode work, and when should I not use it?";
const LEAVE = "日本では有給休暇は何日もらえますか？";

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

async function open(
  query: Record<string, string | number> = {},
  mode: (typeof modes)[keyof typeof modes] = modes.light,
) {
  ({ page, troubles } = await openWindow(browser, mode, query));
}

const field = () => page.locator("form textarea").last();
const answer = () => page.locator("article.answer").last();
const button = (name: string | RegExp) => page.getByRole("button", { name });
const chips = () => answer().locator(".citation");
const log = () => page.getByRole("log");
const complete = () => answer().getByText("Ask next").waitFor();

async function ask(question: string): Promise<void> {
  await field().fill(question);
  await page.keyboard.press("Enter");
}

describe("a new chat", () => {
  it("has the focus, says who answers, and asks an example of the guide", async () => {
    await open({ scenario: "empty", speed: 0 });
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
    await page.getByText("no language model is used").waitFor();
    const examples = page.getByRole("list", { name: "Examples" }).getByRole("button");
    expect(await examples.count()).toBe(3);
    await button("How do I use my own SearXNG?").click();
    await page.getByRole("heading", { level: 2, name: "How do I use my own SearXNG?" }).waitFor();
    await complete();
    // The guide has no site whose icon could stand there, and stands under a sign of its own.
    const sources = answer().locator(".favicon");
    expect(await sources.count()).toBeGreaterThan(0);
    expect(await answer().locator(".favicon > svg").count()).toBe(await sources.count());
  });

  it.each<Record<string, string>>([{ chat: "chat_heat" }, { section: "appearance" }])(
    "says once that there is no network: %o",
    async (where) => {
      await open({ scenario: "offline", ...where });
      const said = page.getByText(/offline/i).filter({ visible: true });
      await said.first().waitFor();
      expect(await said.count()).toBe(1);
    },
  );

  it("leads to where engines and models are changed", async () => {
    await open();
    await button("gpt-5-mini").first().waitFor();
    await page
      .locator("p")
      .getByRole("button", { name: /Brave Search/ })
      .click();
    await page.getByRole("heading", { name: "Search", exact: true }).first().waitFor();
  });
});

describe("an answer", () => {
  it("comes step by step, and leads to the sentence of a saved page", async () => {
    await open({ speed: 400 });
    await ask(WAL);
    await page.getByText(/Searching for “sqlite wal mode/).waitFor();
    await answer()
      .getByText(/Reading: \d pages? so far/)
      .waitFor();
    await button("Stop").waitFor();
    await chips().first().waitFor();
    await complete();
    await answer().getByText("Read 4 pages").waitFor();
    await expect.poll(() => answer().locator(".facts").innerText()).toMatch(/gpt-5-mini[^]*tokens[^]*\d s/);

    // What is scrolling takes no pointer.
    await chips().first().scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
    await chips().first().hover();
    const card = page.getByRole("tooltip");
    await card.waitFor();
    expect(await card.textContent()).toContain("changed pages are appended to the log");
    expect(await card.textContent()).toContain("docs.sqlite.example");
    expect(await card.locator(".title").textContent()).toContain("Write-Ahead Logging");
    expect(await card.locator(".from").textContent()).toMatch(/Published .*20\d\d/);
    await page.keyboard.press("Escape");
    await card.waitFor({ state: "detached" });

    await chips().first().click();
    await page.locator("aside").getByText("Write-Ahead Logging").first().waitFor();
    await shoot(page, "chat-reader");
  });

  it("shows a citation's quote to whoever comes by keyboard", async () => {
    await open({ chat: "chat_wal" });
    await chips().first().waitFor();
    await answer().locator("button").last().focus();
    await chips().first().focus();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Tab");
    await page.getByRole("tooltip").waitFor();
    const described = await chips().first().getAttribute("aria-describedby");
    expect(await page.getByRole("tooltip").getAttribute("id")).toBe(described);
  });

  it("keeps each citation on the line of the word that it follows, however wide the window", async () => {
    await open({ chat: "chat_heat" });
    await chips().first().waitFor();
    const apart = await page.evaluate(() => {
      const found: number[] = [];
      const root = document.querySelector<HTMLElement>(".markdown")!;
      for (let width = 240; width < 700; width += 5) {
        root.style.inlineSize = `${width}px`;
        for (const chip of root.querySelectorAll(".citation")) {
          const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
          let word: Text | null = null;
          while (texts.nextNode() && !chip.contains(texts.currentNode)) {
            if (/[^\s\u2060]/.test((texts.currentNode as Text).data)) word = texts.currentNode as Text;
          }
          if (!word) continue;
          const last = document.createRange();
          const end = word.data.trimEnd().length;
          last.setStart(word, end - 1);
          last.setEnd(word, end);
          if (last.getBoundingClientRect().bottom < chip.getBoundingClientRect().top) found.push(width);
        }
      }
      return found;
    });
    expect(apart).toEqual([]);
  });

  it("says what it cost where the person has entered what the model costs", async () => {
    await open({ chat: "chat_heat" });
    await answer().getByText("5,453 tokens").waitFor();
    expect(await answer().getByText("$").count()).toBe(0);
    await page.evaluate(() => fakePlatform.updateSetting("models.prices", "openai/gpt-5-mini=0.25/2"));
    await answer()
      .getByText(/^\$0\.00\d+$/)
      .waitFor();
  });

  it("has its sources as a row and as a list", async () => {
    await open({ speed: 0 });
    await ask(WAL);
    await complete();
    await button("All 4 sources").click();
    await answer().getByText("Three years of SQLite in production").first().waitFor();
    expect(await answer().getByRole("button", { name: "Open in the browser" }).count()).toBe(4);
    await answer()
      .getByRole("button", { name: /^4 WAL on flash storage/ })
      .click();
    await page.locator("aside").getByText("WAL on flash storage").first().waitFor();
  });

  it("says what the check found, and marks it only where that is wanted", async () => {
    await open({ speed: 0 });
    await ask(WAL);
    await complete();
    const marks = answer().locator("[data-verdict='not_found']");
    await expect.poll(() => marks.count()).toBeGreaterThan(0);
    const line = () => marks.first().evaluate((mark) => getComputedStyle(mark).textDecorationLine);
    expect(await line()).toBe("underline");
    await page.getByRole("switch", { name: "Mark sentences" }).click();
    await expect.poll(line).toBe("none");
    await button(/13 sentences supported/).click();
    await answer().getByText("Nearest in the sources:").first().waitFor();
  });

  it("opens its steps, with what failed and who was asked instead", async () => {
    await open({ ask: "captcha", speed: 0 });
    await ask(WAL);
    await complete();
    await button(/Read 4 pages/).click();
    await answer().getByText("Asking Wikipedia next.").waitFor();
    await answer()
      .getByText(/Not read:/)
      .first()
      .waitFor();
  });

  it("is copied with its sources", async () => {
    await open({ chat: "chat_wal" });
    await button("Copy as Markdown").first().click();
    await page.getByText("Copied").waitFor();
    const [copied] = (await deeds(page, "copyText")) as string[];
    const [text, sources] = copied!.split("\n\n## Sources\n\n");
    expect(text).toContain("[1]");
    expect(text).toContain("**");
    expect(sources!.trim().split("\n")).toHaveLength(4);
    expect(sources).toMatch(/^1\. \[[^\]]+\]\(<https:\/\/docs\.sqlite\.example\/[^>]*>\)\n2\. /);
  });

  it("asks on by itself when a follow-up is chosen", async () => {
    await open({ chat: "chat_wal", speed: 60 });
    await button("Does WAL mode change how backups are made?").last().click();
    await page.getByRole("heading", { level: 2, name: "Does WAL mode change how backups are made?" }).waitFor();
  });
});

describe("an answer that ends early", () => {
  it("is stopped by Esc, keeps what came, and goes on from there", async () => {
    await open({ speed: 60 });
    await ask(WAL);
    await answer().locator(".markdown", { hasText: "In WAL mode SQLite" }).waitFor();
    // Esc that drops a word of an input method means that word.
    await field().evaluate((area) =>
      area.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Escape", isComposing: true, bubbles: true, cancelable: true }),
      ),
    );
    await page.waitForTimeout(200);
    expect(await answer().getByText("Stopped. What came is kept.").count()).toBe(0);
    await page.keyboard.press("Escape");
    await answer().getByText("Stopped. What came is kept.").waitFor();
    const kept = await answer().locator(".markdown").textContent();
    await button("Continue").click();
    await complete();
    expect((await answer().locator(".markdown").textContent())!.length).toBeGreaterThan(kept!.length);
  });

  it("says why, and has the button that mends it", async () => {
    await open({ ask: "key_refused" });
    await ask(WAL);
    await answer().getByText("OpenAI refused the key.").waitFor();
    await shoot(page, "chat-failed");
    expect(await axe(page)).toEqual([]);
    await button("Model settings").click();
    await page.getByRole("heading", { name: "Models" }).first().waitFor();
  });

  it("keeps what came when the model breaks off", async () => {
    await open({ ask: "broken", speed: 0 });
    await ask(WAL);
    await answer().locator(".markdown", { hasText: "In WAL mode SQLite" }).waitFor();
    await button("Continue").waitFor();
  });
});

describe("branches", () => {
  it("come of asking in other words, and nothing is lost", async () => {
    await open({ speed: 0 });
    await ask(LEAVE);
    await complete();
    await button("Edit question").click();
    await page.locator("article.question textarea").fill("日本では有給休暇は何日もらえますか");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 2, name: "日本では有給休暇は何日もらえますか" }).waitFor();
    await complete();
    await page.getByText("2 of 2").waitFor();
    await button("Previous version").first().click();
    await page.getByRole("heading", { level: 2, name: LEAVE }).waitFor();
    await page.getByText("1 of 2").waitFor();
  });

  it("come of another model's answer", async () => {
    await open({ speed: 0 });
    await ask(WAL);
    await complete();
    await button("Answer again").click();
    await page.getByRole("menuitem", { name: /llama/ }).first().click();
    await answer().getByText("2 of 2").waitFor();
    await answer().locator(".facts", { hasText: "llama" }).waitFor();
  });

  it("changing a question is called off by Esc", async () => {
    await open({ chat: "chat_wal" });
    await button("Edit question").last().click();
    await page.keyboard.press("Escape");
    await page.locator("article.question textarea").waitFor({ state: "detached" });
  });
});

describe("the question field", () => {
  it("takes Shift+Enter as a new line, and never sends what is being composed", async () => {
    await open();
    await field().fill("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    expect(await field().inputValue()).toBe("one\ntwo");
    await field().evaluate((area) =>
      area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true })),
    );
    await field().evaluate((area) =>
      area.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }),
      ),
    );
    expect(await field().inputValue()).toBe("one\ntwo");
    expect(await page.locator("article").count()).toBe(0);
  });

  it("says that a question is too long before it is sent", async () => {
    await open();
    await field().fill("a".repeat(100_003));
    await page.getByText("3 characters too many. A question can have up to 100,000.").waitFor();
    expect(await button("Ask").isDisabled()).toBe(true);
    await page.keyboard.press("Enter");
    expect(await page.locator("article").count()).toBe(0);
  });

  it("keeps a draft for each chat", async () => {
    await open({ chat: "chat_wal" });
    await field().fill("half a thought");
    await page.getByText("Current price of copper").click();
    await expect.poll(() => field().inputValue()).toBe("");
    await page.getByText("SQLite write-ahead logging").first().click();
    await expect.poll(() => field().inputValue()).toBe("half a thought");
  });

  it("keeps its draft, and where to look, while settings are open", async () => {
    await open();
    await field().fill("half a thought");
    await button(/Where to look/).click();
    await page.getByRole("menuitemradio", { name: /Past chats/ }).click();
    await page.keyboard.press("Control+,");
    await page.getByRole("heading", { level: 1, name: "Appearance" }).waitFor();
    await page.keyboard.press("Control+l");
    await expect.poll(() => field().inputValue()).toBe("half a thought");
    await button("Where to look: Past chats").waitFor();
    await field().fill("half a thought more");
    await expect.poll(() => button("Ask").isEnabled()).toBe(true);
  });

  it("chooses where to look, how recent, and by whom", async () => {
    await open();
    await button(/Where to look/).click();
    await page.getByRole("menuitemradio", { name: /Automatic/, checked: true }).waitFor();
    await page.getByRole("menuitemradio", { name: /Past chats/, checked: false }).click();
    await button("Where to look: Past chats").waitFor();
    expect(await button(/How recent/).count()).toBe(0);
    await button(/^Model/).click();
    await page.getByRole("menuitemradio", { name: /Built-in writer/, checked: false }).click();
    await button("Model: Built-in writer").waitFor();
    await button(/^Model/).click();
    await page.getByRole("menuitemradio", { name: /Built-in writer/, checked: true }).waitFor();
    expect(await page.getByRole("menuitemradio", { checked: true }).count()).toBe(1);
    await page.getByRole("menuitem", { name: /ettings/ }).waitFor();
  });

  it("edits the last question by the up arrow, when it is empty", async () => {
    await open({ chat: "chat_wal" });
    await chips().first().waitFor();
    await field().focus();
    await page.keyboard.press("ArrowUp");
    await page.locator("article.question textarea").waitFor();
  });

  it("gets its words back when the question is refused", async () => {
    await open({ ask: "no_model" });
    await ask(WAL);
    await page.getByRole("alert").first().waitFor();
    await shoot(page, "chat-refused");
  });
});

describe("the place in a chat", () => {
  const distance = () => log().evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);

  it("is the newest message at first, and stays with a reader who is at the end", async () => {
    await open({ chat: "chat_wal", speed: 200 });
    await chips().first().waitFor();
    await expect.poll(distance).toBeLessThan(2);
    await ask(WAL);
    await answer().getByRole("heading", { name: "How the pieces fit" }).waitFor();
    expect(await distance()).toBeLessThan(60);
  });

  it("stays where a reader is who has gone up", async () => {
    await open({ chat: "chat_heat", speed: 120 });
    await chips().first().waitFor();
    await ask(WAL);
    await answer().getByRole("heading", { name: "How the pieces fit" }).waitFor();
    await log().hover();
    await page.mouse.wheel(0, -300);
    await button("Go to the newest").waitFor();
    const top = await log().evaluate((e) => e.scrollTop);
    await complete();
    expect(Math.abs((await log().evaluate((e) => e.scrollTop)) - top)).toBeLessThan(3);
    await button("Go to the newest").click();
    await expect.poll(distance).toBeLessThan(2);
  });

  it("holds still while older messages come above it", async () => {
    await open({ chat: "chat_long" });
    const last = page.locator("article").last();
    await last.waitFor();
    await expect.poll(distance).toBeLessThan(2);
    await log().hover();
    for (let turn = 0; turn < 12; turn++) {
      await page.mouse.wheel(0, -900);
      await page.waitForTimeout(120);
    }
    const seen = page.locator("article.question h2").first();
    const text = (await seen.textContent())!;
    const before = (await seen.boundingBox())!.y;
    await page.waitForTimeout(400);
    const after = await page.getByRole("heading", { level: 2, name: text, exact: true }).first().boundingBox();
    expect(Math.abs(after!.y - before)).toBeLessThan(3);
    // However much was loaded, only what is near is on the page.
    expect(await page.locator("article").count()).toBeLessThan(40);
  });

  it("is the message that was looked for", async () => {
    await open({ chat: "chat_long", message: "msg_long_q3" });
    const wanted = page.locator("[data-message='msg_long_q3']");
    await wanted.waitFor();
    await expect.poll(async () => (await wanted.boundingBox())!.y).toBeLessThan(80);
    await page.waitForTimeout(300);
    expect((await wanted.boundingBox())!.y).toBeGreaterThan(0);
  });

  it("is a message that was looked for once each time that it is looked for, and the reader's own after that", async () => {
    await open({ chat: "chat_long", message: "msg_long_q30" });
    const wanted = page.locator("[data-message='msg_long_q30']");
    await wanted.waitFor();
    await expect.poll(async () => (await wanted.boundingBox())!.y).toBeLessThan(80);
    await log().hover();
    for (let turn = 0; turn < 25; turn++) {
      await page.mouse.wheel(0, -900);
      await page.waitForTimeout(80);
    }
    await page.waitForTimeout(300);
    // Older pages have come meanwhile.
    expect(await wanted.isVisible()).toBe(false);
    expect(await log().evaluate((e) => e.scrollHeight - e.scrollTop)).toBeGreaterThan(5_000);
    await page.evaluate(() =>
      fakePlatform.tellNavigate({ to: "chat", chat_id: "chat_long", message_id: "msg_long_q30" }),
    );
    await wanted.waitFor();
    await expect.poll(async () => (await wanted.boundingBox())!.y).toBeLessThan(80);
  });

  it("is found by Ctrl+F among all messages of this chat, those that are not loaded too", async () => {
    await open({ chat: "chat_long" });
    await page.locator("article.question h2").first().waitFor();
    await page.keyboard.press("Control+f");
    await page.getByRole("group", { name: "Filters" }).getByText("A long talk about everything").waitFor();
    await page.keyboard.type("Question 12:");
    await page.locator("nav mark").first().waitFor();
    await shoot(page, "find-in-chat");
    await page.keyboard.press("Enter");
    await page.locator("[data-message='msg_long_q12']").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("group", { name: "Filters" }).count()).toBe(0);
  });

  it("stays where a reader is who has gone up, whatever is asked in this chat elsewhere", async () => {
    await open({ chat: "chat_long", speed: 0 });
    await page.locator("article.question h2").first().waitFor();
    await expect.poll(distance).toBeLessThan(2);
    await log().hover();
    await page.mouse.wheel(0, -500);
    await button("Go to the newest").waitFor();
    await page.waitForTimeout(500);
    const seen = await log().evaluate((log) =>
      [...log.querySelectorAll<HTMLElement>("[data-message]")]
        .filter((row) => row.querySelector("article.question") && row.getBoundingClientRect().top > 100)
        .map((row) => row.dataset.message)
        .at(0),
    );
    const row = page.locator(`[data-message='${seen}']`);
    await row.hover();
    await row.getByRole("button", { name: "Edit question" }).click();
    await row.locator("textarea").fill("half a new wording");
    await page.waitForTimeout(500);
    const at = async () => (await row.boundingBox())!.y;
    const before = await at();
    await page.evaluate(async () => {
      await fakePlatform.ask(
        {
          question: "And elsewhere?",
          turn: { in: "chat_long" },
          scope: null,
          also: [],
          files: [],
          model: null,
          time_range: null,
          depth: "quick",
          research: { steps: null, pages: null, minutes: null, tokens: null, money: null, plan_first: false },
        },
        () => undefined,
      );
    });
    await page.waitForTimeout(500);
    expect(await row.locator("textarea").inputValue()).toBe("half a new wording");
    expect(Math.abs((await at()) - before)).toBeLessThan(3);
    await button("Go to the newest").click();
    // Its answer is longer than the window: the question may not be on the page.
    const last = () => log().locator("[data-message]").last().getAttribute("data-message");
    await expect.poll(last).not.toMatch(/^msg_long/);
  });
});

describe("coming back", () => {
  it("takes up an answer that is still being written", async () => {
    await open({ scenario: "full", speed: 60 });
    await ask(WAL);
    await answer().locator(".markdown", { hasText: "In WAL mode SQLite" }).waitFor();
    await page.getByText("Current price of copper").click();
    await page.getByRole("heading", { level: 1, name: "Current price of copper" }).waitFor();
    await page
      .locator("nav")
      .getByText(/How does SQLite/)
      .first()
      .click();
    await answer().locator(".markdown", { hasText: "In WAL mode SQLite" }).waitFor();
    await button("Stop").waitFor();
    await complete();
    const text = (await answer().locator(".markdown").textContent())!;
    expect(text.match(/In WAL mode SQLite/g)).toHaveLength(1);
  });
});

it("reads from the right in Arabic, and nothing keeps people out", async () => {
  await open({ chat: "chat_astrolabe" }, modes.rtl);
  await chips().first().waitFor();
  const [question, text] = await Promise.all([
    page.locator("article.question h2").evaluate((e) => getComputedStyle(e).direction),
    answer()
      .locator(".markdown p")
      .first()
      .evaluate((e) => getComputedStyle(e).direction),
  ]);
  expect([question, text]).toEqual(["rtl", "rtl"]);
  expect(await axe(page)).toEqual([]);
});
