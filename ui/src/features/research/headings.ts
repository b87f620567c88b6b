// The sections of a report, by their headings.

/** Fewer sections than this are found without a list of them. */
export const FEWEST = 3;

/** The headings of the second level, in order; code holds none. */
export function headingsOf(markdown: string): string[] {
  let fence = false;
  const headings: string[] = [];
  for (const line of markdown.split("\n")) {
    if (/^\s*(```|~~~)/.test(line)) fence = !fence;
    else if (!fence && line.startsWith("## ")) headings.push(line.slice(3).trim());
  }
  return headings;
}
