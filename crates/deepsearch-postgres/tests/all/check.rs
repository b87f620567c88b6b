//! Every kind of drift is found, and the statement beside it mends it.

use deepsearch_postgres::{Problem, SchemaError, SharedDatabase};
use sqlx::{AssertSqlSafe, Executor};

use crate::cluster::{Cluster, admit, connect, run};

#[tokio::test]
async fn what_the_migrations_made_is_what_is_expected() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    assert_eq!(database.check().await.unwrap(), []);
    // A database that is in use, devices included, is no other.
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    admit(&database, &url, "A").await;
    assert_eq!(database.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_database_that_a_web_app_made_is_what_is_expected_once_it_is_migrated() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.empty().await;
    let mut web = connect(&url).await;
    run(&mut web, include_str!("../web_app/appendix_names.sql")).await;
    let database = SharedDatabase::connect(&url).await.unwrap();
    assert!(matches!(database.check().await, Err(SchemaError::Behind { .. })));
    database.migrate(|_| {}).await.unwrap();
    assert_eq!(database.check().await.unwrap(), []);
}

/// What is done to a database, and the difference that tells of it: its kind and name.
const DRIFTS: &[(&str, &str, &str)] = &[
    (
        "column",
        r#"public."ai-app-template_chat".deleted_at"#,
        r#"alter table public."ai-app-template_chat" drop column deleted_at cascade"#,
    ),
    (
        "column",
        r#"public."ai-app-template_chat".title"#,
        r#"drop view deepsearch."ai-app-template_chat"; alter table public."ai-app-template_chat" alter title type varchar(400)"#,
    ),
    (
        "column",
        r#"public."ai-app-template_chat".project"#,
        r#"alter table public."ai-app-template_chat" add project text not null default 'x'"#,
    ),
    (
        "default",
        r#"public."ai-app-template_chat".created_at"#,
        r#"alter table public."ai-app-template_chat" alter created_at set default now()"#,
    ),
    (
        "default",
        r#"public."ai-app-template_user".is_admin"#,
        r#"alter table public."ai-app-template_user" alter is_admin set default true"#,
    ),
    (
        "not null",
        r#"public."ai-app-template_user".email"#,
        r#"alter table public."ai-app-template_user" alter email drop not null"#,
    ),
    (
        "primary key",
        r#"public."ai-app-template_account" (provider, provider_account_id)"#,
        r#"alter table public."ai-app-template_account" drop constraint "ai-app-template_account_provider_provider_account_id_pk""#,
    ),
    (
        "foreign key",
        r#"public."ai-app-template_message" (chat_id)"#,
        r#"alter table public."ai-app-template_message" drop constraint "ai-app-template_message_chat_id_ai-app-template_chat_id_fk", add constraint "ai-app-template_message_chat_id_ai-app-template_chat_id_fk" foreign key (chat_id) references public."ai-app-template_chat" (id)"#,
    ),
    (
        "foreign key",
        r#"public."ai-app-template_user_settings" (user_id)"#,
        r#"alter table public."ai-app-template_user_settings" drop constraint "ai-app-template_user_settings_user_id_ai-app-template_user_id_f""#,
    ),
    (
        "name of key",
        r#"public."ai-app-template_session" (user_id)"#,
        r#"alter table public."ai-app-template_session" rename constraint "ai-app-template_session_user_id_ai-app-template_user_id_fk" to session_user_id_users_id_fk"#,
    ),
    (
        "unique",
        r#"public."ai-app-template_user" (email)"#,
        r#"alter table public."ai-app-template_user" add unique (email)"#,
    ),
    (
        "check",
        r#"public."ai-app-template_message" role_check"#,
        r#"alter table public."ai-app-template_message" drop constraint role_check"#,
    ),
    (
        "index",
        r#"public."ai-app-template_message" message_content_fts_idx"#,
        "drop index message_content_fts_idx",
    ),
    (
        "index",
        r#"public."ai-app-template_chat" chat_user_id_idx"#,
        r#"drop index chat_user_id_idx; create unique index chat_user_id_idx on "ai-app-template_chat" (user_id)"#,
    ),
    (
        "trigger",
        r#"public."ai-app-template_chat" deepsearch_refuse_upsert_before"#,
        r#"alter table public."ai-app-template_chat" disable trigger deepsearch_refuse_upsert_before"#,
    ),
    (
        "trigger",
        r#"public."ai-app-template_user" deepsearch_refuse_admins"#,
        r#"drop trigger deepsearch_refuse_admins on public."ai-app-template_user""#,
    ),
    (
        "row security",
        r#"public."ai-app-template_chat""#,
        r#"alter table public."ai-app-template_chat" disable row level security"#,
    ),
    (
        "forced row security",
        r#"public."ai-app-template_chat""#,
        r#"alter table public."ai-app-template_chat" force row level security"#,
    ),
    (
        "policy",
        r#"public."ai-app-template_chat" deepsearch_own_rows"#,
        r#"drop policy deepsearch_own_rows on public."ai-app-template_chat""#,
    ),
    (
        "policy",
        r#"public."ai-app-template_message" deepsearch_others"#,
        r#"drop policy deepsearch_others on public."ai-app-template_message""#,
    ),
    (
        "view",
        r#"deepsearch."ai-app-template_chat""#,
        r#"alter view deepsearch."ai-app-template_chat" set (security_barrier = false)"#,
    ),
    (
        "view",
        r#"deepsearch."ai-app-template_message""#,
        r#"create or replace view deepsearch."ai-app-template_message" as select id, chat_id, role, content, sources, metadata, created_at from public."ai-app-template_message""#,
    ),
    (
        "function",
        "deepsearch.uid()",
        "create or replace function deepsearch.uid() returns varchar(255) language sql stable security definer as $$ select 'A'::varchar(255) $$",
    ),
    (
        "function",
        "deepsearch.shares_searches()",
        "alter function deepsearch.shares_searches() reset all",
    ),
    (
        "right",
        r#"deepsearch_app: SELECT on public."ai-app-template_chat""#,
        r#"grant select on public."ai-app-template_chat" to deepsearch_app"#,
    ),
    (
        "right",
        r#"public: SELECT on public."ai-app-template_session""#,
        r#"grant select on public."ai-app-template_session" to public"#,
    ),
    (
        "right",
        r#"deepsearch_app: UPDATE on deepsearch."ai-app-template_chat".user_id"#,
        r#"grant update (user_id) on deepsearch."ai-app-template_chat" to deepsearch_app"#,
    ),
    (
        "right",
        "public: EXECUTE on deepsearch.revoke_device(uuid)",
        "grant execute on function deepsearch.revoke_device(uuid) to public",
    ),
    (
        "right",
        "deepsearch_gateway: EXECUTE on deepsearch.revoke_device(uuid)",
        "revoke execute on function deepsearch.revoke_device(uuid) from deepsearch_gateway",
    ),
    (
        "right",
        "public: CREATE on schema public",
        "grant create on schema public to public",
    ),
    (
        "right",
        "public: TEMPORARY on the database",
        "grant temporary on database {DATABASE} to public",
    ),
    ("role", "deepsearch_app", "alter role deepsearch_app login"),
    (
        "power of a role",
        "deepsearch_owner: bypassrls",
        "alter role deepsearch_owner bypassrls",
    ),
    (
        "membership",
        "deepsearch_app in deepsearch_owner",
        "grant deepsearch_owner to deepsearch_app",
    ),
    (
        "right",
        "deepsearch_app: CONNECT on the database",
        "revoke connect on database {DATABASE} from deepsearch_app",
    ),
    (
        "right",
        "deepsearch_definer: USAGE on deepsearch_sync.change_seq",
        "revoke usage on sequence deepsearch_sync.change_seq from deepsearch_definer",
    ),
    (
        "right",
        "deepsearch_app: USAGE on type deepsearch_sync.feed_row",
        "revoke usage on type deepsearch_sync.feed_row from deepsearch_app",
    ),
    (
        "right elsewhere",
        "deepsearch_app on table public.others",
        "create table public.others (id int); grant select on public.others to deepsearch_app",
    ),
    (
        "right elsewhere",
        "deepsearch_app on schema private",
        "create schema private; grant usage on schema private to deepsearch_app",
    ),
    (
        "right elsewhere",
        "deepsearch_gateway on language plpgsql",
        "grant usage on language plpgsql to deepsearch_gateway",
    ),
    (
        "right elsewhere",
        "deepsearch_app on parameter ACL session_replication_role",
        "grant set on parameter session_replication_role to deepsearch_app",
    ),
    (
        "owner",
        "deepsearch.device of deepsearch_app",
        "alter table deepsearch.device owner to deepsearch_app",
    ),
    (
        "owner",
        "schema deepsearch of deepsearch_definer",
        "alter schema deepsearch owner to deepsearch_definer",
    ),
    (
        "owner",
        "table public.others of deepsearch_gateway",
        "create table public.others (id int); alter table public.others owner to deepsearch_gateway",
    ),
    (
        "default right",
        "deepsearch_definer: functions",
        "alter default privileges for role deepsearch_definer grant execute on functions to public",
    ),
    (
        "default right",
        "postgres: SELECT on tables to deepsearch_app",
        "alter default privileges for role postgres in schema public grant select on tables to deepsearch_app",
    ),
    (
        "setting of a role",
        "deepsearch_gateway: search_path=elsewhere",
        "alter role deepsearch_gateway in database {DATABASE} set search_path = elsewhere",
    ),
    (
        "rule",
        r#"public."ai-app-template_chat" told"#,
        r#"create rule told as on delete to public."ai-app-template_chat" do also notify told"#,
    ),
    (
        "trigger",
        "deepsearch.device told",
        "create function public.told() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger told before insert on deepsearch.device for each row execute function public.told()",
    ),
    (
        "function",
        "deepsearch.uid()",
        "alter function deepsearch.uid() leakproof",
    ),
    (
        "function",
        "deepsearch.signed_in_user()",
        "alter function deepsearch.signed_in_user() security invoker",
    ),
    (
        "function",
        "deepsearch.sync_settings()",
        "alter function deepsearch.sync_settings() owner to postgres",
    ),
    (
        "routine",
        "deepsearch.mine()",
        "create procedure deepsearch.mine() language sql as $$ select 1 $$",
    ),
    (
        "relation",
        "deepsearch.told",
        r#"create materialized view deepsearch.told as select * from public."ai-app-template_message""#,
    ),
    (
        "type",
        "deepsearch_sync.feed_row",
        "alter type deepsearch_sync.feed_row rename attribute at to moment",
    ),
    (
        "no statistics",
        r#"public."ai-app-template_message".content"#,
        r#"alter table public."ai-app-template_message" alter content set statistics 100"#,
    ),
    (
        "view",
        r#"deepsearch."ai-app-template_user_settings""#,
        r#"alter view deepsearch."ai-app-template_user_settings" reset (check_option)"#,
    ),
    (
        "view",
        r#"deepsearch."ai-app-template_account""#,
        r#"alter view deepsearch."ai-app-template_account" owner to postgres"#,
    ),
    (
        "power of a role",
        "deepsearch_gateway: createdb",
        "alter role deepsearch_gateway createdb",
    ),
    (
        "role",
        "deepsearch_gateway",
        "alter role deepsearch_gateway connection limit 1000",
    ),
    (
        "advice",
        "everybody may call pg_advisory_lock(bigint)",
        "grant execute on function pg_advisory_lock(bigint) to public",
    ),
    (
        "table",
        r#"public."ai-app-template_search_cache""#,
        r#"drop view deepsearch."ai-app-template_search_cache"; drop table public."ai-app-template_search_cache""#,
    ),
];

