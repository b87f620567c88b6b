// What DeepSearch wrote, by the names of its columns; times are RFC 3339. DeepSearch's own repositories say so in a file of
// JSON that `DEEPSEARCH_WEB_APP_FACTS` names, and have written to the shared database then.

import { readFile } from "node:fs/promises";

import type { MessageMetadata, Source } from "../src/schema.ts";

export interface Facts {
  users: { user: UserFact; accounts: AccountFact[]; settings: SettingsFact | null; chats: ChatFact[] }[];
  searches: { query: string; results: Record<string, unknown>; created_at: string; expires_at: string }[];
}

export interface UserFact {
  id: string;
  name: string | null;
  email: string;
  email_verified: string | null;
  image: string | null;
  is_admin: boolean;
}

export interface AccountFact {
  user_id: string;
  type: string;
  provider: string;
  provider_account_id: string;
  refresh_token: string | null;
  access_token: string | null;
  expires_at: number | null;
  token_type: string | null;
  scope: string | null;
  id_token: string | null;
  session_state: string | null;
}

export interface SettingsFact {
  theme: string;
  language: string;
  default_model: string | null;
  enable_search_by_default: boolean;
  max_search_results: number;
  updated_at: string;
}

export interface ChatFact {
  id: string;
  title: string;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  messages: MessageFact[];
}

export interface MessageFact {
  id: string;
  role: "user" | "assistant" | "system";
  content: string;
  sources: Source[] | null;
  metadata: MessageMetadata | null;
  created_at: string;
}

/** What DeepSearch's repositories wrote, or undefined where nobody had them write. */
export async function factsOfDeepSearch(): Promise<Facts | undefined> {
  const path = process.env["DEEPSEARCH_WEB_APP_FACTS"];
  return path ? JSON.parse(await readFile(path, "utf8")) : undefined;
}
