// Builds the interface with its fake platform and serves it on a free port while the browser tests run.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, preview } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
  }
}

export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const outDir = await mkdtemp(join(tmpdir(), "deepsearch-ui-"));
  await build({ mode: "fake", logLevel: "error", build: { outDir, emptyOutDir: true } });
  const server = await preview({
    mode: "fake",
    logLevel: "error",
    build: { outDir },
    preview: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  project.provide("url", server.resolvedUrls!.local[0]!.replace(/\/$/, ""));
  return async () => {
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  };
}
