// An import in words: whose chats they are, and why something was left out; also as text that can be sent to somebody.

import type { ImportReport, LeftOutNote, ArchiveOrigin, LeftOutReason } from "../../../bindings/bindings";
import { m } from "../../../shared/messages";
import { formatNumber } from "../../../shared/i18n.svelte";

/** Names of products are the same everywhere. */
const ORIGINS: Record<ArchiveOrigin, string> = {
  deep_search: "DeepSearch",
  chat_gpt: "ChatGPT",
  claude: "Claude",
  perplexity: "Perplexity",
  open_web_ui: "Open WebUI",
  markdown: "Markdown",
};

const REASONS: Record<LeftOutReason, () => string> = {
  in_trash: m.carry_reason_in_trash,
  malformed: m.carry_reason_malformed,
  unknown: m.carry_reason_unknown,
  empty: m.carry_reason_empty,
  circle: m.carry_reason_circle,
  too_large: m.carry_reason_too_large,
  shortened: m.carry_reason_shortened,
  attachment: m.carry_reason_attachment,
  hidden: m.carry_reason_hidden,
  evidence: m.carry_reason_evidence,
  other_file: m.carry_reason_other_file,
  hostile_path: m.carry_reason_hostile_path,
  cut_off: m.carry_reason_cut_off,
  refused: m.carry_reason_refused,
  label: m.carry_reason_label,
};

export function origins(report: ImportReport): { name: string; chats: number }[] {
  return Object.entries(report.chats).map(([origin, chats]) => ({
    name: ORIGINS[origin as ArchiveOrigin],
    chats: chats ?? 0,
  }));
}

export type LeftOut = { reason: LeftOutReason; says: string; count: number; notes: LeftOutNote[] };

/** What was left out, the most of it first; each with the first things that it befell. */
export function leftOut(report: ImportReport): LeftOut[] {
  const all = Object.entries(report.left_out).map(([reason, count]) => ({
    reason: reason as LeftOutReason,
    says: REASONS[reason as LeftOutReason](),
    count: count ?? 0,
    notes: report.notes.filter((note) => note.reason === reason && note.what !== ""),
  }));
  return all.sort((one, other) => other.count - one.count);
}

/** The report as plain text. */
export function asText(name: string, report: ImportReport): string {
  const line = (label: string, value: number) => `${label}: ${formatNumber(value)}`;
  const lines = [
    name,
    ...origins(report).map(({ name, chats }) => line(name, chats)),
    line(m.carry_messages(), report.messages),
    line(m.carry_new(), report.added),
    line(m.carry_extended(), report.extended),
    line(m.carry_here(), report.unchanged),
  ];
  if (report.stopped) lines.push(m.carry_stopped());
  if (report.ended_early) lines.push(`${m.carry_damaged()}: ${report.ended_early}`);
  for (const { says, count, notes } of leftOut(report)) {
    lines.push("", `${formatNumber(count)} × ${says}`, ...notes.map(({ what }) => `- ${what}`));
  }
  return `${lines.join("\n")}\n`;
}
