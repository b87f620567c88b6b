// The formats that several chats are exported in, and what each is good for.

import type { ExportFormat } from "../bindings/bindings";
import { m } from "./messages";

export const formatsOfMany = (): { value: ExportFormat; label: string; hint: string }[] => [
  { value: "json", label: "JSON", hint: m.carry_hint_json() },
  { value: "markdown", label: "Markdown", hint: m.carry_hint_zip() },
  { value: "html", label: "HTML", hint: m.carry_hint_html() },
  { value: "pdf", label: "PDF", hint: m.carry_hint_zip() },
];
