// Rows as DeepSearch's repositories write them, by plain SQL: client-made ids, whole milliseconds that rise within a
// chat, JSON as text, every column named. What was written is handed back as facts.

import { randomUUID } from "node:crypto";

import type { AccountFact, ChatFact, Facts, MessageFact, UserFact } from "./facts.ts";
import { rows } from "./database.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export async function writeRows(url: string): Promise<Facts> {
  const now = Date.now();
  const lin = user("lin@example.org", { name: "Lin 林", email_verified: iso(now - 400 * DAY), is_admin: true });
  const kim = user("kim@example.org");
  const accounts = [
    account(lin.id, "team", { refresh_token: "r".repeat(4000), expires_at: 2_147_483_647, scope: "openid profile" }),
    account(lin.id, "github", { type: "oauth" }),
  ];
  const settings = {
    theme: "light",
    language: "zh-Hans",
    default_model: null,
    enable_search_by_default: false,
    max_search_results: 50,
    updated_at: iso(now),
  };
  const short = Array.from({ length: 51 }, (_, at) =>
    chat(`Chat ${at}`, [message("user", `Question ${at}`, now - (at + 1) * MINUTE)]),
  );
  const trashed = chat("In Trash", [message("user", "A lighthouse, deleted", now)], { deleted_at: iso(now) });
  const facts: Facts = {
    users: [
      { user: lin, accounts, settings, chats: [longChat(now - 30 * DAY), ...short, trashed] },
      {
        user: kim,
        accounts: [],
        settings: null,
        chats: [
          chat("New Chat", [message("system", "Hello! How can I help you today?", now)]),
          chat("Another's", [message("user", "Whose lighthouse is it?", now - 60 * MINUTE)]),
        ],
      },
    ],
    searches: [
      search("why is the sky blue", now, 60 * MINUTE),
      search("warum ist der Himmel blau?", now - 5 * MINUTE, DAY),
      search("an old one", now - 3 * DAY, DAY),
    ],
  };
  await write(url, facts);
  return facts;
}

async function write(url: string, facts: Facts) {
  for (const { user, accounts, settings, chats } of facts.users) {
    await insert(url, "user", [user]);
    await insert(url, "account", accounts);
    if (settings) await insert(url, "user_settings", [{ user_id: user.id, ...settings }]);
    for (const { messages, ...chat } of chats) {
      await insert(url, "chat", [{ ...chat, user_id: user.id }]);
      await insert(
        url,
        "message",
        messages.map((message) => ({ ...message, chat_id: chat.id })),
      );
    }
  }
  await insert(url, "search_cache", facts.searches);
}

/** Rows of one table by one statement, which takes them as one JSON document. */
async function insert(url: string, table: string, values: object[]) {
  const [first] = values;
  if (!first) return;
  const name = `"ai-app-template_${table}"`;
  const columns = Object.keys(first).join(", ");
  const sql = `insert into ${name} (${columns}) select ${columns} from json_populate_recordset(null::${name}, $1)`;
  await rows(url, sql, [JSON.stringify(values)]);
}

/** 130 turns a millisecond apart, with all that a message can hold. */
function longChat(began: number): ChatFact {
  const turns = Array.from({ length: 130 }, (_, at) =>
    message(at % 2 === 0 ? "user" : "assistant", `Turn ${at}: **bold** 💡\n\n\`code\` "quoted" \\ back`, began + at),
  );
  Object.assign(turns[1] ?? {}, {
    content: "Two lighthouses stand there [1].",
    sources: [
      { title: 'Ä "title"', url: "https://example.org/a?b=c#d", snippet: "", favicon: "https://example.org/i.ico" },
      { title: "Another", url: "https://example.org/b", snippet: "what was said" },
    ],
    metadata: {
      searchQuery: "lighthouses",
      crawledUrls: ["https://example.org/a"],
      model: "some-model",
      tokens: { prompt: 1000, completion: 200, total: 1200 },
      processingTime: 1234.5,
      aMemberOfLater: { kept: [1, 2.5, null] },
    },
  });
  Object.assign(turns[3] ?? {}, { content: "The LIGHTHOUSE is high.", sources: [], metadata: {} });
  // As long as a message may be: in UTF-16 units, of which each of these has two.
  Object.assign(turns[5] ?? {}, { content: "💡".repeat(50_000) });
  return chat("A long one", turns);
}

function chat(title: string, messages: MessageFact[], more: Partial<ChatFact> = {}): ChatFact {
  const [first] = messages;
  const last = messages.at(-1);
  if (!first || !last) throw new Error("a chat has messages");
  const times = { created_at: first.created_at, updated_at: last.created_at, deleted_at: null };
  return { id: `chat_${randomUUID()}`, title, ...times, messages, ...more };
}

function message(role: MessageFact["role"], content: string, at: number): MessageFact {
  return { id: `msg_${randomUUID()}`, role, content, sources: null, metadata: null, created_at: iso(at) };
}

function user(email: string, more: Partial<UserFact> = {}): UserFact {
  return { id: randomUUID(), name: null, email, email_verified: null, image: null, is_admin: false, ...more };
}

function account(user_id: string, provider: string, more: Partial<AccountFact> = {}): AccountFact {
  const none = { refresh_token: null, expires_at: null, token_type: null, scope: null, id_token: null };
  return {
    ...{ user_id, type: "oidc", provider, provider_account_id: "4711", access_token: "access", session_state: null },
    ...none,
    ...more,
  };
}

function search(query: string, at: number, kept: number): Facts["searches"][number] {
  const results = { zebra: 1, apple: [{ title: "Ä", link: "https://example.org", none: null }] };
  return { query, results, created_at: iso(at), expires_at: iso(at + kept) };
}

const iso = (time: number) => new Date(time).toISOString();
