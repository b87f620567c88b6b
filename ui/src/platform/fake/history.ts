// The fake's search over all history: plain substrings, newest first, with what was found marked in bytes.

import type { Chat, HistoryHit, HistoryQuery, HistoryResults, HitKind, Span } from "../../bindings/bindings";
import { ByteIndex } from "../../shared/bytes";
import type { FakeLibrary } from "./library";
import type { FakeSorting } from "./sorting";

/** How many chats are looked through, so that the huge library answers at once as the real one does. */
const LOOKED_THROUGH = 3_000;

export function searchHistory(library: FakeLibrary, sorting: FakeSorting, query: HistoryQuery): HistoryResults {
  const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return { hits: [], next: null, is_relaxed: false };
  const all = library
    .sorted()
    .slice(0, LOOKED_THROUGH)
    .filter((chat) => passes(chat, query) && sorting.passes(chat, query.filter))
    .flatMap((chat) => hitsIn(library, chat, words));
  const shown = query.after?.shown ?? 0;
  const hits = all.slice(shown, shown + query.limit);
  const reached = shown + hits.length;
  return { hits, next: reached < all.length ? { before: [0, 0, 0], shown: reached } : null, is_relaxed: false };
}

function passes(chat: Chat, { filter }: HistoryQuery): boolean {
  const inView =
    filter.view === "trash"
      ? chat.deleted_at !== null
      : chat.deleted_at === null && (filter.view !== "archived" || chat.archived);
  return (
    inView &&
    (!filter.pinned || chat.pinned) &&
    (!filter.chat || chat.id === filter.chat) &&
    (!filter.from || chat.updated_at >= filter.from) &&
    (!filter.until || chat.updated_at < filter.until)
  );
}

function hitsIn(library: FakeLibrary, chat: Chat, words: string[]): HistoryHit[] {
  const about = { chat_id: chat.id, chat_title: chat.title, score: 1, more_in_chat: 0 };
  const hits: HistoryHit[] = [];
  const add = (kind: HitKind, text: string, rest: Partial<HistoryHit>) => {
    const found = snippet(text, words);
    if (found)
      hits.push({
        ...about,
        kind,
        message_id: null,
        page_id: null,
        url: null,
        title: null,
        when: chat.updated_at,
        ...found,
        ...rest,
      });
  };
  add("chat", chat.title, {});
  for (const message of library.messagesOf(chat.id)) {
    const when = message.created_at;
    add(message.role === "user" ? "question" : "answer", message.content, { message_id: message.id, when });
    for (const { page_id, url, title } of message.pages) {
      add("page", library.page(page_id).text, { message_id: message.id, page_id, url, title, when });
    }
  }
  // A chat is shown with its best two; the rest are only counted.
  const kept = hits.slice(0, 2);
  if (kept.length > 0) kept.at(-1)!.more_in_chat = hits.length - kept.length;
  return kept;
}

function snippet(text: string, words: string[]): { snippet: string; highlights: Span[] } | null {
  const lower = text.toLowerCase();
  const places = words.map((word) => lower.indexOf(word));
  if (places.some((place) => place < 0)) return null;
  const near = Math.max(0, Math.min(...places) - 40);
  const from = near === 0 ? 0 : text.indexOf(" ", near) + 1;
  const line =
    (from > 0 ? "…" : "") +
    text
      .slice(from, from + 180)
      .replace(/\s+/g, " ")
      .trim();
  const index = new ByteIndex(line);
  const highlights = words.flatMap((word) =>
    [...line.toLowerCase().matchAll(new RegExp(word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "gu"))].map((match) =>
      index.span({ start: match.index, end: match.index + word.length }),
    ),
  );
  return { snippet: line, highlights: highlights.sort((a, b) => a.start - b.start) };
}
