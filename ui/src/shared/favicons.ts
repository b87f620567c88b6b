// Site icons, asked for once per site and kept while the window lives.

import type { Platform } from "../platform/platform";

/** Icons kept; a long session meets thousands of sites. */
const MOST = 500;
const kept = new WeakMap<Platform, Map<string, Promise<string | null>>>();

/** A `data:` address of an image, or `null`. Never rejects. */
export function faviconOf(platform: Platform, pageUrl: string): Promise<string | null> {
  const host = hostOf(pageUrl);
  if (!host) return Promise.resolve(null);
  let icons = kept.get(platform);
  if (!icons) kept.set(platform, (icons = new Map()));
  const known = icons.get(host);
  if (known) return known;
  const asked = platform.favicon(pageUrl).then(
    // Anything but an image inside the address would be a request from the window.
    (icon) => (icon?.startsWith("data:image/") ? icon : null),
    () => null,
  );
  icons.set(host, asked);
  if (icons.size > MOST) icons.delete(icons.keys().next().value!);
  return asked;
}

/** The host without `www.`; empty where the address is none. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host.replace(/^www\./, "");
  } catch {
    return "";
  }
}
