// What a pointer or a key does to links and citations in rendered text. One set of listeners for a whole document.

import type { Attachment } from "svelte/attachments";

/** A citation in the text, as it stands there. */
export type CitationPlace = {
  number: number;
  /** Where its `[n]` stands in the Markdown, in UTF-16 units; `null` where that is not known. */
  at: number | null;
  element: HTMLElement;
};
export type CitationHandlers = {
  /** The pointer or the focus has come to a citation, or with `null` left it. */
  onpoint?: (place: CitationPlace | null) => void;
  onactivate?: (place: CitationPlace) => void;
};

/** Links lead into the browser, by whatever button they are pressed, and never anywhere in this window. */
export function links(open: (url: string) => void): Attachment<HTMLElement> {
  return (root) => {
    const press = (event: MouseEvent) => {
      const link = closest(event, "a[href]") as HTMLAnchorElement | null;
      if (!link) return;
      event.preventDefault();
      // The right button asks for a menu.
      if (event.button !== 2) open(link.href);
    };
    const drag = (event: DragEvent) => {
      if (closest(event, "a")) event.preventDefault();
    };
    return listen(root, { click: press, auxclick: press, dragstart: drag });
  };
}

export function citations(handlers: () => CitationHandlers): Attachment<HTMLElement> {
  return (root) => {
    const point = (event: Event) => {
      const place = placeOf(event);
      if (place) handlers().onpoint?.(place);
    };
    const leave = (event: MouseEvent | FocusEvent) => {
      const from = placeOf(event);
      if (from && event.relatedTarget !== from.element) handlers().onpoint?.(null);
    };
    const press = (event: Event) => {
      const place = placeOf(event);
      if (place) handlers().onactivate?.(place);
    };
    return listen(root, { pointerover: point, focusin: point, pointerout: leave, focusout: leave, click: press });
  };
}

function placeOf(event: Event): CitationPlace | null {
  const element = closest(event, "button.citation") as HTMLElement | null;
  if (!element) return null;
  const { cite, at } = element.dataset;
  return { number: Number(cite), at: at === undefined ? null : Number(at), element };
}

function closest(event: Event, selector: string): Element | null {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

type Listeners = { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };

function listen(root: HTMLElement, listeners: Listeners): () => void {
  const all = Object.entries(listeners) as [string, EventListener][];
  for (const [name, listener] of all) root.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of all) root.removeEventListener(name, listener);
  };
}
