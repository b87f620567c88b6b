// The worker's end of `colouring.ts`.

import { type Highlighting, highlighting, type Piece } from "./highlight";
import type { Language } from "./languages";

/** `lines` are the next of the text `id`; without them the text is done with. */
export type Ask = { id: number; language: Language; lines: string[] | null };
export type Reply = { id: number; pieces: Piece[][] | null };

const texts = new Map<number, Promise<Highlighting | null>>();

addEventListener("message", ({ data: { id, language, lines } }: MessageEvent<Ask>) => {
  if (!lines) {
    texts.delete(id);
    return;
  }
  const text = texts.get(id) ?? highlighting(language);
  texts.set(id, text);
  const reply = (pieces: Piece[][] | null) => postMessage({ id, pieces } satisfies Reply);
  text.then((highlighting) => reply(highlighting?.next(lines) ?? null)).catch(() => reply(null));
});
