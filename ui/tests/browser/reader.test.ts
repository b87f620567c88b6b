// The reader in a real browser: from a citation to its sentence and back, in pages of every kind and size.

import AxeBuilder from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Failure, Page as SavedPage } from "../../src/bindings/bindings";
import { deeds } from "./fake";
import { launch, type Mode, modes, openWindow, shoot } from "./window";

let browser: Browser;
let page: Page;
let troubles: string[];

beforeAll(async () => {
  browser = await launch();
});
afterEach(() => page.context().close());
afterAll(() => browser.close());

async function open(mode: Mode = modes.light, query: Record<string, string | number> = {}): Promise<void> {
  ({ page, troubles } = await openWindow(browser, mode, { chat: "chat_wal", speed: 0, ...query }));
  await page.locator("button.citation").first().waitFor();
}

/** Every citation of the chat leads to this page, or to why there is none. */
async function cite(saved: SavedPage | Failure, page_span = { start: 0, end: 0 }): Promise<void> {
  await page.evaluate(
    ([saved, page_span]) => {
      const fake = fakePlatform;
      const openChat = fake.openChat.bind(fake);
      fake.openPage = async (id) => ("code" in saved ? Promise.reject(saved) : { ...saved, id });
      fake.openChat = async (...of) => {
        const open = await openChat(...of);
        for (const message of open.messages) {
          message.citations = message.citations.map((citation) => ({ ...citation, page_span }));
        }
        return open;
      };
      fake.tellNavigate({ to: "settings", section: "about" });
    },
    [saved, page_span] as const,
  );
  await page.locator("button.citation").first().waitFor({ state: "detached" });
  await page.evaluate(() => fakePlatform.tellNavigate({ to: "chat", chat_id: "chat_wal", message_id: null }));
  await page.locator("button.citation").last().click();
}

/** Shows a page of the test's own, with `quote` cited. */
async function show(saved: Partial<SavedPage>, quote: string): Promise<void> {
  const whole = {
    id: "page_own",
    url: "https://own.example/page",
    title: "A page of our own",
    author: null,
    site_name: null,
    published_at: null,
    favicon: null,
    language: "en",
    media_type: "html",
    text: "",
    sentences: [],
    html: null,
    fetched_at: "2026-01-02T00:00:00Z",
    content_hash: "",
    ...saved,
  } as SavedPage;
  const start = Buffer.byteLength(whole.text.slice(0, whole.text.indexOf(quote)));
  await cite(whole, { start, end: start + Buffer.byteLength(quote) });
}

/** What axe holds against the panel. */
async function axe(): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).include("aside.reader").analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}

const marked = () => page.locator("mark.quoted").allTextContents();

/** How far the marked sentence is from the middle of the page's view, in pixels. */
function offCentre(): Promise<number> {
  return page.evaluate(async () => {
    for (let frame = 0; frame < 12; frame++) await new Promise(requestAnimationFrame);
    const marks = document.querySelectorAll("mark.quoted");
    const view = marks[0]!.closest("[role=region]")!.getBoundingClientRect();
    const top = marks[0]!.getBoundingClientRect().top;
    const bottom = marks[marks.length - 1]!.getBoundingClientRect().bottom;
    return Math.abs((top + bottom) / 2 - (view.top + view.bottom) / 2);
  });
}

