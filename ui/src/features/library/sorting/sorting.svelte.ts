// What chats are sorted by (collections, tags, saved searches) and how each chat that was looked at is sorted.
//
// Leaves out changing chats, which is the library's.

import { SvelteMap } from "svelte/reactivity";
import type {
  ChatId,
  ChatLabels,
  Collection,
  CollectionId,
  SavedQuery,
  SavedSearch,
  Tag,
} from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";

/** As many as one call tells of. */
const AT_ONCE = 500;

export class Sorting {
  collections = $state.raw<Collection[]>([]);
  tags = $state.raw<Tag[]>([]);
  searches = $state.raw<SavedSearch[]>([]);
  readonly labels = new SvelteMap<ChatId, ChatLabels>();

  readonly #platform: Platform;
  /** Every chat that was asked about. */
  readonly #known = new Set<ChatId>();
  #turn = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Reads the lists anew, as after every change of them. */
  async load(): Promise<void> {
    const turn = ++this.#turn;
    const { collections, tags, searches } = await this.#platform.sorting();
    if (turn !== this.#turn) return;
    this.collections = collections;
    this.tags = tags;
    this.searches = searches;
  }

  collection(id: CollectionId | null | undefined): Collection | null {
    return this.collections.find((each) => each.id === id) ?? null;
  }

  /** Learns how chats are sorted that have just come into a list. */
  async want(chats: readonly ChatId[]): Promise<void> {
    const fresh = chats.filter((id) => !this.#known.has(id));
    for (const id of fresh) this.#known.add(id);
    if (this.#hasAny()) await this.refresh(fresh);
  }

  /** Learns anew how these are sorted. */
  async refresh(chats: readonly ChatId[]): Promise<void> {
    for (let at = 0; at < chats.length; at += AT_ONCE) {
      const asked = chats.slice(at, at + AT_ONCE);
      const found = await this.#platform.listLabels(asked);
      const sorted = new Set(found.map(({ chat }) => chat));
      for (const labels of found) this.labels.set(labels.chat, labels);
      for (const id of asked) if (!sorted.has(id)) this.labels.delete(id);
    }
  }

  /** Learns everything anew: another window or program has changed it. */
  async again(): Promise<void> {
    await this.load();
    if (this.#hasAny() || this.labels.size > 0) await this.refresh([...this.#known]);
  }

  async addCollection(name: string): Promise<Collection> {
    const made = await this.#platform.addCollection(name);
    await this.load();
    return made;
  }

  async renameCollection(id: CollectionId, name: string): Promise<void> {
    await this.#platform.renameCollection(id, name);
    await this.load();
  }

  /** One place up or down. */
  async moveCollection(id: CollectionId, by: 1 | -1): Promise<void> {
    const place = this.collections.findIndex((each) => each.id === id) + by;
    if (place < 0 || place >= this.collections.length) return;
    await this.#platform.orderCollection(id, place);
    await this.load();
  }

  async deleteCollection(id: CollectionId): Promise<void> {
    await this.#platform.deleteCollection(id);
    await this.again();
  }

  async saveSearch(name: string, query: SavedQuery): Promise<void> {
    await this.#platform.saveSearch(name, query);
    await this.load();
  }

  async deleteSearch(search: SavedSearch): Promise<void> {
    await this.#platform.deleteSavedSearch(search.id);
    await this.load();
  }

  #hasAny(): boolean {
    return this.collections.length > 0 || this.tags.length > 0;
  }
}
