import { describe, expect, it } from "vitest";
import type { Chat, ChatCursor, ChatView } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { ChatList, type ListView, PAGE } from "./chat-list.svelte";

const MINUTE = 60_000;
const start = Date.now();

function chat(id: string, minutesAgo: number, change: Partial<Chat> = {}): Chat {
  const when = new Date(start - minutesAgo * MINUTE).toISOString();
  const plain = { deleted_at: null, pinned: false, archived: false, leaf: null };
  return { id, title: `Chat ${id}`, created_at: when, updated_at: when, ...plain, ...change };
}

/** A store that answers when it is told to, or at once. */
class Store {
  calls = 0;
  slow: (() => void)[] | null = null;
  failing = false;

  constructor(public chats: Chat[]) {}

  async listChats(view: ChatView, after: ChatCursor | null, limit: number): Promise<Chat[]> {
    this.calls += 1;
    const found = this.#find(view, after, limit);
    if (this.slow) await new Promise<void>((resolve) => this.slow!.push(resolve));
    if (this.failing) throw { code: "storage", message: "The disk is gone.", hint: null };
    return found;
  }

  list(view: ListView = "active"): ChatList {
    return new ChatList(this as unknown as Platform, view);
  }

  #find(view: ChatView, after: ChatCursor | null, limit: number): Chat[] {
    const wanted = this.chats
      .filter((each) => (view === "trash") === (each.deleted_at !== null))
      .filter((each) => view === "trash" || each.archived === (view === "archived"))
      .filter((each) => view !== "pinned" || each.pinned)
      .sort((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at) || (a.id < b.id ? 1 : -1));
    const from = after ? wanted.findIndex((each) => each.id === after.id) + 1 : 0;
    return wanted.slice(from, from + limit);
  }
}

function many(count: number): Chat[] {
  return Array.from({ length: count }, (_, n) => chat(`c${String(n).padStart(6, "0")}`, n));
}

function keys(list: ChatList): string[] {
  return list.rows.map((row) => row.key);
}

function chatsOf(list: ChatList): string[] {
  return list.rows.flatMap((row) => (row.kind === "chat" ? [row.key] : []));
}

async function loaded(store: Store, view: ListView = "active"): Promise<ChatList> {
  const list = store.list(view);
  await list.more();
  return list;
}

describe("loading", () => {
  it("stands pinned chats first and nowhere else", async () => {
    const list = await loaded(new Store([chat("a", 0), chat("b", 1, { pinned: true }), chat("c", 60 * 24 * 400)]));
    expect(keys(list).slice(0, 2)).toEqual(["group:pinned", "b"]);
    expect(chatsOf(list)).toEqual(["b", "a", "c"]);
    expect(list.complete).toBe(true);
  });

  it("reaches the far end page by page without a chat twice or left out", async () => {
    const store = new Store(many(2 * PAGE + 100));
    const list = store.list();
    await list.all(() => true);
    expect(chatsOf(list)).toEqual(store.chats.map((each) => each.id));
    expect(new Set(keys(list)).size).toBe(list.rows.length);
  });

  it("asks once however often it is told to", async () => {
    const store = new Store(many(10));
    const list = store.list();
    await Promise.all([list.more(), list.more(), list.more()]);
    expect(store.calls).toBe(2); // Pinned, and the first page.
    await list.more();
    expect(store.calls).toBe(2);
  });

  it("says what failed, and tries again", async () => {
    const store = new Store(many(3));
    store.failing = true;
    const list = await loaded(store);
    expect(list.failure?.code).toBe("storage");
    expect(list.isEmpty).toBe(false);
    store.failing = false;
    await list.more();
    expect(list.failure).toBeNull();
    expect(chatsOf(list)).toHaveLength(3);
  });

  it("keeps what it has when a later page fails", async () => {
    const store = new Store(many(1000));
    const list = await loaded(store);
    store.failing = true;
    await list.more();
    expect(list.failure?.code).toBe("storage");
    expect(list.size).toBe(60);
  });

  it("does not mix a page asked for before a reload into what came after it", async () => {
    const store = new Store(many(3 * PAGE));
    const list = await loaded(store);
    await list.more();
    store.slow = [];
    const late = list.more();
    const [answerLate] = store.slow;
    const reload = list.reload(60);
    while (store.slow.length < 2) await Promise.resolve();
    store.slow[1]!();
    while (store.slow.length < 3) await Promise.resolve();
    store.slow[2]!();
    await reload;
    answerLate!();
    await late;
    store.slow = null;
    await list.all(() => true);
    expect(chatsOf(list)).toEqual(store.chats.map((each) => each.id));
  });
});

