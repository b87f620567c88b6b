// An old answer checked again as a person does it: begun from its menu, watched, read sentence by sentence, and by itself.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, modes, openWindow, shoot } from "./window";

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

const CHAT = { chat: "chat_battery", speed: 0 };

async function open(
  query: Record<string, string | number> = {},
  mode: (typeof modes)[keyof typeof modes] = modes.light,
) {
  ({ page, troubles } = await openWindow(browser, mode, { ...CHAT, ...query }));
  await answer().locator("footer").waitFor();
}

const answer = () => page.locator("article.answer").last();
const panel = () => answer().locator(".recheck");
const line = () => panel().locator("button.summary");
const sentences = () => panel().locator("ol > li");

/** From the menu at the answer's foot, whatever the language. */
async function checkAgain(): Promise<void> {
  await answer().locator("footer .icon-button").nth(2).click();
  await page.getByRole("menuitem").first().click();
}

describe("an answer that is checked again", () => {
  it("says quietly what became of it, and shows each sentence with its evidence then and now", async () => {
    await open();
    expect(await panel().count(), "before, it says nothing").toBe(0);
    await checkAgain();
    await line()
      .getByText(/^Checked again on .+: 2 sentences changed$/)
      .waitFor();
    expect(await sentences().locator(".standing").allTextContents()).toEqual(["Changed", "No longer said", "New"]);
    const changed = sentences().first();
    expect(await changed.locator(".label").allTextContents()).toEqual(["Then", "Now"]);
    expect(await changed.locator("mark.now").count()).toBeGreaterThan(0);
    await sentences().nth(1).getByText("No page that was read says so any more.").waitFor();

    await panel()
      .getByRole("button", { name: /^Show \d+ sentences? that still hold/ })
      .click();
    expect(await panel().locator("li.same").count()).toBeGreaterThan(0);
  });

  it("leads from a quoted sentence to that sentence of the saved page", async () => {
    await open();
    await checkAgain();
    const before = sentences().first().getByRole("button").first();
    const quote = (await before.locator(".quote").textContent())!.trim();
    await before.click();
    await page.locator("aside, [role=complementary]").getByText(quote.slice(0, 30)).first().waitFor();
    // The result stays where it was, beside the page.
    expect(await sentences().count()).toBe(3);
  });

  it("can be watched and stopped, and says that it was", async () => {
    await open({ speed: 60 });
    await checkAgain();
    await line()
      .getByText(/^Searching: /)
      .waitFor();
    await line()
      .getByText(/^\d pages? read$/)
      .waitFor();
    await panel().getByRole("button", { name: "Stop" }).click();
    await panel().getByText("This check was stopped.").waitFor();
    await line().getByText("Not checked again yet").waitFor();
  });

  it("that did not change says so in one line", async () => {
    await open({ recheck: "same" });
    await checkAgain();
    await line()
      .getByText(/: nothing changed$/)
      .waitFor();
    await panel()
      .getByText(/^All \d+ sentences still hold\.$/)
      .waitFor();
    expect(await sentences().count()).toBe(0);
  });

  it("keeps what was found when the next check fails, and says why it did", async () => {
    await open();
    await checkAgain();
    await line()
      .getByText(/2 sentences changed$/)
      .waitFor();
    await open({ recheck: "failed" });
    await checkAgain();
    await panel().getByRole("alert").waitFor();
    await panel().getByRole("button", { name: "Check again" }).waitFor();
  });

  it("is found again with what was found when its chat is opened anew", async () => {
    await open();
    await checkAgain();
    await line()
      .getByText(/2 sentences changed$/)
      .waitFor();
    await page.keyboard.press("Control+n");
    await expect.poll(() => page.locator("article.answer").count()).toBe(0);
    await page.getByText("Lifetime of LFP batteries").first().click();
    await line()
      .getByText(/2 sentences changed$/)
      .click();
    await expect.poll(() => sentences().count()).toBe(3);
    await checkAgain();
    await panel().getByLabel("Check of").click();
    await expect.poll(() => page.getByRole("option").count()).toBe(2);
    await page.keyboard.press("Escape");
    await panel().getByRole("button", { name: "What left this computer" }).click();
    await page.getByRole("dialog").getByText("api.search.brave.com").waitFor();
  });
});

describe("an answer that is to be checked by itself", () => {
  it("says how often, until it is not", async () => {
    await open();
    await answer().locator("footer .icon-button").nth(2).click();
    await page.getByRole("menuitemradio", { name: "Every week", checked: false }).click();
    await line().getByText("Every week · not checked again yet").click();
    await panel()
      .getByText(/^Every week · next on /)
      .waitFor();
    await page.keyboard.press("Control+,");
    await page.getByRole("button", { name: "Answers", exact: true }).click();
    const listed = page.getByRole("region", { name: "Answers that are checked again" });
    await listed.getByText(/^Next on /).waitFor();
    await shoot(page, "recheck-settings");
    await listed.getByRole("button").first().click();
    await answer().locator("footer").waitFor();
    await answer().locator("footer .icon-button").nth(2).click();
    await page.getByRole("menuitemradio", { name: "Every week", checked: true }).waitFor();
    await page.getByRole("menuitemradio", { name: "Never" }).click();
    await expect
      .poll(() =>
        panel()
          .getByText(/^Every week/)
          .count(),
      )
      .toBe(0);
  });
});

describe.each(Object.values(modes))("in $name", (mode) => {
  it("looks as it should and keeps nobody out", async () => {
    await open({ speed: 60 }, mode);
    await checkAgain();
    await expect.poll(() => panel().locator(".icons > *").count()).toBeGreaterThan(0);
    await panel().scrollIntoViewIfNeeded();
    await shoot(page, `recheck-running-${mode.name}`);
    await expect.poll(() => sentences().count(), { timeout: 20_000 }).toBe(3);
    await panel().evaluate((element) => element.scrollIntoView({ block: "start" }));
    await page.mouse.move(0, 0);
    await shoot(page, `recheck-${mode.name}`);
    expect(await axe(page)).toEqual([]);
    await answer().locator("footer .icon-button").nth(2).click();
    await page.getByRole("menuitem").first().waitFor();
    await shoot(page, `recheck-menu-${mode.name}`);
  });
});
