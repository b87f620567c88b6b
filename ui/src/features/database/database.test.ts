import { describe, expect, it, vi } from "vitest";
import type { Failure, SessionSummary, TableRows } from "../../bindings/bindings";
import { FakePlatform } from "../../platform/fake";
import type { Platform } from "../../platform/platform";
import { DatabaseState, hitRate } from "./database.svelte";

async function setUp(over: Partial<Platform> = {}) {
  const platform = new FakePlatform("main", { speed: 0 });
  await platform.updateSetting("shared.url", "postgres://owner@db/team");
  const database = new DatabaseState(Object.assign(platform, over));
  return { platform, database };
}

const page = (rows: string[], next: string | null): TableRows => ({
  columns: [{ name: "id", is_masked: false }],
  rows: rows.map((row) => [row]),
  next: next ? [next] : null,
});
const offline: Failure = { code: "offline", message: "Out of reach.", hint: null };

describe("the team's database", () => {
  it("says that none is set up", async () => {
    const database = new DatabaseState(new FakePlatform("main", { speed: 0 }));
    await database.loadTables();
    expect(database.failure).toMatchObject({ doing: "tables", failure: { code: "invalid" } });
    expect(database.tables).toBeNull();
  });

  it("is an administrator's, who needs no address, and nobody else's who is signed in, with one or without", async () => {
    for (const [account, hasAddress, mayLook] of [
      ["none", false, false],
      ["none", true, true],
      ["signed_in", false, false],
      ["signed_in", true, false],
      ["administrator", false, true],
    ] as const) {
      const platform = new FakePlatform("main", { speed: 0, account });
      if (hasAddress) await platform.updateSetting("shared.url", "postgres://owner@db/team");
      const database = new DatabaseState(platform);
      const end = database.watch();
      await vi.waitFor(() => expect(database.mayLook(hasAddress)).toBe(mayLook));
      end();
      await database.loadTables();
      expect(database.tables !== null).toBe(mayLook);
    }
  });

  it("brings the pages of a table together, once each and in order", async () => {
    const { database } = await setUp();
    await database.show("session");
    expect(database.rows?.rows.length).toBe(50);
    await database.moreRows();
    expect(database.rows?.rows.length).toBe(63);
    expect(database.rows?.next).toBeNull();
    expect(new Set(database.rows?.rows.map((row) => row[1])).size).toBe(63);
    await database.show("user");
    expect(database.rows?.rows.length).toBe(5);
  });

  it("drops rows that come late, of a table that is no longer shown", async () => {
    let answer: (rows: TableRows) => void = () => undefined;
    const listRows = vi.fn<Platform["listRows"]>();
    listRows.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    listRows.mockResolvedValueOnce(page(["second"], null));
    const { database } = await setUp({ listRows });
    const first = database.show("message");
    await database.show("chat");
    answer(page(["first"], "first"));
    await first;
    expect(database.rows?.rows).toEqual([["second"]]);
    expect(database.doing).toBeNull();
  });

  it("keeps the rows there are when the next page fails, and goes on from there", async () => {
    const listRows = vi.fn<Platform["listRows"]>();
    listRows.mockResolvedValueOnce(page(["1"], "1")).mockRejectedValueOnce(offline);
    listRows.mockResolvedValueOnce(page(["2"], null));
    const { database } = await setUp({ listRows });
    await database.show("chat");
    await database.moreRows();
    expect(database.failure).toEqual({ doing: "rows", failure: offline });
    expect(database.rows?.rows).toEqual([["1"]]);
    await database.moreRows();
    expect(listRows).toHaveBeenLastCalledWith("chat", ["1"], 50);
    expect(database.rows?.rows).toEqual([["1"], ["2"]]);
  });

  it("counts the days that were chosen", async () => {
    const { database } = await setUp();
    await database.loadSearches(7);
    expect(database.statistics?.days.length).toBe(7);
    expect(database.days).toBe(7);
  });

  it("ends a session and takes it off the list", async () => {
    const { database } = await setUp();
    await database.loadSessions();
    expect(database.hasMoreSessions).toBe(true);
    const doomed = database.sessions![3]!;
    await database.endSession(doomed);
    expect(database.sessions).not.toContainEqual(doomed);
    await database.moreSessions();
    expect(database.hasMoreSessions).toBe(false);
    expect(database.sessions?.length).toBe(62);
    expect(new Set(database.sessions?.map((session) => session.id)).size).toBe(62);
  });

  it("takes a session that is over already for one that was ended", async () => {
    const gone: Failure = { code: "not_found", message: "No session has this id.", hint: null };
    const endSession = vi.fn<Platform["endSession"]>(() => Promise.reject(gone));
    const { database } = await setUp({ endSession });
    await database.loadSessions();
    const [first] = database.sessions as [SessionSummary];
    await database.endSession(first);
    expect(database.failure).toBeNull();
    expect(database.sessions).not.toContainEqual(first);
    endSession.mockRejectedValueOnce(offline);
    await database.endSession(database.sessions![0]!);
    expect(database.failure).toEqual({ doing: "ending", failure: offline });
  });

  it("knows the share that the cache answered", () => {
    expect(hitRate({ searches: 0, cached: 0 })).toBe(0);
    expect(hitRate({ searches: 4, cached: 1 })).toBe(0.25);
  });
});
