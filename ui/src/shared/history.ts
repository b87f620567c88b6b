// The search of the history, where it is not narrowed.

import type { HistoryFilter } from "../bindings/bindings";

/** Everything but Trash. */
export const EVERYWHERE: HistoryFilter = {
  from: null,
  until: null,
  chat: null,
  host: null,
  pinned: false,
  view: null,
  collection: null,
  tag: null,
};
