// The marker pen: wraps a stretch of the page in `<mark>`, across links, bold words, cells and paragraphs.

/** Elements whose own text is only the space between their parts. */
const FRAMES = new Set(["TABLE", "THEAD", "TBODY", "TFOOT", "TR", "UL", "OL", "DL", "SECTION", "ARTICLE"]);

/** Marks the range and returns the marks, in reading order. */
export function mark(range: Range): HTMLElement[] {
  return piecesOf(range).map((text) => {
    const pen = document.createElement("mark");
    pen.className = "quoted";
    text.replaceWith(pen);
    pen.append(text);
    return pen;
  });
}

/** Takes marks away and joins the text that they had cut. */
export function unmark(marks: readonly HTMLElement[]): void {
  for (const pen of marks) {
    const { parentNode } = pen;
    pen.replaceWith(...pen.childNodes);
    parentNode?.normalize();
  }
}

/** The text nodes inside a range, cut at its two ends. */
function piecesOf(range: Range): Text[] {
  const root = range.commonAncestorContainer;
  const { startContainer, startOffset, endContainer, endOffset } = range;
  const inside: Text[] = [];
  if (root instanceof Text) inside.push(root);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    if (range.intersectsNode(node) && isWorthInk(node)) inside.push(node);
  }
  return inside.map((node) => {
    const end = node === endContainer ? endOffset : node.data.length;
    if (end < node.data.length) node.splitText(end);
    return node === startContainer && startOffset > 0 ? node.splitText(startOffset) : node;
  });
}

function isWorthInk(node: Text): boolean {
  return node.data.trim() !== "" || !FRAMES.has(node.parentElement?.tagName ?? "");
}
