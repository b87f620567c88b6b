// What one rem is in pixels now, for arithmetic that CSS cannot do.

/** `textSize` is not read: naming the setting makes the caller follow it. */
export function remPixels(_textSize: unknown): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
