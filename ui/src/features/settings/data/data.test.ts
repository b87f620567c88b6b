import { describe, expect, it, vi } from "vitest";
import type { Backup, Failure } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { DataState, fileName } from "./data.svelte";

const full: Failure = { code: "storage", message: "The disk is full.", hint: null };
const backup = (path: string): Backup => ({ path, kind: "manual", created_at: "2026-11-20T10:00:00Z", bytes: 10 });

function state(over: Partial<Platform>) {
  const platform = {
    dataFolder: async () => ({ path: "/data", store_bytes: 1, backups_bytes: 2 }),
    listBackups: async () => [backup("/data/backups/old.sqlite")],
    ...over,
  };
  return new DataState(platform as Partial<Platform> as Platform);
}

describe("the data folder", () => {
  it("shows a new backup first", async () => {
    const data = state({ createBackup: async () => backup("/data/backups/new.sqlite") });
    await data.load();
    await data.createBackup();
    expect(data.backups?.map((made) => fileName(made.path))).toEqual(["new.sqlite", "old.sqlite"]);
  });

  it("restores a backup by its file's name, on any system", async () => {
    const restoreBackup = vi.fn(async () => undefined);
    const data = state({ restoreBackup });
    await data.restore(backup("C:\\data\\backups\\old.sqlite"));
    expect(restoreBackup).toHaveBeenCalledWith("old.sqlite");
  });

  it("says what failed and can be asked again", async () => {
    const createBackup = vi.fn<Platform["createBackup"]>(() => Promise.reject(full));
    const data = state({ createBackup });
    await data.createBackup();
    expect(data.failure).toEqual({ doing: "backing_up", failure: full });
    expect(data.doing).toBeNull();
    createBackup.mockResolvedValueOnce(backup("/data/backups/new.sqlite"));
    await data.createBackup();
    expect(data.failure).toBeNull();
    expect(data.backups?.map((made) => fileName(made.path))).toEqual(["new.sqlite"]);
  });

  it("takes a second press for the first while it works", async () => {
    const createBackup = vi.fn<Platform["createBackup"]>(async () => backup("/data/backups/new.sqlite"));
    const data = state({ createBackup });
    await Promise.all([data.createBackup(), data.createBackup()]);
    expect(createBackup).toHaveBeenCalledTimes(1);
  });
});
