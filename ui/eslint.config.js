// TypeScript's and Svelte's strict rules, and the borders of our own: who may import Tauri, no raw HTML, one way to
// know an input method's key.

import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

const tauri = {
  group: ["@tauri-apps/*"],
  message: "Only src/platform/ speaks to Tauri; everything else goes through the Platform interface.",
};

const composing = {
  property: "isComposing",
  message:
    "Ask isComposing() of src/shared/shortcuts: some systems tell of the last key of a composition only by its code.",
};

export default ts.config(
  { ignores: ["dist/", "node_modules/", "src/paraglide/", "src/bindings/", "project.inlang/"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs["flat/recommended"],
  prettier,
  ...svelte.configs["flat/prettier"],
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
  },
  {
    rules: {
      "no-console": "error",
      // The compiler checks names better.
      "no-undef": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-imports": ["error", { patterns: [tauri] }],
      "no-restricted-properties": ["error", composing],
      "svelte/no-at-html-tags": "error",
      "svelte/no-navigation-without-resolve": "off",
      // Most sets, maps and dates here are read once; those that are watched are SvelteSet and SvelteMap by choice.
      "svelte/prefer-svelte-reactivity": "off",
      // Text of strangers is searched for control characters to take them out.
      "no-control-regex": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  { files: ["src/shared/shortcuts.ts"], rules: { "no-restricted-properties": "off" } },
  { files: ["src/platform/**"], rules: { "no-restricted-imports": "off" } },
  { files: ["tests/**", "*.config.*", "public/**"], languageOptions: { globals: { ...globals.node } } },
);
