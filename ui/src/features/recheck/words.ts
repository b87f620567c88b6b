// The words for what a check found, and for how often one is made.

import type { Every, Recheck, Standing } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import { formatDate, formatNumber } from "../../shared/i18n.svelte";

export const EVERY: readonly (Every | null)[] = [null, "daily", "weekly", "monthly"];

export function everyWords(every: Every | null): string {
  if (every === "daily") return m.recheck_every_daily();
  if (every === "weekly") return m.recheck_every_weekly();
  return every === "monthly" ? m.recheck_every_monthly() : m.recheck_every_off();
}

export function standingWords(standing: Standing): string {
  switch (standing) {
    case "same":
      return m.recheck_same();
    case "changed":
      return m.recheck_changed();
    case "gone":
      return m.recheck_gone();
    case "new":
      return m.recheck_new();
    case "unread":
      return m.recheck_unread();
  }
}

/** "Checked again on 29 Nov 2026: 2 sentences changed". */
export function foundWords(checkedAt: string, changed: number): string {
  const date = formatDate(checkedAt);
  return changed === 0
    ? m.recheck_found_same({ date })
    : m.recheck_found({ date, count: changed, shown: formatNumber(changed) });
}

/** When a check was made, to tell it from others. */
export function whenWords(recheck: Recheck): string {
  return formatDate(recheck.checked_at, { dateStyle: "medium", timeStyle: "short" });
}
