// How an answer came to be: what was searched for, by whom, and which pages were read. Told while it happens.

import type { AnswerEvent, EngineId, Failure, SearchHit } from "../../bindings/bindings";

export type Search = {
  engine: EngineId;
  query: string;
  hits: number;
  cached: boolean;
  stale: boolean;
  /** Why it brought nothing, and who is asked next. */
  failure: Failure | null;
  next: EngineId | null;
};
export type PageRead = { url: string; title: string; failure: Failure | null };
/** Which embedding model put the passages in order, or why it did not. */
export type Reranked = { model: string; failure: Failure | null };
export type Phase = "planning" | "searching" | "reading" | "writing" | "ending" | "done";

export class Steps {
  phase = $state<Phase>("planning");
  /** What is searched for; empty where no search is needed. */
  queries = $state.raw<string[]>([]);
  searches = $state.raw<Search[]>([]);
  pages = $state.raw<PageRead[]>([]);
  reranked = $state.raw<Reranked | null>(null);

  /** Pages that were found, by address: when they were published is known from nowhere else. */
  readonly found = new Map<string, SearchHit>();

  read = $derived(this.pages.filter((page) => !page.failure));
  failed = $derived(this.pages.filter((page) => page.failure));
  /** The newest thing that went wrong in searching, as long as nothing has gone right since. */
  trouble = $derived.by(() => {
    const last = this.searches.at(-1);
    return last?.failure ? last : null;
  });
  stale = $derived(this.searches.some((search) => search.stale));

  planned(event: Extract<AnswerEvent, { type: "planned" }>): void {
    this.queries = event.queries;
    this.phase = event.queries.length > 0 ? "searching" : "reading";
  }

  searched(event: Extract<AnswerEvent, { type: "searched" }>): void {
    for (const hit of event.hits) this.found.set(hit.url, hit);
    const { engine, query, hits, cached, stale } = event;
    this.searches = [...this.searches, { engine, query, hits: hits.length, cached, stale, failure: null, next: null }];
    this.phase = "reading";
  }

  searchFailed(event: Extract<AnswerEvent, { type: "search_failed" }>): void {
    const { engine, query, failure, next } = event;
    this.searches = [...this.searches, { engine, query, hits: 0, cached: false, stale: false, failure, next }];
  }

  pageRead(url: string, title: string): void {
    this.pages = [...this.pages, { url, title, failure: null }];
    this.phase = "reading";
  }

  pageFailed(url: string, failure: Failure): void {
    this.pages = [...this.pages, { url, title: this.found.get(url)?.title ?? "", failure }];
  }
}
