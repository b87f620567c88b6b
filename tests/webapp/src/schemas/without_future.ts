// A web app that has not taken up the future parts of the seed (R9): no soft delete, no check of roles, no full-text
// index. What it shares with `schema.ts` comes from there.

import { sql } from "drizzle-orm";
import { index, json, text, timestamp, varchar } from "drizzle-orm/pg-core";

import { createTable, users } from "../schema.ts";

export { accounts, searchCache, sessions, users, userSettings, verificationTokens } from "../schema.ts";

const now = (name: string) =>
  timestamp(name, { mode: "date", withTimezone: true })
    .notNull()
    .default(sql`CURRENT_TIMESTAMP`);

export const chats = createTable(
  "chat",
  {
    id: varchar("id", { length: 255 }).notNull().primaryKey(),
    userId: varchar("user_id", { length: 255 })
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    title: varchar("title", { length: 500 }).notNull(),
    createdAt: now("created_at"),
    updatedAt: now("updated_at"),
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
    id: varchar("id", { length: 255 }).notNull().primaryKey(),
    chatId: varchar("chat_id", { length: 255 })
      .notNull()
      .references(() => chats.id, { onDelete: "cascade" }),
    role: varchar("role", { length: 50 }).notNull(),
    content: text("content").notNull(),
    sources: json("sources"),
    metadata: json("metadata"),
    createdAt: now("created_at"),
  },
  (message) => [
    index("message_chat_id_idx").on(message.chatId),
    index("message_created_at_idx").on(message.createdAt),
    index("message_chat_id_created_at_idx").on(message.chatId, message.createdAt),
  ],
);