describe("from a citation", () => {
  it("leads to the exact sentence in the middle of the view, and back to the citation", async () => {
    await open();
    const citation = page.locator("button.citation").last();
    await citation.click();
    await page.locator("mark.quoted").first().waitFor();
    const quote = await page.evaluate(async () => {
      const { messages } = await fakePlatform.openChat("chat_wal", null, 20);
      return messages.at(-1)!.citations.at(-1)!.quote;
    });
    expect((await marked()).join("")).toBe(quote);
    expect(await offCentre()).toBeLessThan(2);
    expect(await page.locator(".panel .view").evaluate((view) => view === document.activeElement)).toBe(true);
    await page.keyboard.press("Escape");
    await page.locator("mark.quoted").waitFor({ state: "detached" });
    await expect.poll(() => citation.evaluate((button) => button === document.activeElement)).toBe(true);
    expect(troubles).toEqual([]);
  });

  it("goes on to the answer's other citations, within the page and to other pages", async () => {
    await open(modes.light, { message: "msg_wal_q" });
    // The long answer, and not the short one at the end of the chat.
    const answer = page.locator("article", { has: page.getByRole("heading", { name: "How the pieces fit" }) });
    await answer.locator("button.citation").first().click();
    await page.locator("mark.quoted").first().waitFor();
    const place = async () => `${await page.locator(".panel .bar .name").textContent()}: ${(await marked()).join("")}`;
    const next = page.getByRole("button", { name: "Next citation" });
    const places = [await place()];
    while (!(await next.isDisabled())) {
      await page.keyboard.press("Alt+ArrowRight");
      await expect.poll(place).not.toBe(places.at(-1));
      places.push(await place());
    }
    expect(new Set(places).size).toBeGreaterThan(3);
    await page.keyboard.press("Alt+ArrowLeft");
    await expect.poll(() => next.isDisabled()).toBe(false);
  });

  it("lies over everything in a narrow window, and goes by Esc from anywhere", async () => {
    await open(modes.narrow);
    await page.locator("button.citation").first().click();
    await page.locator("mark.quoted").first().waitFor();
    expect((await page.locator("aside.reader").boundingBox())!.width).toBe(modes.narrow.width);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    // The first may be for the card of the citation, on which the pointer still rests.
    const left = async () => {
      await page.keyboard.press("Escape");
      return page.locator("aside.reader").count();
    };
    await expect.poll(left).toBe(0);
  });
});

