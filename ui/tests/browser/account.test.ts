// The account in a real browser: every state of it in every mode, and the way in and out with the keyboard and the eye.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

let browser: Browser;
let page: Page;
let troubles: string[];
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
afterEach(() => page.context().close());

async function open(account: string, mode: Mode = modes.light, sync?: string) {
  const held: Record<string, string> = sync ? { sync } : {};
  ({ page, troubles } = await openWindow(browser, mode, { section: "account", account, ...held, speed: 0 }));
  await page.locator("#settings-heading").waitFor();
}

/** What the browser outside would bring, played from here. */
const finish = () =>
  page.evaluate(() => {
    const { fakePlatform } = globalThis as unknown as { fakePlatform: { account: { finish(): void } } };
    fakePlatform.account.finish();
  });
const deeds = () =>
  page.evaluate(() => (globalThis as unknown as { fakePlatform: { deeds: unknown[] } }).fakePlatform.deeds);
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });

const STATES = [
  "none",
  "gateway",
  "away",
  "failed",
  "waiting",
  "late",
  "code",
  "finishing",
  "signed_in",
  "file",
  "locked",
];

describe.each([modes.light, modes.dark, modes.narrow, modes.rtl, modes.large])("$name", (mode) => {
  it.each(STATES)("%s", async (state) => {
    await open(state, mode);
    await page.waitForTimeout(300);
    await shoot(page, `account-${state}-${mode.name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow, axe: await axe(page) }).toEqual({ troubles: [], overflow: 0, axe: [] });
  });
});

describe("signing in", () => {
  it("begins with the address of a gateway, of which the host is enough", async () => {
    await open("none");
    const field = page.getByRole("textbox", { name: "Address of the gateway" });
    await field.fill("sign in");
    await page.keyboard.press("Enter");
    await page.getByText("Write an address that begins with https://").waitFor();
    await field.fill("sign-in.example.org");
    await page.keyboard.press("Enter");
    await button("Continue with Discord").waitFor();
  });

  it("goes through the browser and on by itself", async () => {
    await open("gateway");
    await button("Continue with Discord").click();
    await page.getByRole("heading", { name: "Finish in your browser" }).waitFor();
    expect(await deeds()).toContainEqual({ what: "startSignIn", about: { way: "deep_link", provider: "discord" } });
    await button("Open again").click();
    await finish();
    await page.getByText("Ada Lovelace").waitFor();
    await page.getByText("Studio").waitFor();
  });

  it("offers a code when nothing comes back, and copies it", async () => {
    await open("late");
    await button("With a code").click();
    await page.getByRole("img", { name: "Code: W D J B - M J H T" }).waitFor();
    await button("Copy the code").click();
    await button("Copied").waitFor();
    expect(await deeds()).toContainEqual({ what: "copyText", about: "WDJB-MJHT" });
    await button("Cancel").click();
    await button("Continue with Discord").waitFor();
  });
});

describe("signed in", () => {
  it("signs another device out, after asking", async () => {
    await open("signed_in");
    await button("Sign out Studio").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => page.getByText("Studio").count()).toBe(0);
  });

  it("keeps what is here unless the person chooses otherwise", async () => {
    await open("signed_in");
    await button("Sign out").click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByRole("radio", { name: /^Keep/ }).isChecked()).toBe(true);
    await shoot(page, "account-sign-out-light");
    expect(await axe(page)).toEqual([]);
    await dialog.getByRole("radio", { name: /^Remove/ }).check();
    await dialog.getByRole("button", { name: "Sign out and remove" }).click();
    expect(await deeds()).toContainEqual({ what: "signOut", about: { removeLocalCopy: true, discard: false } });
    await button("Continue with Discord").waitFor();
  });

  it("holds back what is nowhere else, and asks before it goes", async () => {
    await open("signed_in", modes.light, "much");
    const remove = async () => {
      await button("Sign out").click();
      await page
        .getByRole("dialog")
        .getByRole("radio", { name: /^Remove/ })
        .check();
      await page.getByRole("dialog").getByRole("button", { name: "Sign out and remove" }).click();
    };
    await remove();
    const question = page.getByRole("alertdialog");
    await question.getByText("chats not handed over: 42").waitFor();
    await shoot(page, "account-held-light");
    expect(await axe(page)).toEqual([]);
    await question.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Ada Lovelace").waitFor();
    await remove();
    await question.getByRole("button", { name: "Remove all the same" }).click();
    expect(await deeds()).toContainEqual({ what: "signOut", about: { removeLocalCopy: true, discard: true } });
    await button("Continue with Discord").waitFor();
  });

  it("deletes the account only for who writes its address", async () => {
    await open("signed_in");
    await button("Delete…").click();
    const dialog = page.getByRole("dialog");
    const confirm = dialog.getByRole("button", { name: "Delete the account" });
    await shoot(page, "account-delete-light");
    await dialog.getByRole("textbox").fill("eve@example.org");
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("Ada@example.org");
    await confirm.click();
    expect(await deeds()).toContainEqual({ what: "deleteAccount", about: "Ada@example.org" });
  });
});
