// Turns pages and answers as a person would jot them down into what the store holds, every span counted in bytes.

import type { Citation, OpenMessage, Page, SentenceCheck, Source, Span, Verdict } from "../../bindings/bindings";
import { byteLength, ByteIndex } from "../../shared/bytes";

/** Blocks: `## heading`, `- item` (lines), `| cell | cell` (lines, the first the head), a line with indent is code. */
export type PageSeed = {
  url: string;
  title: string;
  site: string;
  author?: string;
  published?: string;
  language?: string;
  blocks: string[];
};

/** `[2:some words]` cites the sentence of page 2 that has these words; `{partly}` and `{missing}` judge a sentence. */
export type AnswerSeed = { pages: PageSeed[]; answer: string };
export type BuiltAnswer = Pick<OpenMessage, "content" | "citations" | "checks">;

export function buildPage(seed: PageSeed, id: string, fetchedAt: string): Page {
  const parts = seed.blocks.map(block);
  const text = parts.map((part) => part.text).join("\n");
  return {
    id,
    url: seed.url,
    title: seed.title,
    author: seed.author ?? null,
    site_name: seed.site,
    published_at: seed.published ? `${seed.published}T00:00:00Z` : null,
    favicon: seed.url.startsWith("http") ? new URL("/favicon.ico", seed.url).href : null,
    language: seed.language ?? "en",
    media_type: "html",
    text,
    sentences: sentenceSpans(text),
    html: parts.map((part) => part.html).join("\n"),
    fetched_at: fetchedAt,
    content_hash: String(byteLength(text)),
  };
}

export function sourceOf(page: Page): Source {
  return { title: page.title, url: page.url, snippet: page.text.slice(0, 160), favicon: page.favicon };
}

export function buildAnswer(template: string, pages: Page[]): BuiltAnswer {
  const { content, marks } = readTemplate(template);
  const index = new ByteIndex(content);
  const citations: Citation[] = [];
  const checks: SentenceCheck[] = [];
  for (const range of answerSentences(content)) {
    const mine = marks.filter((mark) => mark.start >= range.start && mark.start < range.end);
    if (mine.length === 0) continue;
    const sentence = index.span(range);
    let verdict: Verdict = "supported";
    let first: Citation | null = null;
    for (const mark of mine) {
      if (mark.kind === "verdict") {
        verdict = mark.verdict;
        continue;
      }
      const page = pages[mark.number - 1]!;
      const page_span = sentenceWith(page, mark.words);
      const citation: Citation = {
        number: mark.number,
        marker: index.span({ start: mark.start, end: mark.end }),
        sentence,
        page_id: page.id,
        page_span,
        quote: new ByteIndex(page.text).slice(page_span),
      };
      first ??= citation;
      citations.push(citation);
    }
    const { number, page_id, page_span, quote } = first ?? {};
    const evidence =
      page_id && verdict !== "not_found"
        ? {
            number: number!,
            page_id,
            page_span: page_span!,
            quote: quote!,
            score: verdict === "supported" ? 0.91 : 0.54,
          }
        : null;
    checks.push({ sentence, verdict, evidence });
  }
  return { content, citations, checks };
}

type Mark =
  | { kind: "citation"; start: number; end: number; number: number; words: string }
  | { kind: "verdict"; start: number; end: number; verdict: Verdict };

function readTemplate(template: string): { content: string; marks: Mark[] } {
  const marks: Mark[] = [];
  let content = "";
  let from = 0;
  for (const match of template.matchAll(/\[(\d+):([^\]]+)\]|\{(partly|missing)\}/g)) {
    content += template.slice(from, match.index);
    from = match.index + match[0].length;
    const start = content.length;
    if (match[3]) {
      // A verdict stands after its sentence's end, so it is placed on the sentence's last character.
      const verdict = match[3] === "partly" ? "partly" : "not_found";
      marks.push({ kind: "verdict", start: start - 1, end: start, verdict });
    } else {
      content += `[${match[1]}]`;
      marks.push({ kind: "citation", start, end: content.length, number: Number(match[1]), words: match[2]! });
    }
  }
  return { content: content + template.slice(from), marks };
}

/** The sentences of Markdown as UTF-16 ranges; code and headings have none. */
function answerSentences(content: string): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  let at = 0;
  let fenced = false;
  for (const line of content.split("\n")) {
    const lead = /^[\s>*+|-]*(?:\d+\.\s)?/.exec(line)?.[0].length ?? 0;
    if (line.trimStart().startsWith("```")) fenced = !fenced;
    else if (!fenced && !line.startsWith("#")) {
      for (const range of segment(line.slice(lead))) {
        ranges.push({ start: at + lead + range.start, end: at + lead + range.end });
      }
    }
    at += line.length + 1;
  }
  return ranges;
}

function sentenceSpans(text: string): Span[] {
  const index = new ByteIndex(text);
  return segment(text).map((range) => index.span(range));
}

function segment(text: string): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  let at = 0;
  for (const line of text.split("\n")) {
    for (const { segment: sentence, index } of new Intl.Segmenter("en", { granularity: "sentence" }).segment(line)) {
      const bare = sentence.trim();
      const start = at + index + (sentence.length - sentence.trimStart().length);
      if (bare) ranges.push({ start, end: start + bare.length });
    }
    at += line.length + 1;
  }
  return ranges;
}

function sentenceWith(page: Page, words: string): Span {
  const index = new ByteIndex(page.text);
  const found = page.sentences.find((span) => index.slice(span).includes(words));
  if (!found) throw new Error(`no sentence of “${page.title}” has “${words}”`);
  return found;
}

function block(source: string): { text: string; html: string } {
  const lines = source.split("\n");
  if (source.startsWith("## ")) return { text: source.slice(3), html: `<h2>${escape(source.slice(3))}</h2>` };
  if (source.startsWith("- ")) {
    const items = lines.map((line) => line.slice(2));
    return { text: items.join("\n"), html: `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join("")}</ul>` };
  }
  if (source.startsWith("| ")) {
    const rows = lines.map((line) => line.slice(2).split(" | "));
    const row = (cells: string[], tag: string) =>
      `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
    const body = rows.slice(1).map((cells) => row(cells, "td"));
    return {
      text: rows.map((cells) => cells.join(" | ")).join("\n"),
      html: `<table><thead>${row(rows[0]!, "th")}</thead><tbody>${body.join("")}</tbody></table>`,
    };
  }
  if (source.startsWith("    ")) {
    const code = lines.map((line) => line.slice(4)).join("\n");
    return { text: code, html: `<pre><code>${escape(code)}</code></pre>` };
  }
  return { text: source, html: `<p>${escape(source)}</p>` };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
