// The web app reads rows that DeepSearch's repositories wrote, in each way in which the seed reads them, and finds in every
// one what DeepSearch says it wrote. Where nobody had them write, the rows are made here, as they write them. What changes
// rows comes last.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eq, sql } from "drizzle-orm";

import {
  accountsOf,
  activeChatsOfUser,
  cachedSearch,
  chatsOfUser,
  chatWithMessages,
  countMessages,
  dashboard,
  type Database,
  deleteChat,
  deleteExpiredSearches,
  messagesBefore,
  messagesWith,
  planOfSearch,
  titlesOfUser,
  userByEmail,
  userWithAccounts,
} from "../src/queries.ts";
import { chats, messages } from "../src/schema.ts";
import { messageSchema } from "../src/validation.ts";
import { ownDatabase, type Scratch, sharedDatabase } from "./database.ts";
import { type ChatFact, type Facts, factsOfDeepSearch, type MessageFact } from "./facts.ts";
import { writeRows } from "./rows_of_deepsearch.ts";

let db: Database;
let scratch: Scratch;
let facts: Facts;
/** Has accounts, settings and many chats, one of them long and one in Trash. */
let lin: Facts["users"][number];
/** Has none of that but one chat. */
let kim: Facts["users"][number];
let long: ChatFact;

before(async () => {
  const told = await factsOfDeepSearch();
  scratch = told ? sharedDatabase() : await ownDatabase("shared");
  db = scratch.db;
  facts = told ?? (await writeRows(scratch.url));
  const [first, second] = facts.users;
  assert.ok(first && second);
  [lin, kim] = [first, second];
  const longest = lin.chats.toSorted((a, b) => b.messages.length - a.messages.length)[0];
  assert.ok(longest && longest.messages.length > 100);
  long = longest;
});

after(() => scratch[Symbol.asyncDispose]());

test("1: a user is found by their exact address, or not at all", async () => {
  for (const { user } of facts.users) {
    assert.deepEqual(await userByEmail(db, user.email), {
      id: user.id,
      name: user.name,
      email: user.email,
      emailVerified: date(user.email_verified),
      image: user.image,
      isAdmin: user.is_admin,
    });
  }
  assert.equal(await userByEmail(db, lin.user.email.toUpperCase()), undefined);
});

test("2: a user comes with all accounts, or with an empty list", async () => {
  const found = await userWithAccounts(db, lin.user.id);
  assert.ok(lin.accounts.length > 1);
  assert.deepEqual(
    found?.accounts.toSorted((a, b) => a.provider.localeCompare(b.provider)),
    lin.accounts
      .map(({ user_id: userId, provider_account_id: providerAccountId, ...same }) => ({
        userId,
        providerAccountId,
        ...same,
      }))
      .toSorted((a, b) => a.provider.localeCompare(b.provider)),
  );
  assert.deepEqual((await userWithAccounts(db, kim.user.id))?.accounts, []);
  assert.deepEqual(await accountsOf(db, kim.user.id), []);
});

test("3: the fifty chats with the newest activity, of this user only", async () => {
  const newest = lin.chats.toSorted((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at)).slice(0, 50);
  assert.ok(lin.chats.length > 50);
  assert.deepEqual(await chatsOfUser(db, lin.user.id), newest.map(asChat(lin.user.id)));
  assert.deepEqual(await chatsOfUser(db, kim.user.id), kim.chats.map(asChat(kim.user.id)));
});

test("4: a chat opens with its oldest hundred messages, in order", async () => {
  const found = await chatWithMessages(db, long.id);
  assert.deepEqual(found, {
    ...asChat(lin.user.id)(long),
    messages: long.messages.slice(0, 100).map(asMessage(long.id)),
  });
});

test("5: older messages page by page, none lost and none twice, with the milliseconds of a Date", async () => {
  const newest = long.messages.at(-1);
  assert.ok(newest);
  const pages: string[][] = [];
  for (let cursor = new Date(Date.parse(newest.created_at) + 1); ;) {
    const page = await messagesBefore(db, long.id, cursor);
    const last = page.at(-1);
    if (!last) break;
    pages.push(page.map((message) => message.id));
    cursor = last.createdAt;
  }
  assert.ok(pages.length > 2 && pages.every((page) => page.length <= 50));
  assert.deepEqual(pages.flat(), long.messages.map((message) => message.id).toReversed());
});

test("6: the chat that DeepSearch started as the web app does is the web app's", async () => {
  const [started] = kim.chats;
  assert.ok(started);
  const found = await chatWithMessages(db, started.id);
  assert.equal(found?.title, "New Chat");
  assert.deepEqual(
    found?.messages.map(({ role, content }) => [role, content]),
    [["system", "Hello! How can I help you today?"]],
  );
});

test("7: what each message says, cites and cost is as DeepSearch wrote it, and passes the web app's validation", async () => {
  for (const { user, chats: theirs } of facts.users) {
    for (const chat of theirs) {
      const found = await db.query.messages.findMany({
        where: eq(messages.chatId, chat.id),
        orderBy: messages.createdAt,
      });
      assert.deepEqual(found, chat.messages.map(asMessage(chat.id)), `a chat of ${user.email}`);
      for (const message of found) assert.deepEqual(messageSchema.parse(message), withoutTime(message));
    }
  }
});

