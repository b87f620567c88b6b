// A moment as a list says it: the hour of today, the day of this year, else the whole date.

import { formatDate } from "../../shared/i18n.svelte";

export function shortDate(when: string, now: Date): string {
  const date = new Date(when);
  if (date.toDateString() === now.toDateString()) return formatDate(date, { hour: "numeric", minute: "2-digit" });
  if (date.getFullYear() === now.getFullYear()) return formatDate(date, { day: "numeric", month: "short" });
  return formatDate(date, { day: "numeric", month: "short", year: "numeric" });
}
