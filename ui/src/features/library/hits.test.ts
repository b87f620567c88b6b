import { expect, it } from "vitest";
import type { HistoryHit, HitKind } from "../../bindings/bindings";
import { hitRows, hostOf, isChoice, nextChoice } from "./hits";

function hit(kind: HitKind, chat: string, more_in_chat = 0): HistoryHit {
  return {
    kind,
    chat_id: chat,
    chat_title: `Title of ${chat}`,
    message_id: null,
    page_id: null,
    url: null,
    title: null,
    snippet: "",
    highlights: [],
    when: "2026-01-01T00:00:00Z",
    score: 1,
    more_in_chat,
  };
}

it("stands hits under their chat, a found title being the chat's own line", () => {
  const rows = hitRows([hit("chat", "a"), hit("answer", "a", 4), hit("question", "b")]);
  expect(rows.map((row) => row.kind)).toEqual(["chat", "hit", "more", "chat", "hit"]);
  expect(rows[0]).toMatchObject({ hit: { kind: "chat" } });
  expect(rows[2]).toMatchObject({ count: 4, chat: "a" });
  expect(rows[3]).toMatchObject({ hit: null, title: "Title of b" });
});

it("gives every row a key of its own, also when a chat comes back on a later page", () => {
  const rows = hitRows([hit("answer", "a"), hit("answer", "b"), hit("answer", "a")]);
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
  expect(rows.filter((row) => row.kind === "chat")).toHaveLength(3);
});

it("stops the arrow keys at what can be opened", () => {
  const rows = hitRows([hit("answer", "a"), hit("chat", "b"), hit("answer", "c")]);
  expect(rows.map(isChoice)).toEqual([false, true, true, false, true]);
  expect(nextChoice(rows, -1, 1)).toBe(1);
  expect(nextChoice(rows, 2, 1)).toBe(4);
  expect(nextChoice(rows, 4, 1)).toBe(4);
  expect(nextChoice(rows, 1, -1)).toBe(1);
});

it("names the host of an address, and of nothing else", () => {
  expect(hostOf("https://www.sqlite.org/wal.html")).toBe("sqlite.org");
  expect(hostOf("not an address")).toBeNull();
  expect(hostOf(null)).toBeNull();
});
