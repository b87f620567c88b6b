import { expect, it } from "vitest";
import { commandOf, isTyping } from "./keys";

const key = (name: string, init: KeyboardEventInit = {}) => new KeyboardEvent("keydown", { key: name, ...init });

it("knows its commands", () => {
  const pressed = [key("Escape"), ...["Enter", "n", ".", "c"].map((name) => key(name, { ctrlKey: true }))];
  expect(pressed.map(commandOf)).toEqual(["hide", "carry-on", "new", "stop", "copy"]);
});

it("leaves other keys to others, and all of them to an input method that is composing", () => {
  const others = [
    key("Enter"),
    key("Enter", { shiftKey: true }),
    key("c", { ctrlKey: true, shiftKey: true }),
    key("n"),
  ];
  expect(others.map(commandOf)).toEqual([null, null, null, null]);
  expect(commandOf(key("Escape", { isComposing: true }))).toBeNull();
  expect(commandOf(key("Escape", { keyCode: 229 }))).toBeNull();
});

it("knows a letter that is meant for the field", () => {
  expect(isTyping(key("a"))).toBe(true);
  const others = [key(" "), key("Enter"), key("a", { ctrlKey: true }), key("Tab")];
  expect(others.map(isTyping)).toEqual([false, false, false, false]);
});
