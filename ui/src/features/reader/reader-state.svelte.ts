// Which page is shown, saved or read now, and which of its sentences. The world is reached through the platform.

import type { Citation, Failure, Page, Span } from "../../bindings/bindings";
import type { ReaderTarget } from "../../app-state.svelte";
import type { Platform } from "../../platform/platform";
import { ByteIndex, type Range as Units } from "../../shared/bytes";
import { asFailure } from "../../shared/failure";

/** How long "copied" is said. */
const SAID_MS = 1_600;

export class ReaderState {
  page = $state.raw<Page | null>(null);
  failure = $state.raw<Failure | null>(null);
  /** Whether the page that is shown is not the wanted one yet. */
  loading = $state(false);
  copied = $state(false);
  target = $state.raw<ReaderTarget | null>(null);
  #bytes: ByteIndex | null = null;
  #saying: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly platform: Platform) {}

  /** Where the cited sentence lies in the page's text. */
  readonly units = $derived.by((): Units | null => {
    const { page, target } = this;
    if (!page || !target?.span || page.id !== target.page_id) return null;
    if (this.#bytes?.text !== page.text) this.#bytes = new ByteIndex(page.text);
    return this.#bytes.range(target.span);
  });

  readonly quote = $derived(this.units ? this.page!.text.slice(this.units.start, this.units.end).trim() : "");

  /** The citations of the answer that led here, and which of them is shown. */
  readonly trail = $derived(trailOf(this.target));

  async open(target: ReaderTarget): Promise<void> {
    this.target = target;
    if (this.page && this.page.id === target.page_id && !this.failure) {
      this.loading = false;
      return;
    }
    this.loading = true;
    this.failure = null;
    try {
      const page = await this.#load(target);
      if (this.target === target) this.page = page;
    } catch (error) {
      if (this.target !== target) return;
      this.page = null;
      this.failure = asFailure(error);
    } finally {
      if (this.target === target) this.loading = false;
    }
  }

  #load({ page_id, address }: ReaderTarget): Promise<Page> {
    return page_id === null ? this.platform.readPage(address ?? "") : this.platform.openPage(page_id);
  }

  retry(): Promise<void> {
    return this.target ? this.open(this.target) : Promise.resolve();
  }

  /** The words with where they stand, ready for a note or a letter. */
  async copyQuote(words: string): Promise<void> {
    const { page } = this;
    if (!page || !words) return;
    await this.platform.copyText(`${words}\n— ${page.title ? `${page.title}, ` : ""}${page.url}`);
    this.copied = true;
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => (this.copied = false), SAID_MS);
  }

  end(): void {
    clearTimeout(this.#saying);
    this.target = null;
  }
}

export type Trail = {
  /** Index of the citation shown, among all places that the answer cites; -1 where it is none of them. */
  at: number;
  stops: readonly ReaderTarget[];
};

/** One stop for each place: a sentence that the answer cites three times is read once. */
function trailOf(target: ReaderTarget | null): Trail {
  if (!target) return { at: -1, stops: [] };
  const seen = new Set<string>();
  const cited = target.trail ?? [];
  const stops = cited.filter(({ page_id, page_span }) => isNew(seen, placeOf(page_id, page_span)));
  return {
    at: stops.findIndex((stop) => placeOf(stop.page_id, stop.page_span) === placeOf(target.page_id ?? "", target.span)),
    stops: stops.map((stop: Citation) => ({ page_id: stop.page_id, span: stop.page_span, trail: cited })),
  };
}

function placeOf(page: string, span: Span | null): string {
  return span ? `${page} ${span.start} ${span.end}` : page;
}

function isNew(seen: Set<string>, place: string): boolean {
  if (seen.has(place)) return false;
  seen.add(place);
  return true;
}
