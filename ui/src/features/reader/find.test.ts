import { expect, it } from "vitest";
import { FindState } from "./find.svelte";
import { PageText } from "./page-text";

// jsdom has no static ranges; only their four fields are used.
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- it stands in for one of the browser
globalThis.StaticRange ??= class {
  constructor(init: StaticRangeInit) {
    Object.assign(this, init);
  }
} as unknown as typeof StaticRange;

function finder(html: string): FindState {
  const root = document.createElement("div");
  root.innerHTML = html;
  const find = new FindState();
  find.open = true;
  find.read(new PageText(root).nodes);
  return find;
}

function texts(find: FindState): string[] {
  return find.ranges().map(({ startContainer, startOffset, endContainer, endOffset }) => {
    const range = document.createRange();
    range.setStart(startContainer, startOffset);
    range.setEnd(endContainer, endOffset);
    return range.toString();
  });
}

it("finds words without regard to case, accents and the kind of space", () => {
  const find = finder("<p>A Café. Another\u00a0 CAFE,\n a cafeteria.</p>");
  find.search("cafe");
  expect(texts(find)).toEqual(["Café", "CAFE", "cafe"]);
  find.search("another cafe");
  expect(texts(find)).toEqual(["Another\u00a0 CAFE"]);
});

it("tells letters apart that only look like accents", () => {
  const find = finder("<p>かがく</p>");
  find.search("か");
  expect(find.count).toBe(1);
});

it("finds across inline elements, and never across paragraphs", () => {
  const find = finder("<p>very <b>hot</b> <i>water</i></p><p>falls</p>");
  find.search("hot water");
  expect(texts(find)).toEqual(["hot water"]);
  find.search("water falls");
  expect(find.count).toBe(0);
});

it("goes round, both ways", () => {
  const find = finder("<p>a b a b a</p>");
  find.search("a");
  expect([find.at, find.count]).toEqual([0, 3]);
  find.step(-1);
  expect(find.at).toBe(2);
  find.step(1);
  expect(find.at).toBe(0);
});

it("starts where the reader is", () => {
  const find = finder("<p>one</p><p>two one</p>");
  find.search("two");
  const here = find.current();
  find.search("one", here);
  expect(find.at).toBe(1);
});

it("counts all and paints those around the one that is looked at", () => {
  const find = finder(`<p>${"a ".repeat(4_000)}</p>`);
  find.search("a");
  expect(find.count).toBe(4_000);
  find.step(-1);
  expect(find.ranges().length).toBeLessThan(1_100);
  expect(find.ranges().at(-1)).toEqual(find.current());
});

it("finds nothing in nothing", () => {
  const find = finder("<p>a b</p>");
  find.search(" ");
  expect([find.count, find.at]).toEqual([0, -1]);
});

it("finds the same words in the page that comes next", () => {
  const find = finder("<p>one two one</p>");
  find.search("one");
  find.step(1);
  const root = document.createElement("div");
  root.innerHTML = "<p>One.</p>";
  find.read(new PageText(root).nodes);
  expect([find.at, texts(find)]).toEqual([0, ["One"]]);
});
