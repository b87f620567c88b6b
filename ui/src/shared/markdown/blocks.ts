// Markdown that grows, as blocks to be drawn. A block that has ended is not read again, and made again only for other marks.

import remend from "remend";
import { directionOf } from "./direction";
import { escapeHtml, inlineHtml, type Scene } from "./inline";
import { type InlineCache, isMath, lex, type Token, type Tokens } from "./lexer";
import { Locator } from "./places";
import { reuse } from "../reuse";

export type Align = "start" | "center" | "end" | null;
export type Direction = "ltr" | "rtl" | undefined;
/** Inline HTML, still to be sanitised, and the direction its words have. */
export type Inline = { html: string; dir: Direction };
export type ListItem = { task: boolean; checked: boolean; dir: Direction; blocks: Block[] };
export type Block =
  | ({ kind: "paragraph" | "text" } & Inline)
  | ({ kind: "heading"; depth: number } & Inline)
  | { kind: "code"; code: string; language: string; open: boolean }
  | { kind: "math"; html: string }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; ordered: boolean; start: number; items: ListItem[] }
  | { kind: "table"; align: Align[]; header: Inline[]; rows: Inline[][] }
  | { kind: "rule" };

// Deeper than anybody writes; each level is a level of the page.
const DEEPEST = 24;
// Longer than any paragraph or list that a reader follows as it comes.
const LONGEST_HEALED = 20_000;
// Which blocks a later line can still change: the last, and the one before, which the last may turn out to belong to.
const OPEN_BLOCKS = 2;
// Blocks that are made again at once; more would be seen to stop the window.
const MOST_AT_ONCE = 4;
// What is defined below may be meant above: then all is read once more when all is there.
const DEFINITION = /^ {0,3}\[[^\]]+\]:/m;
// Inlines that are remembered while a block grows; more than a long list has.
const MOST_CACHED = 2_000;

/** What has ended, with where it begins in the source, and which scene it was made for. */
type Ended = { token: Token; from: number; block: Block; age: number };

export class Blocks {
  /** Whether some blocks still are as they were for the scene before: reading again goes on with them. */
  isBehind = false;

  private source = "";
  /** The source was taken for whole: were more to come, what ended with it may not have. */
  private isWhole = false;
  private scene: Scene = { sources: 0, marks: [] };
  /** Grows with each other scene. */
  private age = 0;
  private ended: Ended[] = [];
  /** Where in the source the blocks begin that have not ended. */
  private openFrom = 0;
  private drawn: Block[] = [];
  private cache: InlineCache = new Map();

  /** The blocks of a source, which is mostly the last one with more at its end. */
  read(source: string, scene: Scene, streaming: boolean): Block[] {
    source = withoutReturns(source);
    const isOther = !source.startsWith(this.source) || (this.isWhole && source !== this.source);
    if (isOther || (!streaming && !this.isWhole && DEFINITION.test(source))) this.reset();
    if (scene.marks !== this.scene.marks || scene.sources !== this.scene.sources) this.age++;
    this.source = source;
    this.isWhole = !streaming;
    this.scene = scene;
    if (this.cache.size > MOST_CACHED) this.cache.clear();
    const tokens = this.lex(source.slice(this.openFrom));
    const open = streaming ? this.open(tokens) : this.end(tokens);
    this.renew();
    this.drawn = reuse(this.drawn, [...this.ended.map(({ block }) => block), ...open]);
    for (const [at, ended] of this.ended.entries()) ended.block = this.drawn[at]!;
    return this.drawn;
  }

  /** Forgets what was read, as it must when the lexer has learnt more. */
  reset(): void {
    this.source = "";
    this.ended = [];
    this.openFrom = 0;
    this.cache.clear();
  }

  private open(tokens: Token[]): Block[] {
    const isBlock = (token: Token) => token.type !== "space";
    const starts = tokens.flatMap((token, at) => (isBlock(token) ? [at] : []));
    const firstOpen = starts.at(-OPEN_BLOCKS) ?? 0;
    this.end(tokens.slice(0, firstOpen));
    const open = tokens.slice(firstOpen);
    const last = open.findLastIndex(isBlock);
    let at = this.openFrom;
    return open.flatMap((token, index) => {
      const blocks = index === last ? this.healed(token, at) : this.blocks([token], at);
      at += token.raw.length;
      return blocks;
    });
  }

  private end(tokens: Token[]): Block[] {
    for (const token of tokens) {
      const block = this.block(token, this.openFrom);
      if (block) this.ended.push({ token, from: this.openFrom, block, age: this.age });
      this.openFrom += token.raw.length;
    }
    return [];
  }

