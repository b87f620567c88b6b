// Markdown to tokens: CommonMark and GFM by the library, with what an answer needs beside it.

import { Lexer, Marked, type Token, type TokenizerExtension, type Tokens } from "marked";

/** `[n]`, standing where a source is cited. */
export type CiteToken = { type: "cite"; raw: string; number: number };
/** A formula; `open` while its end has not come yet. */
export type MathToken = { type: MathKind; raw: string; text: string; displayMode: boolean; open?: boolean };
/** The first two are named by the library that knows `$`, the last by what is below. */
export type MathKind = "inlineKatex" | "blockKatex" | "openMath";

const marked = new Marked({ gfm: true });
marked.use({
  // A block of HTML becomes a paragraph, whose tags are dropped and whose text stays.
  tokenizer: { html: () => undefined },
  extensions: [cite(), cjkStrong(), bracketMath("inline"), bracketMath("block"), openMath()],
});

// Emphasis is matched in quadratic time; no paragraph that anybody means has so many signs of it.
const MOST_SIGNS = 1_500;

/** Inline tokens by their source: of a list that grows, only the last item is new. */
export type InlineCache = Map<string, Token[]>;

/** The blocks of some Markdown, one after the other; their `raw` together is the source. */
export function lex(source: string, cache: InlineCache = new Map()): Token[] {
  const lexer = new Lexer(marked.defaults);
  lexer.blockTokens(source, lexer.tokens);
  // Inlines are queued until all blocks are known; more join the queue while it is worked off.
  for (const { src, tokens } of lexer.inlineQueue) {
    if (!cache.has(src)) cache.set(src, inlineTokens(lexer, src));
    tokens.push(...cache.get(src)!);
  }
  return lexer.tokens;
}

function inlineTokens(lexer: Lexer, source: string): Token[] {
  lexer.state.inRawBlock = false;
  const signs = source.match(/[*_~`[<]/g)?.length ?? 0;
  return signs > MOST_SIGNS ? [{ type: "text", raw: source, text: source }] : lexer.inlineTokens(source);
}

/** Teaches the lexer what `$` means, once the library for it is there. */
export function addMath(extension: Parameters<Marked["use"]>[0]): void {
  marked.use(extension);
}

export function isMath(token: { type: string }): token is MathToken {
  return token.type === "inlineKatex" || token.type === "blockKatex" || token.type === "openMath";
}

/** Goes before links, so that `[1][2]` is no reference and `[1]` cannot be defined to lead anywhere. */
function cite(): TokenizerExtension {
  return {
    name: "cite",
    level: "inline",
    start: (source) => source.search(/\[\d/),
    tokenizer(source) {
      const found = /^\[(\d{1,3})\]/.exec(source);
      if (!found || this.lexer.state.inLink) return;
      return { type: "cite", raw: found[0], number: Number(found[1]) };
    },
  };
}

/**
 * `**重要：**内容` is bold to everybody who writes it, though not to CommonMark, whose rule for where emphasis ends
 * supposes spaces between words.
 */
function cjkStrong(): TokenizerExtension {
  const mark = /[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\u2018-\u201d\u2026]/;
  return {
    name: "strong",
    level: "inline",
    start: (source) => source.indexOf("**"),
    tokenizer(source) {
      const found = /^\*\*(?![\s*])((?:[^*\n\\`]|\\.)*[^\s*\\])\*\*(?!\*)/.exec(source);
      const text = found?.[1];
      if (!found || !text || !(mark.test(text[0]!) || mark.test(text.at(-1)!))) return;
      return { type: "strong", raw: found[0], text, tokens: this.lexer.inlineTokens(text) };
    },
  };
}

/** `\( … \)` and `\[ … \]`, as many models write formulas. */
function bracketMath(level: "inline" | "block"): TokenizerExtension {
  const inline = /^\\\(([^\n]+?)\\\)|^\\\[([^\n]+?)\\\]/;
  const block = /^ {0,3}\\\[([\s\S]+?)\\\][ \t]*(?:\n|$)/;
  const isBlock = level === "block";
  return {
    name: isBlock ? "bracketMathBlock" : "bracketMath",
    level,
    start: (source) => source.search(isBlock ? /\n {0,3}\\\[/ : /\\[([]/),
    tokenizer(source) {
      const found = (isBlock ? block : inline).exec(source);
      const text = (found?.[1] ?? found?.[2])?.trim();
      if (!found || !text || (isBlock && text.includes("\n\n"))) return;
      const displayMode = isBlock || found[2] !== undefined;
      return { type: isBlock ? "blockKatex" : "inlineKatex", raw: found[0], text, displayMode };
    },
  };
}

/** A formula whose end is still to come is shown as it is written, instead of as emphasis gone astray. */
function openMath(): TokenizerExtension {
  return {
    name: "openMath",
    level: "block",
    tokenizer(source) {
      const found = /^ {0,3}(?:\$\$|\\\[)[ \t]*\n((?:(?!\$\$|\\\]|\n[ \t]*\n)[\s\S])*)$/.exec(source);
      if (!found) return;
      return { type: "openMath", raw: found[0], text: found[1]!.trim(), displayMode: true, open: true };
    },
  };
}

export type { Token, Tokens };
