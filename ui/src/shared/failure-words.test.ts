import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode, Failure } from "../bindings/bindings";
import { failureLine, failureWords } from "./failure-words";
import { language, locales } from "./i18n.svelte";

/** Every code that the app can tell, as its types say it. */
function codes(): ErrorCode[] {
  const bindings = readFileSync(join(import.meta.dirname, "../bindings/bindings.ts"), "utf8");
  const type = /export type ErrorCode =([^;]*);/.exec(bindings.replace(/\/\*\*.*?\*\//gs, ""))![1]!;
  return [...type.matchAll(/"(\w+)"/g)].map(([, code]) => code as ErrorCode);
}

const failure = (code: ErrorCode, more: Partial<Failure> = {}): Failure => ({
  code,
  message: "It is told in English.",
  hint: "Do this.",
  ...more,
});
const refused = failure("key_refused", { message: "openai refused the key.", subject: "openai" });

afterEach(() => language.choose("en"));

describe.each(locales)("in %s", (locale) => {
  beforeEach(() => language.choose(locale));

  it("every code has words of its own, with and without whom it happened with", () => {
    const told = codes();
    expect(told.length).toBeGreaterThan(15);
    const headlines = told.map((code) => failureWords(failure(code, { message: "" })).headline);
    expect(new Set(headlines).size).toBe(told.length);
    for (const code of told) {
      const named = failureWords(failure(code, { message: "", subject: "brave" })).headline;
      expect(named.includes("Brave Search") || headlines.includes(named)).toBe(true);
    }
  });

  it("nothing is said twice", () => {
    const { headline, detail } = failureWords(refused);
    expect(detail).toBeNull();
    expect(headline).toContain(locale === "en" ? "openai" : "OpenAI");
  });
});

describe("in the language of the app", () => {
  it("its sentence and its hint are the words", () => {
    expect(failureWords(failure("upstream", { subject: "brave" }))).toEqual({
      headline: "It is told in English.",
      hint: "Do this.",
      detail: null,
    });
    expect(failureWords(failure("upstream", { hint: null })).hint).toBeNull();
  });

  it("a hint that is a command gives way to one for the window", () => {
    const hint = "Set its key: `deepsearch settings set models.openai.key KEY`.";
    expect(failureWords({ ...refused, hint }).hint).toBe("Check the key in the settings.");
  });

  it("nobody is told to try again where nothing does", () => {
    const busy = failure("timed_out", { hint: "Try again in a moment." });
    expect(failureWords(busy).hint).toBe("Try again in a moment.");
    expect(failureWords(busy, { final: true }).hint).not.toMatch(/again/i);
  });
});

describe("in another language", () => {
  it("the app's sentence stands beside, where it says more", async () => {
    await language.choose("de");
    expect(failureWords(failure("invalid")).detail).toBe("It is told in English.");
    expect(failureWords(failure("key_refused")).detail).toBe("It is told in English.");
    expect(failureLine(failure("storage"))).toMatch(/^Lesen .* \u2068It is told in English\.\u2069$/);
  });

  it("whom it happened with is not named twice", async () => {
    await language.choose("de");
    const named = failureWords(refused, { named: true });
    expect(named.headline).not.toContain("OpenAI");
    expect(named.detail).toBeNull();
  });

  it("no text tells anybody to try again: that is for buttons", async () => {
    for (const locale of locales) {
      await language.choose(locale);
      const hints = codes().map((code) => failureWords(failure(code, { message: "" })).hint ?? "");
      expect(
        hints.filter((hint) => /try again|erneut versuchen|reintent|réessay|再試行|重试|أعد المحاولة/i.test(hint)),
      ).toEqual([]);
    }
  });
});
