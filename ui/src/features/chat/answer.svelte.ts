// An answer as it is shown: folded from events while it is written, filled from the store when it is opened.

import type {
  AnswerEvent,
  Citation,
  Evidence,
  Failure,
  MessageId,
  MessageMetadata,
  MessageState,
  OpenMessage,
  PageId,
  ResearchProgress,
  SavedSource,
  SentenceCheck,
  Source,
} from "../../bindings/bindings";
import { ByteIndex } from "../../shared/bytes";
import { reuse } from "../../shared/reuse";
import { AnswerRecheck } from "../recheck";
import { Steps } from "./steps.svelte";

let lastKey = 0;

export class AnswerState {
  readonly role = "assistant";
  /** Stays the same when the answer is given its id. */
  readonly key = `answer-${++lastKey}`;
  /** Empty until the answer is saved for the first time. */
  id = $state<MessageId>("");
  /** The question's id. */
  parent = $state<MessageId | null>(null);
  content = $state("");
  state = $state<MessageState>("streaming");
  /** Whether its steps come in here. */
  live = $state(false);
  model = $state<string | null>(null);
  sources = $state.raw<Source[]>([]);
  /** The saved pages of the sources, by their place. */
  pages = $state.raw<PageId[]>([]);
  saved = $state.raw<SavedSource[]>([]);
  citations = $state.raw<Citation[]>([]);
  checks = $state.raw<SentenceCheck[]>([]);
  followUps = $state.raw<string[]>([]);
  metadata = $state.raw<MessageMetadata | null>(null);
  siblings = $state.raw<MessageId[]>([]);
  failure = $state.raw<Failure | null>(null);
  steps = $state.raw(new Steps());
  /** Only where the answer is a research. */
  research = $state.raw<ResearchProgress | null>(null);
  /** What became of it since. */
  readonly recheck = new AnswerRecheck();
  /** Kept here and not in the component, which goes when it is scrolled out of sight. */
  view = $state({ steps: false, sources: false, checks: false, plan: false });

  /** No word comes any more: what is left to come are a title and questions. */
  written = $derived(this.state !== "streaming" || this.steps.phase === "ending");

  #bytes = new ByteIndex("");
  /** This run has shown its plan; whoever folds it up then wants it so. */
  #isShown = false;

  constructor(message?: OpenMessage) {
    if (message) this.fill(message);
  }

  /** Everything as the store has it. */
  fill(message: OpenMessage): void {
    this.id = message.id;
    this.parent = message.parent;
    this.content = message.content;
    this.state = message.state;
    // What is the same stays the same object: all that is drawn of it stays too.
    this.sources = reuse(this.sources, message.sources ?? []);
    this.saved = reuse(this.saved, message.pages);
    this.pages = pagesByNumber(this.saved);
    this.citations = reuse(this.citations, message.citations);
    this.checks = reuse(this.checks, message.checks);
    this.followUps = message.follow_ups;
    this.metadata = message.metadata;
    this.model = message.metadata?.model ?? this.model;
    this.siblings = message.siblings;
    this.recheck.fill(message.recheck);
    if (message.state !== "streaming") this.steps.phase = "done";
  }

  /** The store was read once more. What an old answer says does not change, and is not drawn anew. */
  renew(message: OpenMessage, isNewest: boolean): void {
    // It may have been continued elsewhere.
    if (message.state !== this.state) this.failure = null;
    if (isNewest || message.state !== this.state) return this.fill(message);
    this.siblings = message.siblings;
    this.recheck.fill(message.recheck);
  }

