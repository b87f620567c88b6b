// Hands from the document to its blocks and leaves what concerns it as a whole: the words for elements made outside of
// Svelte, and the levels of its headings.

import { getContext, setContext } from "svelte";
import type { Block } from "./blocks";
import type { Labels } from "./hydrate";

const LABELS = Symbol("labels");
const LEVELS = Symbol("levels");

export function setLabels(labels: () => Labels): void {
  setContext(LABELS, labels);
}

export function getLabels(): () => Labels {
  return getContext<() => Labels>(LABELS);
}

export function setLevels(levels: () => ReadonlyMap<Block, number>): void {
  setContext(LEVELS, levels);
}

export function getLevels(): () => ReadonlyMap<Block, number> {
  return getContext<() => ReadonlyMap<Block, number>>(LEVELS);
}
