// Anything that was thrown, as the Failure that the interface knows how to show.

import type { ErrorCode, Failure } from "../bindings/bindings";

export function isFailure(error: unknown): error is Failure {
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}

export function asFailure(error: unknown): Failure {
  if (isFailure(error)) {
    const { code, message, hint, subject } = error;
    return { code, message, hint: hint ?? null, ...(subject ? { subject } : {}) };
  }
  return { code: "internal", message: error instanceof Error ? error.message : String(error), hint: null };
}

/** What would mend a failure of this code; `null` where only time does. */
export type Mend = "retry" | "search" | "models" | "data" | "privacy" | null;

export function mendOf(code: ErrorCode, part: "search" | "model" = "search"): Mend {
  const settings = part === "search" ? "search" : "models";
  switch (code) {
    case "key_refused":
    case "quota_exceeded":
      return settings;
    case "captcha":
    case "rate_limited":
      return settings;
    case "offline":
    case "timed_out":
    case "upstream":
    case "no_results":
    case "internal":
    case "cancelled":
      return "retry";
    case "private":
      return "privacy";
    case "storage":
    case "read_only":
      return "data";
    case "invalid":
    case "not_found":
    case "refused":
    case "too_large":
      return null;
  }
}
