// This window, as what events are told to.

import { listen } from "@tauri-apps/api/event";
import type { Webview } from "@tauri-apps/api/webview";

declare global {
  interface Window {
    readonly __TAURI_INTERNALS__: { readonly metadata: { readonly currentWebview: { readonly label: string } } };
  }
}

/**
 * What is told to one window all of them would hear, were they not to say which they are. Tauri's own object brings along
 * all that can be done to a window, which each start would have to read.
 */
export function ownWindow(): Webview {
  const target = { kind: "Webview", label: window.__TAURI_INTERNALS__.metadata.currentWebview.label } as const;
  const own: Pick<Webview, "listen"> = { listen: (event, handler) => listen(event, handler, { target }) };
  return own as Webview;
}
