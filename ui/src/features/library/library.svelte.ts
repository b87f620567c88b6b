// What the sidebar shows and does: which view is open, its list, which answers are being written, and the changes to
// chats that its menus and the palette offer.
//
// One for each window, living as long as the window: a sidebar that is closed and opened again is where it was.

import type { AppState } from "../../app-state.svelte";
import type {
  Before,
  BulkChange,
  BulkDone,
  Chat,
  ChatId,
  CollectionId,
  ExportChoice,
  ExportFormat,
  HistoryHit,
  LibraryChanged,
  SavedSearch,
} from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { m } from "../../shared/messages";
import { asFailure } from "../../shared/failure";
import { formatNumber } from "../../shared/i18n.svelte";
import { say, sayWith, working } from "../../shared/toast";
import { ChatList, type ListView, type Told } from "./chat-list.svelte";
import { untilTomorrow } from "./groups";
import { HistorySearch } from "./search.svelte";
import { ChatDrag } from "./sorting/drag.svelte";
import { asSearchFilter } from "./sorting/saved";
import { Selection } from "./sorting/selection.svelte";
import type { SortTarget } from "./sorting/SortDialog.svelte";
import { Sorting } from "./sorting/sorting.svelte";
import { saidOf } from "./sorting/words";

/** More changed chats than this are not asked for one by one. */
const FEW = 12;

export class LibraryState {
  view = $state<ListView>("active");
  /** The chat whose title is being typed. */
  renaming = $state<ChatId | null>(null);
  running = $state.raw<ReadonlySet<ChatId>>(new Set());
  now = $state.raw(new Date());
  /** How often the search field has taken the focus when `AppState` asked for it. */
  searchesBegun = 0;
  readonly search: HistorySearch;
  readonly sorting: Sorting;
  readonly selection = new Selection();
  readonly drag = new ChatDrag();
  /** What is being sorted, while it is asked how. */
  sortTarget = $state.raw<SortTarget | null>(null);

  /** The list of the one collection that is shown. */
  #collected = $state.raw<ChatList | null>(null);

  readonly #lists: Record<ListView, ChatList>;
  readonly #platform: Platform;
  readonly #told: Told;
  /** How far down each list was looked at; what lies below is read anew when it is scrolled to. */
  readonly #reach: Record<ListView, number> = { active: 0, archived: 0, trash: 0 };

  constructor(readonly app: AppState) {
    this.searchesBegun = app.focusSearch;
    const { platform } = app;
    this.#platform = platform;
    this.search = new HistorySearch(platform);
    this.sorting = new Sorting(platform);
    this.#told = {
      came: (chats) => void this.#quietly(() => this.sorting.want(chats)),
      collectionOf: (chat) => this.sorting.labels.get(chat)?.collection ?? null,
    };
    this.#lists = {
      active: new ChatList(platform, "active", null, this.#told),
      archived: new ChatList(platform, "archived", null, this.#told),
      trash: new ChatList(platform, "trash", null, this.#told),
    };
  }

  get list(): ChatList {
    return this.#collected ?? this.#lists[this.view];
  }

  /** The collection that is shown. */
  get collection(): CollectionId | null {
    return this.#collected?.collection ?? null;
  }

  /** Days that Trash keeps a chat. */
  get trashDays(): number {
    return Number(this.app.settings.get("trash.days")?.value) || 30;
  }

  /** Follows changes as long as the window lives. Fulfilled once a first page has come, or failed to. */
  start(): Promise<void> {
    void this.#platform.onLibraryChanged((changed) => void this.#follow(changed));
    const first = this.list.more();
    const waitForTomorrow = () => {
      setTimeout(() => {
        this.now = new Date();
        for (const list of this.#loaded()) list.regroup(this.now);
        waitForTomorrow();
      }, untilTomorrow(new Date()));
    };
    waitForTomorrow();
    void this.#loadRunning();
    void this.#quietly(() => this.sorting.again());
    return first;
  }

  show(view: ListView): void {
    this.list.release();
    this.renaming = null;
    this.selection.clear();
    this.#collected = null;
    this.view = view;
    this.search.clear();
    void this.list.more();
  }

  /** The chats of one collection, or all of them again. */
  showCollection(id: CollectionId | null): void {
    this.show("active");
    if (id === null) return;
    this.#collected = new ChatList(this.#platform, "active", id, this.#told);
    void this.#collected.more();
  }

  async deleteCollection(id: CollectionId): Promise<void> {
    await this.attempt(async () => {
      await this.sorting.deleteCollection(id);
      if (this.collection === id) this.showCollection(null);
    });
  }

  /** What was kept is asked again. */
  askSaved(saved: SavedSearch): void {
    this.search.ask(saved.query.text, asSearchFilter(saved, new Date()));
  }

  async forgetSearch(saved: SavedSearch): Promise<void> {
    await this.attempt(async () => {
      await this.sorting.deleteSearch(saved);
      this.#offerUndo(m.sorting_search_forgotten(), () =>
        this.attempt(() => this.sorting.saveSearch(saved.name, saved.query)),
      );
    });
  }

  /** Asks where chats are to go, or which tags they are to have. */
  sort(what: SortTarget["what"], chats: readonly ChatId[]): void {
    this.sortTarget = { what, chats };
    // A chat that no list has shown is not known yet.
    void this.#quietly(() => Promise.all([this.sorting.load(), this.sorting.refresh(chats)]));
  }

  /** Into the collection of this name, which is made where there is none; out of theirs where it is `null`. */
  async moveTo(chats: readonly ChatId[], name: string | null): Promise<void> {
    await this.attempt(async () => {
      const known = this.sorting.collections.find((each) => each.name === name);
      const to = name === null ? null : (known ?? (await this.sorting.addCollection(name)));
      await this.moveInto(chats, to?.id ?? null);
    });
  }

  async moveInto(chats: readonly ChatId[], collection: CollectionId | null): Promise<void> {
    await this.changeAll(chats, { kind: "move", collection });
  }

  /** One change to many chats, all of it or nothing, with the way back. */
  async changeAll(chats: readonly ChatId[], change: BulkChange): Promise<void> {
    const shown = this.app.chat;
    await this.attempt(async () => {
      const done = await this.#platform.changeChats([...chats], change);
      await this.#take(done);
      // What stays in the list stays selected, to be done more with.
      if (change.kind !== "pin" && change.kind !== "tag") this.selection.clear();
      if (done.undo.length === 0) return;
      const goes = change.kind === "trash" && change.on && done.changed.some(({ id }) => id === shown);
      if (goes) this.app.newChat();
      const name = change.kind === "move" ? (this.sorting.collection(change.collection)?.name ?? null) : null;
      this.#offerUndo(saidOf(change, done.undo.length, name), () => this.#undo(done.undo, goes ? shown : null));
    });
  }

  async #undo(undo: Before[], reopen: ChatId | null): Promise<void> {
    await this.attempt(async () => {
      await this.#take(await this.#platform.undoChange(undo));
      if (reopen !== null) this.app.openChat(reopen);
    });
  }

