// The fake store: chats, trees of messages and saved pages, made when they are first looked at.

import type {
  Chat,
  ChatCursor,
  ChatId,
  ChatView,
  Failure,
  MessageId,
  OpenChat,
  OpenMessage,
  Page,
  PageId,
  RecheckNote,
  SavedSource,
  SearchHit,
} from "../../bindings/bindings";
import { buildAnswer, buildPage, sourceOf } from "./build";
import type { FakeOptions } from "./options";
import { titles } from "./titles";
import { type Topic, topics } from "./topics";

type Stored = Omit<OpenMessage, "siblings" | "recheck">;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Short names of the worked-out topics, so that a test can write `chat_wal`. */
const NAMES = ["wal", "heat", "leave", "astrolabe", "crab", "battery"];

export class FakeLibrary {
  readonly chats = new Map<ChatId, Chat>();
  readonly pages = new Map<PageId, Page>();
  /** What answers say of their rechecks. */
  readonly rechecks = new Map<MessageId, RecheckNote>();
  readonly #messages = new Map<ChatId, Stored[]>();
  readonly #chatOf = new Map<MessageId, ChatId>();
  #sorted: Chat[] | null = null;
  #next = 1;

  constructor(readonly options: FakeOptions) {
    if (options.scenario === "empty") return;
    topics.forEach((topic, at) => this.#addTopic(topic, NAMES[at]!, at));
    this.#addOddities();
    const count = options.scenario === "huge" ? 100_000 - this.chats.size : titles.length;
    for (let n = 0; n < count; n++) this.#addPlain(n);
  }

  /** Now, as the store writes it; every call is a millisecond later, so that order is certain. */
  now(): string {
    return new Date(this.options.now + this.#next++).toISOString();
  }

  newId<Kind extends string>(kind: Kind): string {
    return `${kind}_new_${this.#next++}`;
  }

  list(view: ChatView, after: ChatCursor | null, limit: number): Chat[] {
    const wanted = this.sorted().filter((chat) => isIn(view, chat));
    const from = after ? wanted.findIndex((chat) => newestFirst(after, chat) < 0) : 0;
    return from < 0 ? [] : wanted.slice(from, from + limit).map((chat) => ({ ...chat }));
  }

  /** All chats, newest first. */
  sorted(): Chat[] {
    return (this.#sorted ??= [...this.chats.values()].sort(newestFirst));
  }

  chat(id: ChatId): Chat {
    return this.chats.get(id) ?? fail("chat", id);
  }

  updateChat(id: ChatId, change: Partial<Chat>): Chat {
    const chat = { ...this.chat(id), ...change };
    this.chats.set(id, chat);
    this.#sorted = null;
    return { ...chat };
  }

  addChat(chat: Chat): void {
    this.chats.set(chat.id, chat);
    this.#messages.set(chat.id, []);
    this.#sorted = null;
  }

  forget(id: ChatId): void {
    this.chat(id);
    this.chats.delete(id);
    this.#messages.delete(id);
    this.#sorted = null;
  }

  open(id: ChatId, before: MessageId | null, limit: number): OpenChat {
    const path = this.path(id);
    const end = before ? path.findIndex((message) => message.id === before) : path.length;
    const start = Math.max(0, end - limit);
    const messages = path.slice(start, Math.max(end, 0)).map((message) => this.#opened(message));
    return { chat: { ...this.chat(id) }, messages, has_older: start > 0, places: [] };
  }

  message(id: MessageId): OpenMessage {
    return this.#opened(this.stored(id));
  }

  stored(id: MessageId): Stored {
    const chat = this.#chatOf.get(id) ?? this.#chatOfPlain(id);
    return (chat && this.messagesOf(chat).find((message) => message.id === id)) || fail("message", id);
  }

  messagesOf(id: ChatId): Stored[] {
    const known = this.#messages.get(id);
    if (known) return known;
    const made = makePlain(this.chat(id));
    this.#messages.set(id, made);
    for (const message of made) this.#chatOf.set(message.id, id);
    return made;
  }

  addMessage(message: Stored): void {
    this.messagesOf(message.chat_id).push(message);
    this.#chatOf.set(message.id, message.chat_id);
    this.updateChat(message.chat_id, { leaf: message.id, updated_at: message.created_at });
  }

  updateMessage(id: MessageId, change: Partial<Stored>): Stored {
    return Object.assign(this.stored(id), change);
  }

  /** Makes the newest leaf below a message the shown one, unless the shown branch holds the message already. */
  showBranch(id: MessageId): void {
    let shown = this.stored(id);
    if (this.path(shown.chat_id).some((message) => message.id === id)) return;
    const all = this.messagesOf(shown.chat_id);
    for (let child = shown as Stored | undefined; child; child = all.findLast((each) => each.parent === shown.id)) {
      shown = child;
    }
    this.updateChat(shown.chat_id, { leaf: shown.id });
  }

  /** From the first message to the shown leaf. */
  path(id: ChatId): Stored[] {
    const byId = new Map(this.messagesOf(id).map((message) => [message.id, message]));
    const path: Stored[] = [];
    let at = this.chat(id).leaf ?? this.messagesOf(id).at(-1)?.id ?? null;
    while (at) {
      const message = byId.get(at);
      if (!message) break;
      path.unshift(message);
      at = message.parent;
    }
    return path;
  }

  page(id: PageId): Page {
    return this.pages.get(id) ?? fail("page", id);
  }

  /** What engines would find: pages with any of the words. */
  webHits(text: string): SearchHit[] {
    const words = text.toLocaleLowerCase().split(/\s+/);
    const seeds = topics.flatMap((topic) => topic.pages);
    return seeds
      .filter(({ title }) => words.some((word) => title.toLocaleLowerCase().includes(word)))
      .map(({ url, title }) => ({ title, url, snippet: "" }));
  }

  /** A page as it reads now; it has an id of its own, since it is not the saved one. */
  readPage(url: string): Page {
    const seed = topics.flatMap((topic) => topic.pages).find((page) => page.url === url);
    return seed ? buildPage(seed, "page_read_now", this.now()) : fail("page", url);
  }

  /** The saved pages of a topic, under the same ids every time. */
  pagesOf(topic: Topic, name = NAMES[topics.indexOf(topic)] ?? "guide"): Page[] {
    return topic.pages.map((seed, at) => {
      const id = `page_${name}_${at + 1}`;
      const page = this.pages.get(id) ?? buildPage(seed, id, new Date(this.options.now - 2 * HOUR).toISOString());
      this.pages.set(id, page);
      return page;
    });
  }

  #opened(message: Stored): OpenMessage {
    const siblings = this.messagesOf(message.chat_id)
      .filter((other) => other.parent === message.parent && other.role === message.role)
      .map((other) => other.id);
    return { ...structuredClone(message), siblings, recheck: this.rechecks.get(message.id) ?? null };
  }

  #chatOfPlain(id: MessageId): ChatId | null {
    const chat = id.replace(/^msg_/, "chat_").replace(/_[qa]$/, "");
    return this.chats.has(chat) ? chat : null;
  }

  #addTopic(topic: Topic, name: string, at: number): void {
    const hoursAgo = [0.4, 3, 22, 27, 51, 80][at] ?? 100;
    const when = this.options.now - hoursAgo * HOUR;
    const pages = this.pagesOf(topic, name);
    const chat = emptyChat(`chat_${name}`, topic.title, new Date(when));
    chat.pinned = name === "heat" || name === "battery";
    this.addChat(chat);
    const question = this.#say(chat.id, `msg_${name}_q`, null, "user", topic.question, when - 40_000);
    const answer = this.#say(chat.id, `msg_${name}_a`, question, "assistant", "", when - 30_000);
    this.updateMessage(answer, {
      ...buildAnswer(topic.answer, pages),
      ...evidence(pages),
      follow_ups: topic.followUps,
      metadata: metadata(topic.queries[0]!, pages, 8_400),
    });
    if (name === "wal") this.#branch(topic, pages, when);
    if (name === "crab") this.#interrupt(answer);
  }

  /** Another answer to the same question, an edited follow-up, and a third turn. */
  #branch(topic: Topic, pages: Page[], when: number): void {
    const chat = "chat_wal";
    const other = this.#say(chat, "msg_wal_a2", "msg_wal_q", "assistant", "", when - 25_000);
    const short =
      "Changed pages go to a log first [1:changed pages are appended to the log], so readers and a writer do not wait for each other [1:readers do not block writers].";
    this.updateMessage(other, {
      ...buildAnswer(short, pages),
      ...evidence(pages),
      metadata: metadata(topic.queries[0]!, pages, 2_100, "extractive"),
    });
    const first = this.#say(chat, "msg_wal_q2", "msg_wal_a", "user", "How large can the log get?", when - 20_000);
    this.#say(chat, "msg_wal_a3", first, "assistant", "As large as the disk, if a reader never ends.", when - 19_000);
    const edited = this.#say(
      chat,
      "msg_wal_q2b",
      "msg_wal_a",
      "user",
      "How large should I let the log get, and how do I cut it back?",
      when - 10_000,
    );
    const last = this.#say(chat, "msg_wal_a4", edited, "assistant", "", when);
    const answer = `By default a checkpoint runs at 1000 pages, about 4 MB [1:By default a checkpoint runs by itself], and that is a good size to keep. To cut the file back, run a truncating checkpoint while no reader is open [1:Truncating checkpoints do the same]:

\`\`\`sql
PRAGMA wal_checkpoint(TRUNCATE);
\`\`\`

If the log still grows, look for a reader that stays open [1:A reader that stays open].`;
    this.updateMessage(last, {
      ...buildAnswer(answer, pages),
      ...evidence(pages),
      follow_ups: topic.followUps,
      metadata: metadata("sqlite wal_checkpoint truncate", pages, 3_900),
    });
  }

  #interrupt(answer: MessageId): void {
    const { content, citations } = this.stored(answer);
    const kept = content.slice(0, 96);
    const bytes = new TextEncoder().encode(kept).length;
    this.updateMessage(answer, {
      content: kept,
      state: "interrupted",
      follow_ups: [],
      checks: [],
      citations: citations.filter((citation) => citation.marker.end <= bytes),
    });
  }

  /** A question without an answer, an answer that never began, a very long chat, and titles that strain the layout. */
  #addOddities(): void {
    const { now } = this.options;
    const add = (id: string, title: string, hoursAgo: number) => {
      this.addChat(emptyChat(id, title, new Date(now - hoursAgo * HOUR)));
      return now - hoursAgo * HOUR;
    };
    let when = add("chat_failed", "Current price of copper", 5);
    const failed = this.#say(
      "chat_failed",
      "msg_failed_q",
      null,
      "user",
      "What is the current price of copper?",
      when - 1000,
    );
    this.#say("chat_failed", "msg_failed_a", failed, "assistant", "", when);
    this.updateMessage("msg_failed_a", { state: "interrupted" });

    when = add(
      "chat_long",
      "A long talk about everything in a workshop, its tools, its timber, its lights and the right order in which to buy them",
      30,
    );
    let parent: MessageId | null = null;
    for (let turn = 1; turn <= 80; turn++) {
      const at = when - (80 - turn) * 60_000;
      parent = this.#say(
        "chat_long",
        `msg_long_q${turn}`,
        parent,
        "user",
        `Question ${turn}: and what comes after that?`,
        at - 30_000,
      );
      const answer = `Answer ${turn}. ${"A workshop grows one tool at a time, and each should earn its place on the wall. ".repeat(1 + (turn % 5))}`;
      parent = this.#say("chat_long", `msg_long_a${turn}`, parent, "assistant", answer.trim(), at);
    }
    when = add("chat_wide", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", 56);
    const wide = `Here is one line of code that does not end soon, and a word that cannot break:\n\n\`\`\`ts\nexport const ${"veryLongName".repeat(20)} = 1;\n\`\`\`\n\n${"Pneumonoultramicroscopicsilicovolcanoconiosis".repeat(6)}\n\n| ${"column | ".repeat(14)}\n| ${"--- | ".repeat(14)}\n| ${"some value | ".repeat(14)}`;
    const asked = this.#say("chat_wide", "msg_wide_q", null, "user", "A".repeat(400), when - 1000);
    this.#say("chat_wide", "msg_wide_a", asked, "assistant", wide, when);
  }

  #addPlain(n: number): void {
    const [title] = titles[n % titles.length]!;
    const huge = this.options.scenario === "huge";
    const id = `chat_${String(n).padStart(6, "0")}`;
    const age = huge ? (n + 1) * 0.35 * HOUR : 6 * HOUR + n ** 1.8 * 0.9 * HOUR;
    const chat = emptyChat(id, huge ? `${title} (${n + 1})` : title, new Date(this.options.now - age));
    chat.leaf = `msg_${String(n).padStart(6, "0")}_a`;
    if (n % 9 === 4) chat.archived = true;
    if (n % 11 === 7) chat.deleted_at = new Date(this.options.now - ((n % 25) + 1) * DAY).toISOString();
    if (n % 40 === 12) chat.pinned = true;
    this.chats.set(id, chat);
  }

  #say(
    chat_id: ChatId,
    id: MessageId,
    parent: MessageId | null,
    role: "user" | "assistant",
    content: string,
    when: number,
  ): MessageId {
    this.addMessage(stored({ id, chat_id, parent, role, content, created_at: new Date(when).toISOString() }));
    this.updateChat(chat_id, { leaf: id, updated_at: new Date(when).toISOString() });
    return id;
  }
}

