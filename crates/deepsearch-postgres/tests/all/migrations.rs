//! From nothing, from a web app's tables, halfway, at once, killed, and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deepsearch_postgres::{SchemaError, SharedDatabase, Step, add_migration};
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::adopted::{ROWS, kept};
use crate::cluster::{Cluster, connect, run, text};

/// What a web app's first migration makes of the seed's schema.ts, and of less than all of it.
const DRIZZLE: &str = include_str!("../web_app/full.sql");
const WITHOUT_FUTURE: &str = include_str!("../web_app/without_future.sql");
/// With the constraint names of the seed's appendix (R2).
const APPENDIX: &str = include_str!("../web_app/appendix_names.sql");
const SIGN_IN: &str = include_str!("../web_app/sign_in.sql");

async fn open(url: &str) -> SharedDatabase {
    SharedDatabase::connect(url).await.unwrap()
}

/// What a database looks like that was empty.
async fn expected(cluster: &Cluster) -> String {
    let (url, _) = cluster.migrated().await;
    cluster.dump(&url)
}

#[tokio::test]
async fn a_web_apps_tables_become_ours_whatever_their_constraints_are_called() {
    let Some(cluster) = Cluster::start() else { return };
    let expected = expected(&cluster).await;
    for made in [DRIZZLE, WITHOUT_FUTURE, APPENDIX, SIGN_IN] {
        let url = cluster.empty().await;
        let mut web = connect(&url).await;
        run(&mut web, made).await;
        run(
            &mut web,
            "create schema drizzle; create table drizzle.__drizzle_migrations (id int)",
        )
        .await;
        run(
            &mut web,
            r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
        )
        .await;
        let journal = "select xmin::text || relfilenode from pg_class where relname = '__drizzle_migrations'";
        let before = text(&mut web, journal).await;
        open(&url).await.migrate(|_| {}).await.unwrap();
        assert_eq!(
            text(&mut web, journal).await,
            before,
            "the web app's journal was touched"
        );
        run(&mut web, "drop schema drizzle cascade").await;
        assert_eq!(cluster.dump(&url), expected);
    }
}

/// Takes one thing away from, or changes one thing of, tables that are ours.
const OTHER: &[(&str, &str)] = &[
    (
        "only some tables",
        r#"drop table "ai-app-template_message", "ai-app-template_chat", "ai-app-template_search_cache""#,
    ),
    (
        "without what the future brings",
        r#"alter table "ai-app-template_chat" drop column deleted_at; alter table "ai-app-template_message" drop constraint role_check; drop index message_content_fts_idx"#,
    ),
    (
        "another index of the name",
        r#"drop index message_content_fts_idx; create index message_content_fts_idx on "ai-app-template_message" using gin (to_tsvector('simple', content)); drop index search_cache_query_idx; create unique index search_cache_query_idx on "ai-app-template_search_cache" (query)"#,
    ),
    (
        "another default",
        r#"alter table "ai-app-template_chat" alter created_at set default now(), alter updated_at drop default"#,
    ),
    (
        "nullable",
        r#"alter table "ai-app-template_chat" alter title drop not null; alter table "ai-app-template_user" alter name set not null"#,
    ),
    (
        "another action",
        r#"alter table "ai-app-template_message" drop constraint "ai-app-template_message_chat_id_ai-app-template_chat_id_fk", add constraint other foreign key (chat_id) references "ai-app-template_chat" (id)"#,
    ),
    (
        "the key that vanishes",
        r#"alter table "ai-app-template_user_settings" drop constraint "ai-app-template_user_settings_user_id_ai-app-template_user_id_f""#,
    ),
    (
        "without a primary key",
        r#"alter table "ai-app-template_account" drop constraint "ai-app-template_account_provider_provider_account_id_pk""#,
    ),
];

#[tokio::test]
async fn what_is_missing_or_other_is_mended() {
    let Some(cluster) = Cluster::start() else { return };
    let expected = expected(&cluster).await;
    for (name, change) in OTHER {
        let url = cluster.empty().await;
        let mut web = connect(&url).await;
        run(&mut web, DRIZZLE).await;
        run(&mut web, change).await;
        open(&url).await.migrate(|_| {}).await.unwrap();
        assert_eq!(cluster.dump(&url), expected, "{name}");
    }
}

