//! What somebody may try who has a device of their own, a valid session, every id of another user, and SQL.
//!
//! After each attempt the rows of the other user, the sign-in tables, the other devices and the roles are what they
//! were, and nothing that came back, an error's words included, holds a text of the other user's. All of it also holds
//! without row security, which a web app's `drizzle-kit push` takes off.

use deepsearch_postgres::SharedDatabase;
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, Row};

use crate::cluster::{Cluster, Device, admit, connect, run, text};
use crate::web_app::push;

/// What an attempt comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// The database refuses with one of these codes, at once.
    Refused(&'static [&'static str]),
    /// It runs, and finds and changes no row.
    Nothing,
    /// It runs or fails as the attacker likes: only that nothing is told and nothing changed counts.
    Harmless,
}

use End::{Harmless, Nothing, Refused};

const DENIED: End = Refused(&["42501"]);
/// By the view's check option, or by row security where that is on.
const CHECKED: End = Refused(&["44000", "42501"]);

/// Or it is no function that anybody calls.
const SHUT: End = Refused(&["42501", "0A000"]);

/// An error and no empty tables, which an app could take for chats that were deleted.
const SIGNED_OUT: End = Refused(&["DS002"]);

/// Before rights are looked at, some are refused for standing in a transaction.
const NEVER: End = Refused(&["42501", "25001"]);

/// In every text of the other user's.
const CANARY: &str = "canary";

