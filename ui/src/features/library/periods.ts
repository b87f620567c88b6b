// The spans of time that a search offers, and how a chosen one is called.

import { m } from "../../shared/messages";
import { intlTag } from "../../shared/i18n.svelte";
import type { Period } from "./search.svelte";

export const PERIODS = [
  { days: 1, label: m.library_filter_today },
  { days: 7, label: m.library_filter_week },
  { days: 30, label: m.library_filter_month },
  { days: 365, label: m.library_filter_year },
] as const;

export function periodLabel(period: Period): string {
  switch (period.kind) {
    case "any":
      return m.library_filter_any_time();
    case "days":
      return PERIODS.find((each) => each.days === period.days)?.label() ?? m.library_filter_any_time();
    case "range": {
      const days = new Intl.DateTimeFormat(intlTag(), { day: "numeric", month: "short", year: "numeric" });
      return days.formatRange(atNoon(period.from), atNoon(period.until));
    }
  }
}

/** Noon is in its own day wherever the clock is changed. */
function atNoon(day: string): Date {
  return new Date(`${day}T12:00:00`);
}
