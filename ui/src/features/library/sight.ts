// Which rows of an evenly spaced list are in sight, before and after it changed.

import type { Row } from "./chat-list.svelte";
import type { Group } from "./groups";

export type InSight = { key: string; offset: number };

/** The first row in sight that is in both lists, and how far it lies from the top; `null` at the very top. */
export function firstInSight(
  before: readonly Row[],
  after: readonly Row[],
  top: number,
  rowHeight: number,
): InSight | null {
  if (top <= 0) return null;
  const first = Math.floor(top / rowHeight);
  // Appending is the common case, and leaves what is in sight where it is.
  if (before[first] !== undefined && before[first]?.key === after[first]?.key) return null;
  const remaining = new Set(after.map((row) => row.key));
  for (let at = first; at < before.length; at++) {
    const row = before[at]!;
    if (row.kind === "chat" && remaining.has(row.key)) return { key: row.key, offset: top - at * rowHeight };
  }
  return null;
}

/** The heading that what is in sight belongs to, pushed up by the next one. `null` where it can be seen itself. */
export function stuckHeading(
  rows: readonly Row[],
  top: number,
  rowHeight: number,
): { group: Group; shift: number } | null {
  if (top <= 0) return null;
  const first = Math.min(Math.floor(top / rowHeight), rows.length - 1);
  for (let at = first; at >= 0; at--) {
    const row = rows[at]!;
    if (row.kind !== "group") continue;
    const next = rows[first + 1];
    return {
      group: row.group,
      shift: next?.kind === "group" ? Math.min(0, (first + 1) * rowHeight - top - rowHeight) : 0,
    };
  }
  return null;
}
