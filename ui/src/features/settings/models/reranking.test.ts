import { describe, expect, it } from "vitest";
import type { Reranking } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { matchingIds, namesModel, RerankingState } from "./reranking.svelte";

const told = (model: string | null): Reranking => ({ model, offered: [], failure: null });

function state(reranking: () => Promise<Reranking>): RerankingState {
  return new RerankingState({ reranking } as Partial<Platform> as Platform);
}

describe("reranking", () => {
  it("shows the last of two loads, whichever ends first", async () => {
    const ends: ((now: Reranking) => void)[] = [];
    const reranking = state(() => new Promise((resolve) => ends.push(resolve)));
    const [first, second] = [reranking.load(), reranking.load()];
    ends[1]!(told("ollama/new"));
    ends[0]!(told("ollama/old"));
    await Promise.all([first, second]);
    expect(reranking.now?.model).toBe("ollama/new");
    expect(reranking.loading).toBe(false);
  });

  it("keeps what was known when it cannot be told anew", async () => {
    const failure = { code: "storage", message: "It could not be read.", hint: null };
    let fails = false;
    const reranking = state(() => (fails ? Promise.reject(failure) : Promise.resolve(told("ollama/one"))));
    await reranking.load();
    fails = true;
    await reranking.load();
    expect(reranking).toMatchObject({ now: told("ollama/one"), failure, loading: false });
  });
});

describe("a model that is typed", () => {
  it("is found by each of its words", () => {
    const offered = ["ollama/all-minilm:latest", "mine/BAAI/bge-m3"];
    expect(matchingIds(offered, "")).toEqual(offered);
    expect(matchingIds(offered, "mini ollama")).toEqual([offered[0]]);
    expect(matchingIds(offered, "mine/bge")).toEqual([offered[1]]);
    expect(matchingIds(offered, "gpt")).toEqual([]);
  });

  it("names one as provider/name, which may have slashes of its own", () => {
    expect(["ollama/all-minilm", " mine/BAAI/bge-m3 "].every(namesModel)).toBe(true);
    expect(["", "all-minilm", "/x", "ollama/", "Ollama/x", "a b/c"].some(namesModel)).toBe(false);
  });
});
