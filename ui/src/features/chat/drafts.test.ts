import { expect, it } from "vitest";
import { fakeWindow } from "../../shared/testing";
import { ComposerState } from "./composer.svelte";
import { draftsOf } from "./drafts";

it("keeps what was written as long as the window, whoever asks for it", () => {
  const { app } = fakeWindow();
  const field = draftsOf(app).of("chat_wal");
  field.text = "half a thought";
  expect(draftsOf(app).of("chat_wal")).toBe(field);
  expect(draftsOf(fakeWindow().app).of("chat_wal").text).toBe("");
});

it("gives a refused question back with its files, unless something else is written by now", () => {
  const field = new ComposerState();
  field.text = "Why?";
  field.attach([{ url: "deepsearch-file://1", name: "a.pdf" }]);
  const { text, choices } = field.take();
  expect([field.text, field.files]).toEqual(["", []]);
  field.giveBack(text, choices);
  expect([field.text, field.files.length]).toEqual(["Why?", 1]);
  field.take();
  field.text = "Or rather";
  field.giveBack(text, choices);
  expect([field.text, field.files]).toEqual(["Or rather", []]);
});
