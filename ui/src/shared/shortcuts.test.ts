import { afterEach, describe, expect, it, vi } from "vitest";
import { ariaKeys, keySymbols, matches, shortcuts } from "./shortcuts";

const on = (platform: string) => vi.spyOn(navigator, "platform", "get").mockReturnValue(platform);
const press = (init: KeyboardEventInit) => new KeyboardEvent("keydown", init);

afterEach(() => vi.restoreAllMocks());

describe("on Linux and Windows", () => {
  it("takes Ctrl, and nothing more than what was named", () => {
    on("Linux x86_64");
    expect(matches(press({ key: "k", ctrlKey: true }), "palette")).toBe(true);
    expect(matches(press({ key: "k", metaKey: true }), "palette")).toBe(false);
    expect(matches(press({ key: "K", ctrlKey: true, shiftKey: true }), "palette")).toBe(false);
    expect(matches(press({ key: "N", ctrlKey: true, shiftKey: true }), "new_window")).toBe(true);
    expect(matches(press({ key: "n", ctrlKey: true }), "new_window")).toBe(false);
  });

  it("writes keys out", () => {
    on("Linux x86_64");
    expect(keySymbols("mod+shift+f")).toEqual(["Ctrl", "Shift", "F"]);
    expect(keySymbols("CommandOrControl+Shift+Space")).toEqual(["Ctrl", "Shift", "Space"]);
    expect(ariaKeys("previous_chat")).toBe("Alt+ArrowUp");
  });
});

describe("on a Mac", () => {
  it("takes the command key", () => {
    on("MacIntel");
    expect(matches(press({ key: "k", metaKey: true }), "palette")).toBe(true);
    expect(matches(press({ key: "k", ctrlKey: true }), "palette")).toBe(false);
    expect(keySymbols("mod+enter")).toEqual(["⌘", "↵"]);
  });
});

it("takes plus with and without Shift, and on the keypad", () => {
  on("Linux x86_64");
  for (const keys of [{ key: "=" }, { key: "+", shiftKey: true }, { key: "+", code: "NumpadAdd" }])
    expect(matches(press({ ctrlKey: true, ...keys }), "larger_text")).toBe(true);
  expect(matches(press({ key: "-", ctrlKey: true }), "smaller_text")).toBe(true);
  expect(matches(press({ key: "0", ctrlKey: true }), "usual_text")).toBe(true);
  expect(keySymbols(shortcuts.larger_text.keys)).toEqual(["Ctrl", "+"]);
});

it("takes a sign that the layout types with Shift", () => {
  on("Linux x86_64");
  expect(matches(press({ key: "/", code: "Digit7", ctrlKey: true, shiftKey: true }), "shortcut_sheet")).toBe(true);
});

it("takes a letter of another script by its place", () => {
  on("Linux x86_64");
  expect(matches(press({ key: "ن", code: "KeyK", ctrlKey: true }), "palette")).toBe(true);
});

it("never acts while an input method composes", () => {
  on("Linux x86_64");
  expect(matches(press({ key: "Enter", isComposing: true }), "send")).toBe(false);
  expect(matches(press({ key: "Enter" }), "send")).toBe(true);
});

it("gives no two shortcuts of one place the same keys", () => {
  const seen = Object.values(shortcuts).map(({ group, keys }) => `${group} ${keys}`);
  expect(new Set(seen).size).toBe(seen.length);
  // What finds in the saved page that is open finds in the chat where none is: see palette/keys.ts.
  const { find_in_chat: findInChat, ...others } = shortcuts;
  expect(findInChat.keys).toBe(shortcuts.find.keys);
  const everywhere = Object.values(others).filter(({ keys }) => keys.includes("mod"));
  expect(new Set(everywhere.map(({ keys }) => keys)).size).toBe(everywhere.length);
});
