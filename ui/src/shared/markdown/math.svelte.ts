// Formulas. The library is large and most answers have none, so it comes with the first `$`.

import { addMath } from "./lexer";
import { sanitiseMath } from "./sanitise";

// What a formula may ask for: KaTeX's own limits for expansion and size are far beyond what a page needs.
const MOST_EXPANSIONS = 200;
const LARGEST_EM = 20;
const LONGEST_TEX = 4_000;
const MOST_KEPT = 300;

type Draw = (tex: string, display: boolean) => string;

/** Whether formulas can be read and drawn yet; who shows text watches `ready`. */
class MathSupport {
  ready = $state(false);
  private loading = false;
  private draw: Draw | null = null;
  private readonly drawn = new Map<string, DocumentFragment | null>();

  /** Loads what formulas need when this text may have some. */
  prepareFor(text: string): void {
    if (this.loading || !/\$|\\[([]/.test(text)) return;
    this.loading = true;
    // A module that could not be loaded is not tried again by the browser: formulas then stay as they are written.
    this.load().catch(() => undefined);
  }

  /** The formula, or `null` where it cannot be drawn: then its source is shown. */
  render(tex: string, display: boolean): DocumentFragment | null {
    if (!this.draw || tex.length > LONGEST_TEX) return null;
    const key = `${display ? "d" : "i"}${tex}`;
    if (!this.drawn.has(key)) this.keep(key, this.attempt(tex, display));
    return (this.drawn.get(key)?.cloneNode(true) as DocumentFragment | undefined) ?? null;
  }

  private async load(): Promise<void> {
    const [{ default: katex }, { default: markedKatex }] = await Promise.all([
      import("katex"),
      import("marked-katex-extension"),
      import("katex/dist/katex.min.css"),
    ]);
    this.draw = (tex, display) =>
      katex.renderToString(tex, {
        displayMode: display,
        output: "htmlAndMathml",
        trust: false,
        strict: "ignore",
        maxExpand: MOST_EXPANSIONS,
        maxSize: LARGEST_EM,
        throwOnError: true,
      });
    addMath(markedKatex());
    this.ready = true;
  }

  private attempt(tex: string, display: boolean): DocumentFragment | null {
    try {
      return sanitiseMath(this.draw!(tex, display));
    } catch {
      return null;
    }
  }

  private keep(key: string, fragment: DocumentFragment | null): void {
    if (this.drawn.size >= MOST_KEPT) this.drawn.delete(this.drawn.keys().next().value!);
    this.drawn.set(key, fragment);
  }
}

export const math = new MathSupport();
