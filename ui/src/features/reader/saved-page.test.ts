import { describe, expect, it } from "vitest";
import type { Page } from "../../bindings/bindings";
import { PageText } from "./page-text";
import { directionOf, drawPage } from "./saved-page";

function draw(fields: Partial<Page>): { root: HTMLElement; parts: number; hasTitle: boolean } {
  const root = document.createElement("div");
  const { parts, hasTitle } = drawPage({ title: "Title", html: null, text: "", media_type: "html", ...fields } as Page);
  root.append(...parts);
  return { root, parts: parts.length, hasTitle };
}

describe("a page of HTML", () => {
  it("loads nothing and runs nothing", () => {
    const { root } = draw({
      html: `<p onclick="x()">Text<img src="https://t.example/1.png"><script>x()</script></p><iframe src="https://t.example"></iframe>
        <a href="javascript:x()">bad</a><a href="https://ok.example/">good</a><svg onload="x()"></svg><style>*{}</style>
        <video poster="https://t.example/p.png"></video><p style="background:url(https://t.example)">styled</p>`,
    });
    expect(root.querySelectorAll("img, script, iframe, svg, style, video, link, object")).toHaveLength(0);
    expect(
      [...root.querySelectorAll("*")]
        .flatMap((each) => each.getAttributeNames())
        .filter((name) => /^on|src|poster/.test(name)),
    ).toEqual([]);
    expect(root.querySelector("p[style]")).toBeNull();
    expect([...root.querySelectorAll("a")].map((link) => link.getAttribute("href"))).toEqual([
      null,
      "https://ok.example/",
    ]);
  });

  it("knows when the page says its own title", () => {
    expect(draw({ html: "<h1>The  title</h1><p>x</p>", title: "The Title" }).hasTitle).toBe(true);
    expect(draw({ html: "<h2>Another</h2><p>The Title</p>", title: "The Title" }).hasTitle).toBe(false);
  });

  it("is cut into parts, with nothing lost or moved", () => {
    const html = Array.from({ length: 100 }, (_, n) => `<p>Paragraph ${n}</p>`).join("\n");
    const { root, parts } = draw({ html });
    expect(parts).toBeGreaterThan(3);
    expect([...root.querySelectorAll("p")].map((p) => p.textContent)).toEqual(
      Array.from({ length: 100 }, (_, n) => `Paragraph ${n}`),
    );
  });

  it("keeps text that stands in no block", () => {
    const { root } = draw({ html: "Alone.<p>In a block.</p>" });
    expect([...root.querySelectorAll("p")].map((p) => p.textContent)).toEqual(["Alone.", "In a block."]);
  });

  it("lets a wide table scroll by keys", () => {
    const { root } = draw({ html: "<table><tr><td>1</td><td>2</td></tr></table>" });
    expect(root.querySelector<HTMLElement>(".table")).toHaveProperty("tabIndex", 0);
    expect(root.querySelector(".table table td")).not.toBeNull();
  });
});

describe("a page of text", () => {
  it("has a paragraph for each line of a PDF, and tables for rows", () => {
    const { root } = draw({
      media_type: "pdf",
      text: "Heading\nOne sentence.\nIron | 1538\nGold | 1064\nThe <b>end</b>.",
    });
    expect([...root.querySelectorAll("p")].map((p) => p.textContent)).toEqual([
      "Heading",
      "One sentence.",
      "The <b>end</b>.",
    ]);
    expect([...root.querySelectorAll("tr")].map((row) => [...row.cells].map((cell) => cell.textContent))).toEqual([
      ["Iron", "1538"],
      ["Gold", "1064"],
    ]);
  });

  it("takes one line with a bar for a line", () => {
    expect(draw({ media_type: "pdf", text: "a | b\nc" }).root.querySelector("table")).toBeNull();
  });

  it("keeps the lines of plain text, and its listings as they are", () => {
    const { root } = draw({ media_type: "text", text: "A line\nand another.\n\n    if x:\n        y()\n\nThe end." });
    expect([...root.querySelectorAll("p, pre")].map((block) => [block.tagName, block.textContent])).toEqual([
      ["P", "A line\nand another."],
      ["PRE", "    if x:\n        y()"],
      ["P", "The end."],
    ]);
  });

  it("is all there, however it is laid out", () => {
    const text = Array.from({ length: 500 }, (_, n) => `  ${n} | ${n * n}\t${n % 7 ? "" : "\n"}`).join("\n");
    for (const media_type of ["text", "pdf"] as const) {
      const { root } = draw({ media_type, text });
      expect(new PageText(root).solid).toBe(text.replace(/[\s|]/g, ""));
    }
  });
});

it("knows which way a language is written", () => {
  expect(["ar", "he-IL", "fa", "az-Arab", "en", "ar-Latn", "zh-Hant"].map(directionOf)).toEqual([
    "rtl",
    "rtl",
    "rtl",
    "rtl",
    "ltr",
    "ltr",
    "ltr",
  ]);
  expect(directionOf(null)).toBe("auto");
});
