import { afterEach, expect, it } from "vitest";
import { language } from "./i18n.svelte";
import { relativeTime } from "./relative-time";

const now = new Date(2026, 10, 23, 15, 0).getTime();
const ago = (hours: number) => new Date(now - hours * 3_600_000);

afterEach(() => language.choose("en"));

it("grows coarser with distance", () => {
  expect(relativeTime(ago(0.005), now)).toBe("Just now");
  expect(relativeTime(ago(0.5), now)).toBe("30 minutes ago");
  expect(relativeTime(ago(3), now)).toBe("3 hours ago");
  expect(relativeTime(ago(20), now)).toBe("yesterday");
  expect(relativeTime(ago(70), now)).toBe("3 days ago");
  expect(relativeTime(ago(24 * 9), now)).toBe("Nov 14");
  expect(relativeTime(new Date(2024, 1, 29), now)).toBe("Feb 29, 2024");
});

it("knows the future", () => {
  expect(relativeTime(ago(-0.1), now)).toBe("in 6 minutes");
});

it("speaks the language of the window", async () => {
  await language.choose("de-AT");
  expect(relativeTime(ago(20), now)).toBe("gestern");
  await language.choose("ja");
  expect(relativeTime(ago(0.5), now)).toBe("30 分前");
});