/// What cannot be adopted, and a part of the sentence that says so.
const FOREIGN: &[(&str, &str, &str)] = &[
    (
        "another type",
        r#"alter table "ai-app-template_chat" alter title type text"#,
        "of type text",
    ),
    (
        "no zone",
        r#"alter table "ai-app-template_chat" alter created_at type timestamp"#,
        "of type timestamp without time zone",
    ),
    (
        "another key",
        r#"alter table "ai-app-template_user_settings" drop constraint "ai-app-template_user_settings_pkey", add primary key (user_id, updated_at)"#,
        "the primary key",
    ),
    (
        "a view",
        r#"drop table "ai-app-template_search_cache"; create view "ai-app-template_search_cache" as select 1 as id"#,
        "is not a plain table but a view",
    ),
    (
        "a role",
        r#"alter table "ai-app-template_message" drop constraint role_check; insert into "ai-app-template_user" (id, email) values ('A', 'a'); insert into "ai-app-template_chat" (id, user_id, title) values ('c', 'A', 'x'); insert into "ai-app-template_message" (id, chat_id, role, content) values ('m', 'c', 'tool', 'x')"#,
        "the role \"tool\"",
    ),
    (
        "a column to be written",
        r#"alter table "ai-app-template_chat" add column project text not null"#,
        "a column \"project\"",
    ),
    (
        "orphans",
        r#"alter table "ai-app-template_chat" drop constraint "ai-app-template_chat_user_id_ai-app-template_user_id_fk"; insert into "ai-app-template_chat" (id, user_id, title) values ('c', 'nobody', 'x')"#,
        "violates foreign key constraint",
    ),
    (
        "empty where a value is needed",
        r#"alter table "ai-app-template_user" alter email drop not null; insert into "ai-app-template_user" (id) values ('A')"#,
        "is empty in some rows",
    ),
];

#[tokio::test]
async fn what_is_not_understood_is_said_and_nothing_is_changed() {
    let Some(cluster) = Cluster::start() else { return };
    for (name, change, said) in FOREIGN {
        let url = cluster.empty().await;
        let mut web = connect(&url).await;
        run(&mut web, DRIZZLE).await;
        run(&mut web, change).await;
        let before = cluster.dump(&url);
        let refused = open(&url).await.migrate(|_| {}).await.unwrap_err();
        assert!(
            matches!(&refused, SchemaError::Refused(words) if words.contains(said)),
            "{name}: {refused}"
        );
        assert_eq!(cluster.dump(&url), before, "{name}");
    }
}

#[tokio::test]
async fn an_index_of_the_name_on_another_table_is_not_ours() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.empty().await;
    let mut other = connect(&url).await;
    run(
        &mut other,
        "create table chats (user_id int); create index chat_user_id_idx on chats (user_id)",
    )
    .await;
    open(&url).await.migrate(|_| {}).await.unwrap();
    let indexes =
        "select string_agg(indexrelid::regclass::text || indrelid::regclass, ' ' order by relname) from pg_index
        join pg_class on pg_class.oid = indexrelid where relname like '%chat_user_id_idx'";
    assert_eq!(
        text(&mut other, indexes).await,
        r#""ai-app-template_chat_user_id_idx""ai-app-template_chat" chat_user_id_idxchats"#
    );
}

#[tokio::test]
async fn up_down_and_up_leaves_the_same_schema_and_nothing_leaves_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.empty().await;
    let nothing = cluster.dump(&url);
    let database = open(&url).await;
    database.migrate(|_| {}).await.unwrap();
    let up = cluster.dump(&url);
    let all = database.list_migrations().await.unwrap();
    for migration in all.iter().rev() {
        // One step back and forth, at each step of the way.
        let here = cluster.dump(&url);
        database.rollback(migration.version - 1, false, |_| {}).await.unwrap();
        database.migrate(|_| {}).await.unwrap();
        database.rollback(migration.version, false, |_| {}).await.unwrap();
        assert_eq!(cluster.dump(&url), here, "migration {}", migration.version);
        database.rollback(migration.version - 1, false, |_| {}).await.unwrap();
    }
    assert_eq!(cluster.dump(&url), nothing);
    let mut admin = connect(&url).await;
    let roles = "select string_agg(rolname, ' ') from pg_roles where rolname like 'deepsearch%'";
    assert_eq!(text(&mut admin, roles).await, "");
    database.migrate(|_| {}).await.unwrap();
    assert_eq!(cluster.dump(&url), up);
}

