// Colours code, a few lines at a time, going on where it stopped.
//
// Runs in a worker: the first line of a language takes up to half a second, in which its grammar is made ready.

import type { GrammarState, HighlighterCore, ThemeRegistration } from "shiki/core";
import { loadGrammar } from "./grammars";
import type { Language } from "./languages";

/** What a piece of code is, as a class that `code.css` gives a colour; `null` for plain text. */
export type Shade = "keyword" | "string" | "number" | "comment" | "name" | "type" | null;
export type Piece = { text: string; shade: Shade };

// A line that is longer is no code that anybody reads.
const LONGEST_LINE = 1_000;

/** Colours the lines of one text in their order. */
export class Highlighting {
  private state: GrammarState | undefined;

  constructor(
    private readonly core: HighlighterCore,
    private readonly language: Language,
  ) {}

  /** The next lines; the state at their end is kept for those that follow. */
  next(lines: readonly string[]): Piece[][] {
    const options = {
      lang: this.language,
      theme: THEME.name!,
      tokenizeMaxLineLength: LONGEST_LINE,
      // Not a matter of frames here, and a grammar that is being made ready would meet it.
      tokenizeTimeLimit: 0,
      ...(this.state && { grammarState: this.state }),
    };
    const tokens = this.core.codeToTokensBase(lines.join("\n"), options);
    this.state = this.core.getLastGrammarState(tokens) ?? this.state;
    return tokens.map((line) => joined(line.map((token) => ({ text: token.content, shade: shadeOf(token.color) }))));
  }
}

/** Gets ready to colour this language; `null` when it cannot be loaded. */
export async function highlighting(language: Language): Promise<Highlighting | null> {
  try {
    const core = await (loading ??= load());
    if (!core.getLoadedLanguages().includes(language)) await core.loadLanguage(...(await loadGrammar(language)));
    return new Highlighting(core, language);
  } catch {
    loading = null;
    return null;
  }
}

let loading: Promise<HighlighterCore> | null = null;

async function load(): Promise<HighlighterCore> {
  const [{ createHighlighterCore }, { createJavaScriptRegexEngine }] = await Promise.all([
    import("shiki/core"),
    import("shiki/engine/javascript"),
  ]);
  // The engine in WebAssembly would need a hole in the content security policy.
  return createHighlighterCore({
    themes: [THEME],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
}

// The theme's colours are only names for shades: what they look like by day and by night is a matter of CSS.
const SHADES: [Exclude<Shade, null>, string[]][] = [
  ["comment", ["comment", "punctuation.definition.comment", "markup.quote"]],
  ["string", ["string", "markup.inline.raw", "markup.inserted", "meta.attribute-selector", "string.regexp"]],
  ["number", ["constant", "variable.language", "support.constant", "keyword.other.unit", "variable.other.constant"]],
  ["keyword", ["keyword", "storage", "entity.name.tag", "markup.heading", "markup.deleted", "keyword.operator.new"]],
  [
    "name",
    [
      "entity.name.function",
      "support.function",
      "entity.other.attribute-name",
      "meta.function-call.generic",
      "support.type.property-name",
      "variable.other.property.key",
    ],
  ],
  [
    "type",
    [
      "entity.name.type",
      "entity.name.class",
      "support.type",
      "support.class",
      "entity.other.inherited-class",
      "entity.name.namespace",
    ],
  ],
];
const PLAIN = [
  "keyword.operator",
  "punctuation",
  "storage.type.function.arrow",
  "meta.brace",
  "string variable.other",
  "meta.embedded",
  "meta.template.expression",
];

const THEME: ThemeRegistration = {
  name: "deepsearch",
  type: "light",
  colors: { "editor.background": "#ffffff", "editor.foreground": "#000000" },
  tokenColors: [
    ...SHADES.map(([, scope], at) => ({ scope, settings: { foreground: colourOf(at) } })),
    { scope: PLAIN, settings: { foreground: "#000000" } },
  ],
};

function colourOf(shade: number): string {
  return `#00000${shade + 1}`;
}

function shadeOf(colour: string | undefined): Shade {
  return SHADES[Number(colour?.slice(1) ?? 0) - 1]?.[0] ?? null;
}

function joined(pieces: Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const last = whole.at(-1);
    if (last && (last.shade === piece.shade || !piece.text.trim())) last.text += piece.text;
    else whole.push({ ...piece });
  }
  return whole;
}
