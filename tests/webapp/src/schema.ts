// The web app's schema as its own `schema.ts` has it: the seed's eight tables, names, types, defaults, relations and
// checks to the letter, with the parts that the seed calls future (soft delete, the check of roles, full-text search).
//
// Nothing here knows DeepSearch. drizzle-kit compares this file with the database that DeepSearch's migrations made.

import { relations, sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  json,
  pgTableCreator,
  primaryKey,
  serial,
  text,
  timestamp,
  varchar,
} from "drizzle-orm/pg-core";
import type { AdapterAccount } from "@auth/core/adapters";

/** Several projects may share a database: each has a prefix for its tables. */
export const createTable = pgTableCreator((name) => `ai-app-template_${name}`);

// --- Who a person is: written by Auth.js ---

export const users = createTable("user", {
  id: varchar("id", { length: 255 })
    .notNull()
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID()),
  name: varchar("name", { length: 255 }),
  email: varchar("email", { length: 255 }).notNull(),
  emailVerified: timestamp("email_verified", { mode: "date", withTimezone: true }).default(sql`CURRENT_TIMESTAMP`),
  image: varchar("image", { length: 255 }),
  isAdmin: boolean("is_admin").notNull().default(false),
});

export const accounts = createTable(
  "account",
  {
    userId: varchar("user_id", { length: 255 })
      .notNull()
      .references(() => users.id),
    type: varchar("type", { length: 255 }).$type<AdapterAccount["type"]>().notNull(),
    provider: varchar("provider", { length: 255 }).notNull(),
    providerAccountId: varchar("provider_account_id", { length: 255 }).notNull(),
    refresh_token: text("refresh_token"),
    access_token: text("access_token"),
    expires_at: integer("expires_at"),
    token_type: varchar("token_type", { length: 255 }),
    scope: varchar("scope", { length: 255 }),
    id_token: text("id_token"),
    session_state: varchar("session_state", { length: 255 }),
  },
  (account) => [
    primaryKey({ columns: [account.provider, account.providerAccountId] }),
    index("account_user_id_idx").on(account.userId),
  ],
);

export const sessions = createTable(
  "session",
  {
    sessionToken: varchar("session_token", { length: 255 }).notNull().primaryKey(),
    userId: varchar("user_id", { length: 255 })
      .notNull()
      .references(() => users.id),
    expires: timestamp("expires", { mode: "date", withTimezone: true }).notNull(),
  },
  (session) => [index("session_user_id_idx").on(session.userId)],
);

export const verificationTokens = createTable(
  "verification_token",
  {
    identifier: varchar("identifier", { length: 255 }).notNull(),
    token: varchar("token", { length: 255 }).notNull(),
    expires: timestamp("expires", { mode: "date", withTimezone: true }).notNull(),
  },
  (verificationToken) => [primaryKey({ columns: [verificationToken.identifier, verificationToken.token] })],
);

// --- What a person asked and was answered ---

export interface Source {
  title: string;
  url: string;
  snippet: string;
  favicon?: string;
}

export interface MessageMetadata {
  searchQuery?: string;
  crawledUrls?: string[];
  model?: string;
  tokens?: { prompt: number; completion: number; total: number };
  processingTime?: number;
}

export const chats = createTable(
  "chat",
  {
    id: varchar("id", { length: 255 })
      .notNull()
      .primaryKey()
      .$defaultFn(() => `chat_${crypto.randomUUID()}`),
    userId: varchar("user_id", { length: 255 })
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    title: varchar("title", { length: 500 }).notNull(),
    createdAt: timestamp("created_at", { mode: "date", withTimezone: true })
      .notNull()
      .default(sql`CURRENT_TIMESTAMP`),
    updatedAt: timestamp("updated_at", { mode: "date", withTimezone: true })
      .notNull()
      .default(sql`CURRENT_TIMESTAMP`),
    deletedAt: timestamp("deleted_at", { mode: "date", withTimezone: true }),
  },
  (chat) => [
    index("chat_user_id_idx").on(chat.userId),
    index("chat_created_at_idx").on(chat.createdAt),
    index("chat_updated_at_idx").on(chat.updatedAt),
  ],
);

export const messages = createTable(
  "message",
  {
    id: varchar("id", { length: 255 })
      .notNull()
      .primaryKey()
      .$defaultFn(() => `msg_${crypto.randomUUID()}`),
    chatId: varchar("chat_id", { length: 255 })
      .notNull()
      .references(() => chats.id, { onDelete: "cascade" }),
    role: varchar("role", { length: 50 }).$type<"user" | "assistant" | "system">().notNull(),
    content: text("content").notNull(),
    sources: json("sources").$type<Source[]>(),
    metadata: json("metadata").$type<MessageMetadata>(),
    createdAt: timestamp("created_at", { mode: "date", withTimezone: true })
      .notNull()
      .default(sql`CURRENT_TIMESTAMP`),
  },
  (message) => [
    check("role_check", sql`role IN ('user', 'assistant', 'system')`),
    index("message_chat_id_idx").on(message.chatId),
    index("message_created_at_idx").on(message.createdAt),
    index("message_chat_id_created_at_idx").on(message.chatId, message.createdAt),
    index("message_content_fts_idx").using("gin", sql`to_tsvector('english', ${message.content})`),
  ],
);

// --- What is kept beside it ---

export const searchCache = createTable(
  "search_cache",
  {
    id: serial("id").primaryKey(),
    query: varchar("query", { length: 500 }).notNull(),
    results: json("results").$type<Record<string, unknown>>().notNull(),
    createdAt: timestamp("created_at", { mode: "date", withTimezone: true })
      .notNull()
      .default(sql`CURRENT_TIMESTAMP`),
    expiresAt: timestamp("expires_at", { mode: "date", withTimezone: true }).notNull(),
  },
  (cached) => [
    index("search_cache_query_idx").on(cached.query),
    index("search_cache_expires_at_idx").on(cached.expiresAt),
  ],
);

export const userSettings = createTable("user_settings", {
  userId: varchar("user_id", { length: 255 })
    .notNull()
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  theme: varchar("theme", { length: 20 }).default("dark"),
  language: varchar("language", { length: 10 }).default("en"),
  defaultModel: varchar("default_model", { length: 50 }),
  enableSearchByDefault: boolean("enable_search_by_default").notNull().default(true),
  maxSearchResults: integer("max_search_results").default(10),
  updatedAt: timestamp("updated_at", { mode: "date", withTimezone: true })
    .notNull()
    .default(sql`CURRENT_TIMESTAMP`),
});

// --- How they hang together, for drizzle-orm's relational queries ---

export const usersRelations = relations(users, ({ many }) => ({
  accounts: many(accounts),
  sessions: many(sessions),
  chats: many(chats),
}));

export const accountsRelations = relations(accounts, ({ one }) => ({
  user: one(users, { fields: [accounts.userId], references: [users.id] }),
}));

export const sessionsRelations = relations(sessions, ({ one }) => ({
  user: one(users, { fields: [sessions.userId], references: [users.id] }),
}));

export const chatsRelations = relations(chats, ({ one, many }) => ({
  user: one(users, { fields: [chats.userId], references: [users.id] }),
  messages: many(messages),
}));

export const messagesRelations = relations(messages, ({ one }) => ({
  chat: one(chats, { fields: [messages.chatId], references: [chats.id] }),
}));
