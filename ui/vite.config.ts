// Builds the windows' pages, and runs the unit tests with the same settings.

import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { configDefaults, defineConfig } from "vitest/config";

const port = Number(process.env.DEEPSEARCH_UI_PORT ?? 1420);

/** KaTeX names every font in three formats; every engine that the app runs on reads the first. */
const onlyWoff2: Plugin = {
  name: "deepsearch:only-woff2",
  enforce: "pre",
  transform: {
    filter: { id: /\/katex\/dist\/[^/]+\.css/ },
    handler: (css) => css.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\([^)]*\)/g, ""),
  },
};

/** Tells `early.js` where the words of each language are. */
const words: Plugin = {
  name: "deepsearch:words",
  transformIndexHtml: {
    order: "post",
    handler: (_, { bundle = {} }) => {
      const files = Object.values(bundle).flatMap((file) =>
        file.type === "chunk" && /\/paraglide\/messages\/..\.js$/.test(file.facadeModuleId ?? "")
          ? [file.fileName]
          : [],
      );
      return [{ tag: "meta", attrs: { name: "words", content: files.join(" ") }, injectTo: "head-prepend" }];
    },
  },
};

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), onlyWoff2, words],
  clearScreen: false,
  server: { host: "127.0.0.1", port, strictPort: true, watch: { ignored: ["**/dist/**"] } },
  // jsdom would otherwise be given Svelte's server half.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  // Each grammar is a file of its own, loaded when code in its language is met.
  worker: { format: "es" },
  build: {
    target: "safari16",
    // Fonts of formulas and the like stay files: `data:` fonts are not in the content security policy.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "quick.html", "opening.html"] },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts", "tests/unit/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "dist"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    // Grammars take their time to compile on a machine that is busy.
    testTimeout: 60_000,
  },
}));
