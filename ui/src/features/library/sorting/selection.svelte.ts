// Which chats of the list are selected. Going on from a chat takes in all that lie between it and where it ends.

import type { ChatId } from "../../../bindings/bindings";

/** As many as one change is made to; the store takes no more. */
export const MOST_SELECTED = 1_000;

export class Selection {
  ids = $state.raw<ReadonlySet<ChatId>>(new Set());
  /** Where a stretch begins, and what was selected before it. */
  #anchor: ChatId | null = null;
  #base: ReadonlySet<ChatId> = new Set();

  get active(): boolean {
    return this.ids.size > 0;
  }

  get size(): number {
    return this.ids.size;
  }

  /** `false` when no more can be selected. */
  toggle(id: ChatId): boolean {
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    this.#anchor = id;
    this.#base = ids;
    return this.#set(ids);
  }

  /** From where it began, or from `otherwise`, to this one. `order` is the chats of the list from top to bottom. */
  extend(order: readonly ChatId[], to: ChatId, otherwise: ChatId | null): boolean {
    if (this.#anchor === null || !order.includes(this.#anchor)) {
      this.#anchor = otherwise !== null && order.includes(otherwise) ? otherwise : to;
      this.#base = this.ids;
    }
    const [from, until] = [order.indexOf(this.#anchor), order.indexOf(to)].sort((a, b) => a - b);
    return this.#set(new Set([...this.#base, ...order.slice(from, until! + 1)]));
  }

  all(order: readonly ChatId[]): boolean {
    return this.#set(new Set(order));
  }

  /** What is no longer in the list is not selected either. */
  keep(isThere: (id: ChatId) => boolean): void {
    if ([...this.ids].every(isThere)) return;
    this.ids = new Set([...this.ids].filter(isThere));
  }

  clear(): void {
    if (this.ids.size > 0) this.ids = new Set();
    this.#anchor = null;
    this.#base = this.ids;
  }

  #set(ids: ReadonlySet<ChatId>): boolean {
    const fits = ids.size <= MOST_SELECTED;
    this.ids = fits ? ids : new Set([...ids].slice(0, MOST_SELECTED));
    return fits;
  }
}
