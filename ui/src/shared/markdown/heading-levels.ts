// Which level of the page each heading of a text has. Writers begin at any depth and leave some out; whoever walks a page
// by its headings needs them without a gap.

import type { Block } from "./blocks";

const DEEPEST = 6;

/** The first rank of headings gets the level `top`, and what lies under a heading the next one, however deep it was written. */
export function headingLevels(blocks: readonly Block[], top: number): Map<Block, number> {
  const levels = new Map<Block, number>();
  const above: number[] = [];
  const visit = (block: Block) => {
    if (block.kind === "heading") {
      while (above.length > 0 && above.at(-1)! >= block.depth) above.pop();
      levels.set(block, Math.min(top + above.length, DEEPEST));
      above.push(block.depth);
    } else if (block.kind === "quote") {
      block.blocks.forEach(visit);
    } else if (block.kind === "list") {
      for (const item of block.items) item.blocks.forEach(visit);
    }
  };
  blocks.forEach(visit);
  return levels;
}
