// What the fake world is like; on a development server the address says it: `?scenario=error&ask=captcha&speed=0`.

import type { Navigate } from "../../bindings/bindings";

export type Scenario =
  /** Sixty chats of every kind. */
  | "full"
  /** The first start. */
  | "empty"
  /** A hundred thousand chats. */
  | "huge"
  /** No network, and a full library. */
  | "offline"
  /** The store cannot be read. */
  | "error"
  /** `full`, and the newest chat's answer is being written. */
  | "running"
  /** Another program holds the keys of quick ask. */
  | "taken";
export type AskFault = "none" | "offline" | "key_refused" | "captcha" | "broken" | "no_model" | "long";

export type AccountScenario =
  /** No gateway is set. */
  | "none"
  /** A gateway, and nobody signed in. */
  | "gateway"
  /** The gateway cannot be reached. */
  | "away"
  /** A browser was opened a moment ago, or a while ago. */
  | "waiting"
  | "late"
  | "code"
  | "finishing"
  /** The last try failed. */
  | "failed"
  | "signed_in"
  | "administrator"
  /** Secrets lie in a file. */
  | "file"
  | "locked";

export type PrivacyScenario = "off" | "private";

/** What checking an answer again brings. */
export type RecheckScenario = "changed" | "same" | "failed";

/** What an embedding model does with passages, where one is chosen. */
export type RerankScenario = "off" | "works" | "fails";

export type SyncScenario =
  "private" | "signed_out" | "idle" | "running" | "first" | "offline" | "held" | "error" | "much";

export type FakeOptions = {
  scenario: Scenario;
  ask: AskFault;
  account: AccountScenario;
  sync: SyncScenario;
  privacy: PrivacyScenario;
  recheck: RecheckScenario;
  rerank: RerankScenario;
  /** Tokens a second; 0 tells everything at once. */
  speed: number;
  /** Milliseconds that every call takes. */
  latency: number;
  theme: string;
  language: string;
  textSize: number;
  os: "linux" | "macos" | "windows";
  readOnly: boolean;
  /** The store was damaged, and repaired at the start. */
  repaired: boolean;
  /** Some chats are in collections and have tags, and a search is kept. */
  sorted: boolean;
  navigate: Navigate | null;
  /** Milliseconds; what "now" is, for screenshots that stay the same. */
  now: number;
};

const DEFAULTS: FakeOptions = {
  scenario: "full",
  ask: "none",
  account: "none",
  sync: "signed_out",
  privacy: "off",
  recheck: "changed",
  rerank: "off",
  speed: 60,
  latency: 0,
  theme: "system",
  language: "en",
  textSize: 100,
  os: "linux",
  readOnly: false,
  repaired: false,
  sorted: false,
  navigate: null,
  now: Date.now(),
};

export function withDefaults(options: Partial<FakeOptions>): FakeOptions {
  return { ...DEFAULTS, now: Date.now(), ...options };
}

/** `chat`, `section` and `draft` say where the window opens; the rest are the fields of `FakeOptions`. */
export function fakeOptions(query: URLSearchParams): FakeOptions {
  const text = <Text extends string>(key: string, otherwise: Text) => (query.get(key) as Text | null) ?? otherwise;
  const number = (key: string, otherwise: number) => Number(query.get(key) ?? otherwise);
  return {
    scenario: text("scenario", DEFAULTS.scenario),
    ask: text("ask", DEFAULTS.ask),
    account: text("account", DEFAULTS.account),
    sync: text("sync", DEFAULTS.sync),
    privacy: text("privacy", DEFAULTS.privacy),
    recheck: text("recheck", DEFAULTS.recheck),
    rerank: text("rerank", DEFAULTS.rerank),
    speed: number("speed", DEFAULTS.speed),
    latency: number("latency", DEFAULTS.latency),
    theme: text("theme", DEFAULTS.theme),
    language: text("language", DEFAULTS.language),
    textSize: number("text_size", DEFAULTS.textSize),
    os: text("os", DEFAULTS.os),
    readOnly: query.has("read_only"),
    repaired: query.has("repaired"),
    sorted: query.has("sorted"),
    navigate: firstView(query),
    now: number("now", Date.now()),
  };
}

function firstView(query: URLSearchParams): Navigate | null {
  const chat = query.get("chat");
  if (chat) return { to: "chat", chat_id: chat, message_id: query.get("message") };
  if (query.has("section")) return { to: "settings", section: query.get("section") };
  return query.has("draft") ? { to: "ask", question: query.get("draft") } : null;
}
