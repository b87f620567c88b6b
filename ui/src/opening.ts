// Starts the window that is shown while the app opens its store, or cannot.

import { mount } from "svelte";
import Opening from "./Opening.svelte";
import { openingPlatform } from "./platform/opening";
import { language } from "./shared/i18n.svelte";

// The settings lie in what is being opened: the look is last time's, which `early.js` has put on the document.
await language.choose(lastLanguage());
document.documentElement.lang = language.locale;
document.documentElement.dir = language.dir;
mount(Opening, { target: document.getElementById("app")!, props: { platform: await openingPlatform() } });

/** Empty on the first start: then it is the system's. */
function lastLanguage(): string {
  try {
    const look = JSON.parse(localStorage.getItem("look") ?? "{}") as { language?: unknown };
    return typeof look.language === "string" ? look.language : "";
  } catch {
    return "";
  }
}
