import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { language } from "../../shared/i18n.svelte";
import { Calendar, groupKey, groupLabel, untilTomorrow } from "./groups";

const now = new Date(2026, 2, 30, 9, 15);
const calendar = new Calendar(now);

function keyOf(...date: [number, number, number, number?, number?]): string {
  return groupKey(calendar.groupOf(new Date(...date).toISOString()));
}

describe("headings by the calendar", () => {
  it.each([
    [[2026, 2, 30, 0, 0], "group:today"],
    [[2026, 2, 31], "group:today"],
    [[2026, 2, 29, 23, 59], "group:yesterday"],
    [[2026, 2, 29, 0, 0], "group:yesterday"],
    [[2026, 2, 28, 23, 59], "group:week"],
    [[2026, 2, 23, 0, 0], "group:week"],
    [[2026, 2, 22, 23, 59], "group:thirty"],
    [[2026, 1, 28, 0, 0], "group:thirty"],
    [[2026, 1, 27, 23, 59], "group:2026-1"],
    [[2025, 11, 31, 23, 59], "group:2025-11"],
    [[2026, 0, 1, 0, 0], "group:2026-0"],
  ] as const)("puts %j under %s", (date, key) => {
    expect(keyOf(...(date as unknown as [number, number, number]))).toBe(key);
  });

  it("gives one object for one month, so that neighbours compare cheaply", () => {
    const first = calendar.groupOf(new Date(2025, 5, 30).toISOString());
    expect(calendar.groupOf(new Date(2025, 5, 1).toISOString())).toBe(first);
  });
});

describe("what headings say", () => {
  beforeEach(() => language.choose("en"));
  afterEach(() => language.choose("en"));

  it("names a month, and its year only when it is another", () => {
    expect(groupLabel({ kind: "month", year: 2026, month: 0 }, now)).toBe("January");
    expect(groupLabel({ kind: "month", year: 2024, month: 7 }, now)).toBe("August 2024");
  });

  it("starts with a capital also where months do not", async () => {
    await language.choose("es");
    expect(groupLabel({ kind: "month", year: 2026, month: 0 }, now)).toBe("Enero");
  });
});

it("waits until midnight, and never not at all", () => {
  expect(untilTomorrow(new Date(2026, 5, 1, 23, 59, 0))).toBe(60_000);
  expect(untilTomorrow(new Date(2026, 5, 1, 23, 59, 59, 999))).toBe(1000);
});
