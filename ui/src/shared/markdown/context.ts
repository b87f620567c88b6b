// Hands the words for elements made outside of Svelte from the document to its leaves.

import { getContext, setContext } from "svelte";
import type { Labels } from "./hydrate";

const LABELS = Symbol("labels");

export function setLabels(labels: () => Labels): void {
  setContext(LABELS, labels);
}

export function getLabels(): () => Labels {
  return getContext<() => Labels>(LABELS);
}
