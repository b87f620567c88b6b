// What the window of a start knows and can do. There is no app yet: only how far its opening is, and trying that again.

import { commands, events, type Opening } from "../bindings/bindings";
import { ownWindow } from "./own-window";

export type OpeningPlatform = {
  /** How far it was when the page was made. */
  opening: Opening;
  onChanged(listener: (opening: Opening) => void): void;
  openAgain(): Promise<unknown>;
  showDataFolder(): Promise<unknown>;
  quit(): Promise<unknown>;
};

declare global {
  interface Window {
    /** Set by the shell before the first paint. */
    readonly __OPENING__?: Opening;
  }
}

export async function openingPlatform(): Promise<OpeningPlatform> {
  const opening = window.__OPENING__;
  if (opening) return tauriOpening(opening);
  // As in `choose.ts`: on a development server, and in the browser tests, the address says it.
  if (import.meta.env.DEV || import.meta.env.MODE === "fake") {
    const { FakeOpening } = await import("./fake/opening");
    const fake = new FakeOpening(new URLSearchParams(location.search).get("opening"));
    return Object.assign(globalThis, { fakeOpening: fake }).fakeOpening;
  }
  throw new Error("DeepSearch's window only works inside the app.");
}

function tauriOpening(opening: Opening): OpeningPlatform {
  return {
    opening,
    async onChanged(listener) {
      let heard = false;
      await events.openingChanged(ownWindow()).listen((event) => {
        heard = true;
        listener(event.payload.opening);
      });
      // What became of it before somebody listened.
      const now = await commands.currentOpening();
      if (!heard) listener(now);
    },
    openAgain: commands.openAgain,
    showDataFolder: commands.showDataFolder,
    quit: commands.closeWindow,
  };
}