test("8: only the columns needed, by a prepared statement, and independent reads at once", async () => {
  const titles = await titlesOfUser(db).execute({ userId: kim.user.id });
  assert.deepEqual(
    titles,
    kim.chats.map(({ id, title }) => ({ id, title })),
  );
  const [user, active, settings] = await dashboard(db, lin.user.id);
  assert.deepEqual(user, { id: lin.user.id, name: lin.user.name });
  assert.equal(active.length, 50);
  assert.ok(lin.settings);
  assert.deepEqual(settings, {
    userId: lin.user.id,
    theme: lin.settings.theme,
    language: lin.settings.language,
    defaultModel: lin.settings.default_model,
    enableSearchByDefault: lin.settings.enable_search_by_default,
    maxSearchResults: lin.settings.max_search_results,
    updatedAt: date(lin.settings.updated_at),
  });
  assert.equal((await dashboard(db, kim.user.id))[2], undefined);
});

test("9: a chat in Trash is in the seed's first list and not among the active ones", async () => {
  const trashed = lin.chats.filter((chat) => chat.deleted_at !== null).map((chat) => chat.id);
  assert.equal(trashed.length, 1);
  const ids = (list: { id: string }[]) => list.map((chat) => chat.id);
  assert.ok(ids(await chatsOfUser(db, lin.user.id)).includes(trashed[0] ?? ""));
  assert.ok(!ids(await activeChatsOfUser(db, lin.user.id)).includes(trashed[0] ?? ""));
});

test("10: words are found in the messages of this user outside Trash, through the index", async () => {
  const holds = (message: MessageFact) => /lighthouse/i.test(message.content);
  const expected = lin.chats
    .filter((chat) => chat.deleted_at === null)
    .flatMap((chat) => chat.messages)
    .filter(holds)
    .toSorted((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
  const found = await messagesWith(db, lin.user.id, "lighthouse");
  assert.deepEqual(
    found.map((message) => message.id),
    expected.map((message) => message.id),
  );
  assert.ok(expected.length > 1, "one of them in another form of the word");
  const elsewhere = [...lin.chats.filter((chat) => chat.deleted_at !== null), ...kim.chats];
  assert.ok(
    elsewhere.some((chat) => chat.messages.some(holds)),
    "others are there to be left out",
  );
  assert.match(await planOfSearch(db, "lighthouse"), /message_content_fts_idx/);
});

test("11: the newest search of a query that has not run out; those that have are deleted", async () => {
  const alive = facts.searches.filter((search) => Date.parse(search.expires_at) > Date.now());
  assert.ok(alive.length > 0 && alive.length < facts.searches.length);
  for (const search of facts.searches) {
    const found = await cachedSearch(db, ` ${search.query} `);
    if (!alive.includes(search)) {
      assert.equal(found, undefined);
      continue;
    }
    assert.ok(found);
    const { id, ...rest } = found;
    assert.ok(id > 0);
    assert.deepEqual(rest, {
      query: search.query,
      results: search.results,
      createdAt: date(search.created_at),
      expiresAt: date(search.expires_at),
    });
  }
  assert.equal((await deleteExpiredSearches(db)).length, facts.searches.length - alive.length);
});

test("JSON that DeepSearch wrote stays the same text when the web app changes its row", async () => {
  const cited = long.messages.find((message) => message.sources && message.metadata);
  assert.ok(cited);
  const text = async () => {
    const [row] = await db
      .select({ sources: sql<string>`sources::text`, metadata: sql<string>`metadata::text` })
      .from(messages)
      .where(eq(messages.id, cited.id));
    return row;
  };
  const before = await text();
  await db.update(messages).set({ content: "changed by the web app" }).where(eq(messages.id, cited.id));
  assert.deepEqual(await text(), before);
});

test("a chat that the web app deletes takes DeepSearch's messages along", async () => {
  assert.equal(await countMessages(db, long.id), long.messages.length);
  await deleteChat(db, long.id);
  assert.equal(await countMessages(db, long.id), 0);
  assert.equal((await db.select().from(chats).where(eq(chats.id, long.id))).length, 0);
});

/** Times of DeepSearch are whole milliseconds, which a Date holds. */
function date(time: string): Date;
function date(time: string | null): Date | null;
function date(time: string | null): Date | null {
  return time === null ? null : new Date(time);
}

const asChat = (userId: string) => (chat: ChatFact) => ({
  id: chat.id,
  userId,
  title: chat.title,
  createdAt: date(chat.created_at),
  updatedAt: date(chat.updated_at),
  deletedAt: date(chat.deleted_at),
});

const asMessage = (chatId: string) => (message: MessageFact) => ({
  id: message.id,
  chatId,
  role: message.role,
  content: message.content,
  sources: message.sources,
  metadata: message.metadata,
  createdAt: date(message.created_at),
});

const withoutTime = ({ createdAt: _, ...message }: typeof messages.$inferSelect) => message;
