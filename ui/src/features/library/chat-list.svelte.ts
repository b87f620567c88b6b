// The chats of one view as rows under headings: loaded a page at a time, kept in order when something changes.
//
// While someone points at a row or renames one, the list is held: what a row says changes at once, where it stands
// only when it is released. Leaves out scrolling, which is the component's.

import type { Chat, ChatCursor, ChatId, ChatView, CollectionId, Failure } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";
import { Calendar, type Group, groupKey, PINNED } from "./groups";

export type ListView = Exclude<ChatView, "pinned">;
export type Row = { kind: "group"; key: string; group: Group } | { kind: "chat"; key: string; chat: Chat };

/** What a list tells of, and asks, about how its chats are sorted. */
export type Told = {
  /** These have come in. */
  came: (chats: readonly ChatId[]) => void;
  collectionOf: (chat: ChatId) => CollectionId | null;
};
const NOBODY: Told = { came: () => {}, collectionOf: () => null };

/** The first page fills a window and is painted soon; the rest come in large ones. */
const FIRST_PAGE = 60;
/** As many as one call gives. */
export const PAGE = 500;
const MOST_PINNED = 500;

export class ChatList {
  rows = $state.raw<Row[]>([]);
  /** Whether a first page has come, or failed to. */
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** Whether there is nothing after the last row. */
  complete = $state(false);
  /** How many rows, of the height they have, it was scrolled down, for when it is shown again; told by the component. */
  place = 0;

  #pinned: Chat[] = [];
  #chats: Chat[] = [];
  /** The last chat that was read, pinned or not: pages go on after it. */
  #last: Chat | undefined;
  #ids = new Set<ChatId>();
  #calendar = new Calendar(new Date());
  #held = false;
  #behind = false;
  #loading: Promise<void> | null = null;
  #reloads = 0;

  constructor(
    readonly platform: Platform,
    readonly view: ListView,
    /** Only the chats of this one. */
    readonly collection: CollectionId | null = null,
    readonly told: Told = NOBODY,
  ) {}

  get isEmpty(): boolean {
    return this.loaded && this.complete && this.failure === null && this.rows.length === 0;
  }

  /** How many chats are here; there may be more in the store. */
  get size(): number {
    return this.#ids.size;
  }

