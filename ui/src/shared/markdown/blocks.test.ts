import { describe, expect, it } from "vitest";
import { type Block, Blocks } from "./blocks";
import { marksOf } from "./marks";
import type { SentenceCheck } from "../../bindings/bindings";

const NO_SCENE = { sources: 0, marks: [] };

function read(source: string, sources = 0): Block[] {
  return new Blocks().read(source, { sources, marks: [] }, false);
}

const ANSWER = `# Water

Water boils at **100 °C**[1] at sea level. It boils
at *lower* temperatures higher up [2][3].

- First \`a[1]\` point [1]
- Second point

  still the second, with a

  > quote inside
1. One
2. Two
   - nested

| Height | Boils at |
| --- | ---: |
| 0 m | 100 °C [1] |
| 5,000 m | 83 °C |

\`\`\`rust
fn main() {
    let x = y[1];
}
\`\`\`

Setext
---

- [ ] open
- [x] done

\\[ x^2 \\]

Done.`;

describe("an answer that streams", () => {
  it("is in the end what it would be had it come at once, wherever the pieces were cut", () => {
    const whole = read(ANSWER, 3);
    for (const size of [1, 2, 3, 7, 40]) {
      const blocks = new Blocks();
      for (let end = size; end < ANSWER.length; end += size) {
        blocks.read(ANSWER.slice(0, end), { ...NO_SCENE, sources: 3, marks: SAME }, true);
      }
      expect(blocks.read(ANSWER, { sources: 3, marks: SAME }, false)).toEqual(whole);
    }
  });

  it("leaves blocks that have ended alone", () => {
    const blocks = new Blocks();
    const scene = { sources: 0, marks: SAME };
    const first = blocks.read("One.\n\nTwo.\n\nThree", scene, true);
    const second = blocks.read("One.\n\nTwo.\n\nThree and\n\nFour", scene, true);
    expect(second[0]).toBe(first[0]);
    expect(second).toHaveLength(4);
  });

  it("leaves the items of a growing list and the rows of a table alone", () => {
    const blocks = new Blocks();
    const scene = { sources: 1, marks: SAME };
    const source = "- one [1]\n- two\n\n| a |\n|---|\n| 1 |\n| 2 |";
    const at = (end: number) => blocks.read(source.slice(0, end), scene, true);
    const [list] = at(14) as Extract<Block, { kind: "list" }>[];
    const [longer] = at(16) as Extract<Block, { kind: "list" }>[];
    expect(longer!.items[0]).toBe(list!.items[0]);
    expect(longer!.items[1]).not.toBe(list!.items[1]);
    const rows = () => (at(source.length) as Extract<Block, { kind: "table" }>[])[1]!.rows;
    expect(rows()[0]).toBe(rows()[0]);
  });

  it("joins an item to the list it turns out to belong to", () => {
    const blocks = new Blocks();
    const scene = { sources: 0, marks: SAME };
    for (const source of ["1. a\n\n", "1. a\n\n2", "1. a\n\n2."]) blocks.read(source, scene, true);
    const [list, ...more] = blocks.read("1. a\n\n2. b", scene, true);
    expect(more).toEqual([]);
    expect(list?.kind === "list" && list.items.length).toBe(2);
  });

  it("shows emphasis and code before their end has come", () => {
    const blocks = new Blocks();
    expect(blocks.read("It is **bol", NO_SCENE, true)).toMatchObject([
      { kind: "paragraph", html: "It is <strong>bol</strong>" },
    ]);
    expect(new Blocks().read("See [the do", NO_SCENE, true)).toMatchObject([{ html: "See the do" }]);
    expect(new Blocks().read("```py\nx = 1", NO_SCENE, true)).toEqual([
      { kind: "code", code: "x = 1", language: "py", open: true },
    ]);
    expect(new Blocks().read("```py\nx = 1\n```", NO_SCENE, true)[0]).toMatchObject({ open: false });
  });

  it("shows a formula whose end is still to come as it is written", () => {
    expect(new Blocks().read("Then\n\n\\[\nx_1 + x_2", NO_SCENE, true)[1]).toEqual({
      kind: "math",
      html: "<code>x_1 + x_2</code>",
    });
  });

  it("goes on with an answer that was stopped in the midst of a block as if it had not been", () => {
    for (const [stopped, more] of [
      ["It is **bo", "ld**, and so on."],
      ["- one\n- tw", "o\n- three"],
      ["```py\nx = 1", "\ny = 2\n```\n\nThen."],
    ]) {
      const blocks = new Blocks();
      blocks.read(stopped!, { sources: 0, marks: SAME }, true);
      blocks.read(stopped!, { sources: 0, marks: SAME }, false);
      blocks.read(stopped! + more!.slice(0, 3), { sources: 0, marks: SAME }, true);
      expect(blocks.read(stopped! + more!, { sources: 0, marks: SAME }, false)).toEqual(read(stopped! + more!));
    }
  });

  it("knows in the end what is defined below where it is meant", () => {
    const source = "See [the docs][d].\n\nThen.\n\nMore.\n\n[d]: https://example.com/";
    const blocks = new Blocks();
    for (let end = 1; end < source.length; end++) blocks.read(source.slice(0, end), { sources: 0, marks: SAME }, true);
    expect(blocks.read(source, { sources: 0, marks: SAME }, false)).toEqual(read(source));
  });

  it("begins anew when the text is another", () => {
    const blocks = new Blocks();
    blocks.read("One.\n\nTwo.\n\nThree", { sources: 0, marks: SAME }, true);
    expect(blocks.read("Other.", { sources: 0, marks: SAME }, false)).toMatchObject([{ html: "Other." }]);
  });
});

