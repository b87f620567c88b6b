// The person's own folders in a real browser: what is looked through, what could not be read, and where a question looks.

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

async function open(query: Record<string, string>, mode: Mode = modes.light) {
  ({ page, troubles } = await openWindow(browser, mode, query));
}

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });

describe.each([modes.light, modes.dark, modes.narrow, modes.rtl])("the folders, $name", (mode) => {
  it("show how far it is and what could not be read, at a glance", async () => {
    await open({ section: "folders" }, mode);
    await page.locator("#settings-heading").waitFor();
    await page.getByText("keynote.pptx").waitFor();
    await shoot(page, `folders-${mode.name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow, axe: await axe(page) }).toEqual({ troubles: [], overflow: 0, axe: [] });
  });
});

describe("the folders", () => {
  it("are paused and go on, are added, and are removed once that was confirmed", async () => {
    await open({ section: "folders" });
    await button("Pause").click();
    await page.getByText("Paused. What is indexed is still searched.").waitFor();
    await button("Resume").click();
    await button("Pause").waitFor();
    await button("Add a folder").click();
    await page.getByText("/home/ada/src/notes").waitFor();
    await button("Remove /home/ada/src/notes").click();
    const dialog = page.getByRole("alertdialog");
    await dialog.waitFor();
    await shoot(page, "folders-remove");
    await dialog.getByRole("button", { name: "Remove" }).click();
    await expect.poll(() => page.getByText("/home/ada/src/notes").count()).toBe(0);
    expect(troubles).toEqual([]);
  });

  it("say what they are for where there are none", async () => {
    await open({ section: "folders", scenario: "empty" });
    await page.getByText("No folders yet.").waitFor();
    await shoot(page, "folders-none");
    expect(await button("Pause").count()).toBe(0);
    expect(troubles).toEqual([]);
  });
});

describe.each([modes.light, modes.dark, modes.narrow])("a question, $name", (mode) => {
  it("brings files and looks in several places", async () => {
    await open({}, mode);
    await button("Attach files").click();
    await page.getByRole("list", { name: "Attached files" }).waitFor();
    const where = button(/^Where to look/);
    await where.click();
    await page.getByRole("menuitem", { name: /My files/ }).click();
    await where.click();
    await shoot(page, `folders-places-${mode.name}`);
    await page.getByRole("menuitem", { name: /^News/ }).click();
    await expect.poll(() => where.textContent()).toContain("My files + News");
    await shoot(page, `folders-question-${mode.name}`);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });
});

describe("unwanted sites", () => {
  it("are saved as they are meant, and what is no site is told", async () => {
    await open({ section: "search" });
    const field = page.getByRole("textbox", { name: "Never show these sites" });
    await field.fill("https://www.example.org/page no_site");
    await field.press("Enter");
    await page.getByText("no_site is no site. Write it as example.org.").waitFor();
    await shoot(page, "folders-sites");
    await field.fill("https://www.example.org/page *.example.net");
    await field.press("Enter");
    await expect.poll(() => field.inputValue()).toBe("example.org, example.net");
    await field.fill("something else");
    await field.press("Escape");
    await expect.poll(() => field.inputValue()).toBe("example.org, example.net");
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });
});
