import { describe, expect, it } from "vitest";
import { largestResearchBudget, type ResearchProgress, usualResearchBudget } from "../../bindings/bindings";
import {
  AS_USUAL,
  budgetOf,
  isAsUsual,
  larger,
  limitOf,
  limitsIn,
  limitsOf,
  MOST,
  pricedness,
  reached,
  typed,
  USUAL,
} from "./budget";

const ended = (end: ResearchProgress["ended"], budget: ResearchProgress["budget"] = usualResearchBudget) =>
  ({ ended: end, budget }) as ResearchProgress;

describe("the limits of a research", () => {
  it("are those of the engine", () => {
    expect(limitsIn(usualResearchBudget)).toEqual(USUAL);
    expect(limitsIn(largestResearchBudget)).toEqual(MOST);
  });

  it("are whole numbers within what is taken, and money is more than nothing", () => {
    expect(limitOf("steps", " ")).toBeNull();
    expect(limitOf("steps", "60")).toBe(60);
    for (const none of ["0", "61", "2.5", "-1", "many"]) expect(limitOf("steps", none)).toBeUndefined();
    expect(limitOf("tokens", "0")).toBe(0);
    expect(limitOf("money", "0.25")).toBe(0.25);
    for (const none of ["0", "-1", "1e999"]) expect(limitOf("money", none)).toBeUndefined();
  });

  it("come back from the fields as they went in", () => {
    const limits = { steps: 30, pages: null, minutes: 20, tokens: 0, money: 0.5 };
    expect(limitsOf(typed(limits))).toEqual(limits);
    expect(isAsUsual(limitsOf(typed(AS_USUAL)))).toBe(true);
    expect(limitsOf({ ...typed(limits), steps: "0" }).steps).toBeNull();
  });

  it("change of a budget only what was changed", () => {
    const budget = { ...usualResearchBudget, seconds: 45, money: 0.5 };
    expect(budgetOf(limitsIn(budget), budget)).toEqual(budget);
    expect(budgetOf({ ...limitsIn(budget), minutes: 2 }, budget).seconds).toBe(120);
    expect(budgetOf(AS_USUAL, budget)).toEqual(usualResearchBudget);
  });
});

describe("a research that a limit ended", () => {
  it("is offered twice as much of that, up to the most there is", () => {
    expect(larger(ended("steps"))).toEqual({ ...USUAL, steps: 32 });
    expect(larger(ended("time"))).toEqual({ ...USUAL, minutes: 20 });
    expect(larger(ended("pages", largestResearchBudget)).pages).toBe(MOST.pages);
    expect(larger(ended("money", { ...usualResearchBudget, money: 0.2 })).money).toBe(0.4);
  });

  it("is not one that ended by itself", () => {
    for (const end of ["enough", "person", "offline", null] as const) expect(reached(ended(end))).toBeNull();
  });
});

it("limits money only where a price says what a model costs", () => {
  const prices = new Map([["openai/gpt-5-mini", { read: 1, written: 2 }]]);
  expect(pricedness("openai/gpt-5-mini", prices)).toBe("known");
  expect(pricedness("ollama/qwen3:4b", prices)).toBe("unknown");
  expect(pricedness(null, prices)).toBe("unknown");
  expect(pricedness("extractive", prices)).toBe("free");
});
