// Keys of the window that belong to no view: from chat to chat, to the search field, to the sheet of keys.
// Those with an action in `AppState` are the shell's; those of the question field, the answer and the page are theirs.

import type { AppState } from "../../app-state.svelte";
import { isComposing, matches } from "../../shared/shortcuts";
import type { LibraryState } from "../library";

export function windowKey(event: KeyboardEvent, app: AppState, library: LibraryState): void {
  if (event.defaultPrevented) return;
  const deed = deedOf(event, app, library);
  if (!deed || isModalOpen()) return;
  event.preventDefault();
  deed();
}

function deedOf(event: KeyboardEvent, app: AppState, library: LibraryState): (() => void) | null {
  if (matches(event, "previous_chat")) return () => library.step(-1);
  if (matches(event, "next_chat")) return () => library.step(1);
  // Where no page is open to find in, Find means the chat, and without one all of them.
  if (matches(event, "find")) return app.reader ? null : () => void library.searchHere();
  if (event.ctrlKey || event.metaKey || event.altKey || isComposing(event) || isTyping(event.target)) return null;
  if (event.key === "/") return () => app.searchHistory();
  if (event.key === "?") return () => (app.palette = "shortcuts");
  return null;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

function isModalOpen(): boolean {
  return document.querySelector("[role='dialog'][aria-modal='true'], [role='alertdialog']") !== null;
}
