// Finds where the text of a parsed block stands in its Markdown, so that spans over the source can be drawn on the page.
//
// The lexer strips what frames a block (`> `, `- `, indentation, the bars of a table), but each line of what is left
// is still a piece of one source line, and the lines come in order. So they are looked for one after the other.

/** Where the lines of one text lie. */
export class Places {
  constructor(private readonly lines: readonly { at: number; source: number | null }[]) {}

  /** Cuts a stretch of the text at its line breaks, each piece with its place in the source where that is known. */
  *pieces(start: number, end: number): Generator<{ start: number; end: number; source: number | null }> {
    for (let line = this.lineOf(start); line < this.lines.length; line++) {
      const { at, source } = this.lines[line]!;
      const from = Math.max(start, at);
      const to = Math.min(end, this.lines[line + 1]?.at ?? end);
      if (from >= end) return;
      yield { start: from, end: to, source: source === null ? null : source + (from - at) };
    }
  }

  sourceOf(at: number): number | null {
    const line = this.lines[this.lineOf(at)];
    return line === undefined || line.source === null ? null : line.source + (at - line.at);
  }

  private lineOf(at: number): number {
    let line = 0;
    while (line + 1 < this.lines.length && this.lines[line + 1]!.at <= at) line++;
    return line;
  }
}

/** Goes through one block of the source in reading order. */
export class Locator {
  private cursor = 0;

  constructor(
    private readonly source: string,
    /** Where the block begins in the whole. */
    private readonly base: number,
  ) {}

  places(text: string): Places {
    let at = 0;
    const lines = text.split("\n").map((line) => {
      const place = { at, source: this.find(line) };
      at += line.length + 1;
      return place;
    });
    return new Places(lines);
  }

  private find(line: string): number | null {
    const found = this.source.indexOf(line, this.cursor);
    if (found < 0) return null;
    this.cursor = found + line.length;
    return this.base + found;
  }
}
