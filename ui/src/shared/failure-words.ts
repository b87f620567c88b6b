// A failure in the words of the reader. The app tells it in English; every other language has a text for each kind of
// failure, and keeps what the app said beside it where that says more.

import type { ErrorCode, Failure } from "../bindings/bindings";
import { m } from "./messages";
import { language } from "./i18n.svelte";
import { nameOf } from "./names";

export type FailureWords = {
  headline: string;
  /** What to do next. */
  hint: string | null;
  /** What the app said, in English; `null` where it would be said twice. */
  detail: string | null;
};

type Words = {
  plain: () => string;
  /** With whom it happened. */
  at?: (blanks: { subject: string }) => string;
  hint?: () => string;
  /** What to do where it is known with whom it happened. */
  atHint?: () => string;
  /** That and with whom it happened is the whole of it. */
  whole?: boolean;
};

const WORDS: Record<ErrorCode, Words> = {
  invalid: { plain: m.failures_invalid },
  not_found: { plain: m.failures_not_found, at: m.failures_not_found_at, hint: m.failures_not_found_hint },
  offline: { plain: m.failures_offline, at: m.failures_offline_at, hint: m.failures_offline_hint, whole: true },
  timed_out: { plain: m.failures_timed_out, at: m.failures_timed_out_at, hint: m.failures_timed_out_hint, whole: true },
  captcha: { plain: m.failures_captcha, at: m.failures_captcha_at, hint: m.failures_captcha_hint, whole: true },
  rate_limited: {
    plain: m.failures_rate_limited,
    at: m.failures_rate_limited_at,
    hint: m.failures_rate_limited_hint,
    whole: true,
  },
  quota_exceeded: {
    plain: m.failures_quota_exceeded,
    at: m.failures_quota_exceeded_at,
    hint: m.failures_quota_exceeded_hint,
    whole: true,
  },
  key_refused: {
    plain: m.failures_key_refused,
    at: m.failures_key_refused_at,
    hint: m.failures_key_refused_hint,
    atHint: m.failures_key_refused_at_hint,
    whole: true,
  },
  no_results: { plain: m.failures_no_results, at: m.failures_no_results_at, hint: m.failures_no_results_hint },
  refused: { plain: m.failures_refused, at: m.failures_refused_at },
  private: { plain: m.failures_private, at: m.failures_private_at, hint: m.failures_private_hint, whole: true },
  upstream: { plain: m.failures_upstream, at: m.failures_upstream_at, hint: m.failures_upstream_hint },
  too_large: { plain: m.failures_too_large, at: m.failures_too_large_at, hint: m.failures_too_large_hint },
  cancelled: { plain: m.failures_cancelled, hint: m.failures_cancelled_hint },
  storage: { plain: m.failures_storage, hint: m.failures_storage_hint },
  read_only: { plain: m.failures_read_only, hint: m.failures_read_only_hint },
  internal: { plain: m.failures_internal, hint: m.failures_internal_hint },
};

type Where = {
  /** Whom it happened with is written beside it already. */
  named?: boolean;
  /** Nothing here tries again, so that nobody is told to. */
  final?: boolean;
};

export function failureWords(failure: Failure, { named = false, final = false }: Where = {}): FailureWords {
  const { subject } = failure;
  const { plain, at, whole, ...hints } = WORDS[failure.code];
  const hint = (subject ? hints.atHint : undefined) ?? hints.hint;
  if (language.locale === "en" && failure.message) {
    const own = failure.hint && !fits(failure.hint, final) ? (hint?.() ?? null) : failure.hint;
    return { headline: failure.message, hint: own, detail: null };
  }
  const headline = subject && at && !named ? at({ subject: nameOf(subject) }) : plain();
  const isSaid = !failure.message || (whole === true && !!subject);
  return { headline, hint: hint?.() ?? null, detail: isSaid ? null : failure.message };
}

/** In one line, for where no more than a text fits. */
export function failureLine(failure: Failure, where?: Where): string {
  const { headline, detail } = failureWords(failure, where);
  // English keeps its own direction among words that run the other way.
  return detail ? `${headline} \u2068${detail}\u2069` : headline;
}

/** A hint that is a command helps in a terminal, and the window has its own ways. */
function fits(hint: string, final: boolean): boolean {
  return !/`deepsearch /.test(hint) && !(final && /\btry again\b/i.test(hint));
}
