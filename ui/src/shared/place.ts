// Puts a small floating box beside the element it belongs to: below where there is room, else above, inside the window.

const GAP = 6;
const EDGE = 8;

export function placeBeside(box: HTMLElement, owner: Element): void {
  const at = owner.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + GAP;
  const top = below + height + EDGE <= innerHeight ? below : at.top - GAP - height;
  const middle = at.left + at.width / 2 - width / 2;
  box.style.top = `${Math.round(Math.max(EDGE, top))}px`;
  box.style.left = `${Math.round(Math.min(Math.max(EDGE, middle), innerWidth - width - EDGE))}px`;
}
