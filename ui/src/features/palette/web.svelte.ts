// The palette's way to the web without an answer: what the engines find, and an address that is read as it stands.

import ArrowLeft from "@lucide/svelte/icons/arrow-left";
import BookOpen from "@lucide/svelte/icons/book-open";
import CircleAlert from "@lucide/svelte/icons/circle-alert";
import Globe from "@lucide/svelte/icons/globe";
import type { AppState } from "../../app-state.svelte";
import type { Failure, WebResults } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import { asFailure } from "../../shared/failure";
import { failureLine } from "../../shared/failure-words";
import { hostOf } from "../../shared/favicons";
import { webAddress } from "../../shared/markdown";
import type { Entry, Section } from "./palette.svelte";

/** Ids of entries that change the palette's list instead of leaving it. */
export const SEARCH_WEB = "search_web";
export const LEAVE_WEB = "leave_web";

export class WebSearch {
  /** What is searched for, once the person has asked for it: nothing leaves the machine while they type. */
  query = $state<string | null>(null);
  results = $state.raw<WebResults | null>(null);
  failure = $state.raw<Failure | null>(null);
  #turn = 0;

  sections = $derived.by(() => (this.query === null ? [] : this.#found(this.query)));
  loading = $derived(this.query !== null && this.results === null && this.failure === null);

  constructor(private readonly app: AppState) {}

  async search(query: string): Promise<void> {
    this.leave();
    this.query = query;
    const turn = this.#turn;
    try {
      const results = await this.app.platform.searchWeb(query);
      if (turn === this.#turn) this.results = results;
    } catch (error) {
      if (turn === this.#turn) this.failure = asFailure(error);
    }
  }

  leave(): void {
    this.#turn += 1;
    this.query = null;
    this.results = null;
    this.failure = null;
  }

  /** The line that searches for what is typed. */
  searching(text: string): Entry {
    return {
      id: SEARCH_WEB,
      label: m.palette_search_web({ text }),
      highlights: [],
      icon: Globe,
      run: () => undefined,
    };
  }

  /** The line that reads what is typed, where that is an address. */
  reading(text: string): Entry[] {
    const address = addressIn(text);
    if (!address) return [];
    return [
      {
        id: "read_page",
        label: m.palette_read_page({ host: hostOf(address) }),
        highlights: [],
        icon: BookOpen,
        run: () => this.app.readPage(address),
      },
    ];
  }

  #found(query: string): Section[] {
    const hits = (this.results?.hits ?? []).flatMap((hit, at): Entry[] => {
      const address = webAddress(hit.url)?.href;
      if (!address) return [];
      return [
        {
          id: `web-${at}`,
          label: hit.title || address,
          highlights: [],
          icon: Globe,
          site: address,
          note: hostOf(address),
          run: () => this.app.readPage(address),
        },
      ];
    });
    return [{ title: m.palette_web({ text: query }), entries: [...hits, ...this.#troubles(), wayBack(LEAVE_WEB)] }];
  }

  /** A failure's line leads to where engines are changed. */
  #troubles(): Entry[] {
    const failures = this.failure ? [this.failure] : (this.results?.failures ?? []);
    return failures.map((failure, at) => ({
      id: `trouble-${at}`,
      label: failureLine(failure),
      highlights: [],
      icon: CircleAlert,
      run: () => this.app.openSettings("search"),
    }));
  }
}

/** The line that leads back to the list before. */
export function wayBack(id: string): Entry {
  return { id, label: m.palette_web_back(), highlights: [], icon: ArrowLeft, isBack: true, run: () => undefined };
}

/** An address as people type it: with its scheme, or a host with a dot and a path. */
function addressIn(text: string): string | undefined {
  const typed = text.trim();
  if (/\s/.test(typed) || !/^(https?:\/\/|[^/@:]+\.[a-z]{2,}(\/|$))/i.test(typed)) return undefined;
  return webAddress(/^https?:\/\//i.test(typed) ? typed : `https://${typed}`)?.href;
}
