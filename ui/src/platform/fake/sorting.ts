// The fake's collections, tags and saved searches, and changes to many chats.

import type {
  Before,
  BulkChange,
  BulkDone,
  Chat,
  ChatFilter,
  ChatId,
  ChatLabels,
  Collection,
  CollectionId,
  ExportChoice,
  SavedQuery,
  SavedSearch,
  Sorting,
} from "../../bindings/bindings";
import { EVERYWHERE } from "../../shared/history";
import { fail, type FakeLibrary } from "./library";

type Was = Before["was"];

export class FakeSorting {
  #collections: { id: CollectionId; name: string }[] = [];
  readonly #in = new Map<ChatId, CollectionId>();
  /** By the tag's name in small letters. */
  readonly #tags = new Map<string, { name: string; chats: Set<ChatId> }>();
  #searches: SavedSearch[] = [];

  constructor(
    readonly library: FakeLibrary,
    isSorted: boolean,
  ) {
    if (!isSorted) return;
    const house = this.add("House and garden").id;
    const work = this.add("Work").id;
    this.add("旅行");
    for (const [chat, to] of [
      ["chat_heat", house],
      ["chat_battery", house],
      ["chat_000003", house],
      ["chat_wal", work],
      ["chat_leave", work],
    ] as const) {
      this.#in.set(chat, to);
    }
    for (const [tag, ...chats] of [
      ["to read", "chat_wal", "chat_crab", "chat_000001"],
      ["energy", "chat_heat", "chat_battery"],
      ["prices", "chat_heat", "chat_failed"],
      ["Naturwissenschaften und Technik", "chat_astrolabe"],
    ] as const) {
      for (const chat of chats) this.#tag(chat, tag, true);
    }
    this.save("Heat pumps this month", { text: "heat", filter: EVERYWHERE, days: 30 });
  }