export function emptyChat(id: ChatId, title: string, when: Date): Chat {
  const at = when.toISOString();
  return { id, title, created_at: at, updated_at: at, deleted_at: null, pinned: false, archived: false, leaf: null };
}

export function stored(
  message: Pick<Stored, "id" | "chat_id" | "parent" | "role" | "content" | "created_at"> & Partial<Stored>,
): Stored {
  return {
    sources: null,
    metadata: null,
    state: "complete",
    files: [],
    pages: [],
    citations: [],
    checks: [],
    follow_ups: [],
    ...message,
  };
}

/** Sources and saved pages of an answer. */
export function evidence(pages: Page[]): Pick<Stored, "sources" | "pages"> {
  const saved = (page: Page, at: number): SavedSource => ({
    number: at + 1,
    page_id: page.id,
    title: page.title,
    url: page.url,
    fetched_at: page.fetched_at,
  });
  return { sources: pages.map(sourceOf), pages: pages.map(saved) };
}

export function metadata(query: string, pages: Page[], ms: number, model = "openai/gpt-5-mini"): Stored["metadata"] {
  const tokens = model === "extractive" ? null : { prompt: 4_812, completion: 641, total: 5_453 };
  return { searchQuery: query, crawledUrls: pages.map((page) => page.url), model, tokens, processingTime: ms };
}

