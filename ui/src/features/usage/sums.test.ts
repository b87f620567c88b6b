import { describe, expect, it } from "vitest";
import type { UsedModel } from "../../bindings/bindings";
import { lacksPrice, sumOf } from "./sums";

const used = (model: string, cost: number | null): UsedModel => ({
  model,
  answers: 2,
  prompt: 1_000,
  completion: 100,
  cost,
});

describe("what models used together", () => {
  it("costs what is known of it, and nothing where nothing is", () => {
    expect(sumOf([used("a/a", 0.5), used("b/b", null)])).toEqual({
      answers: 4,
      prompt: 2_000,
      completion: 200,
      cost: 0.5,
    });
    expect(sumOf([used("b/b", null)]).cost).toBeNull();
  });

  it("lacks a price only of what can have one", () => {
    expect(lacksPrice([used("extractive", null), used("a/a", 1)])).toBe(false);
    expect(lacksPrice([used("ollama/x", null)])).toBe(true);
  });
});