  sorting(): Sorting {
    const collections = this.#collections.map((each): Collection => {
      const chats = [...this.#in].filter(([chat, to]) => to === each.id && this.#isActive(chat)).length;
      return { ...each, chats };
    });
    const tags = [...this.#tags.values()].map(({ name, chats }) => ({ name, chats: chats.size }));
    tags.sort((a, b) => a.name.localeCompare(b.name));
    return structuredClone({ collections, tags, searches: this.#searches });
  }

  passes(chat: Chat, { collection, tag }: Pick<ChatFilter, "collection" | "tag">): boolean {
    const isIn = collection === null || this.#in.get(chat.id) === collection;
    return isIn && (tag === null || (this.#tags.get(tag.toLowerCase())?.chats.has(chat.id) ?? false));
  }

  labels(chats: ChatId[]): ChatLabels[] {
    const all = chats.map((chat) => ({
      chat,
      collection: this.#in.get(chat) ?? null,
      tags: [...this.#tags.values()].filter((tag) => tag.chats.has(chat)).map((tag) => tag.name),
    }));
    return all.filter(({ collection, tags }) => collection !== null || tags.length > 0);
  }

  /** How many chats an export takes, and what it is called. */
  chosen(choice: ExportChoice): { chats: number; name: string; isOne: boolean } {
    const { collections, tags } = this.sorting();
    const named = (name: string, chats: number) => ({
      chats,
      name: `deepsearch-chats-${name.replaceAll(" ", "-")}`,
      isOne: false,
    });
    switch (choice.kind) {
      case "all":
        return { chats: 180, name: "deepsearch-chats", isOne: false };
      case "chats":
        return { chats: choice.chats.length, name: "2026-11-23-chat", isOne: choice.chats.length === 1 };
      case "collection": {
        const known = collections.find(({ id }) => id === choice.collection) ?? fail("collection", choice.collection);
        return named(known.name, known.chats);
      }
      case "tag":
        return named(choice.tag, tags.find(({ name }) => name === choice.tag)?.chats ?? 0);
    }
  }

  add(name: string): Collection {
    const taken = this.#collections.some((each) => each.name.toLowerCase() === name.trim().toLowerCase());
    if (taken) {
      const message = `There is a collection \`${name.trim()}\` already; choose another name.`;
      throw { code: "invalid", message, hint: null };
    }
    const made = { id: `coll_${this.#collections.length + 1}_${name.length}`, name: name.trim() };
    this.#collections.push(made);
    return { ...made, chats: 0 };
  }

  rename(id: CollectionId, name: string): void {
    const known = this.#collections.find((each) => each.id === id) ?? fail("collection", id);
    known.name = name.trim();
  }

  order(id: CollectionId, place: number): void {
    const moved = this.#collections.find((each) => each.id === id) ?? fail("collection", id);
    this.#collections = this.#collections.filter((each) => each !== moved);
    this.#collections.splice(place, 0, moved);
  }

  delete(id: CollectionId): void {
    this.#collections = this.#collections.filter((each) => each.id !== id);
    for (const [chat, to] of this.#in) if (to === id) this.#in.delete(chat);
  }

  save(name: string, query: SavedQuery): SavedSearch {
    const known = this.#searches.find((each) => each.name.toLowerCase() === name.trim().toLowerCase());
    const saved = { id: known?.id ?? `srch_${this.#searches.length + 1}`, name: name.trim(), query };
    this.#searches = [...this.#searches.filter((each) => each !== known), saved];
    return saved;
  }

  forget(id: string): void {
    this.#searches = this.#searches.filter((each) => each.id !== id);
  }

  change(chats: ChatId[], change: BulkChange): BulkDone {
    const was = this.#wanted(change);
    return this.makeSo(chats.map((chat) => ({ chat, was })));
  }

  makeSo(wanted: Before[]): BulkDone {
    const done: BulkDone = { changed: [], missing: [], undo: [] };
    for (const { chat, was } of wanted) {
      if (!this.library.chats.has(chat)) {
        done.missing.push(chat);
        continue;
      }
      const before = this.#set(this.library.chat(chat), was);
      if (!before) continue;
      done.changed.push({ ...this.library.chat(chat) });
      done.undo.push({ chat, was: before });
    }
    return done;
  }

  #wanted(change: BulkChange): Was {
    switch (change.kind) {
      case "pin":
        return { kind: "pinned", on: change.on };
      case "archive":
        return { kind: "archived", on: change.on };
      case "trash":
        return { kind: "deleted", at: change.on ? this.library.now() : null };
      case "move":
        return { kind: "in", collection: change.collection };
      case "tag":
        return { kind: "tagged", name: change.name, on: change.on };
    }
  }

  #set(chat: Chat, was: Was): Was | null {
    switch (was.kind) {
      case "pinned":
        if (was.on === chat.pinned) return null;
        this.library.updateChat(chat.id, { pinned: was.on });
        return { kind: "pinned", on: chat.pinned };
      case "archived":
        if (was.on === chat.archived) return null;
        this.library.updateChat(chat.id, { archived: was.on });
        return { kind: "archived", on: chat.archived };
      case "deleted":
        if ((was.at === null) === (chat.deleted_at === null)) return null;
        this.library.updateChat(chat.id, { deleted_at: was.at });
        return { kind: "deleted", at: chat.deleted_at };
      case "in": {
        const before = this.#in.get(chat.id) ?? null;
        if (before === was.collection) return null;
        if (was.collection === null) this.#in.delete(chat.id);
        else this.#in.set(chat.id, was.collection);
        return { kind: "in", collection: before };
      }
      case "tagged":
        return this.#tag(chat.id, was.name, was.on) ? { kind: "tagged", name: was.name, on: !was.on } : null;
    }
  }

  /** `false` where it was so already. */
  #tag(chat: ChatId, name: string, on: boolean): boolean {
    const key = name.toLowerCase();
    const tag = this.#tags.get(key) ?? { name, chats: new Set<ChatId>() };
    if (tag.chats.has(chat) === on) return false;
    if (on) tag.chats.add(chat);
    else tag.chats.delete(chat);
    if (tag.chats.size > 0) this.#tags.set(key, tag);
    else this.#tags.delete(key);
    return true;
  }

  #isActive(id: ChatId): boolean {
    const chat = this.library.chats.get(id);
    return chat !== undefined && chat.deleted_at === null && !chat.archived;
  }
}
