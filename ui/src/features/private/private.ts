// Whether private mode is on, as the settings say.

import type { AppState } from "../../app-state.svelte";

export const PRIVACY = "privacy.mode";

/** The setting is a word and no switch, so that there may be more modes one day. */
export function isPrivate(app: AppState): boolean {
  return app.settings.get(PRIVACY)?.value === "private";
}
