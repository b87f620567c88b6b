// Where a span of a page's text lies in the page as it is drawn.
//
// Text and HTML are made from the same blocks, but not with the same space: paragraphs, table rows and line breaks
// differ. So both are compared by what is left without space and without the bars between cells, and places are
// counted in that.

import type { Range as Units } from "../../shared/bytes";

// What one of the two may have and the other not. Rust and JavaScript disagree on a few kinds of space.
const UNSEEN = /[\s|\u0000-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u2060\ufeff]+/g;
const SEEN = /[^\s|\u0000-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u2060\ufeff]/g;
/** How much of a quote must agree before a place that only begins like it is taken for it. */
const TELLING = 24;

export function solid(text: string): string {
  return text.replace(UNSEEN, "");
}

/** The text of some drawn nodes without space, each place of which is a place on the page. */
export class PageText {
  readonly nodes: readonly Text[];
  readonly solid: string;
  /** How much solid text stands before each node; ascending. */
  readonly #before: number[] = [];

  constructor(root: Node) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const nodes: Text[] = [];
    const pieces: string[] = [];
    let before = 0;
    while (walker.nextNode()) {
      const node = walker.currentNode as Text;
      const piece = solid(node.data);
      nodes.push(node);
      pieces.push(piece);
      this.#before.push(before);
      before += piece.length;
    }
    this.nodes = nodes;
    this.solid = pieces.join("");
  }

  /** Where the units of `text` are drawn, in solid units; `null` where they are not on the page. */
  locate(text: string, units: Units): Units | null {
    const quote = solid(text.slice(units.start, units.end));
    if (!quote) return null;
    const expected = solid(text.slice(0, units.start)).length;
    if (this.solid.startsWith(quote, expected)) return { start: expected, end: expected + quote.length };
    return this.#nearest(quote, expected) ?? this.#nearestAlike(quote, expected);
  }

  /** From the first to the last character of a stretch of solid text. */
  range({ start, end }: Units): Range {
    const [first, from] = this.#place(start);
    const [last, to] = this.#place(end - 1);
    const range = document.createRange();
    range.setStart(first, from);
    range.setEnd(last, to + 1);
    return range;
  }

  #nearest(quote: string, expected: number): Units | null {
    const after = this.solid.indexOf(quote, expected);
    const before = this.solid.lastIndexOf(quote, expected);
    const start = before < 0 || (after >= 0 && after - expected < expected - before) ? after : before;
    return start < 0 ? null : { start, end: start + quote.length };
  }

  /** A page whose two halves differ somewhere still has the sentence's beginning, or its end. */
  #nearestAlike(quote: string, expected: number): Units | null {
    if (quote.length < 2 * TELLING) return null;
    const head = this.#nearest(quote.slice(0, TELLING), expected);
    const tail = this.#nearest(quote.slice(-TELLING), head?.start ?? expected);
    if (!head || !tail) return head ?? tail;
    const length = tail.end - head.start;
    return length > 0 && length < 2 * quote.length ? { start: head.start, end: tail.end } : head;
  }

  /** The node of a solid unit, and its place in that. */
  #place(unit: number): [node: Text, offset: number] {
    let low = 0;
    let high = this.nodes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#before[middle]! <= unit) low = middle;
      else high = middle - 1;
    }
    const node = this.nodes[low]!;
    let left = unit - this.#before[low]!;
    SEEN.lastIndex = 0;
    for (let found = SEEN.exec(node.data); found; found = SEEN.exec(node.data)) {
      if (left-- === 0) return [node, found.index];
    }
    return [node, node.data.length];
  }
}
