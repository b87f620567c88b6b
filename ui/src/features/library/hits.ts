// The hits of a search as rows to draw: under each chat what was found in it, and how much more there is.

import type { ChatId, HistoryHit } from "../../bindings/bindings";

export type HitRow =
  /** The chat's title; `hit` when the title itself was found. */
  | { kind: "chat"; key: string; chat: ChatId; title: string; hit: HistoryHit | null }
  | { kind: "hit"; key: string; hit: HistoryHit }
  | { kind: "more"; key: string; chat: ChatId; title: string; count: number };

/** Hits of one chat stand together within a page; one that comes back on a later page is headed again. */
export function hitRows(hits: readonly HistoryHit[]): HitRow[] {
  const rows: HitRow[] = [];
  let chat: ChatId | null = null;
  hits.forEach((hit, at) => {
    const { chat_id, chat_title, kind, more_in_chat } = hit;
    if (chat_id !== chat) {
      rows.push({
        kind: "chat",
        key: `${at}:chat`,
        chat: chat_id,
        title: chat_title,
        hit: kind === "chat" ? hit : null,
      });
      chat = chat_id;
    }
    if (kind !== "chat") rows.push({ kind: "hit", key: `${at}:hit`, hit });
    if (more_in_chat > 0) {
      rows.push({ kind: "more", key: `${at}:more`, chat: chat_id, title: chat_title, count: more_in_chat });
    }
  });
  return rows;
}

/** Whether the arrow keys stop at a row: a title that merely heads its hits says nothing of its own. */
export function isChoice(row: HitRow): boolean {
  return row.kind !== "chat" || row.hit !== null;
}

/** The next row that can be chosen, from `from` in steps of one; `from` itself where there is none. */
export function nextChoice(rows: readonly HitRow[], from: number, step: 1 | -1): number {
  for (let at = from + step; at >= 0 && at < rows.length; at += step) {
    if (isChoice(rows[at]!)) return at;
  }
  return from;
}

export function hostOf(url: string | null): string | null {
  if (url === null || !URL.canParse(url)) return null;
  return new URL(url).host.replace(/^www\./, "") || null;
}

/** The host in what someone typed: a bare name, or a whole address that was pasted. `null` for nothing. */
export function hostTyped(text: string): string | null {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "") return null;
  return hostOf(/^[a-z]+:\/\//.test(trimmed) ? trimmed : `https://${trimmed}`);
}
