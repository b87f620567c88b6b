// The pages of the gateway in a real browser, as its own tests keep them: nobody is kept out, nothing sticks out, and they
// work under the policy they are sent with.

import { readdirSync, readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, shoot } from "./window";

const GATEWAY = new URL("../../../crates/deepsearch-gateway/", import.meta.url);
const HOST = "https://sign-in.example.org";
const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const names = readdirSync(new URL("tests/pages/", GATEWAY)).map((file) => file.replace(/\.html$/, ""));

const looks = [
  { name: "light", colorScheme: "light", width: 1280, languages: ["en", "de", "ar"] },
  { name: "dark", colorScheme: "dark", width: 1280, languages: ["en"] },
  { name: "narrow", colorScheme: "light", width: 380, languages: ["de", "ar"] },
  { name: "narrow-dark", colorScheme: "dark", width: 320, languages: ["de"] },
] as const;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function open(name: string, look: (typeof looks)[number]): Promise<{ page: Page; troubles: string[] }> {
  const { colorScheme, width } = look;
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("console", (said) => troubles.push(said.text()));
  await page.route("**", (route) => {
    const { origin, pathname } = new URL(route.request().url());
    const read = (path: string) => readFileSync(new URL(path, GATEWAY), "utf8");
    if (origin !== HOST) troubles.push(`asked for ${origin}`);
    if (pathname === "/style.css") return route.fulfill({ contentType: "text/css", body: read("static/gateway.css") });
    if (pathname === "/icon.svg")
      return route.fulfill({ contentType: "image/svg+xml", body: read("../../icons/icon.svg") });
    const headers = { "content-security-policy": POLICY };
    return route.fulfill({ contentType: "text/html; charset=utf-8", headers, body: read(`tests/pages/${name}.html`) });
  });
  await page.goto(`${HOST}/page`);
  return { page, troubles };
}

describe.each(looks)("the pages of the gateway, $name", (look) => {
  const shown = names.filter((name) => look.languages.some((language) => name.endsWith(`.${language}`)));

  it.each(shown)("%s can be used by everybody", async (name) => {
    const { page, troubles } = await open(name, look);
    await shoot(page, `gateway-${name}-${look.name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect({ troubles, overflow, axe: await axe(page) }).toEqual({ troubles: [], overflow: 0, axe: [] });

    // Each thing that can be done is reached by Tab, from the field that has the focus already, and it is seen where one is.
    const count = await page.locator("a, button, input:not([type=hidden])").count();
    const reached = new Set<string>();
    const isSomewhere = await page.evaluate(() => document.activeElement !== document.body);
    for (let step = 0; step < count; step++) {
      if (step > 0 || !isSomewhere) await page.keyboard.press("Tab");
      const [which, outline] = await page.evaluate(() => {
        const at = document.activeElement!;
        return [at.outerHTML, getComputedStyle(at).outlineStyle] as const;
      });
      expect(outline, which).toBe("solid");
      reached.add(which);
    }
    await shoot(page, `gateway-${name}-${look.name}-focus`);
    expect(reached.size).toBe(count);
    await page.context().close();
  });
});