  /** Makes again what was made for another scene, as when a long answer is marked: from the end, where most readers are. */
  private renew(): void {
    const old = this.ended.filter(({ age }) => age !== this.age);
    for (const ended of old.slice(-MOST_AT_ONCE)) {
      // The same token makes one again.
      ended.block = this.block(ended.token, ended.from)!;
      ended.age = this.age;
    }
    this.isBehind = old.length > MOST_AT_ONCE;
  }

  /** The last block with what it still lacks: `**bold` is bold before its end has come. */
  private healed(token: Token, at: number): Block[] {
    if (token.type === "code") return [{ ...code(token as Tokens.Code), open: isOpenFence(token.raw) }];
    if (isMath(token) || token.raw.length > LONGEST_HEALED) return this.blocks([token], at);
    const whole = remend(token.raw, { linkMode: "text-only", katex: false });
    return this.blocks(whole === token.raw ? [token] : this.lex(whole), at);
  }

  /** Text that breaks the lexer, by endless nesting, is still text. */
  private lex(source: string): Token[] {
    try {
      return lex(source, this.cache);
    } catch {
      const text: Token = { type: "text", raw: source, text: source };
      return [{ type: "paragraph", raw: source, text: source, tokens: [text] }];
    }
  }

  private blocks(tokens: Token[], base: number): Block[] {
    return tokens.flatMap((token) => {
      const block = this.block(token, base);
      base += token.raw.length;
      return block ? [block] : [];
    });
  }

  private block(token: Token, from: number): Block | null {
    return new Maker(new Locator(token.raw, from), this.scene).block(token, 0);
  }
}

/** Makes the blocks of one token of the lexer. */
class Maker {
  constructor(
    private readonly locator: Locator,
    private readonly scene: Scene,
  ) {}

  block(token: Token, depth: number): Block | null {
    if (isMath(token)) return math(token.text, token.open ?? false);
    switch (token.type) {
      case "space":
      case "def":
      case "checkbox":
        return null;
      case "heading":
        return { kind: "heading", depth: (token as Tokens.Heading).depth, ...this.inline(token as Tokens.Heading) };
      case "code":
        return code(token as Tokens.Code);
      case "hr":
        return { kind: "rule" };
      case "blockquote":
        return (
          this.nested(token, depth) ?? { kind: "quote", blocks: this.all((token as Tokens.Blockquote).tokens, depth) }
        );
      case "list":
        return this.nested(token, depth) ?? this.list(token as Tokens.List, depth);
      case "table":
        return this.table(token as Tokens.Table);
      case "text":
        return { kind: "text", ...this.inline(token as Tokens.Text) };
      default:
        return { kind: "paragraph", ...this.inline(token as Tokens.Paragraph) };
    }
  }

  private all(tokens: Token[], depth: number): Block[] {
    return tokens.map((token) => this.block(token, depth + 1)).filter((block) => block !== null);
  }

  private nested(token: Token, depth: number): Block | null {
    return depth < DEEPEST ? null : { kind: "paragraph", html: escapeHtml(token.raw), dir: directionOf(token.raw) };
  }

  private list(token: Tokens.List, depth: number): Block {
    const items = token.items.map((item) => ({
      task: item.task,
      checked: item.checked ?? false,
      dir: directionOf(item.text),
      blocks: this.all(item.tokens, depth),
    }));
    return { kind: "list", ordered: token.ordered, start: token.start === "" ? 1 : token.start, items };
  }

  private table(token: Tokens.Table): Block {
    const cell = (cell: Tokens.TableCell) => this.inline(cell);
    const sides = { left: "start", center: "center", right: "end" } as const;
    return {
      kind: "table",
      align: token.align.map((align) => align && sides[align]),
      header: token.header.map(cell),
      rows: token.rows.map((row) => row.map(cell)),
    };
  }

  private inline(leaf: { text: string; tokens?: Token[] }): Inline {
    const places = this.locator.places(leaf.text);
    const html = leaf.tokens ? inlineHtml(leaf.tokens, places, this.scene) : escapeHtml(leaf.text);
    return { html, dir: directionOf(leaf.text) };
  }
}

function code(token: Tokens.Code): Extract<Block, { kind: "code" }> {
  return { kind: "code", code: token.text.replace(/\n$/, ""), language: token.lang ?? "", open: false };
}

function math(tex: string, open: boolean): Block {
  const html = open
    ? `<code>${escapeHtml(tex)}</code>`
    : `<span data-tex="${escapeHtml(tex)}" data-display="1"></span>`;
  return { kind: "math", html };
}

function isOpenFence(raw: string): boolean {
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  return fence !== undefined && !new RegExp(`\\n {0,3}${fence[0]}{${fence.length},}\\s*$`).test(raw);
}

/** The lexer would drop carriage returns, and every place after them would be wrong. */
function withoutReturns(source: string): string {
  return source.includes("\r") ? source.replace(/\r\n/g, " \n").replace(/\r/g, "\n") : source;
}
