// Selecting chats as a list is selected in elsewhere: stretches, single ones, all, and no more than can be changed.

import { expect, it } from "vitest";
import { MOST_SELECTED, Selection } from "./selection.svelte";

const order = ["a", "b", "c", "d", "e", "f"];
const ids = (selection: Selection) => [...selection.ids].sort().join("");

it("goes on from the chat that was selected last, in both directions", () => {
  const selection = new Selection();
  selection.toggle("c");
  selection.extend(order, "e", null);
  expect(ids(selection)).toBe("cde");
  selection.extend(order, "d", null);
  expect(ids(selection)).toBe("cd");
  selection.extend(order, "a", null);
  expect(ids(selection)).toBe("abc");
});

it("keeps what was selected before a stretch", () => {
  const selection = new Selection();
  selection.toggle("a");
  selection.toggle("d");
  selection.extend(order, "f", null);
  expect(ids(selection)).toBe("adef");
  selection.toggle("e");
  expect(ids(selection)).toBe("adf");
});

it("begins a stretch where the person is, when nothing is selected", () => {
  const selection = new Selection();
  selection.extend(order, "d", "b");
  expect(ids(selection)).toBe("bcd");
  selection.clear();
  selection.extend(order, "e", "gone");
  expect(ids(selection)).toBe("e");
});

it("lets go of what has left the list", () => {
  const selection = new Selection();
  selection.all(order);
  selection.keep((id) => id > "c");
  expect(ids(selection)).toBe("def");
});

it("says when there are more than can be changed at once", () => {
  const selection = new Selection();
  const many = Array.from({ length: MOST_SELECTED + 1 }, (_, at) => `chat_${at}`);
  expect(selection.all(many)).toBe(false);
  expect(selection.size).toBe(MOST_SELECTED);
  expect(selection.toggle(many.at(-1)!)).toBe(false);
});
