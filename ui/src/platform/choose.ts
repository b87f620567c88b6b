// Picks the world that this window lives in: Tauri's when it runs in the app, the fake one on a development server.

import type { WindowKind } from "../bindings/bindings";
import type { Platform } from "./platform";
import { tauriPlatform } from "./tauri";

export async function choosePlatform(window: WindowKind): Promise<Platform> {
  const start = globalThis.window.__START__;
  if (start) return tauriPlatform(start);
  // The bundler leaves this out of the app: only the browser tests build in the mode `fake`.
  if (import.meta.env.DEV || import.meta.env.MODE === "fake") {
    const [{ FakePlatform }, { fakeOptions }] = await Promise.all([import("./fake"), import("./fake/options")]);
    const fake = new FakePlatform(window, fakeOptions(new URLSearchParams(location.search)));
    // A test looks here at what the window did to the world, and does to the window what the world would.
    return Object.assign(globalThis, { fakePlatform: fake }).fakePlatform;
  }
  throw new Error("DeepSearch's window only works inside the app.");
}
