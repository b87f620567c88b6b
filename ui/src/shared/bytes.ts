// Rust counts text in UTF-8 bytes, JavaScript in UTF-16 units; spans cross the border here and nowhere else.

import type { Span } from "../bindings/bindings";

/** UTF-16 indices of some text, half-open. */
export type Range = { start: number; end: number };

/** Answers where bytes of one text are, in time that grows with the logarithm of its length. */
export class ByteIndex {
  readonly bytes: number;
  /** Byte and index at every boundary where the two drift apart further; ascending. */
  readonly #bytesAt: number[] = [0];
  readonly #unitsAt: number[] = [0];

  constructor(readonly text: string) {
    let byte = 0;
    let unit = 0;
    while (unit < text.length) {
      const code = text.codePointAt(unit)!;
      const units = code > 0xffff ? 2 : 1;
      byte += width(code);
      unit += units;
      if (code > 0x7f) {
        this.#bytesAt.push(byte);
        this.#unitsAt.push(unit);
      }
    }
    this.bytes = byte;
  }

  /** The index of a byte; one inside a character is taken as that character's start, one past the end as the end. */
  unitAt(byte: number): number {
    const at = lastAtMost(this.#bytesAt, byte);
    return Math.min(this.#unitsAt[at]! + (byte - this.#bytesAt[at]!), this.#asciiUntil(at));
  }

  /** The byte of an index, by the same rule. */
  byteAt(unit: number): number {
    const at = lastAtMost(this.#unitsAt, unit);
    const within = Math.min(unit, this.#asciiUntil(at)) - this.#unitsAt[at]!;
    return this.#bytesAt[at]! + within;
  }

  /** After a boundary comes ASCII, up to where the next wide character starts: there bytes and units step together. */
  #asciiUntil(at: number): number {
    const next = this.#unitsAt[at + 1];
    if (next === undefined) return this.text.length;
    return next - (next >= 2 && this.text.codePointAt(next - 2)! > 0xffff ? 2 : 1);
  }

  range(span: Span): Range {
    return { start: this.unitAt(span.start), end: this.unitAt(span.end) };
  }

  span(range: Range): Span {
    return { start: this.byteAt(range.start), end: this.byteAt(range.end) };
  }

  slice(span: Span): string {
    return this.text.slice(this.unitAt(span.start), this.unitAt(span.end));
  }
}

/** How many bytes UTF-8 takes for the text. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += width(character.codePointAt(0)!);
  return bytes;
}

/** Text cut at its highlights, in order, for showing found words; overlaps are joined. */
export function highlighted(text: string, highlights: readonly Span[]): { text: string; marked: boolean }[] {
  const index = new ByteIndex(text);
  const parts: { text: string; marked: boolean }[] = [];
  let from = 0;
  for (const span of [...highlights].sort((a, b) => a.start - b.start)) {
    const { start, end } = index.range(span);
    if (end <= from) continue;
    const begin = Math.max(start, from);
    if (begin > from) parts.push({ text: text.slice(from, begin), marked: false });
    parts.push({ text: text.slice(begin, end), marked: true });
    from = end;
  }
  if (from < text.length) parts.push({ text: text.slice(from), marked: false });
  return parts;
}

function width(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** The last position in an ascending list whose value is at most `value`; 0 when none is. */
function lastAtMost(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
