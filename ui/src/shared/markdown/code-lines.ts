// The lines of a code block on the page. Code that streams grows at its end; the lines that stand are coloured
// meanwhile, each once.

import type { Colouring } from "./colouring";
import type { Piece } from "./highlight";

const LINES_AT_ONCE = 40;
// Far more than an answer can hold; what is longer stays plain.
const MOST_LINES = 5_000;

export class CodeLines {
  private lines: string[] = [];
  /** How many lines have been given to be coloured. */
  private sent = 0;
  private open = true;
  private colouring: Colouring | null = null;
  private busy = false;

  /** `colour` begins to colour a text anew; without it code stays plain. */
  constructor(
    private readonly element: Element,
    private colour: (() => Colouring) | null,
  ) {}

  /** Shows this code; `open` says that its last line may still grow. */
  update(code: string, open: boolean): void {
    const lines = code.split("\n");
    let same = 0;
    while (same < lines.length && lines[same] === this.lines[same]) same++;
    this.lines = lines;
    this.open = open;
    if (same < this.sent) this.stop();
    while (this.element.childElementCount > same) this.element.lastElementChild!.remove();
    for (const line of lines.slice(same)) this.element.append(plain(line));
    void this.go();
  }

  destroy(): void {
    this.stop();
    this.lines = [];
  }

  /** How many lines will not change any more. */
  private get standing(): number {
    return Math.min(this.lines.length - (this.open ? 1 : 0), MOST_LINES);
  }

  private async go(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.colour && this.sent < this.standing) {
      const colouring = (this.colouring ??= this.colour());
      const from = this.sent;
      this.sent = Math.min(this.standing, from + LINES_AT_ONCE);
      const pieces = await colouring.next(this.lines.slice(from, this.sent));
      // Stopped meanwhile: the text became another.
      if (colouring !== this.colouring) continue;
      if (!pieces) this.colour = null;
      pieces?.forEach((line, at) => this.element.children[from + at]?.replaceChildren(...line.map(node), "\n"));
    }
    this.busy = false;
    if (!this.open) this.close();
  }

  private stop(): void {
    this.close();
    this.sent = 0;
  }

  private close(): void {
    this.colouring?.close();
    this.colouring = null;
  }
}

function plain(line: string): Element {
  const element = document.createElement("span");
  element.textContent = `${line}\n`;
  return element;
}

function node(piece: Piece): Node | string {
  if (!piece.shade) return piece.text;
  const element = document.createElement("span");
  element.className = piece.shade;
  element.textContent = piece.text;
  return element;
}
