// What goes wrong, in the reader's language and with the button that mends it.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deeds } from "./fake";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

const WAL = "How does SQLite's WAL mode work, and when should I not use it?";
const japanese: Mode = { ...modes.light, name: "ja", language: "ja" };

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

async function open(query: Record<string, string | number>, mode: Mode = modes.light, path = "/"): Promise<void> {
  ({ page, troubles } = await openWindow(browser, mode, query, path));
}

async function ask(): Promise<void> {
  await page.locator("textarea").last().fill(WAL);
  await page.keyboard.press("Enter");
}

/** The next call of this fails, as calls of the app do; the one after it does not. */
const failOnce = (call: "copyText" | "archiveChat" | "openLink", code: string) =>
  page.evaluate(
    ([call, code]) => {
      const platform = fakePlatform as unknown as Record<string, (...what: unknown[]) => unknown>;
      const real = platform[call!]!;
      platform[call!] = () => {
        platform[call!] = real;
        return Promise.reject({ code, message: "It was no use.", hint: null });
      };
    },
    [call, code],
  );

describe("in Japanese", () => {
  it("a refused key is told in Japanese, with the provider's name and the way to its settings", async () => {
    await open({ ask: "key_refused", speed: 0 }, japanese);
    await ask();
    const note = page.getByRole("alert");
    await note.getByText("OpenAI：キーがないか、拒否されました。").waitFor();
    await note.getByText("設定でキーを確認してください。").waitFor();
    expect(await note.textContent()).not.toMatch(/refused|Check/);
    await shoot(page, "failure-ja");
    expect(await axe(page)).toEqual([]);
  });

  it("what only the app's own words tell stands below, quietly and in its own language", async () => {
    await open({ ask: "broken", speed: 0 }, japanese);
    await ask();
    const note = page.getByRole("alert");
    await note.getByText("OpenAI から使える応答がありませんでした。").waitFor();
    const said = note.locator("[lang=en]");
    expect(await said.textContent()).toBe("The model broke off in the middle of the answer.");
    await shoot(page, "failure-ja-detail");
  });

  it("the steps say why an engine or a page failed", async () => {
    await open({ ask: "captcha", speed: 0 }, japanese);
    await ask();
    await page
      .getByRole("button", { name: /ページ/ })
      .first()
      .click();
    await page.getByText("CAPTCHA を求められました。").first().waitFor();
    await page.getByText("拒否されました。").first().waitFor();
    await page.getByText("CAPTCHA を求められました。").first().scrollIntoViewIfNeeded();
    await shoot(page, "failure-ja-steps");
  });

  it("quick ask and a notice do likewise", async () => {
    await open({ ask: "key_refused" }, { ...japanese, width: 720, height: 420 }, "/quick.html");
    await ask();
    await page.getByRole("alert").getByText("OpenAI：キーがないか、拒否されました。").waitFor();
    await shoot(page, "failure-ja-quick");
  });
});

it("in Arabic the app's English keeps its own direction", async () => {
  await open({ ask: "broken", speed: 0 }, modes.rtl);
  await ask();
  const said = page.getByRole("alert").locator("[lang=en]");
  await said.waitFor();
  expect(await said.evaluate((words) => getComputedStyle(words).direction)).toBe("ltr");
  await shoot(page, "failure-ar");
  expect(await axe(page)).toEqual([]);
});

describe("a notice", () => {
  const notice = () => page.locator("[data-sonner-toast]", { hasText: "It was no use." });

  it("does what failed once more", async () => {
    await open({ chat: "chat_wal" });
    await page.getByRole("button", { name: "Copy as Markdown" }).first().waitFor();
    await failOnce("copyText", "internal");
    await page.getByRole("button", { name: "Copy as Markdown" }).first().click();
    await notice().waitFor();
    // Not on the button that sends what is written at the foot.
    const [note, send] = await Promise.all([notice().boundingBox(), page.locator("form").last().boundingBox()]);
    expect(note!.y + note!.height).toBeLessThanOrEqual(send!.y);
    await shoot(page, "failure-notice");
    expect(await deeds(page, "copyText")).toEqual([]);
    await notice().getByRole("button", { name: "Try again" }).click();
    await page.getByText("Copied").waitFor();
    expect(await deeds(page, "copyText")).toHaveLength(1);
    await notice().waitFor({ state: "detached" });
  });

  it("does with it what follows on it", async () => {
    await open({});
    await page.locator('[data-chat="chat_leave"]').click({ button: "right" });
    await failOnce("archiveChat", "upstream");
    await page.getByRole("menuitem", { name: "Archive" }).click();
    await notice().getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => page.locator('[data-chat="chat_leave"]').count()).toBe(0);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator('[data-chat="chat_leave"]').waitFor();
  });

  it("leads to the settings where those mend it", async () => {
    await open({ chat: "chat_wal" });
    await page.getByRole("button", { name: "Copy as Markdown" }).first().waitFor();
    await failOnce("copyText", "storage");
    await page.getByRole("button", { name: "Copy as Markdown" }).first().click();
    expect(await notice().getByRole("button", { name: "Try again" }).count()).toBe(0);
    await notice().getByRole("button", { name: "Data settings" }).click();
    await page.getByRole("heading", { name: "Data" }).first().waitFor();
  });

  it("has no button, and no word of one, where nothing can be done once more", async () => {
    await open({});
    const failure = { code: "timed_out" as const, message: "It was no use.", hint: "Try again in a moment." };
    await page.evaluate((failure) => fakePlatform.tellNavigate({ to: "notice", failure }), failure);
    await notice().getByText("The other side may be busy at the moment.").waitFor();
    expect(await notice().textContent()).not.toMatch(/try again/i);
    expect(await notice().getByRole("button").count()).toBe(1);
  });
});
