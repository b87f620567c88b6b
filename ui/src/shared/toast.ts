// Short news that needs no answer, said at the window's edge: what was done, and the way to undo it.

import { toast } from "svelte-sonner";

export type Undo = { label: string; run: () => void };

const SHOWN_MS = 4_000;
/** What can be undone stays long enough to be reached by keyboard. */
const UNDO_MS = 8_000;

export function say(text: string, undo?: Undo): void {
  toast(text, undo ? { duration: UNDO_MS, action: { label: undo.label, onClick: undo.run } } : { duration: SHOWN_MS });
}
