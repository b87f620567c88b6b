//! Every kind of drift is found, and the statement beside it mends it.

use deepsearch_postgres::{Problem, SchemaError, SharedDatabase};
use rstest::rstest;

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

#[rstest]
#[case(
    "column",
    r#"public."ai-app-template_chat".deleted_at"#,
    r#"alter table public."ai-app-template_chat" drop column deleted_at cascade"#
)]
#[case("column", r#"public."ai-app-template_chat".title"#, r#"drop view deepsearch."ai-app-template_chat"; alter table public."ai-app-template_chat" alter title type varchar(400)"#)]
#[case(
    "column",
    r#"public."ai-app-template_chat".project"#,
    r#"alter table public."ai-app-template_chat" add project text not null default 'x'"#
)]
#[case(
    "default",
    r#"public."ai-app-template_chat".created_at"#,
    r#"alter table public."ai-app-template_chat" alter created_at set default now()"#
)]
#[case(
    "default",
    r#"public."ai-app-template_user".is_admin"#,
    r#"alter table public."ai-app-template_user" alter is_admin set default true"#
)]
#[case(
    "not null",
    r#"public."ai-app-template_user".email"#,
    r#"alter table public."ai-app-template_user" alter email drop not null"#
)]
#[case("primary key", r#"public."ai-app-template_account" (provider, provider_account_id)"#, r#"alter table public."ai-app-template_account" drop constraint "ai-app-template_account_provider_provider_account_id_pk""#)]
#[case("foreign key", r#"public."ai-app-template_message" (chat_id)"#, r#"alter table public."ai-app-template_message" drop constraint "ai-app-template_message_chat_id_ai-app-template_chat_id_fk", add constraint "ai-app-template_message_chat_id_ai-app-template_chat_id_fk" foreign key (chat_id) references public."ai-app-template_chat" (id)"#)]
#[case("foreign key", r#"public."ai-app-template_user_settings" (user_id)"#, r#"alter table public."ai-app-template_user_settings" drop constraint "ai-app-template_user_settings_user_id_ai-app-template_user_id_f""#)]
#[case("name of key", r#"public."ai-app-template_session" (user_id)"#, r#"alter table public."ai-app-template_session" rename constraint "ai-app-template_session_user_id_ai-app-template_user_id_fk" to session_user_id_users_id_fk"#)]
#[case(
    "unique",
    r#"public."ai-app-template_user" (email)"#,
    r#"alter table public."ai-app-template_user" add unique (email)"#
)]
#[case(
    "check",
    r#"public."ai-app-template_message" role_check"#,
    r#"alter table public."ai-app-template_message" drop constraint role_check"#
)]
#[case(
    "index",
    r#"public."ai-app-template_message" message_content_fts_idx"#,
    "drop index message_content_fts_idx"
)]
#[case(
    "index",
    r#"public."ai-app-template_chat" chat_user_id_idx"#,
    r#"drop index chat_user_id_idx; create unique index chat_user_id_idx on "ai-app-template_chat" (user_id)"#
)]
#[case(
    "trigger",
    r#"public."ai-app-template_chat" deepsearch_refuse_upsert_before"#,
    r#"alter table public."ai-app-template_chat" disable trigger deepsearch_refuse_upsert_before"#
)]
#[case(
    "trigger",
    r#"public."ai-app-template_user" deepsearch_refuse_admins"#,
    r#"drop trigger deepsearch_refuse_admins on public."ai-app-template_user""#
)]
#[case(
    "row security",
    r#"public."ai-app-template_chat""#,
    r#"alter table public."ai-app-template_chat" disable row level security"#
)]
#[case(
    "forced row security",
    r#"public."ai-app-template_chat""#,
    r#"alter table public."ai-app-template_chat" force row level security"#
)]
#[case(
    "policy",
    r#"public."ai-app-template_chat" deepsearch_own_rows"#,
    r#"drop policy deepsearch_own_rows on public."ai-app-template_chat""#
)]
#[case(
    "policy",
    r#"public."ai-app-template_message" deepsearch_others"#,
    r#"drop policy deepsearch_others on public."ai-app-template_message""#
)]
#[case(
    "view",
    r#"deepsearch."ai-app-template_chat""#,
    r#"alter view deepsearch."ai-app-template_chat" set (security_barrier = false)"#
)]
#[case("view", r#"deepsearch."ai-app-template_message""#, r#"create or replace view deepsearch."ai-app-template_message" as select id, chat_id, role, content, sources, metadata, created_at from public."ai-app-template_message""#)]
#[case(
    "function",
    "deepsearch.uid()",
    "create or replace function deepsearch.uid() returns varchar(255) language sql stable security definer as $$ select 'A'::varchar(255) $$"
)]
#[case(
    "function",
    "deepsearch.shares_searches()",
    "alter function deepsearch.shares_searches() reset all"
)]
#[case(
    "right",
    r#"deepsearch_app: SELECT on public."ai-app-template_chat""#,
    r#"grant select on public."ai-app-template_chat" to deepsearch_app"#
)]
#[case(
    "right",
    r#"public: SELECT on public."ai-app-template_session""#,
    r#"grant select on public."ai-app-template_session" to public"#
)]
#[case(
    "right",
    r#"deepsearch_app: UPDATE on deepsearch."ai-app-template_chat".user_id"#,
    r#"grant update (user_id) on deepsearch."ai-app-template_chat" to deepsearch_app"#
)]
#[case(
    "right",
    "public: EXECUTE on deepsearch.revoke_device(uuid)",
    "grant execute on function deepsearch.revoke_device(uuid) to public"
)]
#[case(
    "right",
    "deepsearch_gateway: EXECUTE on deepsearch.revoke_device(uuid)",
    "revoke execute on function deepsearch.revoke_device(uuid) from deepsearch_gateway"
)]
#[case(
    "right",
    "public: CREATE on schema public",
    "grant create on schema public to public"
)]
#[case(
    "right",
    "public: TEMPORARY on the database",
    "grant temporary on database db0 to public"
)]
#[case("role", "deepsearch_app", "alter role deepsearch_app login")]
#[case(
    "power of a role",
    "deepsearch_owner: bypassrls",
    "alter role deepsearch_owner bypassrls"
)]
#[case(
    "membership",
    "deepsearch_app in deepsearch_owner",
    "grant deepsearch_owner to deepsearch_app"
)]
#[case(
    "advice",
    "everybody may call pg_advisory_lock(bigint)",
    "grant execute on function pg_advisory_lock(bigint) to public"
)]
#[case(
    "table",
    r#"public."ai-app-template_search_cache""#,
    r#"drop view deepsearch."ai-app-template_search_cache"; drop table public."ai-app-template_search_cache""#
)]
#[tokio::test]
async fn each_kind_of_drift_is_found_and_its_statement_mends_it(
    #[case] kind: &str,
    #[case] name: &str,
    #[case] drift: &str,
) {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(&mut owner, drift).await;
    let found = database.check().await.unwrap();
    let is_found = found.iter().any(|one| one.kind == kind && one.name == name);
    assert!(is_found, "{found:#?}");
    assert!(found.iter().all(|one| one.is_advice == (one.kind == "advice")));
    // What is there goes before what is put on it: some say "it is not there yet" the first time.
    for _ in 0..3 {
        for difference in database.check().await.unwrap() {
            let _ = sqlx::Executor::execute(&mut owner, sqlx::raw_sql(sqlx::AssertSqlSafe(difference.statement))).await;
        }
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
