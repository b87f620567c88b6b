// An answer as Markdown that can stand by itself: its text, and the sources its numbers mean.

import type { AppState } from "../../app-state.svelte";
import type { Source } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import { say } from "../../shared/toast";
import type { AnswerState } from "./answer.svelte";

/** Copies an answer, and says that it has. */
export async function copyAnswer(app: AppState, answer: AnswerState): Promise<void> {
  await app.attempt(async () => {
    await app.platform.copyText(asMarkdown(answer.content, answer.sources, m.chat_sources()));
    say(m.chat_copied());
  });
}

export function asMarkdown(content: string, sources: readonly Source[], heading: string): string {
  const cited = sources.map(({ title, url }, at) => `${at + 1}. ${link(title, url)}`);
  return cited.length > 0 ? `${content.trim()}\n\n## ${heading}\n\n${cited.join("\n")}\n` : `${content.trim()}\n`;
}

function link(title: string, url: string): string {
  const text = title
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[[\]\\]/g, "\\$&");
  // Pages of the guide and of past chats have addresses that only the app understands.
  if (!/^https?:/.test(url)) return text || url;
  return text ? `[${text}](<${url.replace(/[<>]/g, encodeURIComponent)}>)` : `<${url}>`;
}
