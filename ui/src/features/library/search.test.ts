import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HistoryCursor, HistoryHit, HistoryQuery, HistoryResults } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asHistoryFilter, DEBOUNCE, HistorySearch, type SearchFilter } from "./search.svelte";

type Asked = {
  query: HistoryQuery;
  answer: (results: Partial<HistoryResults>) => Promise<void>;
  fail: () => Promise<void>;
};

let asked: Asked[];
let search: HistorySearch;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  const settle = async () => {
    await vi.advanceTimersByTimeAsync(0);
  };
  const searchHistory = (query: HistoryQuery) =>
    new Promise<HistoryResults>((resolve, reject) => {
      asked.push({
        query,
        answer: (results) => (resolve({ hits: [], next: null, is_relaxed: false, ...results }), settle()),
        fail: () => (reject({ code: "storage", message: "The disk is gone.", hint: null }), settle()),
      });
    });
  search = new HistorySearch({ searchHistory } as unknown as Platform);
});
afterEach(() => vi.useRealTimers());

function hit(chat: string): HistoryHit {
  return {
    kind: "answer",
    chat_id: chat,
    chat_title: chat,
    message_id: `msg_${chat}`,
    page_id: null,
    url: null,
    title: null,
    snippet: chat,
    highlights: [],
    when: "2026-01-01T00:00:00Z",
    score: 1,
    more_in_chat: 0,
  };
}

function type(text: string): void {
  search.type(text);
  vi.advanceTimersByTime(DEBOUNCE);
}

describe("typing", () => {
  it("waits at most 60 ms, and asks once for a burst of letters", () => {
    expect(DEBOUNCE).toBeLessThanOrEqual(60);
    search.type("w");
    search.type("wa");
    search.type("wal");
    vi.advanceTimersByTime(DEBOUNCE);
    expect(asked.map((each) => each.query.text)).toEqual(["wal"]);
  });

  it("drops the answer to an earlier text, whichever comes first", async () => {
    type("wa");
    type("wal");
    await asked[1]!.answer({ hits: [hit("new")] });
    await asked[0]!.answer({ hits: [hit("stale")] });
    expect(search.hits.map((each) => each.chat_id)).toEqual(["new"]);
    expect(search.searching).toBe(false);
  });

  it("keeps the old hits until the new ones are there", async () => {
    type("wa");
    await asked[0]!.answer({ hits: [hit("old")] });
    type("wal");
    expect(search.hits).toHaveLength(1);
    expect(search.searching).toBe(true);
  });

  it("drops an answer that comes after the field was cleared", async () => {
    type("wal");
    search.clear();
    await asked[0]!.answer({ hits: [hit("late")] });
    expect(search.hits).toEqual([]);
    expect(search.active).toBe(false);
  });

  it("asks nothing for spaces", () => {
    type("   ");
    expect(asked).toEqual([]);
  });

  it("tells a failure, and forgets it with the next answer", async () => {
    type("wal");
    await asked[0]!.fail();
    expect(search.failure?.code).toBe("storage");
    void search.run();
    await asked[1]!.answer({ is_relaxed: true });
    expect(search.failure).toBeNull();
    expect(search.isRelaxed).toBe(true);
  });
});

describe("pages", () => {
  const next: HistoryCursor = { before: [1, 2, 3], shown: 1 };

  it("adds the next page once, and ends", async () => {
    type("wal");
    await asked[0]!.answer({ hits: [hit("a")], next });
    void search.more();
    void search.more();
    expect(asked).toHaveLength(2);
    expect(asked[1]!.query.after).toEqual(next);
    await asked[1]!.answer({ hits: [hit("b")] });
    expect(search.hits.map((each) => each.chat_id)).toEqual(["a", "b"]);
    void search.more();
    expect(asked).toHaveLength(2);
  });

  it("does not add the page of an earlier search", async () => {
    type("wal");
    await asked[0]!.answer({ hits: [hit("a")], next });
    void search.more();
    type("heat");
    await asked[2]!.answer({ hits: [hit("heat")], next: null });
    await asked[1]!.answer({ hits: [hit("b")] });
    expect(search.hits.map((each) => each.chat_id)).toEqual(["heat"]);
  });
});

describe("filters", () => {
  it("search again at once, and only while there is text", () => {
    search.narrow({ pinned: true });
    expect(asked).toEqual([]);
    type("wal");
    search.narrow({ host: "sqlite.org" });
    expect(asked[1]!.query.filter).toMatchObject({ pinned: true, host: "sqlite.org" });
    expect(search.filtered).toBe(true);
    search.widen();
    expect(asked[2]!.query.filter).toMatchObject({ pinned: false, host: null });
    expect(search.filtered).toBe(false);
  });

  const now = new Date(2026, 4, 10, 15, 30);
  const filter = (period: SearchFilter["period"]) =>
    asHistoryFilter({ period, view: null, pinned: false, host: null, chat: null, collection: null, tag: null }, now);

  it("count days from the person's midnight", () => {
    expect(filter({ kind: "days", days: 1 })).toMatchObject({ from: new Date(2026, 4, 10).toISOString(), until: null });
    expect(filter({ kind: "days", days: 7 })).toMatchObject({ from: new Date(2026, 4, 4).toISOString(), until: null });
  });

  it("take both ends of a range in", () => {
    expect(filter({ kind: "range", from: "2026-03-01", until: "2026-03-31" })).toMatchObject({
      from: new Date(2026, 2, 1).toISOString(),
      until: new Date(2026, 3, 1).toISOString(),
    });
  });
});
