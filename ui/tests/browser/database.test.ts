// The data view in a real browser: what is wide is scrolled, what is secret is not there, and ending a session asks.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

let browser: Browser;
let page: Page;
let troubles: string[];
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(() => () => page.context().close());

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });

/** With the address of a database in place, as it is typed. */
async function open(mode: Mode = modes.light) {
  ({ page, troubles } = await openWindow(browser, mode, { section: "database" }));
  await page.locator(".secret button").click();
  await page.locator(".secret input").fill("postgres://owner:canary@db.example.com/team");
  await page.keyboard.press("Enter");
  await page.locator("[data-table=user]").waitFor();
}

const pane = (at: number) => page.locator(".choose [role=radio]").nth(at).click();

it("keeps the address to itself once it is saved", async () => {
  await open();
  expect(await page.content()).not.toContain("canary");
  await button("Remove the address of the team database").click();
  await page.locator("[data-table=user]").waitFor({ state: "detached" });
});

it("says what sharing means as soon as it is on, also among what leaves this computer", async () => {
  await open();
  await page.getByRole("switch", { name: "Share search results with the team" }).click();
  await page.getByText("The team sees what you search for").waitFor();
  await page.getByRole("button", { name: "Privacy" }).click();
  await page.getByText("also kept in the team database").waitFor();
});

it("says so too on a device that is signed in and knows no address", async () => {
  ({ page, troubles } = await openWindow(browser, modes.light, { section: "database", account: "signed_in" }));
  await page.getByRole("switch", { name: "Share search results with the team" }).click();
  await page.getByRole("button", { name: "Privacy" }).click();
  await page.getByText("also kept in the team database").waitFor();
});

it("shows a table's rows by the keyboard alone, more of them on demand, and leads back to where it was", async () => {
  await open();
  await page.locator("[data-table=session]").focus();
  await page.keyboard.press("Enter");
  const rows = page.locator("tbody tr");
  await expect.poll(() => rows.count()).toBe(50);
  expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("All tables");
  await page.keyboard.press("Tab");
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("region");
  await button("Show more").click();
  await expect.poll(() => rows.count()).toBe(63);
  expect(await rows.first().locator("td").first().textContent()).toBe("•••");
  await button("All tables").click();
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-table"))).toBe("session");
});

it("a table that is wider than the window is scrolled in itself", async () => {
  await open(modes.narrow);
  await page.locator("[data-table=message]").click();
  await page.locator("tbody tr").first().waitFor();
  const wide = await page.locator(".wide").evaluate((box) => box.scrollWidth > box.clientWidth);
  const spills = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect({ wide, spills }).toEqual({ wide: true, spills: false });
});

it("says that a table is empty", async () => {
  await open();
  await page.locator("[data-table=verification_token]").click();
  await page.getByText("This table is empty.").waitFor();
});

it("counts other days when others are chosen", async () => {
  await open();
  await pane(1);
  const days = page.locator("table").nth(1).locator("tbody tr");
  await expect.poll(() => days.count()).toBe(12);
  await page.getByRole("combobox", { name: "Days to count" }).click();
  await page.getByRole("option", { name: "Last 7 days" }).click();
  await expect.poll(() => days.count()).toBe(7);
});

it("asks before a session is ended", async () => {
  await open();
  await pane(2);
  const ends = button(/^End the session of/);
  await expect.poll(() => ends.count()).toBe(50);
  const first = await ends.first().getAttribute("aria-label");
  await ends.first().click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByText("has to sign in again").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  expect(await ends.count()).toBe(50);
  await ends.first().click();
  await dialog.getByRole("button", { name: "End session" }).click();
  await expect.poll(() => ends.first().getAttribute("aria-label")).not.toBe(first);
});

describe.each([modes.light, modes.dark, modes.rtl, modes.narrow])("$name", (mode) => {
  const panes: [string, () => Promise<void>][] = [
    ["tables", async () => undefined],
    [
      "rows",
      async () => {
        await page.locator("[data-table=account]").click();
        await page.locator("tbody tr").first().waitFor();
      },
    ],
    [
      "searches",
      async () => {
        await pane(1);
        await page.locator("tbody tr").first().waitFor();
      },
    ],
    [
      "sessions",
      async () => {
        await pane(2);
        await page.locator("section li").first().waitFor();
      },
    ],
  ];
  it.each(panes)("%s come up well, and axe finds nothing", async (name, unfold) => {
    await open(mode);
    await unfold();
    await page.locator("main .scroller").evaluate((scroller) => scroller.scrollTo({ top: 0 }));
    await shoot(page, `database-${name}-${mode.name}`);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });
});
