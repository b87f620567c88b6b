// Code is coloured in a worker, so that text never waits for it. The worker lives while there is code to colour.

import type { Piece } from "./highlight";
import type { Ask, Reply } from "./highlight.worker";
import type { Language } from "./languages";

/** One text that is being coloured. */
export interface Colouring {
  /** The colours of the next lines; `null` when there will be none. One call at a time. */
  next(lines: string[]): Promise<Piece[][] | null>;
  close(): void;
}

// Its grammars are worth some megabytes: kept while more code may follow, and not for an app in the background.
const IDLE_MS = 30_000;

let worker: Worker | null = null;
let idle: ReturnType<typeof setTimeout> | undefined;
let lastId = 0;
const waiting = new Map<number, (pieces: Piece[][] | null) => void>();
const open = new Set<number>();

export function openColouring(language: Language): Colouring {
  const id = ++lastId;
  open.add(id);
  clearTimeout(idle);
  return {
    next: (lines) =>
      new Promise((resolve) => {
        waiting.set(id, resolve);
        if (!tell({ id, language, lines })) settle(id, null);
      }),
    close: () => {
      if (!open.delete(id)) return;
      settle(id, null);
      if (worker) tell({ id, language, lines: null });
      if (open.size === 0) idle = setTimeout(end, IDLE_MS);
    },
  };
}

function tell(ask: Ask): boolean {
  worker ??= start();
  worker?.postMessage(ask);
  return worker !== null;
}

function start(): Worker | null {
  if (typeof Worker === "undefined") return null;
  const started = new Worker(new URL("./highlight.worker.ts", import.meta.url), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<Reply>) => settle(data.id, data.pieces));
  started.addEventListener("error", end);
  return started;
}

function settle(id: number, pieces: Piece[][] | null): void {
  const resolve = waiting.get(id);
  waiting.delete(id);
  resolve?.(pieces);
}

function end(): void {
  worker?.terminate();
  worker = null;
  for (const id of [...waiting.keys()]) settle(id, null);
}
