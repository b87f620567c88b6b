// Runs the tests that drive Chromium over the Vite server with the fake platform.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    globalSetup: ["tests/browser/server.ts"],
    // Each file has a browser of its own; two of them are what two cores bear.
    maxWorkers: 2,
    // Two browsers on a busy machine: once or twice more tells that from a fault of ours.
    retry: 2,
    testTimeout: 120_000,
    // A second, as is usual, is soon over where two browsers and a server share the machine.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 180_000,
  },
});
