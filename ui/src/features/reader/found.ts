// Paints what was found in the page, without touching the page itself.

import type { FindState } from "./find.svelte";

const ALL = "reader-found";
const HERE = "reader-here";

export function paint(find: FindState): void {
  const here = find.current();
  if (!("highlights" in CSS)) return select(here);
  CSS.highlights.set(ALL, new Highlight(...find.ranges()));
  const current = new Highlight(...(here ? [here] : []));
  current.priority = 1;
  CSS.highlights.set(HERE, current);
}

export function unpaint(): void {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(ALL);
  CSS.highlights.delete(HERE);
}

/** Older web views have no highlights: there the one that is looked at is selected. */
function select(range: StaticRange | null): void {
  if (!range) return;
  const { startContainer, startOffset, endContainer, endOffset } = range;
  getSelection()?.setBaseAndExtent(startContainer, startOffset, endContainer, endOffset);
}

/** The place of a static range on the screen. */
export function rectOf(range: StaticRange): DOMRect {
  const live = document.createRange();
  live.setStart(range.startContainer, range.startOffset);
  live.setEnd(range.endContainer, range.endOffset);
  return live.getBoundingClientRect();
}
