// What a health check found is said in every language.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Finding, Found } from "../../../bindings/bindings";
import { language, locales } from "../../../shared/i18n.svelte";
import { findingWords } from "./findings";

const bindings = readFileSync(join(import.meta.dirname, "../../../bindings/bindings.ts"), "utf8");

/** One finding of each kind that the app can tell, as its types say it. */
function found(): Found[] {
  const type = /export type Found =([^]*?)\nexport /.exec(bindings)![1]!;
  const kinds = [...type.matchAll(/kind: "(\w+)"/g)].map(([, kind]) => kind!);
  expect(kinds.length).toBeGreaterThan(15);
  const failure = { code: "refused", message: "brave said no.", hint: null, subject: "brave" };
  const blanks = {
    folder: "/data",
    at: "2026-11-23T10:00:00Z",
    since: "2026-11-23T10:00:00Z",
    changes: 7,
    model: "qwen3",
    models: 7,
    results: 7,
    failure,
  };
  return kinds.map((kind) => ({ kind, ...blanks }) as unknown as Found);
}

const finding = (found: Found, part: Finding["part"] = "sync"): Finding => ({ part, grade: "good", found });

afterEach(() => language.choose("en"));

describe.each(locales)("in %s", (locale) => {
  beforeEach(() => language.choose(locale));

  it("every finding has words of its own", () => {
    const said = found().map((each) => findingWords(finding(each)).says);
    // What failed is said by the failure, whatever it was.
    expect(new Set(said).size).toBe(said.length - 1);
    expect(said.filter((text) => !text.trim())).toEqual([]);
  });

  it("every part has a name", () => {
    const type = /export type Part =([^]*?);/.exec(bindings.replace(/\/\*\*.*?\*\//gs, ""))![1]!;
    const parts = [...type.matchAll(/"(\w+)"/g)].map(([, part]) => part as Finding["part"]);
    expect(parts.length).toBeGreaterThan(7);
    const names = parts.map((part) => findingWords(finding({ kind: "parsed" }, part)).part);
    expect(new Set(names).size).toBe(parts.length);
  });
});

it("an engine goes by its name, and what it said stands beside words of another language", async () => {
  const failure = { code: "refused", message: "brave said no.", hint: null, subject: "brave" } as const;
  const refused = finding({ kind: "failed", failure }, { engine: "brave" });
  expect(findingWords(refused)).toMatchObject({ part: "Brave Search", says: "brave said no.", detail: null });
  await language.choose("de");
  const { says, detail } = findingWords(refused);
  expect(detail).toBe("brave said no.");
  expect(says).not.toContain("brave");
});
