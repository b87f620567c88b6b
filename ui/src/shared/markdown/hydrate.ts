// Puts inline HTML on the page: sanitised, its placeholders made citations, formulas and marks.

import type { Verdict } from "../../bindings/bindings";
import { math } from "./math.svelte";
import { sanitiseInline } from "./sanitise";

/** The words that elements made here are named with. */
export type Labels = {
  /** What a screen reader says for `[n]`. */
  citation: (number: number) => string;
  /** What it says after a sentence that the sources do not support, or only in part. */
  verdict: (verdict: Exclude<Verdict, "supported">) => string;
};

/** Between it and what stands before it no line ends. */
const JOINER = "\u2060";

/** Makes `element` show `html`, touching no more than what has changed. */
export function show(element: Element, html: string, labels: Labels): void {
  const fragment = sanitiseInline(html);
  for (const place of fragment.querySelectorAll<HTMLElement>("span[data-tex]")) place.replaceWith(formula(place));
  for (const place of fragment.querySelectorAll<HTMLElement>("span[data-cite]")) keep(place, chip(place, labels));
  for (const link of fragment.querySelectorAll<HTMLAnchorElement>("a[href]")) dress(link);
  sayVerdicts(fragment, labels);
  patch(element, fragment);
}

function formula(place: HTMLElement): Node {
  const tex = place.dataset["tex"] ?? "";
  const drawn = math.render(tex, place.dataset["display"] !== undefined);
  if (!drawn) return Object.assign(document.createElement("code"), { textContent: tex });
  const box = document.createElement("span");
  box.className = place.dataset["display"] === undefined ? "math" : "math display";
  box.dir = "ltr";
  box.append(drawn);
  return box;
}

function chip(place: HTMLElement, labels: Labels): HTMLElement {
  const number = Number(place.dataset["cite"]);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "citation";
  button.dataset["cite"] = String(number);
  if (place.dataset["at"] !== undefined) button.dataset["at"] = place.dataset["at"];
  button.setAttribute("aria-label", labels.citation(number));
  button.textContent = String(number);
  return button;
}

/** A line may end before a button whatever stands there, so the joiner before it comes into one piece with it. */
function keep(place: HTMLElement, button: HTMLElement): void {
  const piece = document.createElement("span");
  piece.className = "kept";
  const before = place.previousSibling;
  if (before instanceof Text && before.data.endsWith(JOINER)) {
    before.data = before.data.slice(0, -JOINER.length);
    piece.append(JOINER);
  }
  piece.append(button);
  place.replaceWith(piece);
}

function dress(link: HTMLAnchorElement): void {
  link.rel = "noopener noreferrer nofollow";
  link.draggable = false;
  const { host } = link.dataset;
  if (host === undefined) return;
  link.removeAttribute("data-host");
  const shown = document.createElement("span");
  shown.className = "host";
  shown.textContent = host;
  link.append(" ", shown);
}

/** A sentence may be in several pieces; the words come after its last. */
function sayVerdicts(fragment: DocumentFragment, labels: Labels): void {
  const last = new Map<string, HTMLElement>();
  for (const mark of fragment.querySelectorAll<HTMLElement>("span[data-check]")) last.set(mark.dataset["check"]!, mark);
  for (const mark of last.values()) {
    const words = document.createElement("span");
    words.className = "verdict";
    words.textContent = ` (${labels.verdict(mark.dataset["verdict"] as "partly" | "not_found")})`;
    mark.append(words);
  }
}

/** While text streams, what stands stays the same nodes: a hovered citation and a selection outlive the next word. */
function patch(element: Element, fragment: DocumentFragment): void {
  let old = element.firstChild;
  let next = fragment.firstChild;
  while (old && next && old.isEqualNode(next)) {
    old = old.nextSibling;
    next = next.nextSibling;
  }
  if (old instanceof Text && next instanceof Text && next.data.startsWith(old.data)) {
    old.appendData(next.data.slice(old.length));
    old = old.nextSibling;
    next = next.nextSibling;
  }
  while (old) {
    const after: ChildNode | null = old.nextSibling;
    old.remove();
    old = after;
  }
  while (next) {
    const after: ChildNode | null = next.nextSibling;
    element.append(next);
    next = after;
  }
}