  /** The next page, or the first one; a second call while one is under way waits for the same. */
  more(): Promise<void> {
    if (this.complete) return Promise.resolve();
    return (this.#loading ??= this.#loadNext().finally(() => (this.#loading = null)));
  }

  /** Everything there is. `goOn` is asked before each page. */
  async all(goOn: () => boolean): Promise<void> {
    while (!this.complete && this.failure === null && goOn()) await this.more();
  }

  /** Reads anew what has been read so far, at least `reach` chats of it, and shows it all at once. */
  async reload(reach = FIRST_PAGE): Promise<void> {
    const reload = ++this.#reloads;
    try {
      const limit = reach > FIRST_PAGE ? PAGE : FIRST_PAGE;
      const [pinned, chats] = await Promise.all([this.#readPinned(), this.#read(this.view, undefined, limit)]);
      let complete = chats.length < limit;
      while (!complete && chats.length + pinned.length < Math.max(reach, FIRST_PAGE)) {
        const page = await this.#read(this.view, chats.at(-1), limit);
        chats.push(...page);
        complete = page.length < limit;
      }
      if (reload !== this.#reloads) return;
      this.#fill(pinned, chats);
      this.complete = complete;
      this.failure = null;
    } catch (error) {
      if (reload !== this.#reloads) return;
      this.failure = asFailure(error);
    }
    this.loaded = true;
  }

  /** A chat as it is now, wherever it belongs. */
  put(chat: Chat): void {
    this.#drop(chat.id);
    if (this.#belongs(chat)) this.#insert(chat);
    this.#changed(chat);
  }

  /** A chat that is in no view any more. */
  remove(id: ChatId): void {
    if (!this.#drop(id)) return;
    if (this.#held) this.#behind = true;
    else this.#rebuild();
  }

  has(id: ChatId): boolean {
    return this.#ids.has(id);
  }

  find(id: ChatId): Chat | null {
    const row = this.rows.find((each) => each.key === id);
    return row?.kind === "chat" ? row.chat : null;
  }

  /** From now on rows stay where they are. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.settle();
  }

  /** Rows take their places now, held or not: the person has just asked for it. */
  settle(): void {
    if (this.#behind) this.#rebuild();
  }

  /** The day has changed. */
  regroup(now: Date): void {
    this.#calendar = new Calendar(now);
    if (this.#held) this.#behind = true;
    else this.#rebuild();
  }

  async #loadNext(): Promise<void> {
    if (!this.loaded || this.failure) return this.reload(this.size);
    const last = this.#last;
    try {
      const page = await this.#read(this.view, last, PAGE);
      // A reload meanwhile ends somewhere else, and this page would leave a gap.
      if (last !== this.#last) return;
      this.complete = page.length < PAGE;
      this.#append(page);
    } catch (error) {
      if (last === this.#last) this.failure = asFailure(error);
    }
  }

  async #readPinned(): Promise<Chat[]> {
    return this.view === "active" ? this.#read("pinned", undefined, MOST_PINNED) : [];
  }

  #read(view: ChatView, last: Chat | undefined, limit: number): Promise<Chat[]> {
    const { collection, platform } = this;
    if (collection === null) return platform.listChats(view, cursorAfter(last), limit);
    return platform.listSortedChats({ view, collection, tag: null }, cursorAfter(last), limit);
  }

  #belongs(chat: Chat): boolean {
    return isIn(this.view, chat) && (this.collection === null || this.told.collectionOf(chat.id) === this.collection);
  }

  #fill(pinned: Chat[], chats: Chat[]): void {
    this.#pinned = pinned;
    this.#ids = new Set(pinned.map((chat) => chat.id));
    this.#chats = chats.filter((chat) => !this.#ids.has(chat.id));
    for (const chat of this.#chats) this.#ids.add(chat.id);
    this.#last = chats.at(-1);
    this.told.came([...this.#ids]);
    if (this.#held && this.rows.length > 0) this.#behind = true;
    else this.#rebuild();
  }

  #append(page: Chat[]): void {
    const fresh = page.filter((chat) => !this.#ids.has(chat.id));
    for (const chat of fresh) this.#ids.add(chat.id);
    this.#chats.push(...fresh);
    this.told.came(fresh.map((chat) => chat.id));
    this.#last = page.at(-1) ?? this.#last;
    const rows = [...this.rows];
    this.#addRows(rows, fresh, lastGroup(rows));
    this.rows = rows;
  }

  #drop(id: ChatId): boolean {
    if (!this.#ids.delete(id)) return false;
    const other = (chat: Chat) => chat.id !== id;
    this.#pinned = this.#pinned.filter(other);
    this.#chats = this.#chats.filter(other);
    return true;
  }

  #insert(chat: Chat): void {
    if (this.view === "active" && chat.pinned) {
      insertSorted(this.#pinned, chat);
    } else if (this.complete || (this.#last && newestFirst(chat, this.#last) <= 0)) {
      insertSorted(this.#chats, chat);
    } else {
      // It comes with its page.
      return;
    }
    this.#ids.add(chat.id);
  }

  #changed(chat: Chat): void {
    if (!this.#held) return this.#rebuild();
    this.#behind = true;
    const at = this.rows.findIndex((row) => row.key === chat.id);
    if (at >= 0) this.rows = this.rows.with(at, { kind: "chat", key: chat.id, chat });
  }

  #rebuild(): void {
    this.#behind = false;
    const rows: Row[] = [];
    if (this.#pinned.length > 0) {
      rows.push(heading(PINNED));
      for (const chat of this.#pinned) rows.push({ kind: "chat", key: chat.id, chat });
    }
    this.#addRows(rows, this.#chats, null);
    this.rows = rows;
  }

  #addRows(rows: Row[], chats: Chat[], after: Group | null): void {
    let group = after;
    for (const chat of chats) {
      const own = this.#calendar.groupOf(chat.updated_at);
      if (group === null || (own !== group && groupKey(own) !== groupKey(group))) rows.push(heading(own));
      group = own;
      rows.push({ kind: "chat", key: chat.id, chat });
    }
  }
}

function heading(group: Group): Row {
  return { kind: "group", key: groupKey(group), group };
}

function lastGroup(rows: readonly Row[]): Group | null {
  const row = rows.findLast((each) => each.kind === "group");
  return row?.kind === "group" && row.group !== PINNED ? row.group : null;
}

function isIn(view: ListView, chat: Chat): boolean {
  if (view === "trash") return chat.deleted_at !== null;
  return chat.deleted_at === null && chat.archived === (view === "archived");
}

function cursorAfter(chat: Chat | undefined): ChatCursor | null {
  return chat ? { updated_at: chat.updated_at, id: chat.id } : null;
}

function insertSorted(chats: Chat[], chat: Chat): void {
  let low = 0;
  let high = chats.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (newestFirst(chats[middle]!, chat) < 0) low = middle + 1;
    else high = middle;
  }
  chats.splice(low, 0, chat);
}

function newestFirst(a: Chat, b: Chat): number {
  const byTime = Date.parse(b.updated_at) - Date.parse(a.updated_at);
  if (byTime !== 0) return byTime;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
