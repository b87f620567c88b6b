import { describe, expect, it } from "vitest";
import type { ModelInfo, ProviderStatus } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { isWebAddress } from "../address";
import { matching, Models, nameProblem, shortName } from "./models.svelte";

const model = (id: string, local = false): ModelInfo => ({
  id,
  local,
  provider: id.split("/")[0]!,
  context_tokens: 8_192,
});
const provider = (id: string, name = id, local = false): ProviderStatus => ({
  id,
  name,
  local,
  enabled: true,
  needs_key: !local,
  has_key: false,
  held_back: false,
  url: null,
  key_url: null,
});

function platform(over: Partial<Platform> = {}): Platform {
  return {
    listModels: async () => [model("ollama/llama3.2", true), model("openai/gpt-5")],
    listProviders: async () => [provider("openai", "OpenAI"), provider("ollama", "Ollama", true), provider("lab")],
    defaultModel: async () => model("ollama/llama3.2", true),
    ...over,
  } as Partial<Platform> as Platform;
}

describe("models", () => {
  it("are told apart by where they run and who named them", async () => {
    const models = new Models(platform());
    await models.load();
    expect(models.hosted.map((known) => known.id)).toEqual(["openai"]);
    expect(models.local.map((known) => known.id)).toEqual(["ollama"]);
    expect(models.own.map((known) => known.id)).toEqual(["lab"]);
    expect(models.modelsOf("ollama")).toHaveLength(1);
  });

  it("are shown even when the chosen one cannot be used", async () => {
    const failure = { code: "key_refused", message: "OpenAI needs a key.", hint: null };
    const models = new Models(platform({ defaultModel: () => Promise.reject(failure) }));
    await models.load();
    expect(models.answering).toBeNull();
    expect(models.unusable).toEqual(failure);
    expect(models.models).toHaveLength(2);
    expect(models.failure).toBeNull();
  });

  it("show the last of two loads, whichever ends first", async () => {
    const ends: ((models: ModelInfo[]) => void)[] = [];
    const models = new Models(platform({ listModels: () => new Promise((resolve) => ends.push(resolve)) }));
    const [first, second] = [models.load(), models.load()];
    ends[1]!([model("openai/new")]);
    ends[0]!([model("openai/old")]);
    await Promise.all([first, second]);
    expect(models.models?.map((known) => known.id)).toEqual(["openai/new"]);
    expect(models.loading).toBe(false);
  });

  it("are found by any words of their names", () => {
    const all = [model("openrouter/meta/llama-3"), model("ollama/llama3.2"), model("openai/gpt-5")];
    expect(matching(all, "llama open").map((known) => known.id)).toEqual(["openrouter/meta/llama-3"]);
    expect(matching(all, "  ")).toHaveLength(3);
    expect(shortName(all[0]!)).toBe("meta/llama-3");
  });
});

describe("a server of one's own", () => {
  it("needs a name that settings can hold and nobody has", () => {
    expect(nameProblem("", [])).toBe("empty");
    expect(nameProblem("My Lab", [])).toBe("letters");
    expect(nameProblem("x".repeat(41), [])).toBe("letters");
    expect(nameProblem("openai", [provider("openai", "OpenAI")])).toBe("taken");
    expect(nameProblem("my-lab_2", [provider("openai")])).toBeNull();
  });

  it("needs an address of the web", () => {
    expect(isWebAddress("http://localhost:8000/v1")).toBe(true);
    expect(isWebAddress("localhost:8000")).toBe(false);
    expect(isWebAddress("ftp://lab")).toBe(false);
    expect(isWebAddress("http://")).toBe(false);
  });
});
