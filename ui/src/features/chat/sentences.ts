// Cuts an answer that streams into sentences to be read aloud, each once and as soon as it is whole.

/** Gives the sentences that became whole since the last call. */
export class SentenceReader {
  #heard = 0;

  constructor(private readonly language: string) {}

  next(content: string, finished: boolean): string[] {
    if (content.length < this.#heard) this.#heard = 0;
    // A citation behind a full stop would keep the sentence from ending there.
    const rest = content.slice(this.#heard).replace(/\[\d{1,3}\]/g, (cited) => " ".repeat(cited.length));
    const segments = [...new Intl.Segmenter(this.language, { granularity: "sentence" }).segment(rest)];
    // The last may still go on, unless its line has ended.
    const whole = finished || rest.endsWith("\n") ? segments : segments.slice(0, -1);
    this.#heard += whole.reduce((sum, { segment }) => sum + segment.length, 0);
    return whole.map(({ segment }) => plain(segment)).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  }

  /** Takes all this as said already, as when an answer is joined half-way. */
  skip(content: string): void {
    this.#heard = content.length;
  }
}

/** Without the signs of Markdown, which nobody wants spelt out, and without citations. */
export function plain(markdown: string): string {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s?\[\d{1,3}\]/g, "")
    .replace(/^\s*(?:#{1,6}|>|[-*+]|\d+[.)])\s+/gm, "")
    .replace(/```\w*|[*_`|]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