const ATTEMPTS: &[(&str, End, &str)] = &[
    (
        "read the chats",
        DENIED,
        r#"select * from public."ai-app-template_chat""#,
    ),
    (
        "read the messages",
        DENIED,
        r#"select * from public."ai-app-template_message""#,
    ),
    (
        "read the users",
        DENIED,
        r#"select * from public."ai-app-template_user""#,
    ),
    (
        "read the accounts",
        DENIED,
        r#"select * from public."ai-app-template_account""#,
    ),
    (
        "read the sessions",
        DENIED,
        r#"select * from public."ai-app-template_session""#,
    ),
    (
        "read the tokens in e-mails",
        DENIED,
        r#"select * from public."ai-app-template_verification_token""#,
    ),
    (
        "read the cache",
        DENIED,
        r#"select * from public."ai-app-template_search_cache""#,
    ),
    (
        "read the settings",
        DENIED,
        r#"select * from public."ai-app-template_user_settings""#,
    ),
    (
        "count by a column that may be granted",
        DENIED,
        r#"select count(id) from public."ai-app-template_chat""#,
    ),
    (
        "a chat of B by its user",
        Nothing,
        r#"select * from "ai-app-template_chat" where user_id = 'B'"#,
    ),
    (
        "a chat of B by its id",
        Nothing,
        r#"select * from "ai-app-template_chat" where id = 'chat-b'"#,
    ),
    (
        "a message of B by its id",
        Nothing,
        r#"select * from "ai-app-template_message" where id = 'msg-b'"#,
    ),
    (
        "the messages of B's chat",
        Nothing,
        r#"select * from "ai-app-template_message" where chat_id = 'chat-b'"#,
    ),
    (
        "the messages of B's chat, as A",
        Nothing,
        "select * from deepsearch.list_messages('A', 'chat-b', null, null, true, 100)",
    ),
    (
        "the messages of B's chat, as B",
        Nothing,
        "select * from deepsearch.list_messages('B', 'chat-b', null, null, true, 100)",
    ),
    (
        "B by id",
        Nothing,
        r#"select * from "ai-app-template_user" where id = 'B'"#,
    ),
    (
        "everybody who is not A",
        Nothing,
        r#"select * from "ai-app-template_user" where id <> 'A'"#,
    ),
    (
        "B's accounts",
        Nothing,
        r#"select * from "ai-app-template_account" where user_id = 'B'"#,
    ),
    (
        "B's settings",
        Nothing,
        r#"select * from "ai-app-template_user_settings" where user_id = 'B'"#,
    ),
    (
        "B's searches",
        Nothing,
        r#"select * from "ai-app-template_search_cache" where query like 'canary%'"#,
    ),
    (
        "all of everything, joined",
        Harmless,
        r#"select * from "ai-app-template_message", "ai-app-template_chat", "ai-app-template_user""#,
    ),
    (
        "full-text search",
        Nothing,
        r#"select * from "ai-app-template_message" where to_tsvector('english', content) @@ websearch_to_tsquery('english', 'canary')"#,
    ),
    (
        "an error that tells what it met",
        Harmless,
        r#"select * from "ai-app-template_chat" where title::int = 0"#,
    ),
    (
        "the same in a message",
        Harmless,
        r#"select * from "ai-app-template_message" where content::int = 0"#,
    ),
    (
        "the same in the order",
        Harmless,
        r#"select * from "ai-app-template_chat" order by title::int"#,
    ),
    (
        "a division that tells whether B has it",
        Harmless,
        r#"select 1 from "ai-app-template_chat" where 1 / (case when title like 'canary%' then 0 else 1 end) = 1"#,
    ),
    (
        "a lock on B's row",
        Nothing,
        r#"select * from "ai-app-template_chat" where id = 'chat-b' for update"#,
    ),
    (
        "explain with figures",
        Harmless,
        r#"explain (analyze, verbose) select * from "ai-app-template_message" where chat_id = 'chat-b'"#,
    ),
    (
        "statistics of the columns",
        Nothing,
        "select * from pg_stats where tablename like 'ai-app-template%'",
    ),
    ("statistics of the planner", DENIED, "select * from pg_statistic"),
    (
        "a query as XML",
        DENIED,
        r#"select query_to_xml('select * from public."ai-app-template_session"', true, false, '')"#,
    ),
    (
        "a table as XML",
        DENIED,
        r#"select table_to_xml('public."ai-app-template_message"', true, false, '')"#,
    ),
    ("copy out", DENIED, r#"copy public."ai-app-template_message" to stdout"#),
    ("copy to a program", DENIED, "copy (select 1) to program 'id'"),
    ("copy to a file", DENIED, "copy (select 1) to '/tmp/x'"),
    (
        "a block of code",
        DENIED,
        r#"do $$ begin perform * from public."ai-app-template_session"; end $$"#,
    ),
    (
        "a chat in B's name",
        CHECKED,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('new', 'B', 'x')"#,
    ),
    (
        "a message in B's chat",
        CHECKED,
        r#"insert into "ai-app-template_message" (id, chat_id, role, content) values ('new', 'chat-b', 'user', 'x')"#,
    ),
    (
        "a message in a chat that is not there",
        CHECKED,
        r#"insert into "ai-app-template_message" (id, chat_id, role, content) values ('new', 'nowhere', 'user', 'x')"#,
    ),
    (
        "settings in B's name",
        Refused(&["44000", "42501", "23505"]),
        r#"insert into "ai-app-template_user_settings" (user_id) values ('B')"#,
    ),
    (
        "settings in the name of one without",
        CHECKED,
        r#"insert into "ai-app-template_user_settings" (user_id) values ('C')"#,
    ),
    (
        "a message with the id of B's",
        Refused(&["23505"]),
        r#"insert into "ai-app-template_message" (id, chat_id, role, content) values ('msg-b', 'chat-a', 'user', 'x')"#,
    ),
    (
        "the same, if there is none",
        Nothing,
        r#"insert into "ai-app-template_message" (id, chat_id, role, content) values ('msg-b', 'chat-a', 'user', 'x') on conflict (id) do nothing returning *"#,
    ),
    (
        "an upsert that takes B's chat",
        DENIED,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('chat-b', 'A', 'x') on conflict (id) do update set user_id = 'A'"#,
    ),
    (
        "an upsert that writes over B's chat",
        DENIED,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('chat-b', 'A', 'x') on conflict (id) do update set title = 'x'"#,
    ),
    (
        "an upsert whose error tells B's row",
        DENIED,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('chat-b', 'A', 'x') on conflict (id) do update set updated_at = now()"#,
    ),
    (
        "an upsert whose condition tells B's title",
        DENIED,
        r#"insert into "ai-app-template_chat" as mine (id, user_id, title) values ('chat-b', 'A', 'x') on conflict (id) do update set title = 'x' where mine.title::int = 0"#,
    ),
    (
        "an upsert whose value tells B's message",
        DENIED,
        r#"insert into "ai-app-template_message" as mine (id, chat_id, role, content) values ('msg-b', 'chat-a', 'user', 'x') on conflict (id) do update set content = mine.content::int"#,
    ),
    (
        "an upsert that tells B's settings",
        DENIED,
        r#"insert into "ai-app-template_user_settings" as mine (user_id) values ('B') on conflict (user_id) do update set theme = 'x' where mine.default_model::int = 0"#,
    ),
    (
        "the same as the group",
        DENIED,
        r#"set role deepsearch_app; insert into "ai-app-template_chat" as mine (id, user_id, title) values ('chat-b', 'A', 'x') on conflict (id) do update set title = 'x' where mine.title::int = 0"#,
    ),
    (
        "the same with the mark of inserts wiped out",
        DENIED,
        r#"with wiped as (select set_config('deepsearch.inserting', '', true)) insert into "ai-app-template_chat" as mine (id, user_id, title) select 'chat-b', 'A', set_config from wiped on conflict (id) do update set title = 'x' where mine.title::int = 0"#,
    ),
    (
        "give a chat to B",
        DENIED,
        r#"update "ai-app-template_chat" set user_id = 'B'"#,
    ),
    (
        "put a message into B's chat",
        DENIED,
        r#"update "ai-app-template_message" set chat_id = 'chat-b'"#,
    ),
    (
        "give a message another id",
        DENIED,
        r#"update "ai-app-template_message" set id = 'msg-c'"#,
    ),
    (
        "rename B's chat",
        Nothing,
        r#"update "ai-app-template_chat" set title = 'x' where id = 'chat-b'"#,
    ),
    (
        "rename it in spite of an error",
        Harmless,
        r#"update "ai-app-template_chat" set title = 'mine' where title::int = 0"#,
    ),
    (
        "change B's message",
        Nothing,
        r#"update "ai-app-template_message" set content = 'x' where id = 'msg-b'"#,
    ),
    (
        "change B's settings",
        Nothing,
        r#"update "ai-app-template_user_settings" set theme = 'x' where user_id = 'B'"#,
    ),
    (
        "change B's name",
        Nothing,
        r#"update "ai-app-template_user" set name = 'x' where id = 'B'"#,
    ),
    (
        "delete B's chat",
        Nothing,
        r#"delete from "ai-app-template_chat" where id = 'chat-b'"#,
    ),
    (
        "delete B's message",
        Nothing,
        r#"delete from "ai-app-template_message" where id = 'msg-b'"#,
    ),
    (
        "delete B's searches",
        Nothing,
        r#"delete from "ai-app-template_search_cache" where query like 'canary%'"#,
    ),
    (
        "delete B's settings",
        DENIED,
        r#"delete from "ai-app-template_user_settings" where user_id = 'B'"#,
    ),
    (
        "become an administrator",
        DENIED,
        r#"update "ai-app-template_user" set is_admin = true"#,
    ),
    (
        "take B's address",
        DENIED,
        r#"update "ai-app-template_user" set email = 'b-canary@example.com'"#,
    ),
    (
        "make a user",
        DENIED,
        r#"insert into "ai-app-template_user" (id, email) values ('D', 'd@example.com')"#,
    ),
    ("delete a user", DENIED, r#"delete from "ai-app-template_user""#),
    (
        "link an account",
        DENIED,
        r#"insert into public."ai-app-template_account" (user_id, type, provider, provider_account_id) values ('B', 'oauth', 'github', 'a')"#,
    ),
    (
        "link one through the view",
        Refused(&["42501", "55000"]),
        r#"insert into "ai-app-template_account" (user_id, type, provider, provider_account_id) values ('B', 'oauth', 'github', 'a')"#,
    ),
    (
        "make a session",
        DENIED,
        r#"insert into public."ai-app-template_session" values ('x', 'B', now() + interval '1 day')"#,
    ),
    ("empty a table", DENIED, r#"truncate public."ai-app-template_message""#),
    (
        "empty a view",
        Refused(&["42501", "42809"]),
        r#"truncate "ai-app-template_message""#,
    ),
    (
        "the hash of B's token as the token",
        SIGNED_OUT,
        r#"select set_config('deepsearch.session_token', 'ds1:' || encode(sha256('{B_TOKEN}'), 'hex'), true) as set \; select * from "ai-app-template_chat""#,
    ),
    (
        "no token",
        SIGNED_OUT,
        r#"select set_config('deepsearch.session_token', '', true) as set \; select * from "ai-app-template_chat""#,
    ),
    (
        "an invented token",
        SIGNED_OUT,
        r#"select set_config('deepsearch.session_token', 'x'' or true --', true) as set \; select * from "ai-app-template_chat""#,
    ),
    (
        "row security off",
        Harmless,
        r#"set row_security = off; select * from "ai-app-template_chat""#,
    ),
    ("the devices", DENIED, "select * from deepsearch.device"),
    ("everybody's searches", DENIED, "select * from deepsearch.own_search"),
    (
        "the team's choices",
        DENIED,
        "update deepsearch.setting set value = 'on'",
    ),
    (
        "share the searches",
        DENIED,
        "insert into deepsearch.setting values ('share_searches', 'on')",
    ),
    ("the migrations", DENIED, "delete from deepsearch.migration"),
    (
        "a device for B",
        DENIED,
        "select deepsearch.mint_device(gen_random_uuid(), 'B', 'x', 'x', 'x', now())",
    ),
    (
        "revoke B's device",
        DENIED,
        "select deepsearch.revoke_device(id) from (select '{B}'::uuid as id) as of_b",
    ),
    (
        "revoke it as one's own",
        Harmless,
        "select deepsearch.revoke_own_device('{B}')",
    ),
    (
        "end B's connections",
        DENIED,
        "select deepsearch.end_connections('{B_ROLE}')",
    ),
    (
        "end everybody's",
        DENIED,
        "select deepsearch.end_long_transactions('0')",
    ),
    ("drop devices", DENIED, "select deepsearch.drop_revoked_devices()"),
    (
        "call what a trigger calls",
        Refused(&["42501", "0A000"]),
        "select deepsearch.write_search()",
    ),
    ("use it on a table of one's own", DENIED, "create table mine (id int)"),
    ("become B's device", DENIED, r#"set role "{B_ROLE}""#),
    ("become the owner of the views", DENIED, "set role deepsearch_owner"),
    (
        "become the owner of the functions",
        DENIED,
        "set role deepsearch_definer",
    ),
    ("become the maker of roles", DENIED, "set role deepsearch_minter"),
    ("become the gateway", DENIED, "set role deepsearch_gateway"),
    ("become the superuser", DENIED, "set role postgres"),
    (
        "become it for the whole session",
        DENIED,
        "set session authorization postgres",
    ),
    ("join the owner", DENIED, "grant deepsearch_owner to deepsearch_app"),
    ("B's password", DENIED, r#"alter role "{B_ROLE}" password 'x'"#),
    (
        "the gateway's password",
        DENIED,
        "alter role deepsearch_gateway password 'x'",
    ),
    (
        "more connections",
        DENIED,
        "alter role current_user connection limit 1000",
    ),
    (
        "a setting for B",
        DENIED,
        r#"alter role "{B_ROLE}" set search_path = public"#,
    ),
    (
        "a setting for the database",
        DENIED,
        "alter database {DATABASE} set search_path = public",
    ),
    (
        "a setting of the server",
        NEVER,
        "alter system set log_statement = 'all'",
    ),
    ("a role", DENIED, "create role mine"),
    ("passwords", DENIED, "select * from pg_authid"),
    ("passwords by the view", DENIED, "select * from pg_shadow"),
    ("what others run", Harmless, "select * from pg_stat_activity"),
    ("stop what B runs", DENIED, "select pg_cancel_backend({B_PID})"),
    ("end B's connection", DENIED, "select pg_terminate_backend({B_PID})"),
    ("without triggers", DENIED, "set session_replication_role = replica"),
    (
        "row security off for good",
        DENIED,
        r#"alter table public."ai-app-template_chat" disable row level security"#,
    ),
    (
        "a policy",
        DENIED,
        r#"create policy mine on public."ai-app-template_chat" using (true)"#,
    ),
    (
        "a trigger away",
        DENIED,
        r#"drop trigger deepsearch_refuse_upsert_before on public."ai-app-template_chat""#,
    ),
    (
        "a trigger off",
        DENIED,
        r#"alter table public."ai-app-template_chat" disable trigger all"#,
    ),
    ("a view of one's own", DENIED, "create view deepsearch.mine as select 1"),
    (
        "another view",
        DENIED,
        r#"create or replace view "ai-app-template_chat" as select * from public."ai-app-template_chat""#,
    ),
    (
        "a view without a barrier",
        DENIED,
        r#"alter view "ai-app-template_chat" reset (security_barrier)"#,
    ),
    ("no view", DENIED, r#"drop view "ai-app-template_chat""#),
    (
        "another uid()",
        DENIED,
        "create or replace function deepsearch.uid() returns varchar(255) language sql as $$ select 'B' $$",
    ),
    (
        "a uid() that is found first",
        DENIED,
        "create function public.uid() returns text language sql as $$ select 'B' $$",
    ),
    (
        "an operator that is found first",
        DENIED,
        "create operator public.= (leftarg = text, rightarg = text, function = textne)",
    ),
    ("a temporary table", DENIED, "create temporary table mine (id int)"),
    ("a temporary view", DENIED, "create temporary view mine as select 1"),
    ("a schema", DENIED, "create schema mine"),
    ("an extension", DENIED, "create extension pg_stat_statements"),
    (
        "a server elsewhere",
        NEVER,
        "create subscription mine connection 'host=x' publication x",
    ),
    (
        "a publication",
        DENIED,
        r#"create publication mine for table public."ai-app-template_message""#,
    ),
    (
        "an event trigger",
        DENIED,
        "create event trigger mine on ddl_command_start execute function deepsearch.write_search()",
    ),
    (
        "an index on B's rows",
        DENIED,
        r#"create index on public."ai-app-template_message" (content)"#,
    ),
    (
        "lock a table",
        DENIED,
        r#"lock table public."ai-app-template_chat" in access share mode"#,
    ),
    (
        "lock it through its view",
        DENIED,
        r#"lock table "ai-app-template_chat" in access exclusive mode"#,
    ),
    (
        "lock the messages through their view",
        DENIED,
        r#"lock table "ai-app-template_message" in exclusive mode"#,
    ),
    (
        "lock the cache through its view",
        DENIED,
        r#"lock table "ai-app-template_search_cache" in access exclusive mode"#,
    ),
    ("lock the migrations out", DENIED, "select pg_advisory_lock(1)"),
    (
        "lock an address",
        DENIED,
        "select pg_advisory_xact_lock(hashtextextended('deepsearch user b', 0))",
    ),
    ("try that", DENIED, "select pg_try_advisory_lock(1)"),
    ("a large object", DENIED, "select lo_create(0)"),
    ("a large object from bytes", DENIED, "select lo_from_bytea(0, 'x')"),
    ("a file as a large object", DENIED, "select lo_import('/etc/passwd')"),
    ("a file", DENIED, "select pg_read_file('/etc/passwd')"),
    ("a folder", DENIED, "select * from pg_ls_dir('.')"),
    (
        "a message in the log of changes",
        DENIED,
        "select pg_logical_emit_message(false, 'x', 'x')",
    ),
    (
        "the sequence",
        DENIED,
        r#"select setval('public."ai-app-template_search_cache_id_seq"', 1)"#,
    ),
    ("the configuration again", DENIED, "select pg_reload_conf()"),
    (
        "a comment",
        DENIED,
        r#"comment on table public."ai-app-template_chat" is 'x'"#,
    ),
    (
        "the tables, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_tables()"#,
    ),
    (
        "rows of user, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('user', null, 10)"#,
    ),
    (
        "rows of account, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('account', null, 10)"#,
    ),
    (
        "rows of session, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('session', null, 10)"#,
    ),
    (
        "rows of verification_token, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('verification_token', null, 10)"#,
    ),
    (
        "rows of chat, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('chat', null, 10)"#,
    ),
    (
        "rows of message, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('message', null, 10)"#,
    ),
    (
        "rows of search_cache, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('search_cache', null, 10)"#,
    ),
    (
        "rows of user_settings, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_rows('user_settings', null, 10)"#,
    ),
    (
        "a statement in the place of a table's name",
        DENIED,
        r#"select * from deepsearch.admin_rows('chat" union select null, array[session_token] from public."ai-app-template_session" --', null, 10)"#,
    ),
    (
        "the sessions, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_sessions(null, null, 10)"#,
    ),
    (
        "end B's session, as an administrator would",
        DENIED,
        r#"select deepsearch.admin_end_session(encode(sha256('canary-web'), 'hex'))"#,
    ),
    (
        "end B's session, as the owner would",
        DENIED,
        r#"select deepsearch.end_session(encode(sha256('canary-web'), 'hex'))"#,
    ),
    (
        "what is searched for, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_search_queries('2000-01-01', 10)"#,
    ),
    (
        "when is searched, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_search_days('2000-01-01')"#,
    ),
    (
        "where is searched, as an administrator would",
        DENIED,
        r#"select * from deepsearch.admin_search_engines('2000-01-01')"#,
    ),
    (
        "ask whether one is an administrator",
        DENIED,
        r#"select deepsearch.require_admin()"#,
    ),
    (
        "another one's right to look",
        DENIED,
        r#"create or replace function deepsearch.require_admin() returns void language sql as $$ select $$"#,
    ),
    (
        "a setting that says so",
        DENIED,
        r#"select set_config('deepsearch.is_admin', 'true', true) \; select * from deepsearch.admin_tables()"#,
    ),
    (
        "become an administrator with the name",
        DENIED,
        r#"update "ai-app-template_user" set name = 'x', is_admin = true where id = 'A'"#,
    ),
    (
        "statistics of what is indexed",
        Nothing,
        r#"select * from pg_stats where tablename in ('message_content_fts_idx', 'own_search', 'search_count')"#,
    ),
    (
        "statistics of several columns",
        Nothing,
        r#"select * from pg_stats_ext"#,
    ),
    ("the feed", DENIED, r#"select * from deepsearch_sync.change"#),
    ("saved pages", DENIED, r#"select * from deepsearch_sync.page"#),
    (
        "how everybody sorts chats",
        DENIED,
        r#"select collection, tags from deepsearch_sync.chat_flags"#,
    ),
    (
        "how B sorts chats, from the feed",
        Harmless,
        r#"select * from deepsearch.sync_recent_chats(null, null, 100); select * from deepsearch.sync_pull('0', 0, 100)"#,
    ),
    (
        "note a change in B's feed",
        DENIED,
        r#"select deepsearch_sync.note('B', 'chat', 'chat-b', 'D')"#,
    ),
    (
        "forget everybody's deletions",
        DENIED,
        r#"select deepsearch_sync.collect('0')"#,
    ),
    (
        "the sign-ins under way",
        DENIED,
        r#"select * from deepsearch.sign_in_code"#,
    ),
    (
        "read where links were sent",
        DENIED,
        "select * from deepsearch.link_sent",
    ),
    (
        "count a link for a mailbox",
        DENIED,
        "insert into deepsearch.link_sent (address_hash, network_hash, sent_at)
            values (sha256('x'), sha256('x'), now())",
    ),
    (
        "forget deletions that others have not seen",
        DENIED,
        "select deepsearch_sync.collect_daily()",
    ),
    (
        "say that the server was put back",
        DENIED,
        "update deepsearch_sync.meta set restored = 'x'",
    ),
    (
        "the counts of searches",
        DENIED,
        r#"select * from deepsearch.search_count"#,
    ),
    (
        "search B's messages",
        Nothing,
        r#"select * from deepsearch.search_messages('B', 'canary', 10, '')"#,
    ),
    (
        "B's chat by a push",
        Harmless,
        r#"select deepsearch.sync_push((select epoch from deepsearch.sync_server()), 1, '[{"Chat": {"known": false, "row": {"id": "chat-b", "title": "x", "created_at": "2030-01-01T00:00:00Z", "updated_at": "2030-01-01T00:00:00Z", "deleted_at": null}}}]')"#,
    ),
    (
        "sort B's chat by a push",
        Harmless,
        r#"select deepsearch.sync_push((select epoch from deepsearch.sync_server()), 2, '[{"Flags": {"chat_id": "chat-b", "pinned": true, "archived": true, "leaf": null, "at": "2030-01-01T00:00:00Z", "labels": {"collection": "x", "tags": ["x"]}, "seen_at": "2030-01-01T00:00:00Z"}}]')"#,
    ),
    (
        "B's message by a push",
        Harmless,
        r#"select deepsearch.sync_push((select epoch from deepsearch.sync_server()), 1, '[{"Message": {"id": "msg-b", "chat_id": "chat-a", "role": "user", "content": "x", "sources": null, "metadata": null, "created_at": "2030-01-01T00:00:00Z", "extras": null}}]')"#,
    ),
    (
        "delete B's chat by a push",
        Harmless,
        r#"select deepsearch.sync_push((select epoch from deepsearch.sync_server()), 1, '[{"DeleteChat": "chat-b"}]')"#,
    ),
    ("hear what others say", Harmless, r#"listen anything; unlisten *"#),
    ("say something to those who hear", Harmless, r#"notify anything, 'x'"#),
    (
        "a transaction that outlives its connection",
        Refused(&["55000"]),
        r#"prepare transaction 'mine'"#,
    ),
    (
        "a large object without its function",
        DENIED,
        r#"select loread(lo_open(1, 262144), 10)"#,
    ),
    (
        "text of others through a table's rules",
        DENIED,
        r#"create rule mine as on select to public."ai-app-template_chat" do instead select 1"#,
    ),
    (
        "copy into the view",
        Refused(&["42501", "42809", "55000"]),
        r#"copy "ai-app-template_chat" from program 'id'"#,
    ),
    (
        "a merge into B's chat",
        Refused(&["42501", "42809", "0A000"]),
        r#"merge into "ai-app-template_chat" as mine using (select 1) as one on mine.id = 'chat-b' when matched then update set title = 'x' when not matched then do nothing"#,
    ),
];

const ROWS: &str = r#"
    insert into public."ai-app-template_user" (id, email, name) values
        ('A', 'a@example.com', 'Ann'), ('B', 'b-canary@example.com', 'Bob canary'), ('C', 'c-canary@example.com', null);
    insert into public."ai-app-template_account" (user_id, type, provider, provider_account_id, access_token)
        values ('A', 'oauth', 'github', '1', 'canary'), ('B', 'oauth', 'github', '2-canary', 'canary');
    insert into public."ai-app-template_session" values ('canary-web', 'B', now() + interval '1 day');
    insert into public."ai-app-template_verification_token" values ('b-canary@example.com', 'canary', now());
    insert into public."ai-app-template_chat" (id, user_id, title)
        values ('chat-a', 'A', '0'), ('chat-b', 'B', 'canary chat');
    insert into public."ai-app-template_message" (id, chat_id, role, content)
        values ('msg-a', 'chat-a', 'user', '0'), ('msg-b', 'chat-b', 'user', 'canary message');
    insert into public."ai-app-template_user_settings" (user_id, default_model) values ('B', 'canary');
    insert into public."ai-app-template_search_cache" (query, results, expires_at)
        values ('canary web', '{"a": "canary"}', now() + interval '1 day');
    insert into deepsearch.own_search (user_id, query, results, expires_at)
        values ('B', 'canary own', '{"a": "canary"}', now() + interval '1 day');
    insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, at, collection, tags)
        values ('B', 'chat-b', false, false, now(), 'canary collection', '["canary tag"]');
    insert into deepsearch_sync.message_extras (user_id, message_id, body) values ('B', 'msg-b', '{"follow_ups": ["canary"]}');
    insert into deepsearch_sync.page (user_id, content_hash, text, html, size)
        values ('B', encode(sha256('canary page'), 'hex'), 'canary page', '<p>canary', 20);
    insert into deepsearch_sync.page_use (user_id, message_id, content_hash)
        values ('B', 'msg-b', encode(sha256('canary page'), 'hex'));
    insert into public."ai-app-template_chat" (id, user_id, title) values ('gone-canary', 'B', 'canary');
    delete from public."ai-app-template_chat" where id = 'gone-canary';
    insert into deepsearch.search_count (day, query, searches) values (current_date, 'canary count', 1);
    insert into deepsearch.engine_count (day, engine, answers) values (current_date, 'canary engine', 1);
    insert into deepsearch.sign_in_identity values (sha256('i'), '{"name": "canary"}', now() + interval '1 hour');
    insert into deepsearch.sign_in_code (code_hash, user_id, redirect_uri, code_challenge, device_id, device_name, expires_at)
        values (sha256('c'), 'B', 'canary', 'canary', gen_random_uuid(), 'canary', now() + interval '1 hour');
    insert into deepsearch.device_request (device_code_hash, user_code, device_id, device_name, asked_from, asked_at,
            expires_at, poll_seconds)
        values (sha256('d'), 'CANARY', gen_random_uuid(), 'canary', 'canary', now(), now() + interval '1 hour', 5);
    insert into deepsearch.link_sent (address_hash, network_hash, sent_at)
        values (sha256('canary address'), sha256('canary network'), now());
    analyze;"#;

/// Everything that A must not change, as one text.
const STATE: &str = r#"select concat_ws(E'\n',
    (select string_agg(u::text, ' ' order by id) from public."ai-app-template_user" as u),
    (select string_agg(a::text, ' ' order by provider_account_id) from public."ai-app-template_account" as a),
    (select string_agg(s::text, ' ' order by session_token) from public."ai-app-template_session" as s),
    (select string_agg(t::text, ' ' order by token) from public."ai-app-template_verification_token" as t),
    (select string_agg(c::text, ' ' order by id) from public."ai-app-template_chat" as c where user_id <> 'A'),
    (select string_agg(m::text, ' ' order by id) from public."ai-app-template_message" as m where chat_id <> 'chat-a'),
    (select string_agg(s::text, ' ' order by user_id) from public."ai-app-template_user_settings" as s),
    (select string_agg(c::text, ' ' order by id) from public."ai-app-template_search_cache" as c),
    (select string_agg(c::text, ' ' order by id) from deepsearch.own_search as c where user_id <> 'A'),
    (select string_agg(f::text, ' ' order by chat_id) from deepsearch_sync.chat_flags as f where user_id <> 'A'),
    (select string_agg(c::text, ' ' order by kind, row_id) from deepsearch_sync.change as c where user_id <> 'A'),
    (select string_agg(e::text, ' ' order by message_id) from deepsearch_sync.message_extras as e where user_id <> 'A'),
    (select string_agg(c::text, ' ' order by key) from deepsearch_sync.setting_clock as c where user_id <> 'A'),
    (select string_agg(p::text, ' ' order by content_hash) from deepsearch_sync.page as p where user_id <> 'A'),
    (select string_agg(u::text, ' ' order by message_id) from deepsearch_sync.page_use as u where user_id <> 'A'),
    (select string_agg(m::text, ' ') from deepsearch_sync.meta as m),
    (select string_agg(c::text, ' ' order by query) from deepsearch.search_count as c),
    (select string_agg(c::text, ' ' order by engine) from deepsearch.engine_count as c),
    (select string_agg(i::text, ' ') from deepsearch.sign_in_identity as i),
    (select string_agg(c::text, ' ') from deepsearch.sign_in_code as c),
    (select string_agg(r::text, ' ') from deepsearch.device_request as r),
    (select string_agg(l::text, ' ' order by id) from deepsearch.link_sent as l),
    (select string_agg(d::text, ' ' order by id) from deepsearch.device as d),
    (select string_agg(s::text, ' ' order by name) from deepsearch.setting as s),
    (select string_agg(m::text, ' ' order by version) from deepsearch.migration as m),
    (select string_agg(r::text, ' ' order by oid) from pg_authid as r),
    (select string_agg(r::text, ' ' order by roleid, member) from pg_auth_members as r),
    (select string_agg(r::text, ' ' order by setdatabase, setrole) from pg_db_role_setting as r),
    (select string_agg(concat(relname, relowner, relacl, relrowsecurity), ' ' order by oid) from pg_class),
    (select string_agg(p::text, ' ' order by oid) from pg_policy as p),
    (select string_agg(concat(tgname, tgenabled), ' ' order by oid) from pg_trigger),
    (select string_agg(concat(proname, proowner, proacl, prosrc), ' ' order by oid) from pg_proc),
    (select count(*)::text from pg_largeobject_metadata),
    (select count(*)::text from pg_stat_activity where usename like 'deepsearch\_device\_%'))"#;

/// What has happened to the database since it was migrated.
enum Before {
    Nothing,
    /// Row security off and its policies gone, by statements of ours.
    NoRowSecurity,
    /// drizzle-kit itself, with the web app's schema.
    Push,
    /// It was migrated by a role that owns it and makes roles, and is no superuser.
    NoSuperuser,
}

#[tokio::test]
async fn no_sql_reaches_what_is_anothers_with_row_security() {
    attack(Before::Nothing).await;
}

#[tokio::test]
async fn no_sql_reaches_what_is_anothers_without_row_security() {
    attack(Before::NoRowSecurity).await;
}

#[tokio::test]
async fn no_sql_reaches_what_is_anothers_after_a_push_of_the_web_app() {
    attack(Before::Push).await;
}

#[tokio::test]
async fn no_sql_reaches_what_is_anothers_where_the_owner_is_no_superuser() {
    attack(Before::NoSuperuser).await;
}

/// What every table of ours, and every function of the feed, has to answer whoever comes: so says the catalogue, that a
/// later one is not forgotten.
const EVERY_TABLE: &str = r"select string_agg(format('select * from %1$s|delete from %1$s|truncate %1$s|copy %1$s to stdout
        |lock table %1$s in access share mode|insert into %1$s default values|update %1$s set %2$I = %2$I
        |select count(*) from %1$s tablesample system (100)', pg_class.oid::regclass, attname), '|')
    from pg_class join pg_attribute on attrelid = pg_class.oid and attnum = 2
    where relkind = 'r' and relnamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')";
const EVERY_FUNCTION: &str = r"select string_agg(format('select %s(%s)', oid::regproc, (
        select string_agg(format('null::%s', kind::regtype), ', ') from unnest(proargtypes) as kind)), '|')
    from pg_proc where pronamespace = 'deepsearch_sync'::regnamespace";
/// Only a superuser may take these from everybody; `deepsearch db check` says so.
const OF_THE_SYSTEM: &[&str] = &["advisory", "lo_", "pg_logical_emit_message"];

const NO_ROW_SECURITY: &str = r#"do $$ declare t text; p text; begin
    for t in select relname from pg_class where relname like 'ai-app-template%' and relrowsecurity loop
        for p in select polname from pg_policy where polrelid = format('public.%I', t)::regclass loop
            execute format('drop policy %I on public.%I', p, t);
        end loop;
        execute format('alter table public.%I disable row level security', t);
    end loop; end $$"#;

const ROW_SECURITY: &str = "select concat((select count(*) from pg_policy),
    (select count(*) from pg_class where relname like 'ai-app-template%' and relrowsecurity))";

async fn attack(before: Before) {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = match before {
        Before::NoSuperuser => migrated_by_an_owner(&cluster).await,
        _ => cluster.migrated().await,
    };
    let mut owner = connect(&url).await;
    run(&mut owner, ROWS).await;
    let by_superuser = !matches!(before, Before::NoSuperuser);
    match before {
        Before::Nothing | Before::NoSuperuser => {}
        Before::NoRowSecurity => run(&mut owner, NO_ROW_SECURITY).await,
        Before::Push if push(&url) => {}
        Before::Push => return,
    }
    let has_row_security = matches!(before, Before::Nothing | Before::NoSuperuser);
    assert_eq!(text(&mut owner, ROW_SECURITY).await != "00", has_row_security);
    let a = admit(&database, &url, "A").await;
    let b = admit(&database, &url, "B").await;
    let mut of_b = b.connect().await;
    // Stands in the list of what runs, and must not be read there.
    let pid = text(&mut of_b, "select pg_backend_pid()::text as canary").await;
    let mut attacker = a.connect().await;
    let before = text(&mut owner, STATE).await;
    let mut wrong = Vec::new();
    let mut attempts: Vec<(String, End, String)> = ATTEMPTS
        .iter()
        .map(|(name, expected, sql)| ((*name).to_owned(), *expected, (*sql).to_owned()))
        .filter(|(.., sql)| by_superuser || !OF_THE_SYSTEM.iter().any(|name| sql.contains(name)))
        .collect();
    for sql in [EVERY_TABLE, EVERY_FUNCTION] {
        let all = text(&mut owner, sql).await;
        let denied = all
            .split('|')
            .map(str::trim)
            .map(|sql| (sql.to_owned(), SHUT, sql.to_owned()));
        attempts.extend(denied);
    }
    assert!(attempts.len() > ATTEMPTS.len() + 100, "{}", attempts.len());
    for (name, expected, sql) in &attempts {
        let sql = sql
            .replace("{B}", &b.id.to_string())
            .replace("{B_ROLE}", &b.role)
            .replace("{B_PID}", &pid)
            .replace("{B_TOKEN}", &b.token)
            .replace("{DATABASE}", url.rsplit('/').next().unwrap());
        let told = attempt(&mut attacker, &sql).await;
        if let Err(what) = judge(*expected, &told) {
            wrong.push(format!("{name}: {what}"));
        }
        let after = text(&mut owner, STATE).await;
        if after != before {
            wrong.push(format!("{name}: changed what is not A's:\n{before}\n{after}"));
            break;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        text(&mut of_b, r#"select title from "ai-app-template_chat""#).await,
        "canary chat"
    );
    assert_eq!(
        text(&mut attacker, r#"select title from "ai-app-template_chat""#).await,
        "mine"
    );
    stolen_tokens(&a, &b, &mut owner).await;
}

/// The address for the superuser all the same, who looks at what came of it.
async fn migrated_by_an_owner(cluster: &Cluster) -> (String, SharedDatabase) {
    let url = cluster.empty().await;
    let name = url.rsplit('/').next().unwrap();
    let mut superuser = connect(&url).await;
    run(
        &mut superuser,
        &format!("create role boss login createrole; alter database {name} owner to boss"),
    )
    .await;
    let of_boss = url.replace("postgres://postgres@", "postgres://boss@");
    let database = SharedDatabase::connect(&of_boss).await.unwrap();
    database.migrate(|_| {}).await.unwrap();
    (url, database)
}

#[test]
fn there_are_many_attempts_each_of_its_own() {
    let mut names: Vec<_> = ATTEMPTS.iter().map(|(name, ..)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ATTEMPTS.len());
    assert!(names.len() >= 45);
}

/// What came back.
#[derive(Debug)]
struct Told {
    code: Option<String>,
    /// Rows and changed rows.
    rows: u64,
    words: String,
}

/// Runs statements in a transaction that is committed, each on its own where `\;` parts them.
async fn attempt(attacker: &mut PgConnection, sql: &str) -> Told {
    let mut told = Told {
        code: None,
        rows: 0,
        words: String::new(),
    };
    attacker.execute("begin").await.unwrap();
    for part in sql.split("\\;") {
        told.rows = 0;
        if let Err(error) = statement(attacker, part, &mut told).await {
            let error = error.into_database_error().expect("the connection lives");
            told.code = error.code().map(Into::into);
            // The message, the detail and the hint.
            told.words.push_str(&format!("{error:?}"));
            break;
        }
    }
    let end = if told.code.is_some() { "rollback" } else { "commit" };
    attacker.execute(end).await.unwrap();
    attacker.execute("reset role; reset row_security").await.unwrap();
    told
}

async fn statement(attacker: &mut PgConnection, sql: &str, told: &mut Told) -> Result<(), sqlx::Error> {
    use futures::TryStreamExt as _;
    let mut results = attacker.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(done) => told.rows += done.rows_affected(),
            Either::Right(row) => {
                told.rows += 1;
                for column in 0..row.len() {
                    let value = row.try_get_raw(column).unwrap();
                    told.words.push_str(value.as_str().unwrap_or_default());
                    told.words.push('\n');
                }
            }
        }
    }
    Ok(())
}

fn judge(expected: End, told: &Told) -> Result<(), String> {
    if told.words.contains(CANARY) {
        return Err(format!("told {told:?}"));
    }
    let is_right = match expected {
        Harmless => true,
        Nothing => told.code.is_none() && told.rows == 0,
        Refused(codes) => told.code.as_deref().is_some_and(|code| codes.contains(&code)),
    };
    is_right
        .then_some(())
        .ok_or_else(|| format!("{expected:?} was expected, not {told:?}"))
}

/// A token is of use on the device it was made for, while that is signed in.
async fn stolen_tokens(a: &Device, b: &Device, owner: &mut PgConnection) {
    let mut thief = connect(&a.url).await;
    let other = Device {
        id: a.id,
        role: a.role.clone(),
        token: b.token.clone(),
        url: a.url.clone(),
    };
    for token in [&other.token, "canary-web"] {
        sqlx::query("select set_config('deepsearch.session_token', $1, false)")
            .bind(token)
            .execute(&mut thief)
            .await
            .unwrap();
        let told = attempt(&mut thief, r#"select * from "ai-app-template_chat""#).await;
        assert_eq!(judge(SIGNED_OUT, &told), Ok(()), "by a stolen token");
    }
    let mut honest = a.connect().await;
    run(
        owner,
        "update public.\"ai-app-template_session\" set expires = now() where user_id = 'A'",
    )
    .await;
    let told = attempt(&mut honest, r#"select * from "ai-app-template_chat""#).await;
    assert_eq!(judge(SIGNED_OUT, &told), Ok(()), "in an expired session");
}
