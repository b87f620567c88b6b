// What keys mean in quick ask, wherever the focus is.

import { matches } from "../../shared/shortcuts";

export type Command = "hide" | "carry-on" | "new" | "stop" | "copy";

export function commandOf(event: KeyboardEvent): Command | null {
  if (matches(event, "hide_quick")) return "hide";
  if (matches(event, "carry_on")) return "carry-on";
  if (matches(event, "new_chat")) return "new";
  if (matches(event, "stop")) return "stop";
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  return isCommand && event.key.toLowerCase() === "c" ? "copy" : null;
}

/** Whether something is selected that copying would mean. A field keeps its selection to itself. */
export function hasSelection(): boolean {
  const active = document.activeElement;
  if (active instanceof HTMLTextAreaElement && active.selectionStart !== active.selectionEnd) return true;
  return (getSelection()?.toString() ?? "") !== "";
}

/** A letter typed outside of the field is meant for the field. */
export function isTyping(event: KeyboardEvent): boolean {
  const isLetter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  return isLetter && !(event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement);
}
