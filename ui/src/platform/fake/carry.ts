// The fake's archives: what a file holds is told by its name. Imports and exports take a step for some chats each, and can
// be stopped between two.

import type {
  AttachedFile,
  Exported,
  ExportProgress,
  ExportFormat,
  ImportProgress,
  ImportReport,
} from "../../bindings/bindings";
import { failures } from "./failures";

const STEP = 50;

export class FakeCarry {
  /** What the dialog gives; `null` calls it off. */
  chosen: AttachedFile | null = { url: "files:c0/chatgpt-export.zip", name: "chatgpt-export.zip" };
  #imported = new Set<string>();
  #stopped = false;

  stop(): void {
    this.#stopped = true;
  }

  async read(
    file: string,
    write: boolean,
    wait: () => Promise<void>,
    tell: (far: ImportProgress) => void,
  ): Promise<ImportReport> {
    this.#stopped = false;
    if (file.includes("notes")) throw failures.archive;
    const report = archive(file, this.#imported.has(file));
    const total = report.added + report.unchanged + report.extended;
    for (let chats = 0; chats < total; chats += STEP) {
      tell({ chats, messages: chats * 15 });
      await wait();
      if (this.#stopped) {
        return { ...report, chats: { chat_gpt: chats }, added: chats, extended: 0, unchanged: 0, stopped: true };
      }
    }
    if (write) this.#imported.add(file);
    return report;
  }

  async write(
    { chats, name, isOne }: { chats: number; name: string; isOne: boolean },
    format: ExportFormat,
    wait: () => Promise<void>,
    tell: (far: ExportProgress) => void,
  ): Promise<Exported | null> {
    this.#stopped = false;
    for (let done = 0; done < chats; done += STEP) {
      tell({ done, total: chats });
      await wait();
      if (this.#stopped) return null;
    }
    const ending = { json: "json", markdown: "md", html: "html", pdf: "pdf" }[format];
    return { path: `/home/ada/Documents/${name}.${isOne || format === "json" ? ending : "zip"}`, chats };
  }
}

function archive(file: string, again: boolean): ImportReport {
  const isDamaged = file.includes("damaged");
  return {
    chats: { chat_gpt: 412 },
    messages: 6_183,
    from: "2023-01-14T08:12:00Z",
    until: "2026-11-02T19:40:00Z",
    samples: ["SQLite in WAL mode", "خطة رحلة إلى قرطبة", "Rust lifetimes, once more", "週末の献立"],
    added: again ? 0 : 396,
    extended: again ? 0 : 4,
    unchanged: again ? 412 : 12,
    left_out: { attachment: 37, hidden: 120, empty: 2 },
    notes: [
      { what: "New chat", reason: "empty", count: 1 },
      { what: "Untitled", reason: "empty", count: 1 },
      { what: "Holiday pictures", reason: "attachment", count: 31 },
      { what: "A logo for the bakery", reason: "attachment", count: 6 },
    ],
    ended_early: isDamaged ? "The archive is damaged or was not downloaded to its end." : null,
    stopped: false,
  };
}
