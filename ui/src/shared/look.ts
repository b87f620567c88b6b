// Puts theme, text size and language on the document, and notes them for the next start's first paint (`early.js`).

export type Theme = "dark" | "light" | "system";
/** Of text, in percent. */
export const SIZES = { least: 80, most: 160, step: 10, usual: 100 } as const;
export type Look = { theme: Theme; textScale: number; language: string; dir: "ltr" | "rtl" };

export function isTheme(value: unknown): value is Theme {
  return value === "dark" || value === "light" || value === "system";
}

export function applyLook(look: Look): void {
  const root = document.documentElement;
  if (look.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = look.theme;
  root.style.setProperty("--text-scale", String(look.textScale));
  root.lang = look.language;
  root.dir = look.dir;
  try {
    localStorage.setItem("look", JSON.stringify(look));
  } catch {
    // Without storage the next start merely paints the system's theme first.
  }
}
