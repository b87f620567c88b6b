// The rechecks of one answer: the note that it carries, what is kept of them, and the one that is under way.

import type {
  AnswerEvent,
  Every,
  Failure,
  MessageId,
  Recheck,
  RecheckHistory,
  RecheckNote,
} from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";

/** How far a check has come. */
export type Progress = {
  phase: "planning" | "searching" | "reading" | "comparing";
  query: string | null;
  /** Addresses that were read, in order. */
  read: string[];
  /** The newest thing that went wrong in searching, as long as nothing has gone right since. */
  trouble: Failure | null;
};

const BEGUN: Progress = { phase: "planning", query: null, read: [], trouble: null };

export class AnswerRecheck {
  note = $state.raw<RecheckNote | null>(null);
  history = $state.raw<RecheckHistory | null>(null);
  /** Only while one is under way. */
  progress = $state.raw<Progress | null>(null);
  /** Why it could not be begun, or what is kept could not be read. */
  failure = $state.raw<Failure | null>(null);
  /** Unfolded: what came of it can be read. */
  open = $state(false);
  /** Which of those that are kept is shown; the latest is the first. */
  shown = $state(0);

  latest = $derived<Recheck | null>(this.history?.rechecks[0] ?? null);
  chosen = $derived<Recheck | null>(this.history?.rechecks[this.shown] ?? null);
  /** Whether the answer has anything to say of it. */
  visible = $derived(this.open || this.progress !== null || this.failure !== null || this.note !== null);

  /** As the store has it. What was read before and has changed since is read again. */
  fill(note: RecheckNote | null): void {
    const isNewer = note?.checked_at !== this.note?.checked_at;
    this.note = note;
    if (isNewer && !this.progress) this.history = null;
  }

  /** Reads what is kept, unless it is known. */
  async load(platform: Platform, answer: MessageId, anew = false): Promise<void> {
    if (this.history && !anew) return;
    try {
      const history = await platform.listRechecks(answer);
      this.history = history;
      this.shown = Math.min(this.shown, Math.max(0, history.rechecks.length - 1));
      this.failure = null;
    } catch (error) {
      this.failure = asFailure(error);
    }
  }

  /** Checks the answer again, or joins the check that is under way. */
  async check(platform: Platform, answer: MessageId): Promise<void> {
    if (this.progress) return;
    await this.#follow(platform, answer, (onEvents) => platform.recheckAnswer(answer, onEvents));
  }

  /** Joins a check that somebody else began. */
  async join(platform: Platform, answer: MessageId): Promise<void> {
    if (this.progress) return;
    await this.#follow(platform, answer, (onEvents) => platform.watchRecheck(answer, onEvents));
  }

  async stop(platform: Platform, answer: MessageId): Promise<void> {
    await platform.stopRecheck(answer);
  }

  /** Sets how often it is checked by itself; `null` is not at all. */
  async schedule(platform: Platform, answer: MessageId, every: Every | null): Promise<void> {
    const schedule = await platform.scheduleRecheck(answer, every);
    if (this.history) this.history = { ...this.history, schedule };
    const note = this.note ?? { checked_at: null, changed: 0, every: null, running: false };
    this.note = every === null && note.checked_at === null ? null : { ...note, every };
  }

  async #follow(
    platform: Platform,
    answer: MessageId,
    begin: (onEvents: (events: AnswerEvent[]) => void) => Promise<unknown>,
  ): Promise<void> {
    this.failure = null;
    this.progress = BEGUN;
    try {
      await begin((events) => events.forEach((event) => this.#apply(event)));
      this.shown = 0;
      await this.load(platform, answer, true);
      const found = this.history?.rechecks.find(({ failure }) => !failure);
      const every = this.history?.schedule?.every ?? null;
      this.note =
        found || every
          ? { checked_at: found?.checked_at ?? null, changed: found?.changed ?? 0, every, running: false }
          : null;
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.progress = null;
    }
  }

  #apply(event: AnswerEvent): void {
    const known = this.progress ?? BEGUN;
    switch (event.type) {
      case "planned":
        this.progress = { ...known, phase: "searching", query: event.queries[0] ?? null };
        break;
      case "searched":
        this.progress = { ...known, phase: "reading", trouble: null };
        break;
      case "search_failed":
        this.progress = { ...known, trouble: event.failure };
        break;
      case "source_read":
        this.progress = { ...known, phase: "reading", read: [...new Set([...known.read, event.url])] };
        break;
      case "ranked":
        this.progress = { ...known, phase: "comparing" };
        break;
    }
  }
}
