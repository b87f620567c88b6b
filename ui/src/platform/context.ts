// Hands the window's one Platform to every component below the root.

import { getContext, setContext } from "svelte";
import type { Platform } from "./platform";

/** Exported so that a test can put a fake into `render(…, { context })`. */
export const PLATFORM = Symbol("platform");

export function setPlatform(platform: Platform): Platform {
  return setContext(PLATFORM, platform);
}

export function usePlatform(): Platform {
  return getContext<Platform>(PLATFORM);
}
