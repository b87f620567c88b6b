// A search as it is kept, and as it is asked again.

import type { SavedSearch, SavedQuery } from "../../../bindings/bindings";
import { asHistoryFilter, type Period, type SearchFilter } from "../search.svelte";

export function asSavedQuery(text: string, filter: SearchFilter, now: Date): SavedQuery {
  const asked = asHistoryFilter(filter, now);
  // The last days are counted anew from the day on which it is asked.
  if (filter.period.kind !== "days") return { text, filter: asked, days: null };
  return { text, filter: { ...asked, from: null, until: null }, days: filter.period.days };
}

export function asSearchFilter({ name, query: { filter, days } }: SavedSearch, now: Date): SearchFilter {
  const { view, pinned, host, chat, collection, tag } = filter;
  return {
    period: periodOf(filter.from, filter.until, days, now),
    view,
    pinned,
    host,
    chat: chat === null ? null : { id: chat, title: name },
    collection,
    tag,
  };
}

function periodOf(from: string | null, until: string | null, days: number | null, now: Date): Period {
  if (days !== null) return { kind: "days", days };
  if (from === null && until === null) return { kind: "any" };
  // The command can leave either end open; here a range has both.
  const first = from === null ? new Date(2000, 0, 1) : new Date(from);
  const end = until === null ? now : new Date(Date.parse(until) - 1);
  return { kind: "range", from: dayOf(first), until: dayOf(end) };
}

function dayOf(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
