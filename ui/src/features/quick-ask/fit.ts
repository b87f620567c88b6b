// Makes the window as tall as what it shows: one request at a time, one a frame at most, and calm while text streams.

/** The tallest that Rust allows, in CSS pixels. */
export const TALLEST = 640;
/** While text streams, a loss of less than this is a line that will come back. */
const TWITCH = 64;

export class WindowFit {
  #wanted = 0;
  #asked = 0;
  #frame = 0;
  #busy = false;
  #ended = false;

  constructor(private readonly fit: (height: number) => Promise<void>) {}

  /** While it is `growing`, the window does not follow every line that goes. */
  want(height: number, growing: boolean): void {
    const whole = Math.min(Math.ceil(height), TALLEST);
    const isTwitch = growing && whole < this.#wanted && this.#wanted - whole < TWITCH;
    if (!isTwitch) this.#wanted = whole;
    this.#schedule();
  }

  /** The window may have been changed by others: asks again, also for the same. */
  renew(): void {
    this.#asked = 0;
    this.#schedule();
  }

  end(): void {
    cancelAnimationFrame(this.#frame);
    this.#ended = true;
  }

  #schedule(): void {
    if (this.#ended || this.#busy || this.#frame || this.#wanted === this.#asked) return;
    this.#frame = requestAnimationFrame(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#frame = 0;
    this.#busy = true;
    this.#asked = this.#wanted;
    try {
      await this.fit(this.#asked);
    } catch {
      // A window that keeps its height still scrolls.
    }
    this.#busy = false;
    this.#schedule();
  }
}
