// What the check of an answer says about its sentences, ready to be drawn: only what a reader should look at twice.

import type { SentenceCheck, Verdict } from "../../bindings/bindings";
import { ByteIndex } from "../bytes";

/** One sentence to be marked, in UTF-16 units of the Markdown. */
export type Mark = { start: number; end: number; verdict: Verdict; /** Index into the checks. */ check: number };

/** The marks of some checks, in reading order. Supported sentences have none. */
export function marksOf(source: string, checks: readonly SentenceCheck[]): Mark[] {
  if (checks.length === 0) return NONE;
  const index = new ByteIndex(source);
  return checks
    .map((check, at) => ({ ...index.range(check.sentence), verdict: check.verdict, check: at }))
    .filter((mark) => mark.verdict !== "supported" && mark.start < mark.end)
    .sort((a, b) => a.start - b.start);
}

// Always the same one: text without marks is not made again because somebody asked again.
const NONE: Mark[] = [];

/** Cuts a stretch of the source where marks begin and end. */
export function* cut(
  marks: readonly Mark[],
  start: number,
  end: number,
): Generator<{ start: number; end: number; mark: Mark | null }> {
  let at = start;
  for (let next = firstEndingAfter(marks, start); next < marks.length && at < end; next++) {
    const mark = marks[next]!;
    if (mark.start >= end) break;
    if (mark.start > at) yield { start: at, end: mark.start, mark: null };
    const from = Math.max(at, mark.start);
    const to = Math.min(end, mark.end);
    if (from < to) yield { start: from, end: to, mark };
    at = Math.max(at, to);
  }
  if (at < end) yield { start: at, end, mark: null };
}

function firstEndingAfter(marks: readonly Mark[], offset: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]!.end > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
