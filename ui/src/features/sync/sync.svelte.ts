// How sync stands, followed for as long as a face shows it; and the few things a person decides of it.

import type { Failure, SyncConflict, SyncStatus } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";
import { formatNumber } from "../../shared/i18n.svelte";

type Doing = "syncing" | "accepting" | "declining" | "signing_in";

export class SyncFollower {
  status = $state.raw<SyncStatus | null>(null);
  conflicts = $state.raw<SyncConflict[]>([]);
  doing = $state.raw<Doing | null>(null);
  /** What could not be done or read; sync's own trouble stands in its status. */
  failure = $state.raw<Failure | null>(null);

  #reading: Promise<void> | null = null;
  #again = false;

  constructor(
    private readonly platform: Platform,
    private readonly withConflicts = false,
  ) {}

  /** Reads how it stands and follows it; the returned function ends that. */
  start(): () => void {
    const listening = this.platform.onSyncChanged(() => void this.read());
    void this.read();
    return () => void listening.then((end) => end());
  }

  /** Word that comes while one reading is under way is answered by one more, not by as many as there were. */
  read(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
      if (this.#again) {
        this.#again = false;
        void this.read();
      }
    });
    return this.#reading;
  }

  syncNow = () => this.#do("syncing", () => this.platform.syncNow());
  accept = () => this.#do("accepting", () => this.platform.decideChatOffers(true));
  decline = () => this.#do("declining", () => this.platform.decideChatOffers(false));

  /** The session that is over goes, what is here stays, and the browser opens for a new one. */
  signInAgain = () =>
    this.#do("signing_in", async () => {
      await this.platform.signOut(false, false);
      await this.platform.startSignIn("deep_link", null);
    });

  forget = async (id: number) => {
    await this.#try(() => this.platform.forgetConflict(id));
    await this.read();
  };

  async #read(): Promise<void> {
    await this.#try(async () => {
      this.status = await this.platform.syncStatus();
      if (this.withConflicts && (this.status.counts.conflicts > 0 || this.conflicts.length > 0)) {
        this.conflicts = await this.platform.listConflicts();
      }
    });
  }

  async #do(doing: Doing, work: () => Promise<unknown>): Promise<void> {
    // A second press while the first still works is one press.
    if (this.doing) return;
    this.doing = doing;
    this.failure = null;
    await this.#try(work);
    this.doing = null;
    await this.read();
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failure = asFailure(error);
    }
  }
}

/** The state in a word or two. */
export function stateWords(status: SyncStatus): string {
  switch (status.state) {
    case "signed_out":
      return m.sync_only_here();
    case "waiting":
      return m.sync_waiting();
    case "idle":
      return status.held_since ? m.sync_held() : m.sync_synced();
    case "running": {
      const { pulled, expected } = status.progress;
      if (!expected) return m.sync_running();
      return m.sync_running_of({ pulled: formatNumber(pulled), expected: formatNumber(expected) });
    }
    case "private":
      return m.evidence_sync_waits();
    case "offline":
      return m.sync_offline();
    case "error":
      return m.sync_stopped();
  }
}
