import { describe, expect, it } from "vitest";
import { ByteIndex } from "../../shared/bytes";
import { mark, unmark } from "./marks";
import { PageText } from "./page-text";

function page(html: string): HTMLElement {
  const root = document.createElement("div");
  root.innerHTML = html;
  return root;
}

/** Marks `quote` of `text` in the page and returns what was marked, a stretch per mark. */
function marked(root: HTMLElement, text: string, quote: string): string[] {
  const start = text.indexOf(quote);
  const drawn = new PageText(root);
  const place = drawn.locate(text, { start, end: start + quote.length });
  return place ? mark(drawn.range(place)).map((pen) => pen.textContent ?? "") : [];
}

describe("a sentence of the text in the page", () => {
  it("is found across links, bold words and code", () => {
    const root = page("<p>First. <b>Water</b> boils at <a href='https://a.example'>100 <i>°C</i></a> there. Last.</p>");
    expect(marked(root, "First. Water boils at 100 °C there. Last.", "Water boils at 100 °C there.")).toEqual([
      "Water",
      " boils at ",
      "100 ",
      "°C",
      " there.",
    ]);
    expect(root.textContent).toBe("First. Water boils at 100 °C there. Last.");
    expect(root.querySelectorAll("a mark, b mark")).toHaveLength(3);
  });

  it("is the second of two alike, when the second is cited", () => {
    const text = "Yes.\nNo.\nYes.";
    const root = page("<p>Yes.</p>\n<p>No.</p>\n<p>Yes.</p>");
    const drawn = new PageText(root);
    const place = drawn.locate(text, { start: 9, end: 13 })!;
    const [pen] = mark(drawn.range(place));
    expect(pen!.parentElement).toBe(root.lastElementChild);
  });

  it("spans the cells of a row, whose bars the page does not have", () => {
    const root = page(
      "<table><tbody><tr><td>Iron</td><td>1538 °C</td></tr>\n<tr><td>Gold</td><td>1064 °C</td></tr></tbody></table>",
    );
    expect(marked(root, "Iron | 1538 °C\nGold | 1064 °C", "Gold | 1064 °C")).toEqual(["Gold", "1064 °C"]);
    expect([...root.querySelectorAll("mark")].every((pen) => pen.parentElement?.tagName === "TD")).toBe(true);
  });

  it("is counted right behind bars that are the page's own words", () => {
    const root = page("<p>a | b || c</p><p>The end.</p>");
    expect(marked(root, "a | b || c\nThe end.", "The end.")).toEqual(["The end."]);
  });

  it("runs over line breaks and paragraphs, and leaves the space between blocks alone", () => {
    const root = page("<ul><li>one<br>two</li>\n<li>three</li></ul>");
    expect(marked(root, "one\ntwo\nthree", "two\nthree")).toEqual(["two", "three"]);
  });

  it("is found by its words where the page has more text than we know of", () => {
    const root = page("<p>Something that was never in the text.</p><p>Water boils. Then it rains.</p>");
    expect(marked(root, "Water boils. Then it rains.", "Then it rains.")).toEqual(["Then it rains."]);
  });

  it("is found by its beginning where a word in its middle differs", () => {
    const text = "The committee decided on Monday to delay the launch of the second probe until spring of next year.";
    const root = page(
      "<p>Other words. The committee decided on Monday to delay the start of the second probe until spring of next year.</p>",
    );
    expect(marked(root, text, text)).toEqual([
      "The committee decided on Monday to delay the start of the second probe until spring of next year.",
    ]);
  });

  it("is not found where it is not", () => {
    expect(marked(page("<p>Nothing of the kind.</p>"), "Water boils.", "Water boils.")).toEqual([]);
    expect(marked(page(""), "Water boils.", "Water boils.")).toEqual([]);
  });

  it("is found by bytes among letters of every width", () => {
    const text = "naïve 🦀 crab.\n水は100°Cで沸騰する。次の文。\nالجملة الأخيرة.";
    const root = page(
      `<p>naïve <em>🦀</em> crab.</p><p>水は100°Cで沸騰する。<b>次の</b>文。</p><p>الجملة الأخيرة.</p>`,
    );
    const quote = "次の文。";
    const before = new TextEncoder().encode(text.slice(0, text.indexOf(quote))).length;
    const units = new ByteIndex(text).range({ start: before, end: before + new TextEncoder().encode(quote).length });
    const drawn = new PageText(root);
    expect(drawn.range(drawn.locate(text, units)!).toString()).toBe(quote);
  });
});

it("takes marks away and leaves the page as it was", () => {
  const html = "<p>First. <b>Water</b> boils. Last.</p>";
  const root = page(html);
  const drawn = new PageText(root);
  const place = drawn.locate("First. Water boils. Last.", { start: 7, end: 19 })!;
  unmark(mark(drawn.range(place)));
  expect(root.innerHTML).toBe(html);
  expect(root.querySelector("p")!.childNodes).toHaveLength(3);
});
