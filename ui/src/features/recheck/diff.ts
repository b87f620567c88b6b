// What differs between two sentences, word by word, so that the eye finds it.

export type Piece = { text: string; changed: boolean };

/** Longer texts are told whole: comparing them costs more than it shows. */
const MOST = 160;

/** Both texts in pieces, with what the other does not have marked. Where they have little in common, nothing is. */
export function differences(before: string, now: string, language: string): { before: Piece[]; now: Piece[] } {
  const whole = { before: [{ text: before, changed: false }], now: [{ text: now, changed: false }] };
  const [old, young] = [words(before, language), words(now, language)];
  if (old.length > MOST || young.length > MOST) return whole;
  const kept = common(old, young);
  const inCommon = kept.filter(([at]) => /[\p{L}\p{N}]/u.test(old[at]!)).length;
  const count = (list: string[]) => list.filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  if (inCommon * 2 < Math.max(count(old), count(young))) return whole;
  return {
    before: pieces(old, new Set(kept.map(([at]) => at))),
    now: pieces(young, new Set(kept.map(([, at]) => at))),
  };
}

function words(text: string, language: string): string[] {
  return [...new Intl.Segmenter(language, { granularity: "word" }).segment(text)].map(({ segment }) => segment);
}

/** The longest run of words that both have in the same order, as places in each. */
function common(old: readonly string[], young: readonly string[]): [number, number][] {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint16Array(young.length + 1));
  for (let a = old.length - 1; a >= 0; a--) {
    for (let b = young.length - 1; b >= 0; b--) {
      lengths[a]![b] =
        old[a] === young[b] ? lengths[a + 1]![b + 1]! + 1 : Math.max(lengths[a + 1]![b]!, lengths[a]![b + 1]!);
    }
  }
  const found: [number, number][] = [];
  for (let [a, b] = [0, 0]; a < old.length && b < young.length;) {
    if (old[a] === young[b]) found.push([a++, b++]);
    else if (lengths[a + 1]![b]! >= lengths[a]![b + 1]!) a++;
    else b++;
  }
  return found;
}

/** Neighbours of one kind become one piece; a space between two changed words is part of the change. */
function pieces(list: readonly string[], kept: ReadonlySet<number>): Piece[] {
  const joined: Piece[] = [];
  list.forEach((text, at) => {
    const isSpace = text.trim() === "";
    const changed = isSpace ? !kept.has(at - 1) && !kept.has(at + 1) && at > 0 : !kept.has(at);
    const last = joined.at(-1);
    if (last && last.changed === changed) last.text += text;
    else joined.push({ text, changed });
  });
  return joined;
}
