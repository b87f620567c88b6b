import { describe, expect, it } from "vitest";
import type { AnswerEvent, Recheck, RecheckHistory, RecheckNote } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { AnswerRecheck } from "./recheck.svelte";

const FOUND: Recheck = { checked_at: "2026-11-29T10:00:00Z", changed: 2, sentences: [], failure: null };
const FAILED: Recheck = {
  ...{ checked_at: "2026-11-30T10:00:00Z", changed: 0, sentences: [] },
  failure: { code: "offline", message: "There is no network.", hint: null },
};
const NOTE: RecheckNote = { checked_at: FOUND.checked_at, changed: 2, every: null, running: false };

/** A world whose check tells `events` and leaves `kept` behind. */
function world(events: AnswerEvent[], kept: Recheck[], refuses = false) {
  const calls: string[] = [];
  const history: RecheckHistory = { rechecks: kept, schedule: null, running: false };
  const follow = async (onEvents: (events: AnswerEvent[]) => void) => {
    onEvents(events);
    if (refuses) throw { code: "invalid", message: "Only a whole answer can be checked again.", hint: null };
  };
  const platform = {
    recheckAnswer: (_: string, onEvents: (events: AnswerEvent[]) => void) => (calls.push("check"), follow(onEvents)),
    watchRecheck: (_: string, onEvents: (events: AnswerEvent[]) => void) => (calls.push("watch"), follow(onEvents)),
    listRechecks: async () => (calls.push("list"), history),
    scheduleRecheck: async (_: string, every: "daily" | null) =>
      every && { every, next_at: "2026-11-30T10:00:00Z", failures: 0 },
  } as unknown as Platform;
  return { platform, calls };
}

describe("a check", () => {
  it("tells how far it is, and then what became of the answer", async () => {
    const recheck = new AnswerRecheck();
    const read: AnswerEvent = { type: "source_read", url: "https://a.example/", title: "A", favicon: null };
    const failed: AnswerEvent = {
      type: "search_failed",
      engine: "brave",
      query: "q",
      failure: FAILED.failure!,
      next: null,
    };
    const { platform } = world([{ type: "planned", question: "q", queries: ["how high"] }, failed, read], [FOUND]);
    const checking = recheck.check(platform, "a");
    expect(recheck.progress).toEqual({
      phase: "reading",
      query: "how high",
      read: ["https://a.example/"],
      trouble: { code: "offline", message: "There is no network.", hint: null },
    });
    await checking;
    expect(recheck.progress).toBeNull();
    expect(recheck.note).toEqual(NOTE);
    expect(recheck.chosen).toEqual(FOUND);
  });

  it("that failed leaves the note of what was found before, and shows why", async () => {
    const recheck = new AnswerRecheck();
    recheck.fill(NOTE);
    await recheck.check(world([], [FAILED, FOUND]).platform, "a");
    expect(recheck.note).toEqual(NOTE);
    expect(recheck.chosen?.failure?.code).toBe("offline");
    expect(recheck.failure).toBeNull();
  });

  it("that could not be begun says so, and nothing was kept", async () => {
    const recheck = new AnswerRecheck();
    await recheck.check(world([], [], true).platform, "a");
    expect(recheck.failure?.code).toBe("invalid");
    expect([recheck.note, recheck.progress, recheck.visible]).toEqual([null, null, true]);
  });

  it("is made once however often it is asked for", async () => {
    const recheck = new AnswerRecheck();
    const { platform, calls } = world([], [FOUND]);
    await Promise.all([recheck.check(platform, "a"), recheck.check(platform, "a"), recheck.join(platform, "a")]);
    expect(calls).toEqual(["check", "list"]);
  });
});

describe("what is kept", () => {
  it("is read once, and again when the note says that there is more", async () => {
    const recheck = new AnswerRecheck();
    const { platform, calls } = world([], [FOUND]);
    recheck.fill(NOTE);
    await recheck.load(platform, "a");
    await recheck.load(platform, "a");
    recheck.fill({ ...NOTE });
    await recheck.load(platform, "a");
    expect(calls).toEqual(["list"]);
    recheck.fill({ ...NOTE, checked_at: "2026-12-01T10:00:00Z" });
    await recheck.load(platform, "a");
    expect(calls).toEqual(["list", "list"]);
  });

  it("has a note for as long as there is something to say", async () => {
    const recheck = new AnswerRecheck();
    const { platform } = world([], []);
    expect(recheck.visible).toBe(false);
    await recheck.schedule(platform, "a", "daily");
    expect(recheck.note?.every).toBe("daily");
    await recheck.schedule(platform, "a", null);
    expect(recheck.note).toBeNull();
    recheck.fill(NOTE);
    await recheck.schedule(platform, "a", null);
    expect(recheck.note).toEqual(NOTE);
  });
});
