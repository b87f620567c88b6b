// Colours have one home: what is drawn takes them from tokens.css, where light and dark stand side by side.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const source = join(import.meta.dirname, "../../src");
const HOME = "styles/tokens.css";

/** A colour by number or by name. `currentcolor`, `transparent` and mixtures of what is there already are none. */
const COLOUR = new RegExp(
  [
    String.raw`#(?:[\da-f]{8}|[\da-f]{6}|[\da-f]{3,4})\b`,
    String.raw`\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(`,
    String.raw`(?<![\w-])(?:white|black|gr[ae]y|silver|red|green|blue|yellow|orange|purple|pink|brown|teal|navy)(?![\w-])`,
  ].join("|"),
  "giu",
);

/** What styles a component: its style element, and what it sets on an element. */
function styles(path: string, text: string): string {
  if (path.endsWith(".css")) return text;
  const blocks = [...text.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map((block) => block[1]!);
  const attributes = [...text.matchAll(/\bstyle(?::[\w-]+)?="([^"]*)"/g)].map((attribute) => attribute[1]!);
  return [...blocks, ...attributes].join("\n");
}

function colours(path: string, text: string): string[] {
  const css = styles(path, text).replace(/\/\*[^]*?\*\//g, "");
  return [...css.matchAll(COLOUR)].map(([colour]) => colour);
}

it("are told from what only looks like one", () => {
  const css = (text: string) => colours("a.css", text);
  expect(css("a { color: #fff; background: RGB(0 0 0); border: 1px solid white }")).toEqual(["#fff", "RGB(", "white"]);
  expect(css("a { color: var(--white); white-space: nowrap; fill: currentcolor } /* #fff */")).toEqual([]);
  expect(colours("a.svelte", '<p style="color: red">#abc</p><style>p { color: #12345678; }</style>')).toEqual([
    "#12345678",
    "red",
  ]);
});

it("stand in the tokens and nowhere else", () => {
  const all = readdirSync(source, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
  const files = all.filter((path) => /\.(?:css|svelte)$/.test(path));
  expect(files.length).toBeGreaterThan(100);
  expect(colours(HOME, readFileSync(join(source, HOME), "utf8")).length).toBeGreaterThan(50);
  const strays = files
    .filter((path) => path !== HOME)
    .flatMap((path) => colours(path, readFileSync(join(source, path), "utf8")).map((colour) => `${path}: ${colour}`));
  expect(strays).toEqual([]);
});
