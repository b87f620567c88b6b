// Chats that are dragged onto a collection, with the pointer's own events: a webview keeps the browser's dragging for
// files that come from outside.

import type { ChatId, CollectionId } from "../../../bindings/bindings";

/** A hand that clicks moves less than this. */
const MOVED_PX = 6;

export class ChatDrag {
  /** What is being dragged; `null` while nothing is. */
  chats = $state.raw<readonly ChatId[] | null>(null);
  title = $state("");
  x = $state(0);
  y = $state(0);
  /** The collection that it would be dropped on. */
  over = $state<CollectionId | null>(null);

  /** Follows the pointer from where it went down; nothing is dragged before it has moved. */
  begin(event: PointerEvent, chats: readonly ChatId[], title: string, ondrop: (to: CollectionId) => void): void {
    const listening = new AbortController();
    const { signal } = listening;
    const end = () => {
      listening.abort();
      this.chats = null;
      this.over = null;
    };
    const move = ({ clientX, clientY }: PointerEvent) => {
      if (!this.chats && Math.hypot(clientX - event.clientX, clientY - event.clientY) < MOVED_PX) return;
      this.chats = chats;
      this.title = title;
      this.x = clientX;
      this.y = clientY;
      this.over = collectionAt(clientX, clientY);
    };
    const up = () => {
      const { over } = this;
      if (this.chats) swallowClick(true);
      end();
      if (over !== null) ondrop(over);
    };
    const key = (pressed: KeyboardEvent) => {
      if (pressed.key !== "Escape" || !this.chats) return;
      pressed.preventDefault();
      pressed.stopPropagation();
      swallowClick(false);
      end();
    };
    window.addEventListener("selectstart", (selecting) => selecting.preventDefault(), { signal });
    window.addEventListener("pointermove", move, { signal });
    window.addEventListener("pointerup", up, { signal });
    window.addEventListener("pointercancel", end, { signal });
    window.addEventListener("blur", end, { signal });
    window.addEventListener("keydown", key, { signal, capture: true });
  }
}

function collectionAt(x: number, y: number): CollectionId | null {
  return document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-collection]")?.dataset.collection ?? null;
}

/** Letting go is no click on what lies there; `released` where the button is up already. */
function swallowClick(released: boolean): void {
  const done = new AbortController();
  const { signal } = done;
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const over = () => setTimeout(() => done.abort());
  window.addEventListener("click", swallow, { capture: true, once: true, signal });
  if (released) over();
  else window.addEventListener("pointerup", over, { once: true, signal });
}
