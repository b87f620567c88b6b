// Makes a saved page something to read: sanitised HTML or plain text, as blocks, in parts that are laid out when needed.

import type { Page } from "../../bindings/bindings";
import { sanitisePage } from "../../shared/markdown/sanitise";

/** So many blocks, or so much text, make one part: about two screens. */
const BLOCKS_IN_PART = 24;
const UNITS_IN_PART = 6_000;
/** A listing without an empty line is cut here, so that its parts can be left out of the layout too. */
const LINES_IN_BLOCK = 80;
const RTL = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"]);

export type SavedPage = { parts: HTMLElement[]; /** Whether the page says its own title first. */ hasTitle: boolean };

export function drawPage(page: Page): SavedPage {
  const body = page.html === null ? textBody(page) : sanitisePage(page.html);
  const blocks = blocksOf(body);
  for (const table of blocks.filter((block) => block.tagName === "TABLE")) scrollable(table);
  for (const pre of body.querySelectorAll("pre")) pre.dir = "ltr";
  for (const link of body.querySelectorAll("a")) link.rel = "noopener noreferrer nofollow";
  const title = plain(page.title);
  const hasTitle = blocks
    .slice(0, 3)
    .some((block) => /^H[1-6]$/.test(block.tagName) && plain(block.textContent) === title);
  return { parts: partsOf(body), hasTitle };
}

/** The direction a language is written in; what is not known is seen from the text. */
export function directionOf(tag: string | null): "ltr" | "rtl" | "auto" {
  if (!tag) return "auto";
  const [language = "", ...rest] = tag.toLowerCase().split(/[-_]/);
  if (rest.includes("latn")) return "ltr";
  return RTL.has(language) || rest.includes("arab") || rest.includes("hebr") ? "rtl" : "ltr";
}

function blocksOf(body: DocumentFragment): HTMLElement[] {
  // Text that stands alone is a paragraph: every block can be styled and counted then.
  for (const node of [...body.childNodes]) {
    if (node instanceof HTMLElement) continue;
    if (node.textContent?.trim()) node.replaceWith(element("p", node.textContent));
    else node.remove();
  }
  return [...body.children] as HTMLElement[];
}

/** A wide table scrolls in a box of its own, by keys as well. */
function scrollable(table: HTMLElement): void {
  const box = document.createElement("div");
  box.className = "table";
  box.tabIndex = 0;
  table.replaceWith(box);
  box.append(table);
}

function partsOf(body: DocumentFragment): HTMLElement[] {
  const parts: HTMLElement[] = [];
  let part: HTMLElement | null = null;
  let units = 0;
  for (const block of [...body.children]) {
    if (!part || part.childElementCount >= BLOCKS_IN_PART || units > UNITS_IN_PART) {
      part = document.createElement("section");
      part.className = "part";
      parts.push(part);
      units = 0;
    }
    part.append(block);
    units += block.textContent?.length ?? 0;
  }
  for (const each of parts) each.style.setProperty("--guess", `${guessedLines(each)}lh`);
  return parts;
}

/** How tall a part will be, in lines: the better the guess, the calmer the scrollbar. */
function guessedLines(part: HTMLElement): number {
  let lines = 0;
  for (const block of part.children) lines += 1 + Math.ceil((block.textContent?.length ?? 0) / 64);
  return lines;
}

function textBody(page: Page): DocumentFragment {
  const fragment = document.createDocumentFragment();
  // Other formats come as one block a line; only plain text has lines of its own, and paragraphs between empty ones.
  const blocks = page.media_type === "text" ? paragraphs(page.text) : page.text.split("\n").map((line) => [line]);
  for (let at = 0; at < blocks.length; at++) {
    const rows = tableRows(blocks, at);
    if (rows.length > 1) {
      fragment.append(tableOf(rows));
      at += rows.length - 1;
    } else {
      fragment.append(...textBlocks(blocks[at]!));
    }
  }
  return fragment;
}

function paragraphs(text: string): string[][] {
  return text.split(/\n[^\S\n]*\n/).map((paragraph) => paragraph.split("\n"));
}

/** The rows of a table that begins at this block: single lines in a row with as many cells each. */
function tableRows(blocks: readonly string[][], from: number): string[][] {
  const rows: string[][] = [];
  for (let at = from; at < blocks.length; at++) {
    const [line = "", more] = blocks[at]!;
    const cells = line.split(" | ");
    if (more !== undefined || cells.length < 2 || (rows[0] && rows[0].length !== cells.length)) break;
    rows.push(cells);
  }
  return rows;
}

function tableOf(rows: readonly string[][]): HTMLElement {
  const table = document.createElement("table");
  for (const cells of rows) {
    const row = table.insertRow();
    for (const cell of cells) row.insertCell().textContent = cell;
  }
  return table;
}

function* textBlocks(lines: readonly string[]): Generator<HTMLElement> {
  const tag = lines.some((line) => /^(\t| {2,})\S/.test(line)) ? "pre" : "p";
  for (let at = 0; at < lines.length; at += LINES_IN_BLOCK) {
    const text = lines.slice(at, at + LINES_IN_BLOCK).join("\n");
    if (!text.trim()) continue;
    const block = element(tag, text);
    if (at > 0) block.className = "goes-on";
    yield block;
  }
}

function element(tag: "p" | "pre", text: string): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent: text });
}

function plain(text: string | null): string {
  return (text ?? "").replace(/\s+/g, " ").trim().toLowerCase();
}