const SAME: never[] = [];

describe("citations", () => {
  it("stand where sources are cited, with their place in the Markdown", () => {
    const [block] = read("Wasser – so **heiß**[1] kocht [2][3].", 3);
    expect(block).toMatchObject({
      kind: "paragraph",
      html:
        'Wasser – so <strong>heiß</strong>\u2060<span data-cite="1" data-at="20"></span> kocht' +
        '\u2060<span data-cite="2" data-at="30"></span>\u2060<span data-cite="3" data-at="33"></span>.',
    });
  });

  it("are none in code, in links, in formulas and where there is no such source", () => {
    const html = JSON.stringify(
      read("`a[1]` [b [1]](https://a.org/) \\(x[1]\\) [9] [0]\n\n```\na[1]\n```\n\n    b[1]", 3),
    );
    expect(html).not.toContain("data-cite");
    expect(html).toContain("[9] [0]");
  });

  it("cannot be defined to lead somewhere", () => {
    expect(read("See [1] and [1][2].\n\n[1]: https://evil.example/\n[2]: https://evil.example/", 2)).toMatchObject([
      {
        kind: "paragraph",
        html:
          'See\u2060<span data-cite="1" data-at="4"></span> and\u2060<span data-cite="1" data-at="12"></span>' +
          '\u2060<span data-cite="2" data-at="15"></span>.',
      },
    ]);
  });

  it("know their place inside quotes, lists and tables", () => {
    const source = "> Quoted [1]\n> and more [2]\n\n- item\n  goes on [1]\n\n| a | b [1] |\n|---|---|\n| c [2] | d |";
    const found = [...JSON.stringify(read(source, 2)).matchAll(/data-cite=\\"(\d)\\" data-at=\\"(\d+)/g)];
    expect(found).toHaveLength(5);
    for (const [, number, at] of found) expect(source.startsWith(`[${number}]`, Number(at))).toBe(true);
  });
});

describe("marks", () => {
  const check = (source: string, sentence: string, verdict: SentenceCheck["verdict"]): SentenceCheck => {
    const bytes = (text: string) => new TextEncoder().encode(text).length;
    const start = bytes(source.slice(0, source.indexOf(sentence)));
    return { sentence: { start, end: start + bytes(sentence) }, verdict, evidence: null };
  };
  const marked = (source: string, checks: SentenceCheck[], sources = 3) =>
    new Blocks().read(source, { sources, marks: marksOf(source, checks) }, false);

  it("cover what a sentence says, through emphasis and code, and nothing beside it", () => {
    const source = "Müller sagt es. **Das** `ist` *neu* – ganz.[1] Ende.";
    const [block] = marked(source, [
      check(source, "Müller sagt es.", "supported"),
      check(source, "Das** `ist` *neu* – ganz.[1]", "partly"),
    ]);
    const mark = (html: string) => `<span data-check="1" data-verdict="partly">${html}</span>`;
    expect(block).toMatchObject({
      kind: "paragraph",
      html:
        `Müller sagt es. <strong>${mark("Das")}</strong>${mark(" ")}${mark("<code>ist</code>")}${mark(" ")}` +
        `<em>${mark("neu")}</em>${mark(" – ganz.")}\u2060<span data-cite="1" data-at="43"></span> Ende.`,
    });
  });

  it("find their sentences in lists, quotes and tables", () => {
    const source = "> One is so.\n> Two is not.\n\n- Three 🦀 holds.\n\n| a |\n|---|\n| Four fails. |";
    const html = JSON.stringify(
      marked(source, [
        check(source, "Two is not.", "not_found"),
        check(source, "Three 🦀 holds.", "partly"),
        check(source, "Four fails.", "not_found"),
      ]),
    );
    for (const [at, text] of ["Two is not.", "Three 🦀 holds.", "Four fails."].entries()) {
      expect(html).toMatch(
        new RegExp(`data-check=\\\\"${at}\\\\" data-verdict=\\\\"\\w+\\\\">${text.replace(".", "\\.")}</span>`, "u"),
      );
    }
  });

  it("that do not fit the text do no harm", () => {
    expect(marked("Short.", [{ sentence: { start: 4, end: 400 }, verdict: "partly", evidence: null }])).toMatchObject([
      { kind: "paragraph", html: 'Shor<span data-check="0" data-verdict="partly">t.</span>' },
    ]);
    expect(marked("Short.", [{ sentence: { start: 90, end: 40 }, verdict: "partly", evidence: null }])).toMatchObject([
      { kind: "paragraph", html: "Short." },
    ]);
  });
});

describe("directions", () => {
  it("are those of the words, whatever the window's is", () => {
    expect(read("**مرحبا** hello\n\n- hello\n- 1. مرحبا\n\n42")).toMatchObject([
      { dir: "rtl" },
      { items: [{ dir: "ltr" }, { dir: "rtl" }] },
      { dir: undefined },
    ]);
  });
});

describe("blocks", () => {
  it("keep task lists, numbering and alignment", () => {
    expect(read("3. three\n4. four")[0]).toMatchObject({ kind: "list", ordered: true, start: 3 });
    expect(read("- [x] done\n- [ ] open")[0]).toMatchObject({
      items: [
        { task: true, checked: true, blocks: [{ kind: "text", html: "done" }] },
        { task: true, checked: false },
      ],
    });
    expect(read("| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |")[0]).toMatchObject({ align: ["start", "center", "end"] });
  });

  it("make what is bold in Chinese and Japanese bold", () => {
    expect(read("**重要：**内容")[0]).toMatchObject({ kind: "paragraph", html: "<strong>重要：</strong>内容" });
    expect(read("これは**「重要」**です")[0]).toMatchObject({
      kind: "paragraph",
      html: "これは<strong>「重要」</strong>です",
    });
  });

  it("survive nesting without end", () => {
    expect(JSON.stringify(read(`${">".repeat(20_000)} a`)).length).toBeLessThan(100_000);
    expect(read(`${"- ".repeat(500)}a`)).toHaveLength(1);
    expect(read(`${"[".repeat(20_000)}a`)).toHaveLength(1);
    expect(read("*a_".repeat(10_000))).toHaveLength(1);
    expect(new Blocks().read("_a".repeat(20_000), NO_SCENE, true)).toHaveLength(1);
  });
});
