// No text is missing: every feature says everything in all seven languages, with the same blanks to fill.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

type Variants = { declarations: string[]; selectors: string[]; match: Record<string, string> };
type Message = string | Variants[];
type Messages = Record<string, Message>;

const folder = join(import.meta.dirname, "../../messages");
const project = JSON.parse(readFileSync(join(folder, "../project.inlang/settings.json"), "utf8"));
const locales: string[] = project.locales;
const features = readdirSync(folder);

/** Small features whose words live in a neighbour's folder. */
const LODGERS: Record<string, string[]> = { library: ["palette"] };

function load(feature: string, locale: string): Messages {
  return JSON.parse(readFileSync(join(folder, feature, `${locale}.json`), "utf8"));
}

function texts(message: Message): string[] {
  return typeof message === "string" ? [message] : message.flatMap((variants) => Object.values(variants.match));
}

/** What a caller gives to the message: blanks of a plain one, declared inputs of one with variants. */
function inputs(message: Message): string[] {
  const declared = typeof message === "string" ? [] : message.flatMap((variants) => variants.declarations);
  const names = declared.flatMap((line) => /^input (\w+)/.exec(line)?.[1] ?? []);
  return [...new Set(typeof message === "string" ? blanks(message) : names)].sort();
}

function blanks(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((blank) => blank[1]!);
}

it("is compiled from every folder of messages", () => {
  const paths: string[] = project["plugin.inlang.messageFormat"].pathPattern;
  expect(paths).toEqual(expect.arrayContaining(features.map((feature) => `./messages/${feature}/{locale}.json`)));
});

describe.each(features)("messages of %s", (feature) => {
  const english = load(feature, "en");

  it("are named after their folder", () => {
    const prefixes = [feature, ...(LODGERS[feature] ?? [])];
    const strange = Object.keys(english).filter((key) => !prefixes.some((prefix) => key.startsWith(`${prefix}_`)));
    expect(strange).toEqual([]);
  });

  describe.each(locales)("in %s", (locale) => {
    const messages = load(feature, locale);
    const categories = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;

    it("are all there, and no more", () => {
      expect(Object.keys(messages).sort()).toEqual(Object.keys(english).sort());
    });

    it("say something", () => {
      const empty = Object.entries(messages).filter(([, message]) => texts(message).some((text) => !text.trim()));
      expect(empty.map(([key]) => key)).toEqual([]);
    });

    it("take what the English ones take", () => {
      const strange = Object.entries(messages).filter(
        ([key, message]) => english[key] && inputs(message).join() !== inputs(english[key]).join(),
      );
      expect(strange.map(([key]) => key)).toEqual([]);
    });

    it("fill only blanks that they are given", () => {
      const strange = Object.entries(messages).filter(([, message]) => {
        const given = new Set(inputs(message));
        return texts(message).some((text) => blanks(text).some((blank) => !given.has(blank)));
      });
      expect(strange.map(([key]) => key)).toEqual([]);
    });

    it("have every plural form of the language", () => {
      const lacking = Object.entries(messages).flatMap(([key, message]) => {
        if (typeof message === "string") return [];
        return message
          .filter((variants) => variants.declarations.some((line) => /:\s*plural/.test(line)))
          .filter(({ match }) => !coversPlurals(Object.keys(match), categories))
          .map(() => key);
      });
      expect(lacking).toEqual([]);
    });

    it.skipIf(locale === "en")("are not left in English", () => {
      // Short words and names may well be the same in two languages; a sentence is not.
      const left = Object.entries(messages).filter(([key, message]) => {
        const same = texts(message).filter((text) => texts(english[key] ?? "").includes(text));
        return same.some((text) => text.split(/\s+/).filter((word) => /^\p{L}{2,}/u.test(word)).length > 3);
      });
      expect(left.map(([key]) => key)).toEqual([]);
    });
  });
});

/** Whether each plural category is named, or left to a variant that takes anything. */
function coversPlurals(matches: string[], categories: string[]): boolean {
  const values = matches.flatMap((match) => match.split(",").map((part) => part.split("=")[1]!.trim()));
  return values.includes("*") || categories.every((category) => values.includes(category));
}
