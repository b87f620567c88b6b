// What the shell says of a start before there is an app: that it is under way or, with a failure, why it came to nothing.

import type { Failure } from "../bindings/bindings";

export type Opening = { failure: Failure | null };

declare global {
  interface Window {
    readonly __OPENING__?: Opening;
  }
}

export function opening(): Opening {
  const told = window.__OPENING__;
  if (told) return told;
  // As in `choose.ts`: on a development server, and in the browser tests, the address says it.
  if (import.meta.env.DEV || import.meta.env.MODE === "fake") {
    const failure = new URLSearchParams(location.search).get("failure");
    return { failure: failure ? (JSON.parse(failure) as Failure) : null };
  }
  return { failure: null };
}
