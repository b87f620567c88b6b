import { describe, expect, it, vi } from "vitest";
import { CodeLines } from "./code-lines";
import type { Colouring } from "./colouring";
import { highlighting } from "./highlight";
import { languageLabel, languageOf } from "./languages";

const RUST = `/// Adds.
fn add(a: u32) -> Vec<String> {
    let text = "a \\"b\\"";
    /* one
    two */
    return vec![1];
}`;

describe("colouring", () => {
  it("goes on where it stopped, as if it had all come at once", async () => {
    const lines = RUST.split("\n");
    const whole = (await highlighting("rust"))!.next(lines);
    const stepwise = (await highlighting("rust"))!;
    expect(lines.flatMap((line) => stepwise.next([line]))).toEqual(whole);
    expect(whole[4]).toEqual([{ text: "    two */", shade: "comment" }]);
  });

  it.each([
    ["rust", 'fn add() { let a: Vec<u8> = "x"; 12 } // c', ["keyword", "name", "type", "string", "number", "comment"]],
    ["python", 'def add(a):\n    return "x" + str(12)  # c', ["keyword", "name", "string", "number", "comment"]],
    ["typescript", 'const a: Foo = add("x", 12); // c', ["keyword", "type", "name", "string", "number", "comment"]],
    ["sql", "select a from b where c = 'x' and d = 12 -- c", ["keyword", "string", "number", "comment"]],
    ["bash", 'if true; then echo "x" # c\nfi', ["keyword", "string", "comment"]],
    ["json", '{"a": 12, "b": "x"}', ["name", "number", "string"]],
    ["html", '<a href="x">y</a> <!-- c -->', ["keyword", "name", "string", "comment"]],
    ["css", ".a { color: red; width: 12px } /* c */", ["name", "number", "comment"]],
    ["yaml", "a: 12 # c\nb: x", ["number", "comment"]],
    ["cpp", 'int add() { return foo("x", 12); } // c', ["keyword", "name", "string", "number", "comment"]],
  ] as const)("tells the parts of %s apart", async (language, code, shades) => {
    const pieces = (await highlighting(language))!.next(code.split("\n")).flat();
    expect(pieces.map((piece) => piece.shade)).toEqual(expect.arrayContaining([...shades]));
    expect(pieces.map((piece) => piece.text).join("")).toBe(code.replaceAll("\n", ""));
  });
});

/** As the worker does it, without a worker. */
function rust(): Colouring {
  const ready = highlighting("rust");
  return { next: async (lines) => (await ready)!.next(lines), close: () => undefined };
}

describe("a code block", () => {
  it("shows text at once, colours it, and keeps the lines that stay", async () => {
    const element = document.createElement("code");
    const lines = new CodeLines(element, rust);
    lines.update("fn a() {}\nlet", true);
    expect(element.textContent).toBe("fn a() {}\nlet\n");
    await vi.waitFor(() => expect(element.querySelector(".keyword")).toHaveTextContent("fn"));
    const first = element.firstChild;
    lines.update("fn a() {}\nlet b = 1;\n// c", true);
    await vi.waitFor(() => expect(element.querySelectorAll(".keyword")).toHaveLength(2));
    expect(element.firstChild).toBe(first);
    expect(element.querySelector(".comment")).toBeNull();
    lines.update("fn a() {}\nlet b = 1;\n// c", false);
    await vi.waitFor(() => expect(element.querySelector(".comment")).toHaveTextContent("// c"));
    lines.destroy();
  });

  it("begins anew when its text becomes another while it is being coloured", async () => {
    const element = document.createElement("code");
    const lines = new CodeLines(element, rust);
    lines.update("/* one\ntwo", false);
    lines.update("fn one() {}\nfn two() {}", false);
    await vi.waitFor(() => expect(element.querySelectorAll(".keyword")).toHaveLength(2));
    expect(element.querySelector(".comment")).toBeNull();
  });

  it("is text, whatever stands in it", () => {
    const element = document.createElement("code");
    new CodeLines(element, null).update("<img src=x onerror=alert(1)>", false);
    expect(element.querySelector("img")).toBeNull();
    expect(element).toHaveTextContent("<img src=x onerror=alert(1)>");
  });
});

it("knows languages by the names people give them", () => {
  expect(["rs", "RS title=x", "rust,ignore", "c++", "yml", "sh"].map(languageOf)).toEqual([
    "rust",
    "rust",
    "rust",
    "cpp",
    "yaml",
    "bash",
  ]);
  expect(["constructor", "", "klingon"].map(languageOf)).toEqual([null, null, null]);
  expect(["ts", "sql", "js", "klingon", ""].map(languageLabel)).toEqual([
    "TypeScript",
    "SQL",
    "JavaScript",
    "klingon",
    "",
  ]);
});
