// The direction of some words, by their first letter: an English answer reads from the left in an Arabic window too.
//
// Said here once and not left to `dir="auto"`, for which the browser looks at all of a list again with each word.

import type { Direction } from "./blocks";

const RIGHT_TO_LEFT = /[\p{Script=Arab}\p{Script=Hebr}\p{Script=Syrc}\p{Script=Thaa}\p{Script=Nkoo}\p{Script=Adlm}]/u;

/** `undefined` where there is no letter that would tell. */
export function directionOf(text: string): Direction {
  const letter = /\p{L}/u.exec(text)?.[0];
  if (letter === undefined) return undefined;
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}
