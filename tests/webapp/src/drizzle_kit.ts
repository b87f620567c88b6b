// drizzle-kit as a web app's developer calls it: a process of its own, its command line, what it prints.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const WEBAPP = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = join(WEBAPP, "node_modules/drizzle-kit/bin.cjs");
const ENDS_WITHIN = 60_000;

/** Runs drizzle-kit and gives what it printed; paths in `args` are relative to `tests/webapp`. */
export function drizzleKit(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [PROGRAM, ...args],
      { cwd: WEBAPP, timeout: ENDS_WITHIN, env: { ...process.env, NO_COLOR: "1" } },
      (error, stdout, stderr) => {
        const said = `${stdout}\n${stderr}`;
        // It ends with 0 also after some errors of the database.
        if (error || /error/i.test(stderr)) reject(new Error(`drizzle-kit ${args[0]} failed: ${said}`, { cause: error }));
        else resolve(said);
      },
    ).stdin?.end();
  });
}

/** A folder that is gone when its holder goes out of scope. */
export async function temporaryFolder(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "deepsearch-webapp-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
