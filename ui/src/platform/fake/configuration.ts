// The fake's settings, engines, models and backups: every state a person can meet once.

import type {
  Backup,
  DateTime,
  EngineState,
  EngineStatus,
  EngineTrial,
  Failure,
  Finding,
  ModelInfo,
  ProviderStatus,
  Reranking,
  SettingValue,
} from "../../bindings/bindings";
import { embedderElsewhere, failures, noEmbedder } from "./failures";
import type { FakeOptions } from "./options";

type Kind = "bool" | "integer" | "list" | "text" | "secret";
type Row = readonly [key: string, kind: Kind, standard: unknown, about: string];

const ENGINES = [
  ["serper", "Serper", "https://serper.dev/api-keys"],
  ["brave", "Brave Search", "https://api-dashboard.search.brave.com/app/keys"],
  ["tavily", "Tavily", "https://app.tavily.com"],
  ["exa", "Exa", "https://dashboard.exa.ai/api-keys"],
  ["searxng", "SearXNG", null],
  ["wikipedia", "Wikipedia", null],
  ["duckduckgo", "DuckDuckGo", null],
] as const;
const PROVIDERS = [
  ["ollama", "Ollama", null],
  ["lmstudio", "LM Studio", null],
  ["llamacpp", "llama.cpp", null],
  ["openai", "OpenAI", "https://platform.openai.com/api-keys"],
  ["anthropic", "Anthropic", "https://console.anthropic.com/settings/keys"],
  ["gemini", "Google Gemini", "https://aistudio.google.com/apikey"],
  ["groq", "Groq", "https://console.groq.com/keys"],
  ["openrouter", "OpenRouter", "https://openrouter.ai/keys"],
] as const;
const MODELS: readonly ModelInfo[] = [
  { id: "extractive", provider: "built-in", local: true, context_tokens: 100_000 },
  { id: "ollama/llama3.2", provider: "ollama", local: true, context_tokens: 8_192 },
  { id: "ollama/qwen3:8b", provider: "ollama", local: true, context_tokens: 32_768 },
  { id: "openai/gpt-5-mini", provider: "openai", local: false, context_tokens: 272_000 },
  { id: "openai/gpt-5", provider: "openai", local: false, context_tokens: 272_000 },
];

const EMBEDDERS: readonly string[] = ["ollama/all-minilm:latest", "ollama/nomic-embed-text:latest"];
const EMBEDDING_MODEL = "rank.embedding_model";

const ROWS: readonly Row[] = [
  ["theme", "text", "dark", "How the window looks."],
  ["language", "text", "en", "Language of the app and of searches, as a tag: en, de, pt-BR."],
  ["default_model", "text", "", "Model that answers, as provider/name; empty chooses by what is available."],
  ["enable_search_by_default", "bool", true, "Whether questions are searched for, or only given to the model."],
  ["max_search_results", "integer", 10, "Results that one search brings."],
  ["engines.order", "list", [], "Web engines in the order they are asked; empty takes all that are ready."],
  ["models.prices", "list", [], "US dollars that a million tokens cost, read and written."],
  ["models.discover_local", "bool", true, "Whether Ollama, LM Studio and llama.cpp are looked for on this machine."],
  [EMBEDDING_MODEL, "text", "", "Embedding model of this machine that puts passages in order."],
  ["redis.url", "secret", false, "Address of a shared search cache, redis:// or rediss://."],
  ["shared.url", "secret", false, "Address of your team's database."],
  ["shared.search_cache", "bool", false, "Whether search results are shared with everybody who uses it."],
  ["answer.pages", "integer", 8, "Pages that are read for one answer."],
  ["answer.evidence_tokens", "integer", 6_000, "Tokens of sources that a model is shown at most."],
  ["answer.tokens", "integer", 2_048, "Tokens that an answer has at most."],
  [
    "answer.pictures",
    "bool",
    true,
    "Whether copies of the pictures that sources show themselves with are kept and shown with an answer.",
  ],
  ["answer.show_checks", "bool", true, "Whether each sentence shows how well its source supports it."],
  ["secrets.keychain", "bool", true, "Whether keys are kept in the system's keychain."],
  ["gateway.url", "text", "", "Address of the gateway to sign in at."],
  ["appearance.text_size", "integer", 100, "Size of text, in percent."],
  ["notifications.enabled", "bool", true, "Whether a long answer is announced when the window is hidden."],
  ["privacy.mode", "text", "off", "Whether answers come from this computer alone."],
  ["crawl.allow_private", "bool", false, "Whether pages of this machine and of the local network may be read."],
  ["sites.allow", "list", [], "Sites that alone are searched; empty searches all."],
  ["sites.block", "list", [], "Sites that are never read or shown among results."],
  ["folders.hidden", "bool", false, "Whether hidden files in these folders are read too."],
  ["folders.ignore_files", "bool", true, "Whether what .gitignore and .ignore name in these folders is left out."],
  ["folders.largest_mb", "integer", 20, "Size of the largest file that is read in these folders, in megabytes."],
  ["trash.days", "integer", 30, "Days after which chats in Trash are gone for good."],
  ["shortcut.quick_ask", "text", "CommandOrControl+Shift+Space", "Keys that show quick ask."],
];
const LIMITS: Record<string, readonly [number, number]> = {
  max_search_results: [1, 50],
  "answer.pages": [1, 20],
  "folders.largest_mb": [1, 200],
  "answer.evidence_tokens": [256, 100_000],
  "answer.tokens": [64, 32_000],
  "appearance.text_size": [80, 160],
  "trash.days": [1, 3650],
};

