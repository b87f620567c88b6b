// Builds the two windows' pages, and runs the unit tests with the same settings.

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { configDefaults, defineConfig } from "vitest/config";

const port = Number(process.env.DEEPSEARCH_UI_PORT ?? 1420);

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  clearScreen: false,
  server: { host: "127.0.0.1", port, strictPort: true, watch: { ignored: ["**/dist/**"] } },
  // jsdom would otherwise be given Svelte's server half.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  build: {
    target: "safari16",
    // Fonts of formulas and the like stay files: `data:` fonts are not in the content security policy.
    assetsInlineLimit: 0,
    rollupOptions: { input: ["index.html", "quick.html"] },
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
