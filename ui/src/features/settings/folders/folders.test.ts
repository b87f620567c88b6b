import { describe, expect, it, vi } from "vitest";
import type { Failure, FolderList } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { FoldersState, PROBLEMS } from "./folders.svelte";

const list = (...paths: string[]): FolderList => ({
  folders: paths.map((path) => ({ path, exists: true, files: 3, problems: 1 })),
  progress: { folder: null, seen: 0, read: 0, paused: false },
});
const within: Failure = { code: "invalid", message: "It lies within a folder that is searched already.", hint: null };

function state(over: Partial<Platform>) {
  const platform = { listFolders: async () => list("/a", "/b"), ...over };
  return new FoldersState(platform as Partial<Platform> as Platform);
}

describe("the folders", () => {
  it("counts what could not be read over all of them", async () => {
    const folders = state({});
    await folders.load();
    expect(folders.unread).toBe(2);
  });

  it("stay as they are when the dialog is called off", async () => {
    const folders = state({ addFolder: async () => null });
    await folders.load();
    await folders.add();
    expect(folders.folders).toHaveLength(2);
    expect(folders.failure).toBeNull();
  });

  it("say why one cannot be added", async () => {
    const folders = state({ addFolder: () => Promise.reject(within) });
    await folders.add();
    expect(folders.failure).toEqual({ doing: "adding", failure: within });
  });

  it("bring the next problems after the last one", async () => {
    const page = (from: number) =>
      Array.from({ length: PROBLEMS }, (_, at) => ({ path: `/a/${String(from + at).padStart(3, "0")}`, reason: "x" }));
    const folderProblems = vi.fn(async (after: string) => (after === "" ? page(0) : page(PROBLEMS).slice(0, 2)));
    const folders = state({ folderProblems });
    await folders.list(true);
    expect(folders.hasMore).toBe(true);
    await folders.list();
    expect(folderProblems).toHaveBeenLastCalledWith("/a/049", PROBLEMS);
    expect(folders.problems).toHaveLength(PROBLEMS + 2);
    expect(folders.hasMore).toBe(false);
  });

  it("are looked at again each second until they are left", async () => {
    vi.useFakeTimers();
    const listFolders = vi.fn(async () => list("/a"));
    const leave = state({ listFolders }).watch();
    await vi.advanceTimersByTimeAsync(3_000);
    const looks = listFolders.mock.calls.length;
    expect(looks).toBeGreaterThanOrEqual(3);
    leave();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(listFolders).toHaveBeenCalledTimes(looks);
    vi.useRealTimers();
  });
});
