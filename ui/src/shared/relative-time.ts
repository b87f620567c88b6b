// How long ago something was, in words: "just now", "5 minutes ago", "yesterday"; a date when it is a week or more.

import { m } from "./messages";
import { formatDate, intlTag } from "./i18n.svelte";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function relativeTime(when: string | Date, now: number, style: "long" | "narrow" = "long"): string {
  const then = new Date(when);
  const ago = now - then.getTime();
  const words = new Intl.RelativeTimeFormat(intlTag(), { numeric: "auto", style });
  const size = Math.abs(ago);
  const sign = ago < 0 ? 1 : -1;
  if (size < MINUTE) return m.shared_just_now();
  if (size < HOUR) return words.format(sign * Math.round(size / MINUTE), "minute");
  const days = Math.round((startOfDay(new Date(now)) - startOfDay(then)) / DAY);
  if (days === 0 || size < 6 * HOUR) return words.format(sign * Math.round(size / HOUR), "hour");
  if (Math.abs(days) < 7) return words.format(-days, "day");
  const sameYear = then.getFullYear() === new Date(now).getFullYear();
  return formatDate(then, { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
