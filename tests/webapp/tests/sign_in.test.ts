// People sign in to the web app, end to end: browser, Auth.js, its Drizzle adapter, a real OpenID provider, and the tables
// that DeepSearch migrated. After each step the rows are looked at. They stay: DeepSearch's repositories read them later
// (`deepsearch-postgres/tests/web_app/sign_in.rs`), and delete a user as R4 says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eq } from "drizzle-orm";

import { adapter } from "../src/auth.ts";
import { connect, createChat, type Database, userByEmail } from "../src/queries.ts";
import { accounts, chats, messages, sessions, users, userSettings, verificationTokens } from "../src/schema.ts";
import { Browser } from "./browser.ts";
import { sharedUrl } from "./database.ts";
import { webApp, type WebApp } from "./web_app.ts";

const SESSION_COOKIE = "authjs.session-token";
const DAY = 24 * 60 * 60 * 1000;

let db: Database;
let close: () => Promise<void>;
let app: WebApp;
const lin = new Browser();

before(async () => {
  ({ db, close } = connect(sharedUrl()));
  app = await webApp(db);
});

after(async () => {
  await app[Symbol.asyncDispose]();
  await close();
});

test("who asks for a link gets one, and its token is kept hashed", async () => {
  const page = await askForLink(lin, "Lin@Example.org");
  assert.equal(page.url.pathname, "/auth/verify-request");
  const [kept, ...more] = await db.select().from(verificationTokens);
  assert.ok(kept && more.length === 0);
  assert.equal(kept.identifier, "lin@example.org");
  assert.match(kept.token, /^[0-9a-f]{64}$/);
  assert.notEqual(kept.token, new URL(app.linkFor("lin@example.org")).searchParams.get("token"));
  assertAbout(kept.expires, Date.now() + DAY);
  assert.equal(await userByEmail(db, "lin@example.org"), undefined, "nobody is a user before they read their mail");
});

