// A web app's developer runs drizzle-kit against the database that DeepSearch migrated. It should want nothing but the
// one foreign key whose name is too long for PostgreSQL (R3) and, where DeepSearch has drawn its boundary, the end of
// row security: the schema does not know it, and the boundary has to hold without it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { migrate } from "drizzle-orm/node-postgres/migrator";

import { ownDatabase, rows, sharedUrl } from "./database.ts";
import { generate, plannedBy, pull, push, temporaryFolder } from "./drizzle_kit.ts";
import { FOLDER, firstMigrations } from "./first_migrations.ts";

const SCHEMA = "src/schema.ts";

/** Dropped and added at each push, also after drizzle-kit's own migrations. */
const TOO_LONG_A_NAME = [
  'ALTER TABLE "ai-app-template_user_settings" DROP CONSTRAINT "ai-app-template_user_settings_user_id_ai-app-template_user_id_f";',
  'ALTER TABLE "ai-app-template_user_settings" ADD CONSTRAINT "ai-app-template_user_settings_user_id_ai-app-template_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."ai-app-template_user"("id") ON DELETE cascade ON UPDATE no action;',
];

test("push wants one foreign key anew and row security away, and nothing else", async () => {
  const url = sharedUrl();
  const expected = [...TOO_LONG_A_NAME, ...(await endOfRowSecurity(url))].sort();
  assert.deepEqual((await plannedBy({ url, schema: SCHEMA })).sort(), expected);
});

test("push without a filter of tables finds nothing of DeepSearch's in its way", async () => {
  const url = sharedUrl();
  const expected = [...TOO_LONG_A_NAME, ...(await endOfRowSecurity(url))].sort();
  assert.deepEqual((await plannedBy({ url, schema: SCHEMA, everyTable: true })).sort(), expected);
});

test("a push leaves rows, triggers, grants and DeepSearch's own schemas as they were", async () => {
  await using database = await ownDatabase("shared");
  const { url } = database;
  await rows(url, `insert into "ai-app-template_user" (id, email) values ('u', 'u@example.org')`);
  await rows(url, `insert into "ai-app-template_user_settings" (user_id, theme) values ('u', 'light')`);
  const before = await everythingElse(url);
  assert.ok(before.some(({ kind }) => kind === "view"));
  await push({ url, schema: SCHEMA });
  assert.deepEqual(await everythingElse(url), before);
  assert.deepEqual(await rows(url, `select theme from "ai-app-template_user_settings"`), [{ theme: "light" }]);
  assert.deepEqual(await endOfRowSecurity(url), [], "row security is gone, as expected");
  assert.deepEqual(await plannedBy({ url, schema: SCHEMA }), TOO_LONG_A_NAME, "the key is wanted at each push");
});

test("a web app without the seed's future parts would drop them, which is what the documents warn of", async () => {
  const plan = await plannedBy({ url: sharedUrl(), schema: "src/schemas/without_future.ts" });
  const expected = [
    'ALTER TABLE "ai-app-template_chat" DROP COLUMN "deleted_at";',
    'ALTER TABLE "ai-app-template_message" DROP CONSTRAINT "role_check";',
    'DROP INDEX "message_content_fts_idx";',
    ...TOO_LONG_A_NAME,
    ...(await endOfRowSecurity(sharedUrl())),
  ];
  assert.deepEqual(plan.sort(), expected.sort());
});

test("pull takes our tables for the ones that drizzle-kit makes itself", async () => {
  await using its = await ownDatabase("empty");
  await push({ url: its.url, schema: SCHEMA });
  const made = await pull(its.url);
  assert.equal(Object.keys(made).length, 8);
  const ours = await pull(sharedUrl());
  for (const table of Object.values(ours)) {
    table.isRLSEnabled = false;
    table.policies = {};
  }
  assert.deepEqual(ours, made);
});

test("the first migrations that DeepSearch's tests adopt are what drizzle-kit makes", async () => {
  for (const [name, sql] of await firstMigrations()) {
    const kept = await readFile(join(FOLDER, name), "utf8");
    assert.equal(kept, sql, `${name} is not current: \`npm run first-migrations\``);
  }
});

test("after an entry in its journal, a web app's own migrations go on from DeepSearch's tables", async () => {
  await using database = await ownDatabase("shared");
  await using folder = await temporaryFolder();
  const sql = await generate(SCHEMA, folder.path);
  const itsOwn = () => migrate(database.db, { migrationsFolder: folder.path });
  // R22: it would create what is there.
  await assert.rejects(itsOwn(), (error: Error) => (error.cause as { code?: string }).code === "42P07");
  const journal = JSON.parse(await readFile(join(folder.path, "meta/_journal.json"), "utf8"));
  const hash = createHash("sha256").update(sql).digest("hex");
  await rows(database.url, "insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)", [
    hash,
    journal.entries[0].when,
  ]);
  await itsOwn();
});

/** What `push` says to end the row security that is there now. */
async function endOfRowSecurity(url: string): Promise<string[]> {
  const tables = await rows<{ name: string }>(
    url,
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity`,
  );
  const policies = await rows<{ name: string; on: string }>(
    url,
    `select policyname as name, tablename as on from pg_policies where schemaname = 'public'`,
  );
  return [
    ...tables.map(({ name }) => `ALTER TABLE "${name}" DISABLE ROW LEVEL SECURITY;`),
    ...policies.map(({ name, on }) => `DROP POLICY "${name}" ON "${on}" CASCADE;`),
  ];
}

/** What drizzle-kit does not know: schemas of DeepSearch's own with all that is in them, triggers, grants, functions. */
async function everythingElse(url: string): Promise<{ kind: string; name: string; is: string }[]> {
  return rows(
    url,
    `with ours as (select oid, nspname from pg_namespace where nspname like 'deepsearch%')
     select 'relation' as kind, nspname || '.' || relname as name, relkind::text || coalesce(relacl::text, '') as is
       from pg_class join ours on relnamespace = ours.oid
     union all
     select 'function', proname, md5(prosrc) || coalesce(proacl::text, '') from pg_proc join ours on pronamespace = ours.oid
     union all
     select 'view', viewname, md5(definition) from pg_views where schemaname like 'deepsearch%'
     union all
     select 'trigger', tgrelid::regclass::text || tgname, pg_get_triggerdef(oid) || tgenabled::text from pg_trigger where not tgisinternal
     union all
     select 'grant', relname, coalesce(relacl::text, '') from pg_class where relnamespace = 'public'::regnamespace
     order by 1, 2, 3`,
  );
}
