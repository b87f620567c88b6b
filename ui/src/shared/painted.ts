// When a window has shown what it opens with. What nobody sees at first is loaded after that.

/** A window without a list of chats, or one that is hidden, is not waited for longer. */
const LATEST_MS = 1_000;

let tell: () => void;

/** Fulfilled once the first things to see have been painted. */
export const painted = new Promise<void>((done) => {
  tell = done;
  setTimeout(done, LATEST_MS);
});

/** All that is to be seen first is on the page. */
export function isOnPage(): void {
  requestAnimationFrame(() => setTimeout(tell));
}

export function nextFrame(): Promise<unknown> {
  return new Promise(requestAnimationFrame);
}