test("the link makes a verified user and a session, and works once", async () => {
  await lin.open(app.linkFor("lin@example.org"));
  const user = await userByEmail(db, "lin@example.org");
  assert.ok(user);
  assert.match(user.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assertAbout(user.emailVerified, Date.now());
  assert.deepEqual([user.name, user.image, user.isAdmin], [null, null, false]);
  assert.deepEqual(await db.select().from(verificationTokens), []);
  assert.deepEqual(await db.select().from(accounts), [], "a mail is no account");
  const session = await sessionOf(lin);
  assert.equal(session?.userId, user.id);
  assertAbout(session?.expires, Date.now() + 30 * DAY);
  assert.equal((await who(lin))?.user.email, "lin@example.org");

  const stranger = new Browser();
  const page = await stranger.open(app.linkFor("lin@example.org"));
  assert.equal(page.url.searchParams.get("error"), "Verification");
  assert.equal(await who(stranger), null);
});

test("a look at the session moves its end", async () => {
  const before = await sessionOf(lin);
  assert.ok(before);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await who(lin);
  const moved = await sessionOf(lin);
  assert.ok(moved && moved.expires > before.expires);
});

test("an account of the provider is linked to the user who is signed in", async () => {
  const user = await userByEmail(db, "lin@example.org");
  const page = await signInAt(lin, "lin-at-work");
  assert.equal(page.url.searchParams.get("error"), null);
  assert.equal((await db.select().from(users)).length, 1, "no second user");
  const [account, ...more] = await db.select().from(accounts);
  assert.ok(account && user && more.length === 0);
  const { access_token, refresh_token, id_token, expires_at, ...plain } = account;
  assert.deepEqual(plain, {
    userId: user.id,
    type: "oidc",
    provider: "team",
    providerAccountId: "lin-at-work",
    token_type: "bearer",
    scope: "openid profile email offline_access",
    session_state: null,
  });
  assert.ok(access_token && refresh_token);
  assert.match(id_token ?? "", /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assertAbout(new Date((expires_at ?? 0) * 1000), Date.now() + DAY / 24);
});

test("a sign-out ends the session, and no other", async () => {
  const elsewhere = new Browser();
  await signInAt(elsewhere, "lin-at-work");
  assert.equal((await who(elsewhere))?.user.email, "lin@example.org", "the account leads to its user");
  assert.equal((await db.select().from(sessions)).length, 2);
  const ended = lin.cookie(app.url, SESSION_COOKIE);
  await lin.send(`${app.url}/auth/signout`, { csrfToken: await csrfToken(lin) });
  assert.equal(lin.cookie(app.url, SESSION_COOKIE), undefined);
  assert.equal(await who(lin), null);
  const left = await db.select().from(sessions);
  assert.deepEqual(
    left.map((session) => session.sessionToken),
    [elsewhere.cookie(app.url, SESSION_COOKIE)],
  );
  assert.notEqual(left[0]?.sessionToken, ended);
});

test("a newcomer by the provider is a user whose mail is not verified", async () => {
  const kim = new Browser();
  await signInAt(kim, "kim");
  const user = await userByEmail(db, "kim@example.org");
  assert.ok(user);
  assert.deepEqual(
    [user.name, user.image, user.emailVerified],
    ["kim of the team", "https://example.org/kim.png", null],
    "R16: Auth.js writes NULL, and the default does not step in",
  );
  const linked = await db.select().from(accounts).where(eq(accounts.userId, user.id));
  assert.equal(linked.length, 1);
  assert.equal((await sessionOf(kim))?.userId, user.id);
});

test("an account with another user's mail is not linked unasked", async () => {
  const users_ = (await db.select().from(users)).length;
  const accounts_ = (await db.select().from(accounts)).length;
  // The provider says `lin@example.org`, who signed in by mail and linked another account.
  const page = await signInAt(new Browser(), "lin");
  assert.equal(page.url.searchParams.get("error"), "OAuthAccountNotLinked");
  assert.equal((await db.select().from(users)).length, users_);
  assert.equal((await db.select().from(accounts)).length, accounts_);
});

test("an expired link signs nobody in", async () => {
  const late = new Browser();
  await askForLink(late, "late@example.org");
  await db.update(verificationTokens).set({ expires: new Date(Date.now() - 1000) });
  const page = await late.open(app.linkFor("late@example.org"));
  assert.equal(page.url.searchParams.get("error"), "Verification");
  assert.equal(await userByEmail(db, "late@example.org"), undefined);
  assert.deepEqual(await db.select().from(verificationTokens), [], "it is used up all the same");
});

test("Auth.js cannot delete a user with an account or a session, and loses nothing in trying", async () => {
  const { deleteUser } = adapter(db);
  assert.ok(deleteUser);
  const kim = await userByEmail(db, "kim@example.org");
  assert.ok(kim);
  await createChat(db, kim.id);
  await assert.rejects(async () => deleteUser(kim.id), refused);
  await db.delete(accounts).where(eq(accounts.userId, kim.id));
  await assert.rejects(async () => deleteUser(kim.id), refused, "a session is enough");
  assert.equal((await db.select().from(chats).where(eq(chats.userId, kim.id))).length, 1);
});

test("without either, chats, messages and settings go along with their user", async () => {
  const { deleteUser } = adapter(db);
  assert.ok(deleteUser);
  const kim = await userByEmail(db, "kim@example.org");
  assert.ok(kim);
  await db.insert(userSettings).values({ userId: kim.id });
  await db.delete(sessions).where(eq(sessions.userId, kim.id));
  await deleteUser(kim.id);
  assert.equal(await userByEmail(db, "kim@example.org"), undefined);
  for (const table of [chats, messages, userSettings]) assert.deepEqual(await db.select().from(table), []);
});

async function csrfToken(browser: Browser): Promise<string> {
  return JSON.parse((await browser.open(`${app.url}/auth/csrf`)).text).csrfToken;
}

async function askForLink(browser: Browser, email: string) {
  return browser.send(`${app.url}/auth/signin/email`, {
    csrfToken: await csrfToken(browser),
    email,
    callbackUrl: app.url,
  });
}

/** Through the provider's pages and back: who one is, then the consent. */
async function signInAt(browser: Browser, name: string) {
  const callbackUrl = `${app.url}/auth/session`;
  let page = await browser.send(`${app.url}/auth/signin/team`, { csrfToken: await csrfToken(browser), callbackUrl });
  page = await browser.submit(page, { login: name, password: "any" });
  return browser.submit(page, {});
}

async function who(browser: Browser): Promise<{ user: { email: string } } | null> {
  return JSON.parse((await browser.open(`${app.url}/auth/session`)).text);
}

async function sessionOf(browser: Browser) {
  const token = browser.cookie(app.url, SESSION_COOKIE);
  assert.ok(token, "there is a cookie of a session");
  return db.query.sessions.findFirst({ where: eq(sessions.sessionToken, token) });
}

/** Refused by the foreign key, as drizzle-orm hands the error of PostgreSQL on. */
function refused(error: Error): boolean {
  return (error.cause as { code?: string } | undefined)?.code === "23503";
}

function assertAbout(time: Date | null | undefined, wanted: number) {
  assert.ok(time, "there is a time");
  assert.ok(
    Math.abs(time.getTime() - wanted) < 60_000,
    `${time.toISOString()} is about ${new Date(wanted).toISOString()}`,
  );
}
