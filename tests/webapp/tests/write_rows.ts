// The web app writes rows in each way in which the seed writes them, and prints what it wrote as one JSON document. The
// Rust test that started us reads them back through DeepSearch's repositories. Times are printed in microseconds: the
// database's own default has them, and a Date does not.

import { randomUUID } from "node:crypto";

import { eq, sql } from "drizzle-orm";

import { addMessages, connect, createChat, type NewMessage } from "../src/queries.ts";
import {
  accounts,
  chats,
  messages,
  searchCache,
  sessions,
  users,
  userSettings,
  verificationTokens,
} from "../src/schema.ts";
import { sharedUrl } from "./database.ts";

const { db, close } = connect(sharedUrl());

// Left to the column's default, which is now (R16), and a user whose id is not a UUID.
const [defaulted] = await db.insert(users).values({ email: "defaulted@example.org" }).returning();
const lin = {
  id: "clx0 not a uuid ü",
  name: "Lin 林",
  email: "Lin@Example.org",
  emailVerified: null,
  image: "https://example.org/lin.png",
  isAdmin: true,
};
await db.insert(users).values(lin);

const account = {
  userId: lin.id,
  type: "oauth" as const,
  provider: "github",
  providerAccountId: "4711",
  access_token: "a".repeat(4000),
  refresh_token: null,
  expires_at: 2_147_483_647,
  token_type: "bearer",
  scope: "read:user user:email",
  id_token: null,
  session_state: null,
};
await db.insert(accounts).values(account);
const session = { sessionToken: randomUUID(), userId: lin.id, expires: new Date("2099-01-02T03:04:05.678Z") };
await db.insert(sessions).values(session);
const token = { identifier: "lin@example.org", token: "0f".repeat(32), expires: new Date("2099-01-02T03:04:05.678Z") };
await db.insert(verificationTokens).values(token);
// Every nullable setting is NULL, though it has a default (R24).
await db.insert(userSettings).values({
  userId: lin.id,
  theme: null,
  language: null,
  defaultModel: null,
  maxSearchResults: null,
  enableSearchByDefault: false,
});

// 7.2: one transaction, so that chat and message share their time. 7.3: one statement, one time for all (R11).
const { chat } = await createChat(db, lin.id);
const several: NewMessage[] = Array.from({ length: 120 }, (_, at) => ({
  role: at % 2 === 0 ? ("user" as const) : ("assistant" as const),
  content: `message ${at} – ${"💡".repeat(at % 3)}`,
}));
several[1] = {
  role: "assistant",
  content: "An answer with a source [1].",
  sources: [
    { url: "https://example.org/a", title: "Ä title", snippet: "", favicon: "https://example.org/favicon.ico" },
    { title: "Second", url: "https://example.org/b", snippet: "told" },
  ],
  metadata: {
    searchQuery: "why",
    crawledUrls: ["https://example.org/a"],
    model: "some-model",
    tokens: { prompt: 1, completion: 2, total: 3 },
    processingTime: 12.5,
  },
};
await addMessages(db, chat.id, several);

// Text that is JSON and looks like none that a program would write; its keys are in an order, its numbers have a form.
const oddMetadata = '{ "zebra" : 1.50,\n  "model":"m", "apple" : [ 1e2 , true ], "model2": null }';
const [odd] = await db
  .insert(messages)
  .values({
    chatId: chat.id,
    role: "assistant",
    content: "odd",
    metadata: sql`${oddMetadata}::json`,
    sources: sql`'[ ]'::json`,
  })
  .returning({ id: messages.id });

await db
  .insert(chats)
  .values({ id: "an-old-id", userId: lin.id, title: "In Trash", deletedAt: new Date("2026-01-01T00:00:00.001Z") });

const results = { organic: [{ title: "Öne", link: "https://example.org", position: 1, none: null }], credits: 1 };
await db
  .insert(searchCache)
  .values({ query: "why is the sky blue", results, expiresAt: new Date(Date.now() + 60 * 60 * 1000) });
await db.insert(searchCache).values({ query: "old", results, expiresAt: new Date(Date.now() - 1000) });

const micros = (column: unknown) => sql<string>`(extract(epoch from ${column}) * 1000000)::bigint::text`;
const written = await db
  .select({
    id: messages.id,
    role: messages.role,
    content: messages.content,
    sources: messages.sources,
    metadata: messages.metadata,
    created_at: micros(messages.createdAt),
  })
  .from(messages)
  .where(eq(messages.chatId, chat.id));
const searches = await db
  .select({
    query: searchCache.query,
    created_at: micros(searchCache.createdAt),
    expires_at: micros(searchCache.expiresAt),
  })
  .from(searchCache)
  .orderBy(searchCache.id);
const [settings] = await db.select({ updated_at: micros(userSettings.updatedAt) }).from(userSettings);
const [times] = await db
  .select({ created_at: micros(chats.createdAt), updated_at: micros(chats.updatedAt) })
  .from(chats)
  .where(eq(chats.id, chat.id));

console.log(
  JSON.stringify({
    defaulted,
    lin,
    account,
    session,
    token,
    chat: { id: chat.id, title: chat.title, ...times },
    messages: written,
    odd: { id: odd?.id, metadata: oddMetadata },
    searches: searches.map((search) => ({ ...search, results })),
    settings,
  }),
);
await close();
