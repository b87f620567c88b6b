// Which heading of the list a chat stands under: Pinned, the days just gone, then one for each month.

import { formatDate, intlTag } from "../../shared/i18n.svelte";
import { m } from "../../shared/messages";

export type Group =
  | { kind: "pinned" | "today" | "yesterday" | "week" | "thirty" }
  /** `month` counts from 0. */
  | { kind: "month"; year: number; month: number };

export const PINNED: Group = { kind: "pinned" };
const TODAY: Group = { kind: "today" };
const YESTERDAY: Group = { kind: "yesterday" };
const WEEK: Group = { kind: "week" };
const THIRTY: Group = { kind: "thirty" };

export function groupKey(group: Group): string {
  return group.kind === "month" ? `group:${group.year}-${group.month}` : `group:${group.kind}`;
}

export function groupLabel(group: Group, now: Date): string {
  switch (group.kind) {
    case "pinned":
      return m.library_group_pinned();
    case "today":
      return m.library_group_today();
    case "yesterday":
      return m.library_group_yesterday();
    case "week":
      return m.library_group_week();
    case "thirty":
      return m.library_group_thirty();
    case "month":
      return monthLabel(group.year, group.month, now);
  }
}

/** Sorts moments into groups as the calendar stands at one moment; made anew when the day changes. */
export class Calendar {
  readonly #today: number;
  readonly #yesterday: number;
  readonly #week: number;
  readonly #thirty: number;
  /** The month that was asked for last, because a list asks for its months in order. */
  #from = 0;
  #until = 0;
  #month: Group = TODAY;

  constructor(now: Date) {
    // By the calendar and not by hours: a day that clocks change in has 23 or 25.
    const daysBefore = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).getTime();
    this.#today = daysBefore(0);
    this.#yesterday = daysBefore(1);
    this.#week = daysBefore(7);
    this.#thirty = daysBefore(30);
  }

  groupOf(when: string): Group {
    const at = Date.parse(when);
    if (at >= this.#today) return TODAY;
    if (at >= this.#yesterday) return YESTERDAY;
    if (at >= this.#week) return WEEK;
    if (at >= this.#thirty) return THIRTY;
    if (at >= this.#from && at < this.#until) return this.#month;
    const date = new Date(at);
    const [year, month] = [date.getFullYear(), date.getMonth()];
    this.#from = new Date(year, month).getTime();
    this.#until = new Date(year, month + 1).getTime();
    return (this.#month = { kind: "month", year, month });
  }
}

/** Until the next midnight; never so short that a clock that is set back could make a loop of it. */
export function untilTomorrow(now: Date): number {
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime();
  return Math.max(tomorrow - now.getTime(), 1000);
}

function monthLabel(year: number, month: number, now: Date): string {
  const options: Intl.DateTimeFormatOptions =
    year === now.getFullYear() ? { month: "long" } : { month: "long", year: "numeric" };
  const name = formatDate(new Date(year, month), options);
  return name.charAt(0).toLocaleUpperCase(intlTag()) + name.slice(1);
}
