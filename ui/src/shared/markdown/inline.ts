// Inline Markdown to HTML of the few elements that the sanitiser lets through. Every text is escaped; tags are dropped.
//
// Citations, formulas and marks leave as empty or plain spans with `data-` attributes: `hydrate.ts` makes them what
// they are, after sanitising, so that nothing in a text can pretend to be one.

import { isMath, type CiteToken, type Token, type Tokens } from "./lexer";
import { hostName, namesHost, webAddress } from "./links";
import { cut, type Mark } from "./marks";
import type { Places } from "./places";

/** What the whole document knows and every inline needs. */
export type Scene = {
  /** `[1]` to `[sources]` cite; other numbers are text. */
  sources: number;
  marks: readonly Mark[];
};

export function inlineHtml(tokens: readonly Token[], places: Places, scene: Scene): string {
  const writer = new Writer(places, scene);
  writer.all(tokens, 0);
  return writer.html;
}

/** Text as HTML that shows exactly it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Elements whose content is no text. */
const SILENT = /^<(script|style|template|iframe|object|noscript|title|textarea|svg|math|form|select)\b[^>]*>$/i;

class Writer {
  html = "";
  /** The element that is being left out, until its end. */
  private silenced: string | null = null;

  constructor(
    private readonly places: Places,
    private readonly scene: Scene,
  ) {}

  /** Writes tokens that stand one after the other from `at` in the block's text; `null` where that is not known. */
  all(tokens: readonly Token[], at: number | null): void {
    for (const token of tokens) {
      this.one(token, at);
      if (at !== null) at += token.raw.length;
    }
  }

  private one(token: Token, at: number | null): void {
    if (token.type === "html") return this.tag(token as Tokens.Tag);
    if (this.silenced) return;
    if (isMath(token)) return this.math(token.text, token.displayMode);
    switch (token.type) {
      case "cite":
        return this.cite(token as CiteToken, at);
      case "escape":
        return this.marked(at, token.raw.length, escapeHtml((token as Tokens.Escape).text));
      case "strong":
      case "em":
      case "del":
        return this.wrap(token.type, token as Tokens.Strong, at);
      case "codespan":
        return this.marked(at, token.raw.length, `<code>${escapeHtml((token as Tokens.Codespan).text)}</code>`);
      case "br":
        this.html += "<br>";
        return;
      case "link":
        return this.link(token as Tokens.Link, at);
      case "image":
        // Never loaded: a request would tell somebody that, and what, is read here.
        return this.marked(at, token.raw.length, textHtml((token as Tokens.Image).text));
      case "checkbox":
        return;
      default:
        return this.text(token, at);
    }
  }

  private tag(token: Tokens.Tag): void {
    if (this.silenced) {
      if (token.raw.toLowerCase().startsWith(`</${this.silenced}`)) this.silenced = null;
    } else if (/^<br\s*\/?>$/i.test(token.raw)) {
      this.html += "<br>";
    } else {
      this.silenced = SILENT.exec(token.raw)?.[1]?.toLowerCase() ?? null;
    }
  }

  private wrap(tag: string, token: Tokens.Strong | Tokens.Em | Tokens.Del, at: number | null): void {
    this.html += `<${tag}>`;
    this.inside(token, at);
    this.html += `</${tag}>`;
  }

  private link(token: Tokens.Link, at: number | null): void {
    const url = webAddress(token.href);
    if (!url) return this.inside(token, at);
    const text = token.text.trim();
    this.html += `<a href="${escapeHtml(url.href)}"${namesHost(text, url) ? "" : ` data-host="${escapeHtml(hostName(url))}"`}>`;
    this.inside(token, at);
    this.html += "</a>";
  }

  private inside(token: Tokens.Link | Tokens.Strong | Tokens.Em | Tokens.Del, at: number | null): void {
    const inset = token.raw.indexOf(token.text);
    this.all(token.tokens, at === null || inset < 0 ? null : at + inset);
  }

  private math(tex: string, display: boolean): void {
    this.html += `<span data-tex="${escapeHtml(tex)}"${display ? ' data-display="1"' : ""}></span>`;
  }

  private cite(token: CiteToken, at: number | null): void {
    if (token.number < 1 || token.number > this.scene.sources) return this.marked(at, token.raw.length, token.raw);
    const source = at === null ? null : this.places.sourceOf(at);
    // A citation keeps to the word it follows: no line ends between them.
    this.html = `${this.html.trimEnd()}\u2060`;
    this.html += `<span data-cite="${token.number}"${source === null ? "" : ` data-at="${source}"`}></span>`;
  }

  private text(token: Token, at: number | null): void {
    const { tokens } = token as Tokens.Text;
    if (tokens) return this.all(tokens, at);
    if (at === null) {
      this.html += textHtml(token.raw);
      return;
    }
    for (const piece of this.places.pieces(at, at + token.raw.length)) {
      const text = token.raw.slice(piece.start - at, piece.end - at);
      if (piece.source === null) this.html += textHtml(text);
      else this.cutText(text, piece.source);
    }
  }

  private cutText(text: string, source: number): void {
    for (const { start, end, mark } of cut(this.scene.marks, source, source + text.length)) {
      this.put(textHtml(text.slice(start - source, end - source)), mark);
    }
  }

  /** Writes what cannot be cut; it bears the mark of where it begins. */
  private marked(at: number | null, length: number, html: string): void {
    const source = at === null ? null : this.places.sourceOf(at);
    const first = source === null ? undefined : cut(this.scene.marks, source, source + length).next().value;
    this.put(html, first?.mark ?? null);
  }

  private put(html: string, mark: Mark | null): void {
    this.html += mark ? `<span data-check="${mark.check}" data-verdict="${mark.verdict}">${html}</span>` : html;
  }
}

/** Escaped text in which the entities of Markdown stay entities. */
function textHtml(text: string): string {
  return escapeHtml(text).replace(/&amp;(#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi, "&$1;");
}
