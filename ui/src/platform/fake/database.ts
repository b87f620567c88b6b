// The fake's team database: people, their sessions, what they searched for, and tables large enough to page through.

import type {
  ColumnHead,
  Failure,
  RowKey,
  SearchStatistics,
  SessionCursor,
  SessionPage,
  SessionSummary,
  Table,
  TableRows,
  TableSummary,
} from "../../bindings/bindings";
import type { FakeAccount } from "./account";
import { failures } from "./failures";
import type { FakeOptions } from "./options";

const DAY = 86_400_000;
const PEOPLE = [
  ["Ada Lovelace", "ada@example.com"],
  ["Grace Hopper", "grace@example.com"],
  ["渡辺 久美", "kumi@example.jp"],
  ["سلمى حداد", "salma@example.org"],
  [null, "no-name@example.com"],
] as const;

const MASKED = new Set(["refresh_token", "access_token", "id_token", "session_state", "session_token", "token"]);
const TABLES: Record<Table, { rows: number; columns: readonly string[] }> = {
  user: { rows: 5, columns: ["id", "name", "email", "email_verified", "image", "is_admin"] },
  account: {
    rows: 7,
    columns: ["user_id", "type", "provider", "provider_account_id", "refresh_token", "access_token", "expires_at"],
  },
  session: { rows: 63, columns: ["session_token", "user_id", "expires"] },
  verification_token: { rows: 0, columns: ["identifier", "token", "expires"] },
  chat: { rows: 1_204, columns: ["id", "user_id", "title", "created_at", "updated_at", "deleted_at"] },
  message: { rows: 8_412_000, columns: ["id", "chat_id", "role", "content", "sources", "metadata", "created_at"] },
  search_cache: { rows: 310, columns: ["id", "query", "results", "created_at", "expires_at"] },
  user_settings: { rows: 4, columns: ["user_id", "theme", "language", "default_model", "updated_at"] },
};

export class FakeDatabase {
  readonly #ended = new Set<string>();

  constructor(
    readonly options: FakeOptions,
    readonly account: FakeAccount,
    readonly isSetUp: () => boolean,
  ) {}

  tables(): TableSummary[] {
    this.#reach();
    return Object.entries(TABLES).map(([table, { rows }]) => ({
      table: table as Table,
      rows,
      is_estimate: rows > 100_000,
    }));
  }

  rows(table: Table, after: RowKey | null, limit: number): TableRows {
    this.#reach();
    const { rows: count, columns } = TABLES[table];
    const start = after ? Number(after[0]) + 1 : 0;
    const end = Math.min(start + limit, count);
    const heads: ColumnHead[] = columns.map((name) => ({ name, is_masked: MASKED.has(name) }));
    const rows = Array.from({ length: Math.max(end - start, 0) }, (_, at) =>
      heads.map((head) => (head.is_masked ? "•••" : this.#cell(head.name, start + at))),
    );
    return { columns: heads, rows, next: end < count ? [String(end - 1)] : null };
  }

  statistics(days: number, most: number): SearchStatistics {
    this.#reach();
    const counted = Array.from({ length: Math.min(days, 12) }, (_, at) => {
      const searches = 90 - ((at * 37) % 61);
      return { day: this.#day(at), searches, cached: Math.floor(searches / 3) };
    });
    const sum = (read: (day: (typeof counted)[number]) => number) => counted.reduce((all, day) => all + read(day), 0);
    const queries = [
      ["write-ahead log checkpoint starvation", 41, 30],
      ["annual leave carry over Germany", 22, 11],
      ["有給休暇 繰越", 9, 0],
      [
        "a question that goes on for so long that no list has room for it on one line, which must not push the rest",
        3,
        1,
      ],
    ] as const;
    return {
      since: this.#day(days - 1),
      searches: sum((day) => day.searches),
      cached: sum((day) => day.cached),
      queries: queries.slice(0, most).map(([query, searches, cached]) => ({ query, searches, cached })),
      days: counted,
      engines: [
        { engine: "brave", answers: 402, cached: 171, failures: 6 },
        { engine: "wikipedia", answers: 388, cached: 160, failures: 0 },
        { engine: "duckduckgo", answers: 12, cached: 2, failures: 49 },
      ],
    };
  }

  sessions(after: SessionCursor | null, limit: number): SessionPage {
    this.#reach();
    const all = Array.from({ length: TABLES.session.rows }, (_, at) => this.#session(at));
    const left = all.filter((session) => !this.#ended.has(session.id));
    const start = after ? left.findIndex((session) => session.id === after.id) + 1 : 0;
    const sessions = left.slice(start, start + limit);
    const last = sessions.at(-1);
    const isMore = start + limit < left.length && last !== undefined;
    return { sessions, next: isMore ? { expires: last.expires, id: last.id } : null };
  }

  endSession(id: string): void {
    this.#reach();
    this.#ended.add(id);
  }

  #session(at: number): SessionSummary {
    const [name, email] = PEOPLE[at % PEOPLE.length]!;
    return {
      id: `${String(at).padStart(2, "0")}9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a`,
      user_id: `user-${at % PEOPLE.length}`,
      name,
      email,
      expires: new Date(this.options.now + (80 - at) * DAY).toISOString(),
      is_device: at % 3 !== 1,
    };
  }

  #cell(column: string, at: number): string | null {
    const [name, email] = PEOPLE[at % PEOPLE.length]!;
    const known: Record<string, string | null> = {
      name,
      email,
      email_verified: at % 2 === 0 ? this.#time(at) : null,
      image: null,
      is_admin: String(at === 0),
      deleted_at: null,
      title: "Why does the write-ahead log grow without end?",
      content: "**Because** a reader holds the checkpoint back [1]. ".repeat(4).slice(0, 200) + "…",
      role: at % 2 === 0 ? "user" : "assistant",
      sources: at % 2 === 0 ? null : '[{"title":"WAL","url":"https://sqlite.org/wal.html","snippet":""}]',
    };
    if (column in known) return known[column]!;
    if (column.endsWith("_at") || column === "expires") return this.#time(at);
    return `${column}-${at}`;
  }

  #time(at: number): string {
    return new Date(this.options.now - at * 3_600_000).toISOString().replace("T", " ").replace("Z", "+00");
  }

  #day(ago: number): string {
    return new Date(this.options.now - ago * DAY).toISOString().slice(0, 10);
  }

  #reach(): void {
    if (this.account.isSignedIn) {
      if (!this.account.isAdministrator) throw failures.noAdministrator;
    } else if (!this.isSetUp()) {
      throw {
        code: "invalid",
        message: "No shared database is named.",
        hint: "Give its address with `--url`, or keep it: `deepsearch settings set shared.url -`.",
      } satisfies Failure;
    }
    if (this.options.scenario === "offline") throw failures.offline;
  }
}
