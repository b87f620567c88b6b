import { describe, expect, it } from "vitest";
import type { EngineStatus, ModelInfo, ProviderStatus } from "../../../bindings/bindings";
import { type Facts, leaving } from "./leaving";

const engine = (id: string, over: Partial<EngineStatus> = {}): EngineStatus => ({
  engine: id,
  name: id,
  kind: "web",
  used: true,
  state: { kind: "ready" },
  last_success: null,
  last_failure: null,
  successes: 0,
  failures: 0,
  median_ms: null,
  key_url: null,
  needs_key: false,
  needs_url: false,
  enabled: true,
  lacks_key: false,
  lacks_url: false,
  held_back: false,
  ...over,
});
const provider = (id: string, over: Partial<ProviderStatus> = {}): ProviderStatus => ({
  id,
  name: id,
  enabled: true,
  needs_key: true,
  has_key: true,
  url: null,
  key_url: null,
  local: false,
  held_back: false,
  ...over,
});
const model = (id: string, local: boolean): ModelInfo => ({
  id,
  local,
  provider: id.split("/")[0]!,
  context_tokens: 8_192,
});

function facts(over: Partial<Facts> = {}): Facts {
  return {
    engines: [],
    providers: [],
    answering: model("extractive", true),
    engineUrl: () => "",
    hasKey: () => false,
    searchByDefault: true,
    pages: 8,
    sharedCache: false,
    teamCache: false,
    ...over,
  };
}

describe("what leaves the machine", () => {
  it("is nothing where no engine and no model is used", () => {
    expect(leaving(facts())).toEqual({
      searches: [],
      inPairs: false,
      byDefault: true,
      pages: 0,
      writer: { kind: "none" },
      others: [],
      sharedCache: false,
      teamCache: false,
    });
  });

  it("names only engines in use, their host where it was set, and who sees a key", () => {
    const engines = [
      engine("brave", { needs_key: true }),
      engine("searxng", { needs_url: true }),
      engine("exa", { used: false }),
    ];
    const engineUrl = (id: string) => (id === "searxng" ? "http://search.home:8888/" : "");
    const told = leaving(facts({ engines, engineUrl }));
    expect(told.searches).toEqual([
      { name: "brave", host: null, withKey: true, own: false },
      { name: "searxng", host: "search.home:8888", withKey: false, own: true },
    ]);
    expect(told.pages).toBe(8);
    expect(told.inPairs).toBe(false);
    expect(leaving(facts({ engines: [engine("wikipedia"), engine("duckduckgo")] })).inPairs).toBe(true);
  });

  it("is the chat where a hosted model answers, and nothing where a local one does", () => {
    const providers = [provider("openai", { name: "OpenAI" }), provider("ollama", { local: true, needs_key: false })];
    const hosted = leaving(facts({ providers, answering: model("openai/gpt-5", false) }));
    expect(hosted.writer).toEqual({
      kind: "hosted",
      model: "openai/gpt-5",
      provider: { name: "OpenAI", host: null },
    });
    const local = leaving(facts({ providers, answering: model("ollama/llama3.2", true) }));
    expect(local.writer).toEqual({ kind: "local", model: "ollama/llama3.2" });
    expect(leaving(facts({ providers, answering: null })).writer).toEqual({ kind: "unusable" });
  });

  it("could go to hosted providers that are ready, and to no others", () => {
    const providers = [
      provider("openai"),
      provider("groq", { has_key: false }),
      provider("gemini", { enabled: false }),
      provider("ollama", { local: true }),
      provider("mistral", { held_back: true }),
      provider("lab", { needs_key: false, has_key: false, url: "https://lab.example/v1" }),
    ];
    const told = leaving(facts({ providers }));
    expect(told.others).toEqual([
      { name: "openai", host: null },
      { name: "lab", host: "lab.example" },
    ]);
  });
});
