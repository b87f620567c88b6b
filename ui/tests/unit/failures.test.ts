// The app's own words for a failure are English. They reach the window through failure-words.ts alone, which speaks the
// reader's language; a component that prints them itself would not.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const source = join(import.meta.dirname, "../../src");
/** Whatever has both names is one: `failure.message`, `trial.failure?.hint`, `asFailure(error).message`. */
const PRINTED = /(?:failure|trouble|refused|asFailure\([^()]*\))\??\.(?:message|hint)\b/gi;

it("no component prints the app's English", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.(?:svelte|ts)$/.test(path) && !/^(?:paraglide|bindings|platform)\/|\.test\.ts$/.test(path));
  expect(files.length).toBeGreaterThan(200);
  const printing = files.filter((path) => readFileSync(join(source, path), "utf8").match(PRINTED));
  expect(printing).toEqual(["shared/failure-words.ts"]);
});
