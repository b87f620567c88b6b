// One answer being written by the fake: a scripted run of events that can be watched, joined late and stopped.

import type {
  AnswerEvent,
  AskRequest,
  Failure,
  MessageId,
  Page,
  RunningAnswer,
  SearchHit,
} from "../../bindings/bindings";
import { buildAnswer, type BuiltAnswer } from "./build";
import { failures } from "./failures";
import { evidence, fail, type FakeLibrary, metadata, stored } from "./library";
import type { FakeOptions } from "./options";
import { guideTopic } from "./more-topics";
import { FakeResearch, reportOf } from "./researching";
import { type Topic, topics } from "./topics";

type Listener = (events: AnswerEvent[]) => void;
/** An event and the milliseconds before it. */
type Step = [after: number, event: AnswerEvent];

export class FakeRun implements RunningAnswer {
  readonly chat_id: string;
  readonly question_id: MessageId;
  readonly answer_id: MessageId;
  readonly ended: Promise<void>;
  readonly #listeners = new Set<Listener>();
  readonly #told: AnswerEvent[] = [];
  readonly #model: string;
  #finish!: () => void;
  #stopped: Failure | null = null;
  #soFar: string;
  /** Only of a research. */
  readonly research: FakeResearch | null;

  constructor(
    readonly library: FakeLibrary,
    readonly options: FakeOptions,
    readonly request: AskRequest,
    known: FakeResearch | null = null,
  ) {
    this.research = request.depth === "deep" || known ? (known ?? new FakeResearch(request.research)) : null;
    const turn = beginTurn(library, request);
    this.chat_id = turn.chat_id;
    this.question_id = turn.question_id;
    this.answer_id = turn.answer_id;
    this.#soFar = library.stored(turn.answer_id).content;
    this.#model = request.model ?? "openai/gpt-5-mini";
    this.ended = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Tells everything so far, its tokens merged, then what comes. */
  watch(listener: Listener): void {
    if (this.#told.length > 0) listener(mergeTokens(this.#told));
    this.#listeners.add(listener);
  }

  stop(): void {
    this.#stopped = failures.cancelled;
  }

  async play(): Promise<void> {
    const question = this.library.stored(this.question_id).content;
    const topic = topicFor(question);
    const { chat_id, question_id, answer_id } = this;
    this.#tell([{ type: "started", chat_id, question_id, answer_id, model: this.#model }]);
    const failure = this.#fault();
    if (this.research && !failure) {
      await this.#report(this.research, topic);
      this.#finish();
      return;
    }
    const pages = this.request.scope === "none" || failure ? [] : this.library.pagesOf(topic);
    const built = buildAnswer(
      this.options.ask === "long" ? longAnswer() : topic.answer,
      pages.length ? pages : this.library.pagesOf(topic),
    );
    if (pages.length) await this.#steps(searching(question, topic, pages, this.options));
    if (failure) await this.#pause(300);
    else await this.#write(built, pages);
    if (this.#stopped ?? failure) this.#break((this.#stopped ?? failure)!);
    else await this.#end(topic, built, pages);
    this.#finish();
  }

  /** A research: the plan, part after part, then the report a section at a time. */
  async #report(research: FakeResearch, topic: Topic): Promise<void> {
    const tell = (): void => this.#tell([{ type: "research", progress: structuredClone(research.progress) }]);
    tell();
    await this.#pause(700);
    if (research.progress.parts.length === 0) research.plan(this.request.research?.plan_first ?? false);
    tell();
    while (research.progress.phase === "agree" && !this.#stopped) await this.#pause(50, 20);
    for (let part = research.open; part && !this.#stopped; part = research.open) {
      research.begin(part.id);
      tell();
      await this.#pause(900);
      research.note(part.id);
      tell();
      await this.#pause(300);
    }
    const pages = this.library.pagesOf(topic);
    const questions = research.progress.parts.map(({ question }) => question);
    const built = buildAnswer(reportOf(topic.answer, questions), pages);
    if (!this.#stopped) {
      this.#tell([{ type: "ranked", sources: evidence(pages).sources!, pages: pages.map((page) => page.id) }]);
      const [lead, ...sections] = built.content.split(/(?=\n\n## )/);
      for (const [at, section] of [lead!, ...sections].entries()) {
        const part = research.progress.parts[at - 1] ?? null;
        research.write(part?.id ?? null);
        tell();
        await this.#pause(600);
        if (this.#stopped) break;
        this.#soFar += section;
        if (part) research.written(part.id);
        this.library.updateMessage(this.answer_id, { content: this.#soFar });
        this.#tell([{ type: "token", text: section }]);
      }
    }
    if (this.#stopped) return this.#break(this.#stopped);
    research.end();
    tell();
    await this.#end(topic, built, pages);
  }

  async #write(built: BuiltAnswer, pages: Page[]): Promise<void> {
    const rest = built.content.slice(this.#soFar.length);
    const encoder = new TextEncoder();
    let cited = 0;
    let bytes = encoder.encode(this.#soFar).length;
    const pieces = rest.match(/\s*\S{1,6}/g) ?? [];
    const perFrame =
      this.options.speed === 0 ? Math.ceil(pieces.length / 4) : Math.max(1, Math.round(this.options.speed / 60));
    for (let at = 0; at < pieces.length && !this.#stopped; at += perFrame) {
      if (this.options.ask === "broken" && at >= pieces.length / 2) {
        this.#stopped = failures.brokenOff;
        return;
      }
      const text = pieces.slice(at, at + perFrame).join("");
      this.#soFar += text;
      bytes += encoder.encode(text).length;
      const events: AnswerEvent[] = [{ type: "token", text }];
      // As the app does, citations are told once their line is written.
      for (; pages.length && cited < built.citations.length && text.includes("\n"); cited++) {
        const citation = built.citations[cited]!;
        if (citation.sentence.end > bytes) break;
        events.push({ type: "cited", citation });
      }
      this.library.updateMessage(this.answer_id, { content: this.#soFar });
      this.#tell(events);
      await this.#pause(this.options.speed >= 60 || this.options.speed === 0 ? 16 : 1000 / this.options.speed);
    }
    if (this.#stopped || pages.length === 0) return;
    this.#tell(built.citations.slice(cited).map((citation) => ({ type: "cited", citation })));
  }

  async #end(topic: Topic, built: BuiltAnswer, pages: Page[]): Promise<void> {
    const isFirst = this.library.path(this.chat_id).length === 2;
    const follow_ups = topic.followUps;
    const steps: Step[] = [];
    if (pages.length) steps.push([200, { type: "checked", sentences: built.checks }]);
    if (isFirst && this.request.turn === "new") {
      this.library.updateChat(this.chat_id, { title: topic.title });
      steps.push([80, { type: "titled", title: topic.title }]);
    }
    steps.push([80, { type: "suggested", questions: follow_ups }]);
    await this.#steps(steps);
    const { citations, checks } = pages.length ? built : { citations: [], checks: [] };
    const message = this.library.updateMessage(this.answer_id, {
      content: built.content,
      state: "complete",
      citations,
      checks,
      follow_ups,
      ...(pages.length ? evidence(pages) : {}),
      metadata: metadata(topic.queries[0]!, pages, 6_200, this.#model),
    });
    this.#tell([{ type: "finished", message }]);
  }

  #break(failure: Failure): void {
    const message = this.library.updateMessage(this.answer_id, { content: this.#soFar, state: "interrupted" });
    this.#tell([{ type: "failed", message, failure }]);
  }

  #fault(): Failure | null {
    if (this.options.ask === "key_refused") return failures.modelKey;
    if (this.options.ask === "no_model") return failures.noModel;
    return this.options.ask === "offline" ? failures.offline : null;
  }

  async #steps(steps: Step[]): Promise<void> {
    for (const [after, event] of steps) {
      await this.#pause(after);
      if (this.#stopped) return;
      this.#tell([event]);
    }
  }

  #tell(events: AnswerEvent[]): void {
    if (events.length === 0) return;
    this.#told.push(...events);
    for (const listener of this.#listeners) listener(structuredClone(events));
  }

  #pause(ms: number, least = 0): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.options.speed === 0 ? least : ms));
  }
}

/** The worked-out topic that shares most words with a question. */
function topicFor(question: string): Topic {
  const words = new Set(
    question
      .toLowerCase()
      .split(/[\s?？,]+/)
      .filter((word) => word.length > 3),
  );
  const shared = (topic: Topic) =>
    topic.question === question
      ? 99
      : topic.question
          .toLowerCase()
          .split(/[\s?？,]+/)
          .filter((word) => words.has(word)).length;
  return [...topics, guideTopic].reduce((best, topic) => (shared(topic) > shared(best) ? topic : best));
}

function searching(question: string, topic: Topic, pages: Page[], options: FakeOptions): Step[] {
  const query = topic.queries[0]!;
  const hits = pages.map((page): SearchHit => ({
    title: page.title,
    url: page.url,
    snippet: page.text.slice(0, 140),
    favicon: page.favicon,
    published_at: page.published_at,
  }));
  const steps: Step[] = [[120, { type: "planned", question, queries: topic.queries }]];
  if (options.scenario === "offline") {
    steps.push([60, { type: "search_failed", engine: "duckduckgo", query, failure: failures.offline, next: "chats" }]);
    steps.push([150, { type: "searched", engine: "chats", query, hits, cached: false, stale: false }]);
  } else {
    const failure = options.ask === "captcha" ? failures.captcha : failures.rateLimited;
    steps.push([250, { type: "search_failed", engine: "duckduckgo", query, failure, next: "wikipedia" }]);
    steps.push([250, { type: "searched", engine: "brave", query, hits, cached: false, stale: false }]);
    steps.push([
      120,
      {
        type: "searched",
        engine: "wikipedia",
        query: topic.queries.at(-1)!,
        hits: hits.slice(0, 1),
        cached: true,
        stale: false,
      },
    ]);
  }
  for (const page of pages)
    steps.push([140, { type: "source_read", url: page.url, title: page.title, favicon: page.favicon }]);
  steps.push([
    90,
    { type: "source_failed", url: "https://slow.example/a-page-that-never-came", failure: failures.timedOut },
  ]);
  steps.push([60, { type: "source_failed", url: "https://members.example/only", failure: failures.refused }]);
  if (options.rerank !== "off") {
    const [model, failure] =
      options.rerank === "works"
        ? ["ollama/all-minilm:latest", null]
        : ["ollama/mxbai-embed-large", failures.embedderLate];
    steps.push([60, { type: "reranked", model, passages: 31, failure }]);
  }
  steps.push([120, { type: "ranked", sources: evidence(pages).sources!, pages: pages.map((page) => page.id) }]);
  return steps;
}

function longAnswer(): string {
  const paragraph = (n: number) =>
    `## Part ${n}\n\nThe log grows for as long as a reader stays open [1:A reader that stays open], and **part ${n}** says so again in its own words, with \`code\` and a figure of ${n * 17}.\n\n- First of ${n}\n- Second of ${n}\n\n`;
  return Array.from({ length: 170 }, (_, n) => paragraph(n + 1)).join("");
}

function beginTurn(library: FakeLibrary, { turn, question, files: attached = [] }: AskRequest): RunningAnswer {
  const answer = (chat_id: string, question_id: MessageId): RunningAnswer => {
    const id = library.newId("msg");
    const message = {
      id,
      chat_id,
      parent: question_id,
      role: "assistant" as const,
      content: "",
      created_at: library.now(),
    };
    library.addMessage(stored({ ...message, state: "streaming" }));
    return { chat_id, question_id, answer_id: id };
  };
  const ask = (chat_id: string, parent: MessageId | null): RunningAnswer => {
    const id = library.newId("msg");
    const files = attached.map((url) => ({ url, name: decodeURIComponent(url.slice(url.lastIndexOf("/") + 1)) }));
    const asked = { id, chat_id, parent, role: "user" as const, content: question, files };
    library.addMessage(stored({ ...asked, created_at: library.now() }));
    return answer(chat_id, id);
  };
  if (turn === "new") {
    const id = library.newId("chat");
    const at = library.now();
    library.addChat({
      id,
      title: question.slice(0, 60),
      created_at: at,
      updated_at: at,
      deleted_at: null,
      pinned: false,
      archived: false,
      leaf: null,
    });
    return ask(id, null);
  }
  if (turn.in) return ask(turn.in, library.path(turn.in).at(-1)?.id ?? null);
  if (turn.editing) {
    const edited = library.stored(turn.editing);
    return ask(edited.chat_id, edited.parent);
  }
  if (turn.regenerating) return answer(library.stored(turn.regenerating).chat_id, turn.regenerating);
  const left = library.stored(turn.continuing!);
  if (left.state !== "interrupted" || !left.parent) fail("interrupted answer", left.id);
  library.updateMessage(left.id, { state: "streaming" });
  return { chat_id: left.chat_id, question_id: left.parent, answer_id: left.id };
}

function mergeTokens(events: AnswerEvent[]): AnswerEvent[] {
  const merged: AnswerEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    if (event.type === "token" && last?.type === "token")
      merged[merged.length - 1] = { type: "token", text: last.text + event.text };
    else merged.push(event);
  }
  return structuredClone(merged);
}
