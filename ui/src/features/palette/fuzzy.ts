// How well typed letters fit a name, as launchers do it: in order, not necessarily together; starts of words count
// most, runs next. Says also where the letters are, so that they can be shown.

import type { Range } from "../../shared/bytes";

export type Match = { score: number; ranges: Range[] };

const WORD_START = 8;
const RUN = 8;
const LETTER = 1;
/** Lost for each letter that is skipped between two found ones, up to a few. */
const GAP = 0.5;
const MOST_GAP = 4;

/** `null` where some letter is missing. Words may come in any order: “theme dark” finds “Dark theme”. */
export function fuzzy(query: string, name: string): Match | null {
  const haystack = fold(name);
  const found = new Set<number>();
  let score = 0;
  for (const word of fold(query).split(/\s+/).filter(Boolean)) {
    const match = bestMatch(word, haystack);
    if (match === null) return null;
    score += match.score;
    for (const at of match.places) found.add(at);
  }
  // Of two names with the same letters, the one with less besides is meant.
  score -= haystack.length / 100;
  return { score, ranges: joined([...found].sort((a, b) => a - b)) };
}

/** Lower case without accents, letter for letter as long as the original. */
function fold(text: string): string {
  return Array.from({ length: text.length }, (_, at) => {
    const plain = text[at]!.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.length === 1 ? plain : text[at]!;
  }).join("");
}

/** Tries every place where the word's first letter stands, and from there takes the letters greedily. */
function bestMatch(word: string, haystack: string): { score: number; places: number[] } | null {
  let best: { score: number; places: number[] } | null = null;
  for (let start = haystack.indexOf(word[0]!); start >= 0; start = haystack.indexOf(word[0]!, start + 1)) {
    const places = placesFrom(word, haystack, start);
    if (places === null) break;
    const score = scoreOf(places, haystack);
    if (best === null || score > best.score) best = { score, places };
  }
  return best;
}

function placesFrom(word: string, haystack: string, start: number): number[] | null {
  const places = [start];
  for (const letter of word.slice(1)) {
    const from = places.at(-1)! + 1;
    const next = haystack.indexOf(letter, from);
    if (next < 0) return null;
    // A start of a word further on is what the letter stands for, unless it goes on right here.
    const initial = next === from ? -1 : wordStart(letter, haystack, next);
    places.push(initial >= 0 ? initial : next);
  }
  return places;
}

function wordStart(letter: string, haystack: string, from: number): number {
  for (let at = from; at >= 0; at = haystack.indexOf(letter, at + 1)) {
    if (isWordStart(haystack, at)) return at;
  }
  return -1;
}

function scoreOf(places: readonly number[], haystack: string): number {
  let score = 0;
  places.forEach((at, index) => {
    const before = places[index - 1];
    score += LETTER;
    if (isWordStart(haystack, at)) score += WORD_START;
    if (before === undefined) return;
    if (at === before + 1) score += RUN;
    else score -= Math.min(at - before - 1, MOST_GAP) * GAP;
  });
  return score;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!);
}

function joined(places: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (const at of places) {
    const last = ranges.at(-1);
    if (last?.end === at) last.end = at + 1;
    else ranges.push({ start: at, end: at + 1 });
  }
  return ranges;
}
