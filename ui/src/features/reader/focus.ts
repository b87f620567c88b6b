// Remembers where the focus was before the reader took it, and gives it back: to the citation that was pressed.

export function focusKeeper() {
  let before: HTMLElement | null = null;
  return {
    /** Walking on inside the panel does not change where it was opened from. */
    note(panel: HTMLElement): void {
      const active = document.activeElement;
      if (active instanceof HTMLElement && active !== document.body && !panel.contains(active)) before = active;
    },
    giveBack(): void {
      const heir = before?.isConnected ? before : document.getElementById("main");
      heir?.focus({ preventScroll: true });
    },
  };
}