  apply(event: AnswerEvent): void {
    switch (event.type) {
      case "started":
        this.id = event.answer_id;
        this.parent = event.question_id;
        this.model = event.model;
        this.#isShown = false;
        if (!this.siblings.includes(event.answer_id)) this.siblings = [...this.siblings, event.answer_id];
        break;
      case "planned":
        this.steps.planned(event);
        break;
      case "searched":
        this.steps.searched(event);
        break;
      case "search_failed":
        this.steps.searchFailed(event);
        break;
      case "source_read":
        this.steps.pageRead(event.url, event.title);
        break;
      case "source_failed":
        this.steps.pageFailed(event.url, event.failure);
        break;
      case "reranked":
        this.steps.reranked = { model: event.model, failure: event.failure };
        break;
      case "ranked":
        this.sources = event.sources;
        this.pages = event.pages;
        this.steps.phase = "writing";
        break;
      case "token":
        this.content += event.text;
        this.steps.phase = "writing";
        break;
      case "replaced":
        this.content = event.content;
        this.citations = [];
        this.steps.phase = "writing";
        break;
      case "research":
        // Whoever sees it begin, or go on, wants to see what it is at.
        if (this.live && !this.#isShown) this.view.plan = true;
        this.#isShown = true;
        this.research = event.progress;
        break;
      case "cited":
        this.#cite(event.citation);
        break;
      case "checked":
        this.checks = event.sentences;
        this.steps.phase = "ending";
        break;
      case "titled":
        // The chat's, not the answer's.
        break;
      case "suggested":
        this.followUps = event.questions;
        this.steps.phase = "ending";
        break;
      case "finished":
        this.#end(event.message);
        this.view.plan = false;
        break;
      case "failed":
        this.failure = event.failure;
        if (event.message) this.#end(event.message);
        else this.#interrupt();
        break;
    }
  }

  /** Takes events up from the beginning of the run: what the store had of it already is not said twice. */
  replay(events: readonly AnswerEvent[]): void {
    const known = this.content;
    this.steps = new Steps();
    this.citations = [];
    this.content = "";
    for (const event of events) this.apply(event);
    // A text that was told as a whole needs nothing of what the store had of it.
    const isWhole = events.some(({ type }) => type === "replaced");
    if (this.state === "streaming" && !isWhole) this.content = joined(known, this.content);
  }

  /** Goes on with an answer that was interrupted. */
  resume(): void {
    this.state = "streaming";
    this.failure = null;
    this.checks = [];
    this.followUps = [];
    this.steps = new Steps();
  }

  /** The citation whose `[n]` stands at this place of the content, in UTF-16 units. */
  citationAt(number: number, at: number | null): Citation | null {
    if (at === null) return this.citations.find((citation) => citation.number === number) ?? null;
    if (this.#bytes.text !== this.content) this.#bytes = new ByteIndex(this.content);
    const byte = this.#bytes.byteAt(at);
    return this.citations.find((citation) => citation.marker.start === byte && citation.number === number) ?? null;
  }

  pageOf(number: number): PageId | null {
    return this.pages[number - 1] ?? this.citations.find((citation) => citation.number === number)?.page_id ?? null;
  }

  /** Sentences that a reader should look at twice, with what comes nearest to them. */
  doubts(): { text: string; verdict: "partly" | "not_found"; evidence: Evidence | null }[] {
    const bytes = new ByteIndex(this.content);
    return this.checks.flatMap(({ sentence, verdict, evidence }) =>
      verdict === "supported" ? [] : [{ text: bytes.slice(sentence), verdict, evidence }],
    );
  }

  /** An answer that is gone on with tells those of its beginning again. */
  #cite(citation: Citation): void {
    const isKnown = this.citations.some(({ marker }) => marker.start === citation.marker.start);
    if (!isKnown) this.citations = [...this.citations, citation];
  }

  #end(message: Pick<OpenMessage, "content" | "state" | "sources" | "metadata">): void {
    this.content = message.content;
    this.state = message.state;
    this.sources = reuse(this.sources, message.sources ?? this.sources);
    this.metadata = message.metadata;
    this.steps.phase = "done";
    this.live = false;
  }

  #interrupt(): void {
    this.state = "interrupted";
    this.steps.phase = "done";
    this.live = false;
  }
}

function pagesByNumber(saved: readonly SavedSource[]): PageId[] {
  const pages: PageId[] = [];
  for (const { number, page_id } of saved) pages[number - 1] = page_id;
  return pages;
}

/** The store's text and the run's, where the end of the one may be the beginning of the other. */
function joined(known: string, told: string): string {
  for (let overlap = Math.min(known.length, told.length); overlap > 0; overlap--) {
    if (told.startsWith(known.slice(known.length - overlap))) return known + told.slice(overlap);
  }
  return known + told;
}
