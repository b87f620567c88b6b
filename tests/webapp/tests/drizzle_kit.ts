// drizzle-kit as a web app's developer calls it: a process of its own, its command line, what it prints.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const WEB_APP = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = join(WEB_APP, "node_modules/drizzle-kit/bin.cjs");
const ENDS_WITHIN = 60_000;

/** The statements that `push` would run. With `--strict` it shows them and asks; nobody sits at our terminal. */
export async function plannedBy(push: Push): Promise<string[]> {
  const { stdout, stderr } = await run(pushing(push, "--strict"));
  if (stdout.includes("No changes detected")) return [];
  const [, plan] = stdout.split("You are about to execute current statements:");
  if (!plan || !stderr.includes("Interactive prompts require a TTY")) {
    throw new Error(`drizzle-kit push showed no plan: ${stdout}\n${stderr}`);
  }
  return statements(plan);
}

/** Runs `push` and gives the statements that it ran. */
export async function push(how: Push): Promise<string[]> {
  const { stdout, stderr } = await run(pushing(how, "--force"));
  if (stdout.includes("No changes detected")) return [];
  const [, plan] = stdout.split("You are about to execute current statements:");
  if (!plan?.includes("Changes applied")) throw new Error(`drizzle-kit push failed: ${stdout}\n${stderr}`);
  return statements(plan);
}

export interface Push {
  url: string;
  schema: string;
  /** The seed's web app names its tables; one that does not is shown all of `public`. */
  everyTable?: boolean;
}

function pushing({ url, schema, everyTable }: Push, how: string): string[] {
  const filter = everyTable ? [] : ["--tablesFilter=ai-app-template_*"];
  return ["push", "--dialect=postgresql", `--schema=${schema}`, `--url=${url}`, "--verbose", how, ...filter];
}

/** Each statement ends its line; the words around them do not. */
function statements(plan: string): string[] {
  return plan
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.endsWith(";"));
}

/** What `pull` takes a database for: its tables, as drizzle-kit's own snapshot describes them. */
export async function pull(url: string): Promise<Record<string, PulledTable>> {
  await using folder = await temporaryFolder();
  const { stdout, stderr } = await run([
    "pull",
    "--dialect=postgresql",
    `--url=${url}`,
    `--out=${folder.path}`,
    "--tablesFilter=ai-app-template_*",
  ]);
  if (!stdout.includes("Your schema file is ready")) throw new Error(`drizzle-kit pull failed: ${stdout}\n${stderr}`);
  return JSON.parse(await readFile(join(folder.path, "meta/0000_snapshot.json"), "utf8")).tables;
}

export interface PulledTable {
  isRLSEnabled: boolean;
  policies: Record<string, unknown>;
  [more: string]: unknown;
}

/** Runs `generate` into `folder` and gives the migration's SQL. */
export async function generate(schema: string, folder: string): Promise<string> {
  const { stdout, stderr } = await run([
    "generate",
    "--dialect=postgresql",
    `--schema=${schema}`,
    `--out=${folder}`,
    "--name=first",
  ]);
  const [file] = (await readdir(folder)).filter((name) => name.endsWith(".sql"));
  if (!file) throw new Error(`drizzle-kit generate made no migration: ${stdout}\n${stderr}`);
  return readFile(join(folder, file), "utf8");
}

// drizzle-kit ends with 0 after most of its errors, so its callers look at what it says.
function run(args: string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { cwd: WEB_APP, timeout: ENDS_WITHIN, env: { ...process.env, NO_COLOR: "1" } };
    const process_ = execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`drizzle-kit ${args[0]} failed: ${stdout}\n${stderr}`, { cause: error }));
      else resolve({ stdout, stderr });
    });
    process_.stdin?.end();
  });
}

/** A folder that is gone when its holder goes out of scope. */
export async function temporaryFolder(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "deepsearch-web-app-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
