// Remembers which chat quick ask was in, for when its window is made anew.

import type { ChatId } from "../../bindings/bindings";

export type Note = { chat: ChatId; /** When it was last changed here, in milliseconds. */ at: number };

const KEY = "quick-ask";

export function readNote(): Note | null {
  try {
    const note = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<Note> | null;
    return typeof note?.chat === "string" && typeof note.at === "number" ? { chat: note.chat, at: note.at } : null;
  } catch {
    return null;
  }
}

export function writeNote(note: Note | null): void {
  try {
    if (note) localStorage.setItem(KEY, JSON.stringify(note));
    else localStorage.removeItem(KEY);
  } catch {
    // Without it the next window merely starts empty; the chat is in the library.
  }
}
