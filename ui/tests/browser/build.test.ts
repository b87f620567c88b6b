// What goes into the app, and what must not.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { locales } from "../../src/paraglide/runtime";

let folder: string;
let files: { name: string; text: string }[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deepsearch-app-"));
  // As `npm run build` has it: vitest's own value would make this a build for development.
  vi.stubEnv("NODE_ENV", "production");
  await build({ mode: "production", logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  vi.unstubAllEnvs();
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(html|js|css)$/.test(name));
  files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), "utf8") })));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const having = (what: RegExp, ending = "") =>
  files.filter(({ name, text }) => name.endsWith(ending) && what.test(text)).map(({ name }) => name);

it("has both windows", () => {
  expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(["index.html", "quick.html", "early.js"]));
});

it("leaves the fake platform out", () => {
  expect(having(/FakePlatform|SQLite Notes|ledgerworks/)).toEqual([]);
});

it("has no script or style inside its pages, as the content security policy asks", () => {
  expect(having(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/, ".html")).toEqual([]);
});

it("runs no text as code", () => {
  expect(having(/\beval\(|new Function\(/, ".js")).toEqual([]);
});

it("loads nothing from elsewhere", () => {
  expect(having(/(?:src|href)="(?:https?:)?\/\//, ".html")).toEqual([]);
  expect(having(/url\(\s*["']?(?:https?:)?\/\//, ".css")).toEqual([]);
});

it("tells where the words of every language are, before anything is run", () => {
  const names = files.map(({ name }) => name);
  for (const page of ["index.html", "quick.html", "opening.html"]) {
    const [before] = files.find(({ name }) => name === page)!.text.split("<script");
    const told = /name="words" content="([^"]*)"/.exec(before!)?.[1]?.split(" ") ?? [];
    expect(names).toEqual(expect.arrayContaining(told));
    for (const locale of locales) expect(told.filter((file) => file.startsWith(`assets/${locale}-`))).toHaveLength(1);
  }
});

describe("the first paint", () => {
  /** What a page names, and what that imports before it runs. */
  function neededBy(page: string): string {
    const needed = new Set([page]);
    for (const name of needed) {
      const text = files.find((file) => file.name === name)?.text ?? "";
      const named = [
        ...text.matchAll(/(?:src|href)="\/([^"]+\.js)"/g),
        ...text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+\.js)"/g),
      ];
      for (const [, file] of named) needed.add(file!.startsWith("assets/") ? file! : `assets/${file}`);
    }
    needed.delete(page);
    return files.flatMap(({ name, text }) => (needed.has(name) ? [text] : [])).join("");
  }

  it("needs hardly more than a quarter of a megabyte of code", () => {
    expect(neededBy("index.html").length).toBeGreaterThan(200_000);
    expect(neededBy("index.html").length).toBeLessThan(270_000);
  });

  it("brings no language but the one that is spoken, which is a file of its own", () => {
    for (const text of ["Abbrechen", "Annuler", "キャンセル", "إلغاء"]) {
      expect(having(new RegExp(text), ".js")).toHaveLength(1);
      expect(neededBy("index.html") + neededBy("quick.html")).not.toContain(text);
    }
  });

  it("leaves out what draws answers, pages and settings", () => {
    const needed = neededBy("index.html");
    expect(having(/DOMPurify|katex-error/, ".js").length).toBeGreaterThan(0);
    expect(needed).not.toMatch(/DOMPurify|katex-error/);
  });
});
