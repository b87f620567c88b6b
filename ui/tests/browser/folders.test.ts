// The person's own folders in a real browser: what is looked through, what could not be read, and where a question looks.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deeds } from "./fake";
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
    await page.getByRole("menuitemcheckbox", { name: /My files/, checked: false }).click();
    await where.click();
    await shoot(page, `folders-places-${mode.name}`);
    await page.getByRole("menuitemcheckbox", { name: /^News/ }).click();
    await expect.poll(() => where.textContent()).toContain("My files + News");
    await shoot(page, `folders-question-${mode.name}`);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });

    // They go with the question, and with no other.
    const [file] = await page.evaluate(() => fakePlatform.chooseFiles());
    const field = page.locator("form textarea").last();
    const answered = page.getByRole("button", { name: /^Answer again/ });
    await field.fill("What does it conclude?");
    await field.press("Enter");
    await answered.last().waitFor();
    // The question says what it rests on.
    const rests = page.getByRole("article").getByRole("list", { name: "Attached files" });
    await page.getByRole("log").evaluate((log) => log.scrollTo(0, 0));
    await rests.waitFor();
    expect(await rests.textContent()).toContain(file!.name);
    await shoot(page, `folders-asked-${mode.name}`);
    expect(await axe(page)).toEqual([]);
    await field.fill("And what is new?");
    await field.press("Enter");
    await page.getByRole("heading", { name: "And what is new?" }).waitFor();
    await answered.last().waitFor();
    const asked = (await deeds(page, "ask")) as { files: string[] }[];
    expect(asked.map(({ files }) => files)).toEqual([[file!.url], []]);
  });
});

const drop = (...paths: string[]) => page.evaluate((paths) => fakePlatform.dropFolders(...paths), paths);

describe.each([modes.light, modes.dark, modes.narrow, modes.rtl])("a folder that is dropped, $name", (mode) => {
  it("is searched only when that was confirmed", async () => {
    await open({}, mode);
    await page.locator("textarea").first().waitFor();
    await drop("/home/ada/Notizen/Reise 2027");
    const dialog = page.getByRole("alertdialog");
    await dialog.waitFor();
    await shoot(page, `folders-drop-${mode.name}`);
    expect({ axe: await axe(page), deeds: await deeds(page, "addDroppedFolders") }).toEqual({ axe: [], deeds: [] });
    // The way back has the focus.
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await deeds(page, "addDroppedFolders")).toEqual([]);

    await drop("/home/ada/Notizen/Reise 2027");
    await dialog.getByRole("button").last().click();
    const toast = page.locator(".toast");
    await toast.filter({ hasText: "Reise 2027" }).waitFor();
    await shoot(page, `folders-dropped-${mode.name}`);
    expect(await deeds(page, "addDroppedFolders")).toEqual([["/home/ada/Notizen/Reise 2027"]]);
    await toast.locator(".toast-action").click();
    // There is how far looking through it is.
    await page.getByText("/home/ada/Notizen/Reise 2027", { exact: true }).waitFor();
    expect(troubles).toEqual([]);
  });
});

describe("folders that are dropped", () => {
  it("are told where they are searched already, and nothing is asked", async () => {
    await open({});
    await page.locator("textarea").first().waitFor();
    await drop("/home/ada/Documents", "/home/ada/Documents/contracts");
    await page.getByText("“Documents” is searched already.").waitFor();
    await page.getByText("“contracts” lies in /home/ada/Documents, which is searched already.").waitFor();
    await shoot(page, "folders-drop-known");
    expect(await page.getByRole("alertdialog").count()).toBe(0);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });

  it("are added together, with what lies in them", async () => {
    await open({});
    await page.locator("textarea").first().waitFor();
    await drop("/home/ada", "/srv/papers");
    await page.getByRole("heading", { name: "Search in 2 folders?" }).waitFor();
    await page.getByText("The folder in it that is searched already becomes part of it.").waitFor();
    await shoot(page, "folders-drop-many");
    await button("Add").click();
    await page.getByText("2 folders are being looked through.").waitFor();
    await page.getByRole("button", { name: "Show folders" }).click();
    await page.getByText("/srv/papers", { exact: true }).waitFor();
    expect(await page.getByText("/home/ada/Documents", { exact: true }).count()).toBe(0);
    expect(troubles).toEqual([]);
  });

  it("say why they cannot be searched, and why they were not added", async () => {
    await open({});
    await page.locator("textarea").first().waitFor();
    await drop("/root/forbidden");
    await page.getByText("The folder `/root/forbidden` cannot be read.").waitFor();
    expect(await page.getByRole("alertdialog").count()).toBe(0);
    await drop("/srv/locked");
    await button("Add").click();
    await page.getByText("which goes before what is stored", { exact: false }).waitFor();
    expect(troubles).toEqual([]);
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
