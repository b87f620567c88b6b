// Find in page: where the words stand, and which of the places is looked at.

/** So many before and after the one that is looked at are painted. */
const PAINTED_AROUND = 500;

/** Text as it is searched: small letters without accents, one space for any. */
type Folded = {
  text: string;
  /** For each unit of `text`, which unit of which node it came from. */ node: Uint32Array;
  offset: Uint32Array;
};

export class FindState {
  open = $state(false);
  query = $state("");
  /** Index of the place that is looked at; -1 when there is none. */
  at = $state(-1);
  count = $state(0);
  nodes: readonly Text[] = [];
  #folded: Folded | null = null;
  /** Where the places begin in the folded text; each is as long as what was searched for. */
  #starts: number[] = [];
  #length = 0;

  /** Takes another page, or the same after its nodes have changed. */
  read(nodes: readonly Text[]): void {
    this.nodes = nodes;
    this.#folded = null;
    if (this.open) this.search(this.query);
  }

  /** Finds the words; looked at is the first place at or after `from`. */
  search(query: string, from: StaticRange | null = null): void {
    this.query = query;
    const wanted = fold(query.normalize("NFC")).replace(/ +/g, " ");
    this.#folded ??= foldNodes(this.nodes);
    this.#starts = wanted.trim() ? startsOf(this.#folded.text, wanted) : [];
    this.#length = wanted.length;
    this.count = this.#starts.length;
    this.at = this.count === 0 ? -1 : this.#firstFrom(from);
  }

  step(by: 1 | -1): void {
    if (this.count > 0) this.at = (this.at + by + this.count) % this.count;
  }

  close(): void {
    this.open = false;
    this.#starts = [];
    this.count = 0;
    this.at = -1;
  }

  /** The places to be painted: all, or those around the one that is looked at. */
  ranges(): StaticRange[] {
    const first = Math.max(this.at - PAINTED_AROUND, 0);
    return this.#starts.slice(first, this.at + PAINTED_AROUND + 1).map((start) => this.#range(start));
  }

  current(): StaticRange | null {
    const start = this.#starts[this.at];
    return start === undefined ? null : this.#range(start);
  }

  #range(start: number): StaticRange {
    const { node, offset } = this.#folded!;
    const end = start + this.#length;
    return new StaticRange({
      startContainer: this.nodes[node[start]!]!,
      startOffset: offset[start]!,
      endContainer: this.nodes[node[end - 1]!]!,
      endOffset: offset[end - 1]! + 1,
    });
  }

  #firstFrom(from: StaticRange | null): number {
    if (!from) return 0;
    const { node, offset } = this.#folded!;
    const at = this.nodes.indexOf(from.startContainer as Text);
    const first = this.#starts.findIndex(
      (start) => node[start]! > at || (node[start] === at && offset[start]! >= from.startOffset),
    );
    return Math.max(first, 0);
  }
}

function startsOf(text: string, wanted: string): number[] {
  const starts: number[] = [];
  for (let start = text.indexOf(wanted); start >= 0; start = text.indexOf(wanted, start + wanted.length)) {
    starts.push(start);
  }
  return starts;
}

function foldNodes(nodes: readonly Text[]): Folded {
  const length = nodes.reduce((sum, node) => sum + node.data.length + 1, 0);
  const node = new Uint32Array(length);
  const offset = new Uint32Array(length);
  const pieces: string[] = [];
  let at = 0;
  let block: Element | null = null;
  const put = (char: string, of: number, from: number) => {
    pieces.push(char);
    node[at] = of;
    offset[at++] = from;
  };
  nodes.forEach((text, index) => {
    const own = blockOf(text);
    // Words of two blocks are never one match.
    if (block && own !== block) put("\n", index, 0);
    block = own;
    const folded = fold(text.data);
    for (let unit = 0; unit < folded.length; unit++) {
      const isDouble = folded[unit] === " " && pieces.at(-1) === " ";
      if (!isDouble) put(folded[unit]!, index, unit);
    }
  });
  return { text: pieces.join(""), node, offset };
}

const INLINE = new Set([
  "A",
  "ABBR",
  "B",
  "CITE",
  "CODE",
  "DEL",
  "EM",
  "I",
  "INS",
  "KBD",
  "MARK",
  "Q",
  "S",
  "SAMP",
  "SMALL",
  "SPAN",
  "STRONG",
  "SUB",
  "SUP",
  "TIME",
  "U",
  "VAR",
]);

function blockOf(node: Text): Element | null {
  let above = node.parentElement;
  while (above && INLINE.has(above.tagName)) above = above.parentElement;
  return above;
}

/** As long as the text, unit by unit. */
function fold(text: string): string {
  const spaced = text.replace(/\s/g, " ");
  // Most text needs no more, and this is the quick way.
  if (!/[^\u0000-\u007f]/.test(spaced)) return spaced.toLowerCase();
  return spaced.replace(/[^\u0000-\u007f]|[A-Z]/g, foldUnit);
}

const folds = new Map<string, string>();

function foldUnit(unit: string): string {
  let folded = folds.get(unit);
  if (folded === undefined) {
    // Accents are marks in alphabets; in kana they make another letter.
    const isAlphabetic = unit < "\u0590" || (unit >= "\u1e00" && unit < "\u2000");
    const bare = isAlphabetic ? unit.normalize("NFD").replace(/\p{M}+/gu, "") : unit;
    const small = bare.toLowerCase();
    folded = small.length === 1 ? small : unit;
    folds.set(unit, folded);
  }
  return folded;
}
