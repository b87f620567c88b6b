// The team's database as its administrators look at it: tables, rows page by page, searches, sessions they may end.

import type {
  Failure,
  RowKey,
  SearchStatistics,
  SessionCursor,
  SessionSummary,
  SignedIn,
  Table,
  TableRows,
  TableSummary,
} from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";

export type Doing = "tables" | "rows" | "searches" | "sessions" | "ending";

const ROWS = 50;
const SESSIONS = 50;
const MOST_ASKED = 20;

export class DatabaseState {
  /** Who is signed in looks as themselves, whatever address is kept. */
  signedIn = $state.raw<SignedIn | null>(null);
  tables = $state.raw<TableSummary[] | null>(null);
  /** The table whose rows are shown. */
  table = $state.raw<Table | null>(null);
  /** Its pages so far, as one. */
  rows = $state.raw<TableRows | null>(null);
  days = $state(30);
  statistics = $state.raw<SearchStatistics | null>(null);
  sessions = $state.raw<SessionSummary[] | null>(null);
  doing = $state.raw<Doing | null>(null);
  failure = $state.raw<{ doing: Doing; failure: Failure } | null>(null);
  hasMoreSessions = $derived.by(() => this.#nextSessions !== null);

  #nextSessions = $state.raw<SessionCursor | null>(null);
  /** Which work is the newest: what comes of an older one is late, and dropped. */
  #newest = 0;

  constructor(private readonly platform: Platform) {}

  /** Keeps up with who is signed in, until the returned function is called. */
  watch = () => {
    const listening = this.platform.onAccountChanged(() => void this.#recognise());
    void this.#recognise();
    return () => void listening.then((end) => end());
  };

  /** Whether there is a way to look. It is only shown by this: the database asks itself at every look. */
  mayLook = (hasAddress: boolean) => (this.signedIn ? this.signedIn.user.is_admin : hasAddress);

  async #recognise(): Promise<void> {
    try {
      this.signedIn = (await this.platform.accountState()).signed_in;
    } catch {
      // Then it stays as it was.
    }
  }

  loadTables = () =>
    this.#do("tables", async (isNewest) => {
      const tables = await this.platform.listTables();
      if (isNewest()) this.tables = tables;
    });

  show = (table: Table) => {
    this.table = table;
    this.rows = null;
    return this.#page(null);
  };

  close = () => {
    this.table = null;
    this.rows = null;
  };

  moreRows = () => this.#page(this.rows?.next ?? null);

  loadSearches = (days = this.days) => {
    this.days = days;
    return this.#do("searches", async (isNewest) => {
      const statistics = await this.platform.searchStatistics(days, MOST_ASKED);
      if (isNewest()) this.statistics = statistics;
    });
  };

  loadSessions = () => this.#sessions(null);

  moreSessions = () => this.#sessions(this.#nextSessions);

  endSession = (session: SessionSummary) =>
    this.#do("ending", async () => {
      try {
        await this.platform.endSession(session.id);
      } catch (error) {
        // Somebody was faster; what was wanted is the case.
        if (asFailure(error).code !== "not_found") throw error;
      }
      this.sessions = this.sessions?.filter((other) => other.id !== session.id) ?? null;
    });

  #page(after: RowKey | null): Promise<void> {
    const { table } = this;
    return this.#do("rows", async (isNewest) => {
      if (!table) return;
      const page = await this.platform.listRows(table, after, ROWS);
      if (!isNewest()) return;
      const before = after ? (this.rows?.rows ?? []) : [];
      this.rows = { ...page, rows: [...before, ...page.rows] };
    });
  }

  #sessions(after: SessionCursor | null): Promise<void> {
    return this.#do("sessions", async (isNewest) => {
      const page = await this.platform.listSessions(after, SESSIONS);
      if (!isNewest()) return;
      this.sessions = [...(after ? (this.sessions ?? []) : []), ...page.sessions];
      this.#nextSessions = page.next;
    });
  }

  async #do(doing: Doing, work: (isNewest: () => boolean) => Promise<void>): Promise<void> {
    const mine = ++this.#newest;
    const isNewest = () => mine === this.#newest;
    this.doing = doing;
    this.failure = null;
    try {
      await work(isNewest);
    } catch (error) {
      if (isNewest()) this.failure = { doing, failure: asFailure(error) };
    } finally {
      if (isNewest()) this.doing = null;
    }
  }
}

/** How many of them the cache knew, from 0 to 1. */
export function hitRate({ searches, cached }: { searches: number; cached: number }): number {
  return searches === 0 ? 0 : cached / searches;
}
