// Pressed keys as the system is told of them: `CommandOrControl+Shift+Space`.

/** As `AppInfo` tells it; only macOS differs. */
export type Os = string;

export const DEFAULT_KEYS = "CommandOrControl+Shift+Space";

export type Pressed =
  /** Only modifiers so far. */
  | { kind: "held"; keys: string[] }
  /** A key that would be taken from every program if it stood alone. */
  | { kind: "bare" }
  /** A key that has no name to register it by. */
  | { kind: "unknown" }
  | { kind: "chord"; keys: string };

type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey">;

const MODIFIERS = new Set(["Control", "Alt", "Shift", "Meta", "OS", "AltGraph"]);

/** Signs are registered by themselves; the rest that has no letter or digit by its place on the keyboard. */
const SIGNS: Readonly<Record<string, string>> = {
  Comma: ",",
  Period: ".",
  Slash: "/",
  Backslash: "\\",
  Semicolon: ";",
  Quote: "'",
  BracketLeft: "[",
  BracketRight: "]",
  Minus: "-",
  Equal: "=",
  Backquote: "`",
};
const PLAIN = /^(Space|Enter|Home|End|PageUp|PageDown|Insert|Arrow(Up|Down|Left|Right)|F([1-9]|1\d|2[0-4])|Numpad\d)$/;

export function read(event: KeyPress, os: Os): Pressed {
  const held = modifiers(event, os);
  if (MODIFIERS.has(event.key)) return { kind: "held", keys: held };
  const key = keyName(event, os);
  if (key === null) return { kind: "unknown" };
  const guards = held.filter((name) => name !== "Shift");
  // Shift and a letter is writing.
  if (guards.length === 0 && !/^F\d+$/.test(key)) return { kind: "bare" };
  return { kind: "chord", keys: [...held, key].join("+") };
}

function modifiers(event: KeyPress, os: Os): string[] {
  const held: string[] = [];
  if (os === "macos" ? event.metaKey : event.ctrlKey) held.push("CommandOrControl");
  if (os === "macos" && event.ctrlKey) held.push("Control");
  if (os !== "macos" && event.metaKey) held.push("Super");
  if (event.altKey) held.push("Alt");
  if (event.shiftKey) held.push("Shift");
  return held;
}

function keyName(event: KeyPress, os: Os): string | null {
  // Linux and Windows register letters by what is printed on them, macOS by where they are.
  if (os !== "macos" && /^[a-z]$/i.test(event.key)) return event.key.toUpperCase();
  const letter = /^Key([A-Z])$|^Digit(\d)$/.exec(event.code);
  if (letter) return letter[1] ?? letter[2] ?? null;
  return SIGNS[event.code] ?? (PLAIN.test(event.code) ? event.code : null);
}