/** What a call about something that is not there rejects with. */
export function fail(what: string, id: string): never {
  throw { code: "not_found", message: `There is no ${what} ${id}.`, hint: null } satisfies Failure;
}

function makePlain(chat: Chat): Stored[] {
  const n = Number(/chat_(\d+)/.exec(chat.id)?.[1] ?? 0);
  const [question, answer] = titles[n % titles.length]!;
  const key = chat.id.replace(/^chat_/, "msg_");
  const about = { chat_id: chat.id, created_at: chat.updated_at };
  return [
    stored({ ...about, id: `${key}_q`, parent: null, role: "user", content: question }),
    stored({
      ...about,
      id: `${key}_a`,
      parent: `${key}_q`,
      role: "assistant",
      content: answer,
      metadata: { model: "extractive", processingTime: 900 },
    }),
  ];
}

function isIn(view: ChatView, chat: Chat): boolean {
  if (view === "trash") return chat.deleted_at !== null;
  if (chat.deleted_at) return false;
  if (view === "archived") return chat.archived;
  return !chat.archived && (view === "active" || chat.pinned);
}

function newestFirst(a: ChatCursor, b: ChatCursor): number {
  if (a.updated_at !== b.updated_at) return a.updated_at < b.updated_at ? 1 : -1;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
