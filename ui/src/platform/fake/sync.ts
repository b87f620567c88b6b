// The fake's sync: one state after another as a test or a picture asks for it.

import type { SyncConflict, SyncStatus } from "../../bindings/bindings";
import type { FakeOptions } from "./options";

export class FakeSync {
  readonly listeners = new Set<() => void>();
  #conflicts: SyncConflict[];
  #offers: number;

  constructor(readonly options: FakeOptions) {
    const much = options.sync === "much";
    this.#offers = much ? 42 : 0;
    this.#conflicts = much ? conflicts(options.now) : [];
  }

  status(): SyncStatus {
    const { sync, now } = this.options;
    const counts = {
      outbox: 0,
      offers: this.#offers,
      conflicts: this.#conflicts.length,
      dead: 0,
      early: 0,
      pages: 0,
      hidden: 0,
    };
    const synced_at = new Date(now - 40_000).toISOString();
    const all = { counts, synced_at, clock_behind: 0, held_since: null };
    switch (sync) {
      case "signed_out":
        return { state: "signed_out", ...all, synced_at: null };
      case "running":
        return { state: "running", progress: { pulled: 3, expected: null, pushed: 1 }, ...all };
      case "first":
        return { state: "running", progress: { pulled: 12_400, expected: 96_000, pushed: 0 }, ...all, synced_at: null };
      case "private":
        return { state: "private", ...all, counts: { ...counts, outbox: 3 } };
      case "offline":
        return { state: "offline", ...all, counts: { ...counts, outbox: 7 } };
      case "error":
        return {
          state: "error",
          failure: {
            code: "key_refused",
            message: "The server does not know this session any more.",
            hint: "Sign in again; nothing on this device is lost.",
          },
          remedy: "sign_in",
          ...all,
          counts: { ...counts, outbox: 2 },
        };
      case "held":
        return { state: "idle", ...all, held_since: new Date(now - 26 * 60_000).toISOString() };
      case "idle":
      case "much":
        return { state: "idle", ...all };
    }
  }

  conflicts = () => this.#conflicts;

  forget(id: number): void {
    this.#conflicts = this.#conflicts.filter((conflict) => conflict.id !== id);
  }

  decide(): number {
    const count = this.#offers;
    this.#offers = 0;
    return count;
  }
}

function conflicts(now: number): SyncConflict[] {
  const at = new Date(now - 3_600_000).toISOString();
  return [
    {
      id: 2,
      kind: "title",
      chat_id: "c1",
      chat_title: "Heat pumps in old houses",
      entity_id: "c1",
      lost: "Heating the farm house",
      kept: "Heat pumps in old houses",
      at,
    },
    {
      id: 1,
      kind: "setting",
      chat_id: null,
      chat_title: null,
      entity_id: "theme",
      lost: "light",
      kept: "dark",
      at,
    },
  ];
}
