// The web app's data layer: each way in which the seed reads and writes chats, as drizzle-orm runs it. Its snippets are
// followed for what they mean; where they do not run as they stand (R18), or lose rows (R11), the resolution is taken.

import { and, asc, count, desc, eq, gt, isNull, lt, sql } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";

import * as schema from "./schema.ts";
import { accounts, chats, messages, searchCache, users, userSettings } from "./schema.ts";

export type Database = NodePgDatabase<typeof schema>;
export type NewMessage = Omit<typeof messages.$inferInsert, "chatId">;

export function connect(url: string): { db: Database; close: () => Promise<void> } {
  // Without `query_timeout` a statement can wait for ever that was sent just when the server went.
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 10_000, query_timeout: 10_000 });
  // A connection that is lost is told by the query that used it, or replaced by the next one; unheard, it would end the
  // process.
  pool.on("error", () => {});
  pool.on("connect", (client) => void client.on("error", () => {}));
  return { db: drizzle(pool, { schema }), close: () => pool.end() };
}

// --- Pattern 1 and 2: users ---

export const userByEmail = (db: Database, email: string) => db.query.users.findFirst({ where: eq(users.email, email) });

export const userWithAccounts = (db: Database, id: string) =>
  db.query.users.findFirst({ where: eq(users.id, id), with: { accounts: true } });

// --- Pattern 3 and 9: a user's chats ---

export const chatsOfUser = (db: Database, userId: string) =>
  db.query.chats.findMany({ where: eq(chats.userId, userId), orderBy: desc(chats.updatedAt), limit: 50 });

export const activeChatsOfUser = (db: Database, userId: string) =>
  db.query.chats.findMany({
    where: and(eq(chats.userId, userId), isNull(chats.deletedAt)),
    orderBy: desc(chats.updatedAt),
    limit: 50,
  });

// --- Pattern 4 and 5: the messages of a chat ---

export const chatWithMessages = (db: Database, id: string) =>
  db.query.chats.findFirst({
    where: eq(chats.id, id),
    with: { messages: { orderBy: asc(messages.createdAt), limit: 100 } },
  });

/** One page of older messages; the next one begins before the last row's `createdAt`. */
export const messagesBefore = (db: Database, chatId: string, cursor: Date) =>
  db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, chatId), lt(messages.createdAt, cursor)))
    .orderBy(desc(messages.createdAt))
    .limit(50);

// --- Pattern 6 and 7: writing ---

export const createChat = (db: Database, userId: string) =>
  db.transaction(async (tx) => {
    const [chat] = await tx.insert(chats).values({ userId, title: "New Chat" }).returning();
    if (!chat) throw new Error("the chat was not inserted");
    const [first] = await tx
      .insert(messages)
      .values({ chatId: chat.id, role: "system", content: "Hello! How can I help you today?" })
      .returning();
    return { chat, first };
  });

export const addMessages = (db: Database, chatId: string, several: NewMessage[]) =>
  db
    .insert(messages)
    .values(several.map((message) => ({ ...message, chatId })))
    .returning({ id: messages.id });

// --- Pattern 8: only what is needed, prepared, at once ---

export const titlesOfUser = (db: Database) =>
  db
    .select({ id: chats.id, title: chats.title })
    .from(chats)
    .where(eq(chats.userId, sql.placeholder("userId")))
    .orderBy(desc(chats.updatedAt))
    .limit(50)
    .prepare("titles_of_user");

export const dashboard = (db: Database, userId: string) =>
  Promise.all([
    db.query.users.findFirst({ where: eq(users.id, userId), columns: { id: true, name: true } }),
    activeChatsOfUser(db, userId),
    db.query.userSettings.findFirst({ where: eq(userSettings.userId, userId) }),
  ]);

// --- Pattern 10: full-text search, in the words that its index is made of ---

const matches = (words: string) =>
  sql`to_tsvector('english', ${messages.content}) @@ websearch_to_tsquery('english', ${words})`;

export const messagesWith = (db: Database, userId: string, words: string) =>
  db
    .select({ id: messages.id, chatId: messages.chatId })
    .from(messages)
    .innerJoin(chats, eq(messages.chatId, chats.id))
    .where(and(eq(chats.userId, userId), isNull(chats.deletedAt), matches(words)))
    .orderBy(asc(messages.createdAt));

/** How PostgreSQL would look for the words, if it looks through an index wherever it can. */
export const planOfSearch = (db: Database, words: string) =>
  db.transaction(async (tx) => {
    await tx.execute(sql`set local enable_seqscan = off`);
    const plan = await tx.execute<{ "QUERY PLAN": string }>(
      sql`explain ${tx.select({ id: messages.id }).from(messages).where(matches(words))}`,
    );
    return plan.rows.map((row) => row["QUERY PLAN"]).join("\n");
  });

// --- Pattern 11: the search cache ---

export const cachedSearch = async (db: Database, query: string) => {
  const [newest] = await db
    .select()
    .from(searchCache)
    .where(and(eq(searchCache.query, query.trim()), gt(searchCache.expiresAt, new Date())))
    .orderBy(desc(searchCache.createdAt), desc(searchCache.id))
    .limit(1);
  return newest;
};

export const deleteExpiredSearches = (db: Database) =>
  db.delete(searchCache).where(lt(searchCache.expiresAt, new Date())).returning({ id: searchCache.id });

// --- Deleting: what the foreign keys take along, and what they refuse (R4) ---

export const deleteChat = (db: Database, id: string) => db.delete(chats).where(eq(chats.id, id));

export const accountsOf = (db: Database, userId: string) =>
  db.select().from(accounts).where(eq(accounts.userId, userId));

export const countMessages = async (db: Database, chatId: string) => {
  const [row] = await db.select({ messages: count() }).from(messages).where(eq(messages.chatId, chatId));
  return row?.messages ?? 0;
};
