import { describe, expect, it, vi } from "vitest";
import type { Failure } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { ExportState } from "./export.svelte";

const gone: Failure = { code: "not_found", message: "There is no chat outside Trash in this tag.", hint: null };

function state(over: Partial<Platform>) {
  return new ExportState(over as Partial<Platform> as Platform);
}

describe("an export", () => {
  it.each([
    ["all", { kind: "all" }],
    ["collection:coll_1", { kind: "collection", collection: "coll_1" }],
    ["tag:to read", { kind: "tag", tag: "to read" }],
    // A name may hold what parts the two.
    ["tag:tag:a: b", { kind: "tag", tag: "tag:a: b" }],
  ])("of %s asks for just that", async (which, choice) => {
    const exportChats = vi.fn(async () => null);
    const kept = state({ exportChats });
    kept.which = which;
    await kept.export();
    expect(exportChats).toHaveBeenCalledWith(choice, "json", expect.anything());
    expect(kept.exporting).toBe(false);
  });

  it("is of all where it is not known what else there is", async () => {
    const kept = state({ sorting: () => Promise.reject(gone) });
    await kept.load();
    expect(kept.choice).toEqual({ kind: "all" });
    expect(kept.failure).toBeNull();
  });

  it("says why nothing was written", async () => {
    const kept = state({ exportChats: () => Promise.reject(gone) });
    await kept.export();
    expect(kept.failure).toEqual(gone);
    expect(kept.exported).toBeNull();
  });
});
