// How long Trash still keeps a chat, in words.

import { m } from "../../shared/messages";
import { formatNumber } from "../../shared/i18n.svelte";

const DAY = 86_400_000;

export function daysLeft(deletedAt: string, days: number, now: Date): string {
  const ends = Date.parse(deletedAt) + days * DAY;
  const count = Math.max(0, Math.ceil((ends - now.getTime()) / DAY));
  return m.library_days_left({ count, shown: formatNumber(count) });
}
