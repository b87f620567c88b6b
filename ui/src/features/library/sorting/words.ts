// What is said when a change to chats is done.

import type { BulkChange } from "../../../bindings/bindings";
import { m } from "../../../shared/messages";
import { formatNumber } from "../../../shared/i18n.svelte";

/** `name` is the collection's that chats were moved to. */
export function saidOf(change: BulkChange, count: number, name: string | null): string {
  const shown = formatNumber(count);
  switch (change.kind) {
    case "pin":
      return change.on ? m.sorting_pinned({ count, shown }) : m.sorting_unpinned({ count, shown });
    case "archive":
      return change.on ? m.sorting_archived({ count, shown }) : m.sorting_unarchived({ count, shown });
    case "trash":
      return change.on ? m.sorting_trashed({ count, shown }) : m.sorting_restored({ count, shown });
    case "move":
      return name === null ? m.sorting_moved_out({ count, shown }) : m.sorting_moved({ count, shown, name });
    case "tag":
      return change.on
        ? m.sorting_tagged({ count, shown, name: change.name })
        : m.sorting_untagged({ count, shown, name: change.name });
  }
}