describe("changes", () => {
  it("moves a chat to where its time puts it", async () => {
    const list = await loaded(new Store([chat("a", 0), chat("b", 1), chat("c", 2)]));
    list.put(chat("c", -1, { title: "Newest" }));
    expect(chatsOf(list)).toEqual(["c", "a", "b"]);
    expect(list.find("c")?.title).toBe("Newest");
  });

  it("takes in a new chat, and lets an archived one go", async () => {
    const list = await loaded(new Store([chat("a", 0), chat("b", 1)]));
    list.put(chat("new", -1));
    list.put(chat("b", 1, { archived: true }));
    expect(chatsOf(list)).toEqual(["new", "a"]);
  });

  it("pins and unpins", async () => {
    const list = await loaded(new Store([chat("a", 0), chat("b", 1)]));
    list.put(chat("b", 1, { pinned: true }));
    expect(chatsOf(list)).toEqual(["b", "a"]);
    list.put(chat("b", 1));
    expect(chatsOf(list)).toEqual(["a", "b"]);
    expect(keys(list)).not.toContain("group:pinned");
  });

  it("leaves a chat beyond the last page to its page", async () => {
    const store = new Store(many(200));
    const list = await loaded(store);
    list.put(chat("c000150", 150, { title: "Changed" }));
    expect(list.has("c000150")).toBe(false);
    await list.all(() => true);
    expect(list.size).toBe(200);
  });

  it("removes the heading with its last chat", async () => {
    const list = await loaded(new Store([chat("a", 0), chat("old", 60 * 24 * 500)]));
    list.remove("old");
    expect(list.rows).toHaveLength(2);
  });

  it("keeps deleted chats in Trash only", async () => {
    const list = await loaded(new Store([chat("a", 0)]), "trash");
    expect(list.isEmpty).toBe(true);
    list.put(chat("a", 0, { deleted_at: new Date().toISOString() }));
    expect(chatsOf(list)).toEqual(["a"]);
  });
});

describe("while it is held", () => {
  async function held(): Promise<ChatList> {
    const list = await loaded(new Store([chat("a", 0), chat("b", 1), chat("c", 2)]));
    list.hold();
    return list;
  }

  it("shows a new title at once and moves the row only when released", async () => {
    const list = await held();
    list.put(chat("c", -1, { title: "Renamed" }));
    expect(chatsOf(list)).toEqual(["a", "b", "c"]);
    expect(list.find("c")?.title).toBe("Renamed");
    list.release();
    expect(chatsOf(list)).toEqual(["c", "a", "b"]);
  });

  it("lets new and vanished chats wait", async () => {
    const list = await held();
    list.put(chat("new", -1));
    list.remove("b");
    expect(chatsOf(list)).toEqual(["a", "b", "c"]);
    list.release();
    expect(chatsOf(list)).toEqual(["new", "a", "c"]);
  });

  it("does at once what the person has just asked for", async () => {
    const list = await held();
    list.put(chat("b", 1, { archived: true }));
    list.settle();
    expect(chatsOf(list)).toEqual(["a", "c"]);
    list.put(chat("new", -1));
    expect(chatsOf(list)).toEqual(["a", "c"]);
  });

  it("still loads further pages at the end", async () => {
    const store = new Store(many(300));
    const list = await loaded(store);
    list.hold();
    list.put(chat("c000250", -5));
    await list.more();
    expect(chatsOf(list)).toHaveLength(299);
    list.release();
    expect(chatsOf(list)[0]).toBe("c000250");
    expect(new Set(chatsOf(list)).size).toBe(300);
  });
});
