// Every view in every mode: it comes up without a complaint, axe finds nothing, and nothing is wider than its window.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

type Queries = Record<string, Record<string, string>>;

const views: Queries = {
  start: { scenario: "empty" },
  home: {},
  answer: { chat: "chat_wal" },
  japanese: { chat: "chat_leave" },
  arabic: { chat: "chat_astrolabe" },
  interrupted: { chat: "chat_crab" },
  overlong: { chat: "chat_wide" },
  offline: { scenario: "offline", chat: "chat_heat" },
  error: { scenario: "error", chat: "chat_heat" },
  // Nothing comes for an hour.
  loading: { chat: "chat_wal", latency: "3600000" },
  settings: { section: "appearance" },
};

const sections: Queries = {
  ...Object.fromEntries(
    [
      ...["search", "folders", "answers", "models", "usage", "shortcuts"],
      ...["data", "privacy", "account", "database", "start", "about"],
    ].map((section) => [section, { section }]),
  ),
  loading: { section: "models", latency: "3600000" },
};

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function examine(mode: Mode, view: string, query: Record<string, string>): Promise<void> {
  const { page, troubles } = await openWindow(browser, mode, query);
  await page.waitForTimeout(400);
  await shoot(page, `${view}-${mode.name}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  // A switch that is on has its knob at its end, wherever its end is, and still within it.
  const astray = await page.locator("[role=switch] > *").evaluateAll(
    (knobs) =>
      knobs.filter((knob) => {
        const [at, track] = [knob.getBoundingClientRect(), knob.parentElement!.getBoundingClientRect()];
        const middle = at.left + at.right - track.left - track.right;
        const isAtEnd = document.documentElement.dir === "rtl" ? middle < 0 : middle > 0;
        const isOn = knob.parentElement!.getAttribute("aria-checked") === "true";
        return at.left < track.left || at.right > track.right || isAtEnd !== isOn;
      }).length,
  );
  expect({ troubles, overflow, astray, axe: await axe(page) }).toEqual({
    troubles: [],
    overflow: 0,
    astray: 0,
    axe: [],
  });
  await page.context().close();
}

describe.each(Object.values(modes))("$name", (mode) => {
  it.each(Object.entries(views))("%s", (view, query) => examine(mode, view, query));
});

describe.each([modes.light, modes.dark, modes.narrow, modes.wide, modes.rtl])("settings, $name", (mode) => {
  it.each(Object.entries(sections))("%s", (view, query) => examine(mode, `settings-${view}`, query));
});

describe.each([modes.light, modes.dark, modes.rtl, modes.large])("quick ask, $name", (mode) => {
  it("comes up", async () => {
    const { page, troubles } = await openWindow(browser, { ...mode, width: 640, height: 420 }, {}, "/quick.html");
    await page.waitForTimeout(200);
    await shoot(page, `quick-first-${mode.name}`);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
    await page.context().close();
  });
});
