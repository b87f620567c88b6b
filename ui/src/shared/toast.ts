// Short news that needs no answer, said at the window's edge: what was done, and the way to undo it.

import { toast } from "svelte-sonner";

/** What a button beside the words does. */
export type Undo = { label: string; run: () => void };

const SHOWN_MS = 4_000;
/** What can be undone stays long enough to be reached by keyboard. */
const UNDO_MS = 8_000;

/** What is offered to be undone, the latest last; each is here while it shows. */
const offered: { id: string | number; run: () => void }[] = [];

export function say(text: string, undo?: Undo): void {
  if (!undo) return void toast(text, { duration: SHOWN_MS });
  const offer = { id: "" as string | number, run: undo.run };
  const over = () => {
    const at = offered.indexOf(offer);
    if (at >= 0) offered.splice(at, 1);
  };
  offer.id = toast(text, {
    duration: UNDO_MS,
    action: {
      label: undo.label,
      onClick: () => {
        over();
        undo.run();
      },
    },
    onDismiss: over,
    onAutoClose: over,
  });
  offered.push(offer);
}

/** Says something with the way to it, which no key takes. */
export function sayWith(text: string, { label, run }: Undo): void {
  toast(text, { duration: UNDO_MS, action: { label, onClick: run } });
}

/** What is done soon is not told of while it is done. */
const SOON_MS = 600;

/** Something that may take a while: how far it is, with the way to stop it, until it is over. */
export function working({ label, run }: Undo): { far(text: string): void; over(): void } {
  let id: string | number | null = null;
  let latest = "";
  let timer: ReturnType<typeof setTimeout> | null = null;
  const show = () => {
    const action = { label, onClick: run };
    const stays = { duration: Infinity, dismissible: false, closeButton: false };
    id = toast(latest, { ...(id === null ? {} : { id }), ...stays, action });
  };
  return {
    far(text) {
      latest = text;
      if (id !== null) show();
      else timer ??= setTimeout(show, SOON_MS);
    },
    over() {
      if (timer !== null) clearTimeout(timer);
      if (id !== null) toast.dismiss(id);
    },
  };
}

/** Undoes what was done last, if that is still offered; says whether it was. */
export function undoLast(): boolean {
  const last = offered.pop();
  if (!last) return false;
  toast.dismiss(last.id);
  last.run();
  return true;
}