export class FakeConfiguration {
  readonly #rows = new Map<string, Row>(ROWS.map((row) => [row[0], row]));
  readonly #stored = new Map<string, unknown>();

  constructor(readonly options: FakeOptions) {
    for (const [id] of ENGINES) {
      this.#add([`engines.${id}.enabled`, "bool", true, "Whether this engine is asked at all."]);
      this.#add([`engines.${id}.key`, "secret", false, "Key of this engine."]);
      this.#add([`engines.${id}.url`, "text", "", "Address of this engine, such as that of your own SearXNG."]);
    }
    for (const [id] of PROVIDERS) {
      this.#add([`models.${id}.enabled`, "bool", true, "Whether this provider's models are offered."]);
      this.#add([`models.${id}.key`, "secret", false, "Key of this provider."]);
      this.#add([`models.${id}.url`, "text", "", "Address of this provider."]);
    }
    this.#stored.set("theme", options.theme).set("language", options.language);
    this.#stored.set("appearance.text_size", options.textSize);
    if (options.privacy !== "off") this.#stored.set("privacy.mode", options.privacy);
    if (options.account !== "none") this.#stored.set("gateway.url", "https://sign-in.example.org");
    if (options.rerank !== "off") {
      this.#stored.set(EMBEDDING_MODEL, options.rerank === "works" ? EMBEDDERS[0] : "ollama/mxbai-embed-large");
    }
    if (options.scenario === "empty") return;
    this.#stored.set("engines.brave.key", true).set("engines.tavily.key", true).set("engines.exa.key", true);
    this.#stored.set("models.openai.key", true).set("engines.searxng.enabled", false);
    this.#stored.set("engines.order", ["brave", "wikipedia", "duckduckgo", "exa", "tavily"]);
  }

