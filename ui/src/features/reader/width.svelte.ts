// How wide the reader is beside the answer: the person's choice, kept for the next start on this machine.

const KEY = "reader-width";
const NARROWEST = 320;
/** The answer keeps at least this much. */
const ROOM_FOR_ANSWER = 440;

export class ReaderWidth {
  /** In CSS pixels; `null` leaves it to the style sheet. */
  chosen = $state<number | null>(read());

  readonly least = NARROWEST;

  most(available: number): number {
    return Math.max(NARROWEST, available - ROOM_FOR_ANSWER);
  }

  choose(width: number, available: number): void {
    this.chosen = Math.round(Math.min(Math.max(width, NARROWEST), this.most(available)));
    write(String(this.chosen));
  }

  reset(): void {
    this.chosen = null;
    write(null);
  }
}

function read(): number | null {
  try {
    const width = Number(localStorage.getItem(KEY));
    return Number.isFinite(width) && width >= NARROWEST ? width : null;
  } catch {
    return null;
  }
}

function write(text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, text);
  } catch {
    // A width that is forgotten is no reason to say anything.
  }
}
