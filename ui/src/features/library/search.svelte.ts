// Search over all history as it is typed: one question at a time counts, the last one; answers to earlier ones are
// dropped. Results stay on the screen until the next ones are there.

import type {
  ChatId,
  ChatView,
  CollectionId,
  Failure,
  HistoryCursor,
  HistoryFilter,
  HistoryHit,
} from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";

export type Period =
  | { kind: "any" }
  /** The last so many days, today included. */
  | { kind: "days"; days: number }
  /** `YYYY-MM-DD` of the person's calendar, both days included. */
  | { kind: "range"; from: string; until: string };
export type SearchFilter = {
  period: Period;
  view: ChatView | null;
  pinned: boolean;
  host: string | null;
  chat: { id: ChatId; title: string } | null;
  collection: CollectionId | null;
  tag: string | null;
};

/** Short enough not to be felt, long enough to skip the letters of a fast hand. */
export const DEBOUNCE = 40;
const PAGE = 30;

const NO_FILTER: SearchFilter = {
  period: { kind: "any" },
  view: null,
  pinned: false,
  host: null,
  chat: null,
  collection: null,
  tag: null,
};

export class HistorySearch {
  text = $state("");
  filter = $state.raw<SearchFilter>(NO_FILTER);
  hits = $state.raw<HistoryHit[]>([]);
  /** Nothing held all that was asked for: these hold some of it. */
  isRelaxed = $state(false);
  searching = $state(false);
  /** Whether the hits belong to some text, and not to none. */
  answered = $state(false);
  failure = $state.raw<Failure | null>(null);

  #next: HistoryCursor | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  #paging = false;

  constructor(readonly platform: Platform) {}

  get active(): boolean {
    return this.text.trim() !== "";
  }

  get filtered(): boolean {
    return this.filter !== NO_FILTER;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#timer);
    if (!this.active) return this.#reset();
    this.searching = true;
    this.#timer = setTimeout(() => void this.run(), DEBOUNCE);
  }

  narrow(change: Partial<SearchFilter>): void {
    this.filter = { ...this.filter, ...change };
    if (this.active) void this.run();
  }

  widen(): void {
    this.filter = NO_FILTER;
    if (this.active) void this.run();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.text = "";
    this.filter = NO_FILTER;
    this.#reset();
  }

  /** Asks what was kept. */
  ask(text: string, filter: SearchFilter): void {
    this.text = text;
    this.filter = filter;
    void this.run();
  }

  async run(): Promise<void> {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    this.searching = true;
    try {
      const results = await this.#ask(null);
      if (turn !== this.#turn) return;
      this.hits = results.hits;
      this.#next = results.next;
      this.isRelaxed = results.is_relaxed;
      this.failure = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.hits = [];
      this.#next = null;
      this.failure = asFailure(error);
    }
    this.answered = true;
    this.searching = false;
  }

  /** The next page, when there is one and it is not on its way. */
  async more(): Promise<void> {
    if (this.#next === null || this.#paging || this.searching) return;
    const turn = this.#turn;
    this.#paging = true;
    try {
      const results = await this.#ask(this.#next);
      if (turn !== this.#turn) return;
      this.hits = [...this.hits, ...results.hits];
      this.#next = results.next;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#next = null;
      this.failure = asFailure(error);
    } finally {
      this.#paging = false;
    }
  }

  #ask(after: HistoryCursor | null) {
    const filter = asHistoryFilter(this.filter, new Date());
    return this.platform.searchHistory({ text: this.text, filter, limit: PAGE, after });
  }

  #reset(): void {
    this.#turn += 1;
    this.hits = [];
    this.#next = null;
    this.isRelaxed = false;
    this.searching = false;
    this.answered = false;
    this.failure = null;
  }
}

export function asHistoryFilter(filter: SearchFilter, now: Date): HistoryFilter {
  const { view, pinned, host, chat, collection, tag } = filter;
  return { ...bounds(filter.period, now), chat: chat?.id ?? null, host, pinned, view, collection, tag };
}

/** Days begin at the person's midnight. */
function bounds(period: Period, now: Date): { from: string | null; until: string | null } {
  switch (period.kind) {
    case "any":
      return { from: null, until: null };
    case "days":
      return {
        from: new Date(now.getFullYear(), now.getMonth(), now.getDate() - period.days + 1).toISOString(),
        until: null,
      };
    case "range":
      return { from: midnight(period.from, 0).toISOString(), until: midnight(period.until, 1).toISOString() };
  }
}

function midnight(day: string, later: number): Date {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year!, month! - 1, date! + later);
}
