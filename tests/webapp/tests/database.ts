// The databases of the tests. Whoever starts us (`xtask/src/web_app.rs`, or `deepsearch-postgres/tests/web_app`) has
// started a PostgreSQL, had DeepSearch's migrations run in a database there, and names it in
// `DEEPSEARCH_WEB_APP_DATABASE`, as the role of a web app: the owner of the tables, no superuser.

import { randomUUID } from "node:crypto";

import pg from "pg";

import { connect, type Database } from "../src/queries.ts";

/** The database that DeepSearch migrated. */
export function sharedUrl(): string {
  const url = process.env["DEEPSEARCH_WEB_APP_DATABASE"];
  if (!url)
    throw new Error("DEEPSEARCH_WEB_APP_DATABASE names no database; these tests are started by `cargo xtask test`");
  return url;
}

/** The database that DeepSearch migrated, with whatever is in it; it stays. */
export function sharedDatabase(): Scratch {
  const url = sharedUrl();
  const { db, close } = connect(url);
  return { url, db, [Symbol.asyncDispose]: close };
}

/** A database of a test's own, gone with its holder: a copy of the shared one, or an empty one. */
export async function ownDatabase(from: "shared" | "empty"): Promise<Scratch> {
  const name = `web_app_${randomUUID().replaceAll("-", "")}`;
  const template = from === "shared" ? new URL(sharedUrl()).pathname.slice(1) : "template0";
  await asAdministrator(`create database ${name} template ${template}`);
  const url = new URL(sharedUrl());
  url.pathname = `/${name}`;
  const { db, close } = connect(url.href);
  return {
    url: url.href,
    db,
    async [Symbol.asyncDispose]() {
      await close();
      await asAdministrator(`drop database ${name} with (force)`);
    },
  };
}

export interface Scratch {
  url: string;
  db: Database;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Rows of one statement. */
export async function rows<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

function asAdministrator(sql: string) {
  const url = new URL(sharedUrl());
  url.pathname = "/postgres";
  return rows(url.href, sql);
}
