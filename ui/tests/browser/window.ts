// A window of the interface in Chromium: opened in one mode, looked at, and examined for what would keep people out.

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";
import { inject } from "vitest";

export type Mode = {
  name: string;
  theme: "light" | "dark";
  width: number;
  height: number;
  language: string;
  /** Percent. */
  textSize?: number;
  /** Whether things move; pictures want them still. */
  motion?: "no-preference";
};

export const modes = {
  light: { name: "light", theme: "light", width: 1280, height: 800, language: "en" },
  dark: { name: "dark", theme: "dark", width: 1280, height: 800, language: "en" },
  narrow: { name: "narrow", theme: "light", width: 640, height: 760, language: "en" },
  wide: { name: "wide", theme: "light", width: 1720, height: 1000, language: "en" },
  rtl: { name: "rtl", theme: "light", width: 1280, height: 800, language: "ar" },
  large: { name: "large", theme: "dark", width: 1280, height: 800, language: "de", textSize: 140 },
} as const satisfies Record<string, Mode>;

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  // Where that is small, as in a container, a page that needs more dies.
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where screenshots go; outside the tree, to be looked at and thrown away. */
export const shots = process.env.DEEPSEARCH_SHOTS ?? join(tmpdir(), "deepsearch-shots");

export function launch(): Promise<Browser> {
  const executablePath = process.env.DEEPSEARCH_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ARGS });
}

/** A window on the fake platform. Whatever the page says is wrong is kept in `troubles`. */
export async function openWindow(
  browser: Browser,
  mode: Mode,
  query: Record<string, string | number> = {},
  path = "/",
  deviceScaleFactor = 1,
): Promise<{ page: Page; troubles: string[] }> {
  const context = await browser.newContext({
    viewport: { width: mode.width, height: mode.height },
    deviceScaleFactor,
    colorScheme: mode.theme,
    reducedMotion: mode.motion ?? "reduce",
    locale: mode.language,
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (said) => {
    if (said.type() === "error" || said.type() === "warning") troubles.push(said.text());
  });
  // Nothing in the window may ask anything of the world.
  page.on("request", (request) => {
    const isOurs = request.url().startsWith(inject("url")) || /^(data|blob):/.test(request.url());
    if (!isOurs) troubles.push(`asked for ${request.url()}`);
  });
  const look = { theme: mode.theme, language: mode.language, text_size: mode.textSize ?? 100 };
  const search = new URLSearchParams(Object.entries({ ...look, ...query }).map(([key, value]) => [key, String(value)]));
  await page.goto(`${inject("url")}${path}?${search}`);
  await page.locator("#app > *").first().waitFor({ state: "attached" });
  await page.evaluate(() => document.fonts.ready);
  return { page, troubles };
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** What axe holds against the page, one line each; an empty list is the aim. */
export async function axe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}
