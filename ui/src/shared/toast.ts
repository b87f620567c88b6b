// Short news that needs no answer, said at the window's edge: what was done, and the way to undo it.

import type { ExternalToast } from "svelte-sonner";

/** What a button beside the words does. */
export type Undo = { label: string; run: () => void };

const SHOWN_MS = 4_000;
/** What can be undone stays long enough to be reached by keyboard. */
const UNDO_MS = 8_000;

/** Ids are ours, so that what is shown can be changed and taken away before it is known to be here. */
let lastId = 0;

/** What is offered to be undone, the latest last; each is here while it shows. */
const offered: { id: string; run: () => void }[] = [];

/** Loaded once the window has been painted, or with the first news; it keeps their order. */
const library = () => import("svelte-sonner");

function show(id: string, text: string, look: ExternalToast): void {
  void library().then(({ toast }) => toast(text, { id, ...look }));
}

function dismiss(id: string): void {
  void library().then(({ toast }) => toast.dismiss(id));
}

function newId(): string {
  return `news-${++lastId}`;
}

export function say(text: string, undo?: Undo): void {
  const id = newId();
  if (!undo) return show(id, text, { duration: SHOWN_MS });
  const offer = { id, run: undo.run };
  const over = () => {
    const at = offered.indexOf(offer);
    if (at >= 0) offered.splice(at, 1);
  };
  offered.push(offer);
  show(id, text, {
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
}

/** Says something with the way to it, which no key takes. */
export function sayWith(text: string, { label, run }: Undo): void {
  show(newId(), text, { duration: UNDO_MS, action: { label, onClick: run } });
}

/** What is done soon is not told of while it is done. */
const SOON_MS = 600;

/** Something that may take a while: how far it is, with the way to stop it, until it is over. */
export function working({ label, run }: Undo): { far(text: string): void; over(): void } {
  const id = newId();
  let isShown = false;
  let latest = "";
  let timer: ReturnType<typeof setTimeout> | null = null;
  const tell = () => {
    isShown = true;
    const action = { label, onClick: run };
    show(id, latest, { duration: Infinity, dismissible: false, closeButton: false, action });
  };
  return {
    far(text) {
      latest = text;
      if (isShown) tell();
      else timer ??= setTimeout(tell, SOON_MS);
    },
    over() {
      if (timer !== null) clearTimeout(timer);
      if (isShown) dismiss(id);
    },
  };
}

/** Undoes what was done last, if that is still offered; says whether it was. */
export function undoLast(): boolean {
  const last = offered.pop();
  if (!last) return false;
  dismiss(last.id);
  last.run();
  return true;
}
