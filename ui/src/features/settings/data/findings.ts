// What the health check found, in the words of the reader.

import type { Finding, Found } from "../../../bindings/bindings";
import { failureWords } from "../../../shared/failure-words";
import { formatDate, formatNumber } from "../../../shared/i18n.svelte";
import { m } from "../../../shared/messages";
import { nameOf } from "../../../shared/names";

export type FindingWords = {
  part: string;
  says: string;
  /** What to do. */
  hint: string | null;
  /** What the app said of a failure, in English; `null` where it would be said twice. */
  detail: string | null;
};

const PARTS: Record<Extract<Finding["part"], string>, () => string> = {
  data_folder: m.settings_part_data_folder,
  page_reader: m.settings_part_page_reader,
  sync: m.settings_part_sync,
  model: m.settings_part_model,
  models: m.settings_part_models,
  reranking: m.settings_part_reranking,
  private_mode: m.settings_part_private_mode,
  engines: m.settings_part_engines,
};

export function findingWords({ part, found }: Finding): FindingWords {
  const named = typeof part === "string" ? PARTS[part]() : nameOf(part.engine);
  if (found.kind === "failed" || found.kind === "unparsed") {
    // Whom it happened with stands before it.
    const { headline, hint, detail } = failureWords(found.failure, { named: true });
    return { part: named, says: headline, hint: hintOf(found) ?? hint, detail };
  }
  return { part: named, says: says(found), hint: hintOf(found), detail: null };
}

function says(found: Exclude<Found, { kind: "failed" | "unparsed" }>): string {
  switch (found.kind) {
    case "writable":
      return m.settings_found_writable(found);
    case "read_only":
      return m.settings_found_read_only(found);
    case "parsed":
      return m.settings_found_parsed();
    case "nobody_signed_in":
      return m.settings_found_nobody();
    case "not_yet_synced":
      return m.settings_found_not_yet();
    case "synced":
      return m.settings_found_synced({ time: formatDate(found.at, { dateStyle: "medium", timeStyle: "short" }) });
    case "changes_wait":
      return m.settings_found_waiting({ shown: formatNumber(found.changes) });
    case "changes_refused":
      return m.settings_found_refused({ shown: formatNumber(found.changes) });
    case "changes_held":
      return m.settings_found_held({ time: formatDate(found.since, { dateStyle: "medium", timeStyle: "short" }) });
    case "database_silent":
      return m.settings_found_silent();
    case "no_model":
      return m.settings_found_no_model();
    case "model_answers":
      return m.settings_found_model(found);
    case "models_offered":
      return m.settings_found_offered({ shown: formatNumber(found.models) });
    case "reranks":
      return m.settings_found_reranks(found);
    case "private":
      return m.settings_found_private();
    case "no_engine":
      return m.settings_found_no_engine();
    case "results":
      return m.settings_found_results({ shown: formatNumber(found.results) });
  }
}

const HINTS: Partial<Record<Found["kind"], () => string>> = {
  read_only: m.settings_found_read_only_hint,
  unparsed: m.settings_found_unparsed_hint,
  changes_refused: m.settings_found_refused_hint,
  changes_held: m.settings_found_held_hint,
  database_silent: m.settings_found_silent_hint,
  no_model: m.settings_found_no_model_hint,
  no_engine: m.settings_found_no_engine_hint,
};

function hintOf(found: Found): string | null {
  return HINTS[found.kind]?.() ?? null;
}
