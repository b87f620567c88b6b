// What a start says before there is an app, in every look; and what is told at the start of one that was repaired.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Opening, OpeningStep } from "../../src/bindings/bindings";
import type { FakeOpening } from "../../src/platform/fake/opening";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

declare const fakeOpening: FakeOpening;

/** As large as the shell makes it. */
const UNDER_WAY = { width: 540, height: 150 };
const FAILED = { width: 540, height: 280 };

const failed: Opening = {
  state: "failed",
  failure: {
    code: "storage",
    message: "The folder `/home/ada/.local/share/deepsearch` cannot be created: Permission denied (os error 13).",
    hint: "Check who may write there.",
  },
  folder: true,
};

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function open(opening: Opening, mode: Mode = modes.light) {
  const window = { ...mode, ...(opening.state === "failed" ? FAILED : UNDER_WAY) };
  return openWindow(browser, window, { opening: JSON.stringify(opening) }, "/opening.html");
}

it.each(Object.values(modes))("says what it does, or why it cannot be: $name", async (mode) => {
  const steps: OpeningStep[] = ["opening", "waiting", "backing_up", "upgrading", "repairing"];
  const openings: Opening[] = [...steps.map((step) => ({ state: "under_way" as const, step })), failed];
  const said = new Set<string | null>();
  for (const opening of openings) {
    const { page, troubles } = await open(opening, mode);
    const heading = page.getByRole("heading", { level: 1 });
    await heading.waitFor();
    said.add(await heading.textContent());
    await shoot(page, `opening-${opening.state === "failed" ? "failed" : opening.step}-${mode.name}`);
    if (opening.state === "failed")
      expect(await page.locator("main").textContent()).toContain("Permission denied (os error 13)");
    expect(await axe(page)).toEqual([]);
    expect(troubles).toEqual([]);
    await page.context().close();
  }
  expect(said.size).toBe(openings.length);
});

it("shows all that it says, without scrolling", async () => {
  for (const mode of Object.values<Mode>(modes)) {
    for (const opening of [{ state: "under_way", step: "repairing" } as const, failed]) {
      const { page } = await open(opening, mode);
      const hidden = await page.locator("main").evaluate((main) => main.scrollHeight - main.clientHeight);
      // Whoever reads larger text, or a longer language, may have to.
      if (!mode.textSize) expect(hidden, `${mode.name}, ${opening.state}`).toBeLessThanOrEqual(0);
      await page.context().close();
    }
  }
});

it("follows what the start is at, and offers what mends a failed one", async () => {
  const { page, troubles } = await open({ state: "under_way", step: "backing_up" });
  const status = page.getByRole("status");
  await status.getByText("Keeping a copy of your chats…").waitFor();
  await page.evaluate(() => fakeOpening.tell({ state: "under_way", step: "upgrading" }));
  await status.getByText("Bringing your chats up to date…").waitFor();
  await page.evaluate((told) => fakeOpening.tell(told), failed);
  await page.getByRole("alert").getByText("DeepSearch cannot start").waitFor();
  await page.getByRole("button", { name: "Open folder" }).click();
  await page.getByText("The data folder is not there any more.").waitFor();
  await page.getByRole("button", { name: "Quit" }).click();
  await page.getByRole("button", { name: "Try again" }).focus();
  await page.keyboard.press("Enter");
  await status.getByText("Opening your chats…").waitFor();
  // The next failure leaves the keyboard where it is of use, and a folder that is not there is not offered.
  await page.evaluate((told) => fakeOpening.tell(told), { ...failed, folder: false });
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Try again");
  expect(await page.getByRole("button", { name: "Open folder" }).count()).toBe(0);
  expect(await page.evaluate(() => fakeOpening.pressed)).toEqual(["folder", "quit", "again"]);
  expect(troubles).toEqual([]);
  await page.context().close();
});

it("tells once of a store that was repaired, with the way to what is missing", async () => {
  const { page, troubles } = await openWindow(browser, modes.light, { repaired: "" });
  const told = page.getByText("The data was repaired at the start");
  await told.waitFor();
  await page.waitForTimeout(300);
  await shoot(page, "repaired");
  await page.getByRole("button", { name: "Data settings" }).click();
  await page.getByRole("heading", { level: 1, name: "Data" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1 }).or(page.locator("textarea")).first().waitFor();
  await page.waitForTimeout(500);
  expect(await told.count()).toBe(0);
  expect(troubles).toEqual([]);
  await page.context().close();
});
