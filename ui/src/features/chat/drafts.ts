// Keeps what was written but not asked, chat by chat, while the window is open.

import type { AppState } from "../../app-state.svelte";
import type { ChatId } from "../../bindings/bindings";
import { ComposerState } from "./composer.svelte";

export class Drafts {
  readonly #fields = new Map<ChatId | null, ComposerState>();

  /** The question field of a chat; `null` is that of a chat to come. */
  of(chat: ChatId | null): ComposerState {
    const field = this.#fields.get(chat) ?? new ComposerState();
    this.#fields.set(chat, field);
    return field;
  }

  /** A new chat has been given its id: its field goes with it, and the next new chat begins with an empty one. */
  adopt(chat: ChatId): void {
    const field = this.#fields.get(null);
    if (field) this.#fields.set(chat, field);
    this.#fields.delete(null);
  }
}

const states = new WeakMap<AppState, Drafts>();

/** One for each window, living as long as the window: settings that are opened lose no half-written question. */
export function draftsOf(app: AppState): Drafts {
  const known = states.get(app) ?? new Drafts();
  states.set(app, known);
  return known;
}