  /** Shows what has become of chats. */
  async #take({ changed, undo }: BulkDone): Promise<void> {
    const isSorted = undo.some(({ was }) => was.kind === "in" || was.kind === "tagged");
    if (isSorted) await this.sorting.refresh(changed.map((chat) => chat.id));
    await this.sorting.load();
    if (changed.length > FEW) await Promise.all(this.#loaded().map((list) => list.reload(this.#reachOf(list))));
    else for (const chat of changed) this.#put(chat);
    this.#settle();
  }

  /** The component tells which row is the last one seen. */
  reached(row: number): void {
    this.#reach[this.view] = row + 1;
  }

  /** The chat above or below the one that is shown, as the list stands. */
  step(by: 1 | -1): void {
    const chats = this.#lists.active.rows.filter((row) => row.kind === "chat");
    const at = chats.findIndex((row) => row.key === this.app.chat);
    const next = at < 0 ? chats[0] : chats[at + by];
    if (next) this.app.openChat(next.key);
  }

  /** A chat as far as it is known without asking. */
  find(id: ChatId): Chat | null {
    for (const list of this.#loaded()) {
      const chat = list.find(id);
      if (chat) return chat;
    }
    return null;
  }

  /** Looks in the chat that is shown, older messages and saved pages included; without one in all of them. */
  async searchHere(): Promise<void> {
    const id = this.app.chat;
    if (id === null) return this.app.searchHistory();
    await this.attempt(async () => {
      // A chat that no list has shown is not known yet.
      const { title } = this.find(id) ?? (await this.#platform.openChat(id, null, 1)).chat;
      this.search.narrow({ chat: { id, title } });
      this.app.searchHistory();
    });
  }

  /** What a search found, where it was said; a saved page beside the chat that used it. */
  openHit(hit: HistoryHit): void {
    this.app.openChat(hit.chat_id, hit.message_id);
    if (hit.page_id) this.app.openReader(hit.page_id);
  }

  async rename(chat: Chat, title: string): Promise<void> {
    this.renaming = null;
    const trimmed = title.trim();
    if (trimmed === "" || trimmed === chat.title) return;
    // Shown before it is saved: the field closes and must not show the old title for a moment.
    this.#put({ ...chat, title: trimmed });
    const again = () => this.rename(chat, title);
    if (!(await this.#change(() => this.#platform.renameChat(chat.id, trimmed), false, again))) this.#put(chat);
  }

  async pin(chat: Chat, pinned: boolean): Promise<void> {
    await this.#change(() => this.#platform.pinChat(chat.id, pinned), true);
  }

  async archive(chat: Chat, archived: boolean): Promise<void> {
    const change = (to: boolean, again?: () => unknown) =>
      this.#change(() => this.#platform.archiveChat(chat.id, to), true, again);
    if (!(await change(archived, () => this.archive(chat, archived)))) return;
    this.#offerUndo(archived ? m.library_was_archived() : m.library_was_unarchived(), () => change(!archived));
  }

  /** To Trash; the chat that is shown gives way to a new one. */
  async delete(chat: Chat): Promise<void> {
    const again = () => this.delete(chat);
    if (!(await this.#change(() => this.#platform.deleteChat(chat.id), true, again))) return;
    const shown = this.app.chat === chat.id;
    if (shown) this.app.newChat();
    this.#offerUndo(m.library_was_deleted(), async () => {
      if ((await this.#change(() => this.#platform.restoreChat(chat.id), true)) && shown) this.app.openChat(chat.id);
    });
  }

  async restore(chat: Chat): Promise<void> {
    await this.#change(() => this.#platform.restoreChat(chat.id), true);
  }

  async deleteForever(chat: Chat): Promise<void> {
    await this.attempt(async () => {
      await this.#platform.deleteChatForever(chat.id);
      this.#forget(chat.id);
      this.#settle();
    });
  }

  async emptyTrash(): Promise<void> {
    await this.attempt(async () => {
      await this.#platform.emptyTrash();
      const { trash } = this.#lists;
      if (this.app.chat && trash.has(this.app.chat)) this.app.newChat();
      trash.release();
      await trash.reload();
    });
  }

  /** Asks where to, and writes chats there; it is said how far it is, and then where it went, with the way there. */
  async export(choice: ExportChoice, format: ExportFormat): Promise<void> {
    const stop = () => void this.#platform.stopCarrying().catch(() => undefined);
    const shown = working({ label: m.carry_stop(), run: stop });
    await this.attempt(async () => {
      const exported = await this.#platform.exportChats(choice, format, ({ done, total }) =>
        shown.far(m.carry_exporting_chats({ done: formatNumber(done), total: formatNumber(total) })),
      );
      if (!exported) return;
      const name = exported.path.split(/[/\\]/).at(-1) ?? exported.path;
      const show = () => void this.attempt(() => this.#platform.showExported());
      sayWith(m.carry_saved({ name }), { label: m.carry_show(), run: show });
    });
    shown.over();
  }

  async openWindow(chat: ChatId): Promise<void> {
    await this.attempt(() => this.#platform.newWindow(chat));
  }

  #offerUndo(said: string, undo: () => Promise<unknown>): void {
    say(said, { label: m.library_undo(), run: () => void undo() });
  }

  /** `false` when it was refused; the person has then been told. */
  async #change(work: () => Promise<Chat>, moves = false, again?: () => unknown): Promise<boolean> {
    return this.attempt(async () => {
      const chat = await work();
      this.#put(chat);
      // What the person moves goes at once, also from under the pointer.
      if (moves) this.#settle();
    }, again);
  }

  /** `false` when it was refused; the person has then been told. */
  attempt(work: () => Promise<unknown>, again?: () => unknown): Promise<boolean> {
    return this.app.attempt(work, again);
  }

  async #follow({ chats }: LibraryChanged): Promise<void> {
    void this.#loadRunning();
    if (chats.length === 0 || chats.length > FEW) {
      await this.#quietly(() => this.sorting.again());
      for (const list of this.#loaded()) void list.reload(this.#reachOf(list));
      return;
    }
    await this.#quietly(() => Promise.all([this.sorting.load(), this.sorting.refresh(chats)]));
    await Promise.all(chats.map((chat) => this.#refresh(chat)));
  }

  async #refresh(id: ChatId): Promise<void> {
    try {
      const { chat } = await this.#platform.openChat(id, null, 1);
      this.#put(chat);
    } catch (error) {
      // Any other failure leaves the list as it was; the next change asks again.
      if (asFailure(error).code === "not_found") this.#forget(id);
    }
  }

  #put(chat: Chat): void {
    for (const list of this.#loaded()) list.put(chat);
  }

  #settle(): void {
    for (const list of this.#loaded()) list.settle();
  }

  #forget(id: ChatId): void {
    for (const list of this.#loaded()) list.remove(id);
    if (this.app.chat === id) this.app.newChat();
  }

  async #loadRunning(): Promise<void> {
    try {
      const running = await this.#platform.runningAnswers();
      this.running = new Set(running.map((answer) => answer.chat_id));
    } catch {
      // The pulse is an ornament: without it nothing is missed.
    }
  }

  #loaded(): ChatList[] {
    const lists = Object.values(this.#lists);
    return (this.#collected ? [...lists, this.#collected] : lists).filter((list) => list.loaded);
  }

  #reachOf(list: ChatList): number {
    // What is selected stays in the list, also where it was not looked at.
    return list === this.list && !this.selection.active ? this.#reach[list.view] : list.size;
  }

  /** How chats are sorted is an ornament of the list: without it the list is still there. */
  async #quietly(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch {
      // The next change asks again.
    }
  }
}

const states = new WeakMap<AppState, LibraryState>();

export function libraryOf(app: AppState): LibraryState {
  const known = states.get(app);
  if (known) return known;
  const made = new LibraryState(app);
  states.set(app, made);
  return made;
}