#[tokio::test]
async fn tables_that_hold_rows_or_are_the_web_apps_are_not_dropped() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let refused = database.rollback(0, false, |_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, SchemaError::Loses(lost) if lost[0].what == "users" && lost[0].count == 1),
        "{refused}"
    );
    assert_eq!(
        text(&mut owner, r#"select count(*)::text from "ai-app-template_user""#).await,
        "1"
    );
    database.rollback(0, true, |_| {}).await.unwrap();
    assert_eq!(
        text(
            &mut owner,
            r#"select to_regclass('public."ai-app-template_user"')::text"#
        )
        .await,
        ""
    );

    let url = cluster.empty().await;
    let mut web = connect(&url).await;
    run(&mut web, DRIZZLE).await;
    let database = open(&url).await;
    database.migrate(|_| {}).await.unwrap();
    database.rollback(0, true, |_| {}).await.unwrap();
    assert_eq!(
        text(&mut web, r#"select count(*)::text from "ai-app-template_user""#).await,
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_migrate_at_once_wait_for_each_other() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, other) = (cluster.empty().await, cluster.empty().await);
    // Two at one database, and one at another of the cluster, whose roles are the same.
    let starters = [&url, &url, &other].map(|url| {
        let url = url.clone();
        tokio::spawn(async move { open(&url).await.migrate(|_| {}).await.unwrap().len() })
    });
    let mut ran = Vec::new();
    for starter in starters {
        ran.push(starter.await.unwrap());
    }
    assert_eq!(ran[0] + ran[1], ran[2], "each migration ran once in each database");
    assert_eq!(cluster.dump(&url), cluster.dump(&other));
}

#[rstest]
#[tokio::test]
async fn one_that_is_killed_at_any_step_is_run_again(#[values(0, 1, 2)] part: usize) {
    killed_at_each_step(None, part).await;
}

#[rstest]
#[tokio::test]
async fn one_that_is_killed_over_a_web_apps_rows_is_run_again_and_they_are_as_they_were(
    #[values(0, 1, 2)] part: usize,
) {
    killed_at_each_step(Some(DRIZZLE), part).await;
}

/// From nothing, or from a web app's tables with rows in them; a third of the steps, for each takes a database of its own.
async fn killed_at_each_step(made: Option<&str>, part: usize) {
    let Some(cluster) = Cluster::start() else { return };
    let expected = expected(&cluster).await;
    let mut cuts = part;
    loop {
        let url = cluster.empty().await;
        let mut before = None;
        if let Some(made) = made {
            let mut web = connect(&url).await;
            run(&mut web, made).await;
            run(&mut web, ROWS).await;
            before = Some(kept(&url).await);
        }
        let proxy = Proxy::start(cluster.server.port(), cuts).await;
        let through = url.replace(&cluster.server.port().to_string(), &proxy.port.to_string());
        let killed = match SharedDatabase::connect(&through).await {
            Ok(database) => database.migrate(|_| {}).await.is_err(),
            Err(_) => true,
        };
        if !killed {
            break;
        }
        open(&url).await.migrate(|_| {}).await.unwrap();
        assert_eq!(cluster.dump(&url), expected, "killed after {cuts} messages");
        if let Some(before) = before {
            assert_eq!(kept(&url).await, before, "killed after {cuts} messages");
        }
        cuts += 3;
    }
    assert!(cuts > 20, "only {cuts} steps were seen");
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        "insert into deepsearch.migration values (9000, 'from the future', now(), true, '', 0)",
    )
    .await;
    let last = database.list_migrations().await.unwrap().pop().unwrap();
    assert!(!last.known && last.version == 9000);
    for error in [
        database.migrate(|_| {}).await.err(),
        database.rollback(0, true, |_| {}).await.err(),
    ] {
        assert!(matches!(error, Some(SchemaError::Newer { version: 9000 })), "{error:?}");
    }
    run(&mut owner, "delete from deepsearch.migration where version = 9000").await;
    run(
        &mut owner,
        "update deepsearch.migration set checksum = '' where version = 1",
    )
    .await;
    let error = database.migrate(|_| {}).await.unwrap_err();
    assert!(matches!(error, SchemaError::Changed { version: 1 }), "{error:?}");
}

#[tokio::test]
async fn each_step_is_told_as_it_is_taken() {
    let Some(cluster) = Cluster::start() else { return };
    let database = open(&cluster.empty().await).await;
    let mut told = Vec::new();
    let ran = database
        .migrate(|step| {
            told.push(match step {
                Step::Started { version, description } => format!("{version} {description}"),
                Step::Finished { version, .. } => format!("{version} done"),
            });
        })
        .await
        .unwrap();
    assert_eq!(told[..4], ["1 tables", "1 done", "2 boundary", "2 done"]);
    assert_eq!(told.len(), 2 * ran.len());
    assert_eq!(
        database.migrate(|_| panic!("there is nothing to do")).await.unwrap(),
        Vec::<i64>::new()
    );
}

#[test]
fn a_new_pair_takes_the_next_number() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0041_before.up.sql"), "").unwrap();
    let pair = add_migration(folder.path(), "page_language").unwrap();
    let names = pair.map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    assert_eq!(names, ["0042_page_language.up.sql", "0042_page_language.down.sql"]);
    assert!(matches!(
        add_migration(folder.path(), "Page language"),
        Err(SchemaError::Name { .. })
    ));
    assert!(matches!(
        add_migration(&folder.path().join("none"), "x"),
        Err(SchemaError::File { .. })
    ));
}

/// Passes messages of clients on, and cuts every connection after so many of them.
struct Proxy {
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    async fn start(server: u16, messages: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicUsize::new(messages));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, server, left.clone()));
            }
        });
        Self { port, task }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, server: u16, left: Arc<AtomicUsize>) {
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 1 << 20];
    // What a client sends at once is a message, or several that belong together.
    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
        if left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_err()
        {
            break;
        }
        if to_server.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    back.abort();
}
