// Every keyboard shortcut, once: what the sheet lists, what tooltips show and what key handlers compare with.

import { m } from "./messages";

export type ShortcutGroup = "window" | "chats" | "chat" | "reader" | "quick";
type Row = { keys: string; group: ShortcutGroup; label: () => string };

/** `mod` is ⌘ on a Mac and Ctrl elsewhere. Keys are named by what they type on the person's own layout. */
export const shortcuts = {
  palette: { keys: "mod+k", group: "window", label: m.shared_key_palette },
  shortcut_sheet: { keys: "mod+/", group: "window", label: m.shared_key_sheet },
  settings: { keys: "mod+,", group: "window", label: m.shared_key_settings },
  toggle_sidebar: { keys: "mod+b", group: "window", label: m.shared_key_sidebar },
  new_window: { keys: "mod+shift+n", group: "window", label: m.shared_key_new_window },
  close_window: { keys: "mod+w", group: "window", label: m.shared_key_close_window },
  larger_text: { keys: "mod+plus", group: "window", label: m.shared_key_larger_text },
  smaller_text: { keys: "mod+-", group: "window", label: m.shared_key_smaller_text },
  usual_text: { keys: "mod+0", group: "window", label: m.shared_key_usual_text },

  new_chat: { keys: "mod+n", group: "chats", label: m.shared_key_new_chat },
  search_history: { keys: "mod+shift+f", group: "chats", label: m.shared_key_search },
  previous_chat: { keys: "alt+arrowup", group: "chats", label: m.shared_key_previous_chat },
  next_chat: { keys: "alt+arrowdown", group: "chats", label: m.shared_key_next_chat },
  undo: { keys: "mod+z", group: "chats", label: m.sorting_key_undo },
  select_chat: { keys: "mod+space", group: "chats", label: m.sorting_key_select },

  send: { keys: "enter", group: "chat", label: m.shared_key_send },
  new_line: { keys: "shift+enter", group: "chat", label: m.shared_key_new_line },
  focus_ask: { keys: "mod+l", group: "chat", label: m.shared_key_focus_ask },
  stop: { keys: "mod+.", group: "chat", label: m.shared_key_stop },
  edit_last: { keys: "arrowup", group: "chat", label: m.shared_key_edit_last },
  regenerate: { keys: "mod+shift+r", group: "chat", label: m.shared_key_regenerate },
  copy_answer: { keys: "mod+shift+c", group: "chat", label: m.shared_key_copy_answer },
  find_in_chat: { keys: "mod+f", group: "chat", label: m.shared_key_find_in_chat },
  toggle_sources: { keys: "mod+shift+s", group: "chat", label: m.shared_key_sources },

  find: { keys: "mod+f", group: "reader", label: m.shared_key_find },
  next_citation: { keys: "alt+arrowright", group: "reader", label: m.shared_key_next_citation },
  previous_citation: { keys: "alt+arrowleft", group: "reader", label: m.shared_key_previous_citation },
  open_live: { keys: "mod+shift+o", group: "reader", label: m.shared_key_open_live },
  close_reader: { keys: "escape", group: "reader", label: m.shared_key_close_reader },

  carry_on: { keys: "mod+enter", group: "quick", label: m.shared_key_carry_on },
  hide_quick: { keys: "escape", group: "quick", label: m.shared_key_hide_quick },
} as const satisfies Record<string, Row>;
export type ShortcutId = keyof typeof shortcuts;

const isMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

/** Whether the key press is this shortcut, with exactly its modifiers. Never while an input method is composing. */
export function matches(event: KeyboardEvent, id: ShortcutId): boolean {
  if (isComposing(event)) return false;
  const { key, mods } = read(shortcuts[id].keys);
  const control = isMac() ? event.metaKey : event.ctrlKey;
  const other = isMac() ? event.ctrlKey : event.metaKey;
  if (control !== mods.has("mod") || other || event.altKey !== mods.has("alt")) return false;
  const pressed = keyOf(event);
  if (pressed !== key) return false;
  // On some layouts a sign such as `/` is itself typed with Shift.
  return event.shiftKey === mods.has("shift") || key === "plus" || /^[^\p{L}\p{N}]$/u.test(key);
}

/** Whether a key is the input method's. Some systems tell of the last one of a composition only by its code. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** The keys as they stand on the keyboard: ["⌘", "K"], or ["Ctrl", "K"]. Takes Tauri's spelling too. */
export function keySymbols(keys: string): string[] {
  const { key, mods } = read(keys);
  const names = isMac() ? MAC : ELSEWHERE;
  const order = ["mod", "ctrl", "super", "alt", "shift"].filter((mod) => mods.has(mod));
  const symbols = order.map((mod) => names[mod] ?? mod);
  return key ? [...symbols, KEYS[key] ?? (key.length === 1 ? key.toUpperCase() : capital(key))] : symbols;
}

/** For `aria-keyshortcuts`. */
export function ariaKeys(id: ShortcutId): string {
  const { key, mods } = read(shortcuts[id].keys);
  const names: Record<string, string> = { mod: isMac() ? "Meta" : "Control", alt: "Alt", shift: "Shift" };
  return [...[...mods].map((mod) => names[mod]), key.length === 1 ? key.toUpperCase() : capital(key)].join("+");
}

const MAC: Record<string, string> = { mod: "⌘", ctrl: "⌃", super: "⌘", alt: "⌥", shift: "⇧" };
const ELSEWHERE: Record<string, string> = { mod: "Ctrl", ctrl: "Ctrl", super: "Super", alt: "Alt", shift: "Shift" };
const KEYS: Record<string, string> = {
  enter: "↵",
  escape: "Esc",
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  backspace: "⌫",
  plus: "+",
  "-": "−",
};
const MODS: Record<string, string> = {
  mod: "mod",
  commandorcontrol: "mod",
  cmdorctrl: "mod",
  control: "ctrl",
  ctrl: "ctrl",
  command: "super",
  cmd: "super",
  super: "super",
  meta: "super",
  alt: "alt",
  option: "alt",
  shift: "shift",
};

function read(keys: string): { key: string; mods: Set<string> } {
  const mods = new Set<string>();
  let key = "";
  for (const part of keys.toLowerCase().split("+").filter(Boolean)) {
    const mod = MODS[part];
    if (mod) mods.add(mod);
    else key = part.replace(/^(key|digit)(?=.$)/, "");
  }
  return { key, mods };
}

/** What the key types; a letter of another script is taken by where it lies, so that ⌘K works on an Arabic layout. */
function keyOf(event: KeyboardEvent): string {
  const key = event.key.toLowerCase();
  // Where it is typed with Shift, nobody presses that too.
  if (key === "+" || key === "=") return "plus";
  const isForeign = key.length === 1 && key > "\u007f";
  return isForeign && event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : key;
}

function capital(key: string): string {
  if (key.startsWith("arrow")) return `Arrow${key.charAt(5).toUpperCase()}${key.slice(6)}`;
  return key.charAt(0).toUpperCase() + key.slice(1);
}
