// The shortcuts that mean the same everywhere in the main window. A feature's own come first: it prevents the default.

import type { AppState } from "./app-state.svelte";
import { matches, type ShortcutId } from "./shared/shortcuts";
import { undoLast } from "./shared/toast";

export function onShortcut(app: AppState, event: KeyboardEvent): void {
  if (event.defaultPrevented) return;
  if (matches(event, "undo")) {
    // A field with text in it has its own way back.
    if (!isWriting(event.target) && undoLast()) event.preventDefault();
    return;
  }
  const action = (Object.keys(actions) as (keyof typeof actions)[]).find((id) => matches(event, id));
  if (!action) return;
  event.preventDefault();
  actions[action](app);
}

const actions = {
  palette: (app) => (app.palette = app.palette === "commands" ? null : "commands"),
  shortcut_sheet: (app) => (app.palette = app.palette === "shortcuts" ? null : "shortcuts"),
  settings: (app) => app.openSettings(),
  toggle_sidebar: (app) => app.toggleSidebar(),
  new_window: (app) => void app.platform.newWindow(null),
  close_window: (app) => void app.platform.closeWindow(),
  new_chat: (app) => app.newChat(),
  search_history: (app) => app.searchHistory(),
  focus_ask: (app) => app.ask(),
  larger_text: (app) => app.stepTextSize(1),
  smaller_text: (app) => app.stepTextSize(-1),
  usual_text: (app) => app.stepTextSize(0),
} satisfies Partial<Record<ShortcutId, (app: AppState) => void>>;

function isWriting(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return target.value !== "";
  return target instanceof HTMLElement && target.isContentEditable;
}
