import { describe, expect, it } from "vitest";
import { fuzzy } from "./fuzzy";

function found(query: string, name: string): string | null {
  const match = fuzzy(query, name);
  if (match === null) return null;
  let text = name;
  for (const { start, end } of [...match.ranges].reverse()) {
    text = `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`;
  }
  return text;
}

function best(query: string, names: string[]): string | undefined {
  return names
    .map((name) => ({ name, match: fuzzy(query, name) }))
    .filter((each) => each.match !== null)
    .sort((a, b) => b.match!.score - a.match!.score)[0]?.name;
}

describe("where the letters are", () => {
  it("finds a part of a word", () => expect(found("side", "Toggle sidebar")).toBe("Toggle [side]bar"));
  it("finds the first letters of words", () => expect(found("nw", "New window")).toBe("[N]ew [w]indow"));
  it("takes words in any order", () => expect(found("theme dark", "Dark theme")).toBe("[Dark] [theme]"));
  it("overlooks accents and case", () => expect(found("ETE", "Thème d’été")).toBe("Thème d’[été]"));
  it("keeps its place beside letters that fold to two", () => expect(found("b", "İb")).toBe("İ[b]"));
  it("finds nothing where a letter is missing", () => expect(found("xyz", "New chat")).toBeNull());
  it("finds everything for nothing", () => expect(found("", "New chat")).toBe("New chat"));
  it("works without spaces between words", () => expect(found("主题", "深色主题")).toBe("深色[主题]"));
});

describe("which fits best", () => {
  it("prefers starts of words to letters within", () => {
    expect(best("ar", ["Search history", "Archive the chat"])).toBe("Archive the chat");
  });

  it("prefers letters that stand together", () => {
    expect(best("chat", ["Close this saved page at once, chat", "Choose a theme at"])).toBe(
      "Close this saved page at once, chat",
    );
  });

  it("prefers the shorter of two equal ones", () => {
    expect(best("new", ["New window with this chat", "New chat"])).toBe("New chat");
  });
});
