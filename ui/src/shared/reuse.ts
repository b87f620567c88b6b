// Keeps the parts of a structure that have not changed the same objects, so that nothing is drawn again for them.

/** `next`, with every part that equals its counterpart in `before` replaced by that. For plain data only. */
export function reuse<T>(before: T, next: T): T {
  return merged(before, next) as T;
}

function merged(before: unknown, next: unknown): unknown {
  if (before === next || !isStructure(before) || !isStructure(next)) return next;
  if (Array.isArray(before) !== Array.isArray(next)) return next;
  let isSame = Object.keys(before).length === Object.keys(next).length;
  for (const key of Object.keys(next)) {
    next[key] = merged(before[key], next[key]);
    isSame &&= key in before && next[key] === before[key];
  }
  return isSame ? before : next;
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
