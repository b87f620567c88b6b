// The fake's rechecks: an answer held against a made-up present in which its first figure is another and one sentence is gone.

import type {
  AnswerEvent,
  Compared,
  Every,
  MessageId,
  OpenMessage,
  Proof,
  Recheck,
  RecheckHistory,
  RecheckSchedule,
  ScheduledRecheck,
  Standing,
} from "../../bindings/bindings";
import { ByteIndex } from "../../shared/bytes";
import { failures } from "./failures";
import type { FakeLibrary } from "./library";
import type { FakeOptions } from "./options";

type Listener = (events: AnswerEvent[]) => void;
type Running = { told: AnswerEvent[]; listeners: Set<Listener>; stopped: boolean; ended: Promise<void> };

const DAY = 86_400_000;
const PERIOD: Record<Every, number> = { daily: DAY, weekly: 7 * DAY, monthly: 30 * DAY };

export class FakeRechecks {
  readonly #kept = new Map<MessageId, Recheck[]>();
  readonly #schedules = new Map<MessageId, RecheckSchedule>();
  readonly #running = new Map<MessageId, Running>();

  constructor(
    readonly options: FakeOptions,
    readonly library: FakeLibrary,
    readonly changed: (chat: string) => void,
  ) {}

  list(answer: MessageId): RecheckHistory {
    return structuredClone({
      rechecks: this.#kept.get(answer) ?? [],
      schedule: this.#schedules.get(answer) ?? null,
      running: this.#running.has(answer),
    });
  }

  schedule(answer: MessageId, every: Every | null): RecheckSchedule | null {
    if (every === null) this.#schedules.delete(answer);
    else {
      const next_at = new Date(this.options.now + PERIOD[every]).toISOString();
      this.#schedules.set(answer, { every, next_at, failures: 0 });
    }
    this.#note(answer);
    return this.#schedules.get(answer) ?? null;
  }

  scheduled(): ScheduledRecheck[] {
    return [...this.#schedules].map(([answer_id, schedule]) => {
      const { chat_id, parent } = this.library.stored(answer_id);
      const question = parent === null ? "" : this.library.stored(parent).content;
      const last = this.#kept.get(answer_id)?.find(({ failure }) => !failure);
      const [checked_at, changed] = [last?.checked_at ?? null, last?.changed ?? 0];
      return { answer_id, chat_id, question, schedule: { ...schedule }, checked_at, changed };
    });
  }

  async watch(answer: MessageId, listener: Listener): Promise<boolean> {
    const running = this.#running.get(answer);
    if (!running) return false;
    listener(structuredClone(running.told));
    running.listeners.add(listener);
    await running.ended;
    return true;
  }

  stop(answer: MessageId): boolean {
    const running = this.#running.get(answer);
    if (running) running.stopped = true;
    return running !== undefined;
  }

  async check(message: OpenMessage, online: boolean, listener: Listener): Promise<void> {
    if (await this.watch(message.id, listener)) return;
    const running: Running = { told: [], listeners: new Set([listener]), stopped: false, ended: Promise.resolve() };
    this.#running.set(message.id, running);
    running.ended = this.#play(message, online, running);
    await running.ended;
  }

  async #play(message: OpenMessage, online: boolean, running: Running): Promise<void> {
    const tell = (event: AnswerEvent): void => {
      running.told.push(event);
      for (const listener of running.listeners) listener(structuredClone([event]));
    };
    const query = message.metadata?.searchQuery ?? "sqlite wal mode";
    const fails = !online || this.options.recheck === "failed";
    const steps: AnswerEvent[] = [{ type: "planned", question: query, queries: [query] }];
    if (fails) steps.push({ type: "search_failed", engine: "brave", query, failure: failures.offline, next: null });
    else {
      steps.push({ type: "searched", engine: "brave", query, hits: [], cached: false, stale: false });
      for (const { url, title, favicon } of message.sources ?? [])
        steps.push({ type: "source_read", url, title, favicon: favicon ?? null });
      steps.push({ type: "ranked", sources: message.sources ?? [], pages: [] });
    }
    for (const step of steps) {
      if (running.stopped) break;
      tell(step);
      await new Promise((resolve) => setTimeout(resolve, this.options.speed === 0 ? 0 : 350));
    }
    const failure = running.stopped ? failures.cancelled : fails ? failures.offline : null;
    const sentences = failure ? [] : this.#compare(message);
    const changed = sentences.filter(({ standing }) => standing === "changed" || standing === "gone").length;
    const recheck = { checked_at: this.library.now(), changed, sentences, failure, scheduled: false };
    const before = (this.#kept.get(message.id) ?? []).filter((kept) => !kept.failure);
    this.#kept.set(message.id, [recheck, ...before].slice(0, 10));
    this.#running.delete(message.id);
    this.#note(message.id);
    this.changed(message.chat_id);
  }

  #compare(message: OpenMessage): Compared[] {
    const index = new ByteIndex(message.content);
    const sources = message.sources ?? [];
    const seen = new Set<number>();
    const cited = message.citations.filter(({ sentence }) => !seen.has(sentence.start) && seen.add(sentence.start));
    const compared = cited.map((citation, at): Compared => {
      const source = sources[citation.number - 1];
      const before: Proof = {
        quote: citation.quote,
        title: source?.title ?? "",
        url: source?.url ?? "",
        page_id: citation.page_id,
        page_span: citation.page_span,
      };
      const sentence = index
        .slice(citation.sentence)
        .replace(/\s?\[\d+\]|[*_`]/g, "")
        .replace(/^\s*(?:[-*+>]|\d+\.)\s+/, "")
        .trim();
      const standing = this.#standing(at);
      const says = standing === "changed" ? otherwise(citation.quote) : citation.quote;
      const now = standing === "gone" || standing === "unread" ? null : { ...before, quote: says };
      return { standing, sentence, before, now };
    });
    const last = compared.at(-1)?.now;
    if (this.options.recheck === "same" || !last) return compared;
    const quote = "Since 2026, several makers warrant fifteen years.";
    return [...compared, { standing: "new", sentence: quote, before: null, now: { ...last, quote } }];
  }

  #standing(at: number): Standing {
    if (this.options.recheck === "same") return "same";
    return at === 1 ? "changed" : at === 2 ? "gone" : at === 4 ? "unread" : "same";
  }

  #note(answer: MessageId): void {
    const last = this.#kept.get(answer)?.find(({ failure }) => !failure);
    const every = this.#schedules.get(answer)?.every ?? null;
    if (!last && every === null) this.library.rechecks.delete(answer);
    else {
      const [checked_at, changed] = [last?.checked_at ?? null, last?.changed ?? 0];
      this.library.rechecks.set(answer, { checked_at, changed, every, running: false });
    }
  }
}

/** The sentence with another figure, or with a word more. */
function otherwise(quote: string): string {
  const figure = /\d+/.exec(quote);
  if (figure) return quote.replace(figure[0], String(Number(figure[0]) + 3));
  return quote.replace(/^(\S+ \S+)/, "$1, since this spring only in part,");
}