#[tokio::test]
async fn each_kind_of_drift_is_found_and_its_statement_mends_it() {
    let Some(cluster) = Cluster::start() else { return };
    let mut wrong = Vec::new();
    for (kind, name, drift) in DRIFTS {
        let (url, database) = cluster.migrated().await;
        let mut owner = connect(&url).await;
        run(
            &mut owner,
            &drift.replace("{DATABASE}", url.rsplit('/').next().unwrap()),
        )
        .await;
        let found = database.check().await.unwrap();
        if !found.iter().any(|one| one.kind == *kind && one.name == *name) {
            wrong.push(format!("{drift}: {found:#?}"));
        }
        assert!(found.iter().all(|one| one.is_advice == (one.kind == "advice")));
        // What is there goes before what is put on it: some say "it is not there yet" the first time.
        for _ in 0..3 {
            for difference in database.check().await.unwrap() {
                let _ = owner.execute(sqlx::raw_sql(AssertSqlSafe(difference.statement))).await;
            }
        }
        let left = database.check().await.unwrap();
        if !left.is_empty() {
            wrong.push(format!("{drift} is not mended: {left:#?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn devices_that_cannot_come_in_any_more_are_found() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let [gone, alone] = [admit(&database, &url, "A").await, admit(&database, &url, "A").await];
    run(
        &mut owner,
        &format!(
            "drop owned by {0}; drop role {0}; revoke deepsearch_app from {1}",
            gone.role, alone.role
        ),
    )
    .await;
    let found = database.check().await.unwrap();
    let names: Vec<_> = found.iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
    let expected = [
        format!("device without its role {}", gone.role),
        format!("missing membership {} in deepsearch_app", alone.role),
    ];
    assert_eq!(names, expected);
    for one in found {
        run(&mut owner, &one.statement).await;
    }
    assert_eq!(database.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_difference_says_what_was_expected_and_what_was_found() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"alter table public."ai-app-template_user_settings" alter theme set default 'light'"#,
    )
    .await;
    let found = database.check().await.unwrap();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    let expected = Problem::Different {
        expected: "'dark'::character varying".into(),
        found: "'light'::character varying".into(),
    };
    assert_eq!(one.problem, expected);
    assert_eq!(
        one.statement,
        r#"alter table public."ai-app-template_user_settings" alter column theme set default 'dark'::character varying"#
    );
}