describe("a page", () => {
  it("of a megabyte is at its sentence soon, and is searched as a whole", async () => {
    await open();
    const quote = "Here stands the one sentence that is cited.";
    const paragraphs = Array.from(
      { length: 4_000 },
      (_, n) => `Paragraph ${n} says ${"something long and dull ".repeat(10)}and ends.`,
    );
    paragraphs[3_100] = `Before it. ${quote} After it.`;
    const text = paragraphs.join("\n");
    const html = paragraphs.map((paragraph) => `<p>${paragraph.replace("dull", "<em>dull</em>")}</p>`).join("\n");
    const began = Date.now();
    await show({ text, html }, quote);
    await page.locator("mark.quoted").waitFor();
    expect(await marked()).toEqual([quote]);
    expect(await offCentre()).toBeLessThan(2);
    // Many times what it takes on a machine that has nothing else to do.
    expect(Date.now() - began).toBeLessThan(5_000);

    await page.keyboard.press("Control+f");
    await page.keyboard.type("paragraph");
    // From where the reader is, not from the top.
    await expect.poll(() => page.locator(".tally").textContent()).toMatch(/^3,(09\d|10\d) of 3,999$/);
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.press("Escape");
    await page.locator("aside.reader [role=search]").waitFor({ state: "detached" });
    expect(await page.locator("aside.reader").count()).toBe(1);
    expect(troubles).toEqual([]);
  });

  it("marks a sentence across links, cells and lines", async () => {
    await open();
    const text = "Metals\nIron | 1538 °C\nGold | 1064 °C\nThe end of the page.";
    const html =
      "<h2>Metals</h2><table><tr><td>Iron</td><td>1538 °C</td></tr>" +
      '<tr><td><a href="https://gold.example/">Gold</a></td><td>1064 <b>°C</b></td></tr></table><p>The end of the page.</p>';
    await show({ text, html }, "Gold | 1064 °C");
    await expect.poll(marked).toEqual(["Gold", "1064 ", "°C"]);
  });

  it("of a PDF is its text, with the rows of its tables", async () => {
    await open();
    await show({ media_type: "pdf", text: "Findings\nIron | 1538\nGold | 1064\nIt melts there." }, "Gold | 1064");
    await expect.poll(marked).toEqual(["Gold", "1064"]);
    expect(await page.locator(".saved-page tr").count()).toBe(2);
  });

  it("can do nothing and ask for nothing, whatever is in it", async () => {
    await open();
    const html =
      '<p>Fine text.</p><img src="https://tracker.example/1.png"><script>window.owned = 1</script>' +
      '<p onpointerover="window.owned = 1" style="background: url(https://tracker.example/2.png)">More.</p>' +
      '<a href="javascript:window.owned=1">a</a><form action="https://tracker.example"><button>Send</button></form>' +
      '<link rel="stylesheet" href="https://tracker.example/3.css"><iframe src="https://tracker.example/4"></iframe>' +
      '<svg><image href="https://tracker.example/5.png" /></svg><math><mtext><style><img src=x onerror=window.owned=1>';
    await show({ text: "Fine text.\nMore.", html }, "Fine text.");
    await expect.poll(marked).toEqual(["Fine text."]);
    await page.locator(".saved-page p").last().hover();
    await page.waitForTimeout(100);
    const found = await page.evaluate(() => ({
      owned: "owned" in globalThis,
      active: document.querySelectorAll(".saved-page :is(img, script, form, link, iframe, svg, style, button)").length,
    }));
    expect({ ...found, troubles }).toEqual({ owned: false, active: 0, troubles: [] });
  });

  it("says where a link leads, and opens it in the browser only", async () => {
    await open();
    const html = '<p>Read <a href="https://elsewhere.example/a?b#c">this</a> too.</p>';
    await show({ text: "Read this too.", html }, "Read this too.");
    const link = page.locator(".saved-page a");
    await link.hover();
    await expect.poll(() => page.locator(".address strong").textContent()).toBe("elsewhere.example");
    await link.click();
    await link.click({ button: "middle" });
    expect(await deeds(page, "openLink")).toEqual(Array(2).fill("https://elsewhere.example/a?b#c"));
    await page.keyboard.press("Control+Shift+o");
    expect((await deeds(page, "openLink")).at(-1)).toBe("https://own.example/page");
    expect(page.url()).toContain("chat=chat_wal");
    expect(troubles).toEqual([]);
  });

  it("shows the quote by itself where the page does not have it", async () => {
    await open();
    await show({ text: "Only the text knows this.", html: "<p>Something else.</p>" }, "Only the text knows this.");
    await expect.poll(() => page.locator(".lost blockquote").textContent()).toBe("Only the text knows this.");
  });

  it("is copied with where it stands", async () => {
    await open();
    await show({ text: "One. Two.", html: "<p>One. Two.</p>" }, "Two.");
    await page.getByRole("button", { name: "Copy quote" }).click();
    expect(await deeds(page, "copyText")).toEqual(["Two.\n— A page of our own, https://own.example/page"]);
  });

  it("that is gone, empty or not to be read says so", async () => {
    await open();
    await cite({ code: "not_found", message: "There is no such page.", hint: null });
    await page.getByText("This page is no longer saved").waitFor();
    await page.keyboard.press("Escape");
    await show({ text: "", html: "" }, "");
    await page.getByText("Nothing readable was saved").waitFor();
    await page.keyboard.press("Escape");
    await cite({ code: "storage", message: "The disk is full.", hint: "Make room." });
    await page.getByText("Make room.").waitFor();
  });
});

it("is as wide as it is made, also the next time", async () => {
  await open();
  await page.locator("button.citation").first().click();
  const panel = page.locator("aside.reader");
  const edge = page.getByRole("separator", { name: "Width of the saved page" });
  const { x, y, height } = (await edge.boundingBox())!;
  await page.mouse.move(x + 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x - 58, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const wide = (await panel.boundingBox())!.width;
  await edge.press("ArrowRight");
  await expect.poll(async () => (await panel.boundingBox())!.width).toBe(wide - 24);
  await page.keyboard.press("Escape");
  await page.locator("button.citation").first().click();
  await expect.poll(async () => (await panel.boundingBox())!.width).toBe(wide - 24);
  await edge.dblclick();
  await expect.poll(async () => (await panel.boundingBox())!.width).not.toBe(wide - 24);
});

describe.each(Object.values(modes))("$name", (mode) => {
  it("is legible and whole", async () => {
    await open(mode, mode.language === "ar" ? { chat: "chat_astrolabe" } : {});
    await page.locator("button.citation").last().click();
    await page.locator("mark.quoted").first().waitFor();
    await page.waitForTimeout(300);
    await shoot(page, `reader-${mode.name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow, axe: await axe() }).toEqual({ troubles: [], overflow: 0, axe: [] });
  });
});
