// Which citation is pointed at. A pointer that only passes by opens nothing, and one on its way into the card keeps it.

import type { CitationPlace } from "../../shared/markdown";

const REST_MS = 120;
const LEAVE_MS = 160;

export class Pointed {
  place = $state.raw<CitationPlace | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  point(place: CitationPlace | null): void {
    if (place?.element === this.place?.element) return clearTimeout(this.#timer);
    const isAtOnce = place !== null && (this.place !== null || place.element.matches(":focus-visible"));
    this.#after(isAtOnce ? 0 : place ? REST_MS : LEAVE_MS, place);
  }

  /** The pointer is in the card, or has left it. */
  stay(inside: boolean): void {
    if (inside) clearTimeout(this.#timer);
    else this.#after(LEAVE_MS, null);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.place = null;
  }

  #after(ms: number, place: CitationPlace | null): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Text that streams may have taken it away meanwhile.
      this.place = place?.element.isConnected ? place : null;
    }, ms);
  }
}
