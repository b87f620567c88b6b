import { describe, expect, it } from "vitest";
import { costOf, costOfAll, formatCost, parsePrices, writePrices } from "./prices";

describe("prices", () => {
  it("are read and written as the setting has them", () => {
    const entries = ["openai/gpt-5-mini=0.25/2", "own/a=b=1/1.5"];
    const prices = parsePrices(entries);
    expect(prices.get("openai/gpt-5-mini")).toEqual({ read: 0.25, written: 2 });
    expect(prices.get("own/a=b")).toEqual({ read: 1, written: 1.5 });
    expect(writePrices(prices)).toBe(entries.join(","));
  });

  it("that are none are left out", () => {
    expect(parsePrices(["", "openai/x", "openai/x=1", "openai/x=a/b", "openai/x=-1/2", "=1/2"]).size).toBe(0);
  });
});

describe("a cost", () => {
  it("counts what was read and what was written at their own prices", () => {
    const cost = costOf({ prompt: 4_000, completion: 500, total: 4_500 }, { read: 0.25, written: 2 });
    expect(cost).toBeCloseTo(0.002);
  });

  it("of several models is counted for each at its own price, and not told where one has none", () => {
    const spent = {
      "openai/x": { prompt: 1_000_000, completion: 0, total: 1_000_000 },
      "openai/y": { prompt: 0, completion: 1_000_000, total: 1_000_000 },
    };
    const prices = parsePrices(["openai/x=1/2", "openai/y=10/20"]);
    expect(costOfAll(spent, prices)).toBeCloseTo(21);
    expect(costOfAll(spent, parsePrices(["openai/x=1/2"]))).toBeNull();
    expect(costOfAll({}, prices)).toBeNull();
  });

  it("is told to the digits that say something", () => {
    expect(formatCost(0.00213)).toBe("$0.0021");
    expect(formatCost(1.239)).toBe("$1.24");
    expect(formatCost(0)).toBe("$0.00");
  });
});