  settings(): SettingValue[] {
    return [...this.#rows.keys()].map((key) => this.setting(key));
  }

  setting(key: string): SettingValue {
    const [, , standard, about] = this.#row(key);
    // One setting that the environment decides, so that a view must show what cannot be changed here.
    if (key === "answer.evidence_tokens") return { key, value: 8_000, origin: "environment", about };
    const has = this.#stored.has(key);
    return {
      key,
      value: (has ? this.#stored.get(key) : standard) as SettingValue["value"],
      origin: has ? "stored" : "default",
      about,
    };
  }

  update(key: string, text: string | null): SettingValue {
    const [, kind] = this.#row(key);
    if (this.setting(key).origin === "environment") {
      throw {
        code: "invalid",
        message: `${key} is set by the environment.`,
        hint: "Change it there.",
      } satisfies Failure;
    }
    if (key === EMBEDDING_MODEL && text && this.#isElsewhere(text)) throw embedderElsewhere(text);
    if (text === null) this.#stored.delete(key);
    else this.#stored.set(key, parse(key, kind, text));
    return this.setting(key);
  }

  value(key: string): unknown {
    return this.setting(key).value;
  }

  get isPrivate(): boolean {
    return this.value("privacy.mode") === "private";
  }

  engines(): EngineStatus[] {
    const held_back = this.isPrivate;
    return ENGINES.map(([engine, name, key_url]) => {
      const needs_key = key_url !== null;
      const needs_url = engine === "searxng";
      const enabled = this.value(`engines.${engine}.enabled`) === true;
      const lacks_key = needs_key && this.value(`engines.${engine}.key`) !== true;
      const lacks_url = needs_url && !this.value(`engines.${engine}.url`);
      const state: EngineState = lacks_key ? { kind: "no_key" } : this.#stateOf(engine);
      const ready = enabled && !lacks_key && !lacks_url;
      const used = ready && !held_back;
      const asked = ready && this.options.scenario !== "empty";
      return {
        name,
        kind: "web" as const,
        engine,
        used,
        enabled,
        state,
        key_url,
        needs_key,
        needs_url,
        lacks_key,
        lacks_url,
        held_back,
        last_success: asked ? this.#ago(300_000) : null,
        last_failure: this.#lastFailure(state),
        successes: asked ? 412 : 0,
        failures: asked ? 9 : 0,
        median_ms: asked ? 340 + name.length * 21 : null,
      };
    });
  }

  trials(): EngineTrial[] {
    return this.engines()
      .filter((engine) => engine.used)
      .map(({ engine, state }): EngineTrial => {
        if (this.options.scenario === "offline") return { engine, hits: null, failure: failures.offline };
        if (state.kind === "resting") return { engine, hits: null, failure: failures.captcha };
        if (state.kind === "key_refused") return { engine, hits: null, failure: failures.searchKey };
        return { engine, hits: 10, failure: null };
      });
  }

  models(): ModelInfo[] {
    const offered = (model: ModelInfo) => {
      if (model.provider === "built-in") return true;
      if (this.options.scenario === "empty" || this.value(`models.${model.provider}.enabled`) !== true) return false;
      if (this.isPrivate && !model.local) return false;
      return model.local
        ? this.value("models.discover_local") === true
        : this.value(`models.${model.provider}.key`) === true;
    };
    return MODELS.filter(offered);
  }

  defaultModel(): ModelInfo {
    const offered = this.models();
    return offered.find((model) => model.id === this.value("default_model")) ?? offered.at(-2) ?? offered[0]!;
  }

  providers(): ProviderStatus[] {
    return PROVIDERS.map(([id, name, key_url]) => ({
      id,
      name,
      key_url,
      enabled: this.value(`models.${id}.enabled`) === true,
      needs_key: key_url !== null,
      has_key: this.value(`models.${id}.key`) === true,
      url: (this.value(`models.${id}.url`) as string) || null,
      local: key_url === null,
      held_back: key_url !== null && this.isPrivate,
    }));
  }

  reranking(): Reranking {
    const model = (this.value(EMBEDDING_MODEL) as string) || null;
    const offered =
      this.options.scenario !== "empty" && this.value("models.discover_local") === true ? [...EMBEDDERS] : [];
    const works = model === null || offered.some((id) => id === model || id === `${model}:latest`);
    return { model, offered, failure: works ? null : noEmbedder(model) };
  }

  #isElsewhere(model: string): boolean {
    const known = PROVIDERS.find(([id]) => model.startsWith(`${id}/`));
    return known !== undefined && known[2] !== null;
  }

  findings(): Finding[] {
    return [
      {
        part: "data_folder",
        grade: "good",
        found: { kind: "writable", folder: "/home/ada/.local/share/deepsearch" },
      },
      { part: "page_reader", grade: "good", found: { kind: "parsed" } },
      { part: "sync", grade: "warning", found: { kind: "changes_refused", changes: 3 } },
      { part: "model", grade: "good", found: { kind: "model_answers", model: this.defaultModel().id } },
      { part: { engine: "brave" }, grade: "good", found: { kind: "results", results: 10 } },
      { part: { engine: "duckduckgo" }, grade: "warning", found: { kind: "failed", failure: failures.captcha } },
      {
        part: { engine: "exa" },
        grade: "bad",
        found: {
          kind: "failed",
          failure: { code: "key_refused", message: "exa refused the key.", hint: null, subject: "exa" },
        },
      },
    ];
  }

  backups(): Backup[] {
    const day = 86_400_000;
    const folder = "/home/ada/.local/share/deepsearch/backups";
    const rows = [
      ["daily", 0.2],
      ["daily", 1.2],
      ["manual", 3],
      ["migration", 12],
      ["restore", 30],
    ] as const;
    return rows.map(([kind, days], at) => ({
      path: `${folder}/2026-11-${23 - at}-${kind}.sqlite`,
      kind,
      created_at: this.#ago(days * day),
      bytes: 48_300_000 - at * 2_100_000,
    }));
  }

  #stateOf(engine: string): EngineState {
    if (this.options.scenario === "empty") return { kind: "ready" };
    if (engine === "duckduckgo") return { kind: "resting", until: this.#ago(-240_000) };
    if (engine === "exa") return { kind: "key_refused", until: this.#ago(-3_600_000) };
    return { kind: "ready" };
  }

  #lastFailure(state: EngineState): EngineStatus["last_failure"] {
    if (state.kind === "resting") return { at: this.#ago(60_000), failure: failures.captcha };
    if (state.kind === "key_refused")
      return { at: this.#ago(120_000), failure: { ...failures.searchKey, message: "Exa refused the key." } };
    return null;
  }

  #ago(ms: number): DateTime {
    return new Date(this.options.now - ms).toISOString();
  }

  #add(row: Row): void {
    this.#rows.set(row[0], row);
  }

  #row(key: string): Row {
    const known = this.#rows.get(key);
    if (known) return known;
    // Any OpenAI-compatible server can be added under a name of one's own.
    const kind = /^models\.[\w-]+\.(enabled|key|url)$/.exec(key)?.[1];
    if (!kind) throw { code: "not_found", message: `There is no setting ${key}.`, hint: null } satisfies Failure;
    const row: Row = [key, kind === "enabled" ? "bool" : kind === "key" ? "secret" : "text", kind === "enabled", ""];
    this.#add(row);
    return row;
  }
}

function parse(key: string, kind: Kind, text: string): unknown {
  if (kind === "bool") return text === "true";
  if (kind === "secret") return text !== "";
  if (kind === "list")
    return text
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean);
  if (kind === "text") return text;
  const [min, max] = LIMITS[key] ?? [0, Infinity];
  const number = Number(text);
  if (!Number.isInteger(number) || number < min || number > max) {
    throw {
      code: "invalid",
      message: `${key} takes a whole number from ${min} to ${max}.`,
      hint: null,
    } satisfies Failure;
  }
  return number;
}
