// Brings a place of a long page into the middle of the view, also when what lies between was never laid out.

import { nextFrame } from "../../shared/painted";

/** Parts out of sight have guessed heights, so each jump shows a little better where the place really is. */
const MOST_JUMPS = 8;

export async function centre(scroller: HTMLElement, rectOf: () => DOMRect, isWanted: () => boolean): Promise<void> {
  for (let jump = 0; jump < MOST_JUMPS && isWanted(); jump++) {
    const before = scroller.scrollTop;
    scroller.scrollTop += offCentre(scroller, rectOf());
    if (jump > 0 && Math.abs(scroller.scrollTop - before) < 1) return;
    await nextFrame();
  }
}

/** How far a place is from the middle; a place taller than the view shows its beginning. */
function offCentre(scroller: HTMLElement, place: DOMRect): number {
  const view = scroller.getBoundingClientRect();
  const room = view.height - place.height;
  return place.top - view.top - (room > 0 ? room / 2 : view.height / 8);
}

/** The first text that can be seen, as a place to search from. */
export function firstInView(scroller: HTMLElement, nodes: readonly Text[]): StaticRange | null {
  const { top } = scroller.getBoundingClientRect();
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // Of a part that is not laid out the parts' own boxes speak.
    const box = (nodes[middle]!.parentElement?.closest(".part > *") ?? scroller).getBoundingClientRect();
    const part = nodes[middle]!.parentElement?.closest(".part")?.getBoundingClientRect();
    if ((part && part.bottom <= top) || (box.height > 0 && box.bottom <= top)) low = middle + 1;
    else high = middle;
  }
  const node = nodes[low];
  return node ? new StaticRange({ startContainer: node, startOffset: 0, endContainer: node, endOffset: 0 }) : null;
}
