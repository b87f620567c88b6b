//! What going back would throw away is said before the first step, and how far it came when it ends halfway.

use deepsearch_core::{ErrorCode, Failure};
use deepsearch_postgres::{SchemaError, SharedDatabase};

use crate::cluster::{Cluster, admit, connect, run, text};

const PEOPLE: &str = r#"insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com')"#;

/// A row, the version that it came with, and what is said of it.
const KEPT: &[(&str, i64, &str)] = &[
    (
        "insert into deepsearch.own_search (user_id, query, results, expires_at) values ('A', 'x', '{}', now() + interval '1 h')",
        2,
        "cached searches of one person each (1)",
    ),
    (
        "insert into deepsearch.setting values ('share_searches', 'on')",
        2,
        "settings of the database (1)",
    ),
    (
        "insert into deepsearch_sync.page (user_id, content_hash, text, size) values ('A', repeat('a', 64), 'x', 1)",
        3,
        "saved pages (1)",
    ),
    (
        "insert into deepsearch_sync.message_extras values ('A', 'm', '{}')",
        3,
        "answers' citations and checks (1)",
    ),
    (
        "insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, at) values ('A', 'c', true, false, now())",
        3,
        "chats that are pinned, archived or sorted (1)",
    ),
    (
        r#"insert into public."ai-app-template_chat" (id, user_id, title) values ('c', 'A', 'x'); delete from public."ai-app-template_chat""#,
        3,
        "deletions that some device may not have heard of (1)",
    ),
    (
        "insert into deepsearch.search_count (day, query) values (current_date, 'x')",
        4,
        "counts of searches (1)",
    ),
    (
        "insert into deepsearch.engine_count (day, engine) values (current_date, 'x')",
        4,
        "counts of what engines answered (1)",
    ),
    (
        "insert into deepsearch.sign_in_identity values (sha256('x'), '{}', now() + interval '1 h')",
        5,
        "people who are signing in (1)",
    ),
    (
        "insert into deepsearch.sign_in_code (code_hash, user_id, redirect_uri, code_challenge, device_id, device_name, expires_at)
            values (sha256('x'), 'A', 'x', 'x', gen_random_uuid(), 'x', now() + interval '1 h')",
        5,
        "sign-ins on their way to an app (1)",
    ),
    (
        "insert into deepsearch.device_request (device_code_hash, user_code, device_id, device_name, asked_from, asked_at, expires_at, poll_seconds)
            values (sha256('x'), 'x', gen_random_uuid(), 'x', 'x', now(), now() + interval '1 h', 5)",
        5,
        "devices that wait to be let in (1)",
    ),
    (
        r#"insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, at, tags) values ('A', 'c', true, false, now(), '["x"]')"#,
        7,
        "chats with a collection or tags (1)",
    ),
];

#[tokio::test]
async fn what_would_be_lost_is_named_before_anything_is_changed() {
    let Some(cluster) = Cluster::start() else { return };
    for (row, since, said) in KEPT {
        let (url, database) = cluster.migrated().await;
        let mut owner = connect(&url).await;
        run(&mut owner, PEOPLE).await;
        run(&mut owner, row).await;
        let before = cluster.dump(&url);
        let refused = database.rollback(since - 1, false, |_| panic!("a step")).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(&refused, SchemaError::Loses(lost) if !lost.is_empty()),
            "{refused}"
        );
        let failure = Failure::from(&refused);
        assert!(failure.message.contains(said), "{failure}");
        assert!(failure.hint.unwrap().starts_with("Nothing was changed. `--force`"));
        assert_eq!(cluster.dump(&url), before);
        // Nothing of it is lost by fewer steps, and everything may be.
        database.rollback(*since, false, |_| {}).await.unwrap();
        database.rollback(since - 1, true, |_| {}).await.unwrap();
    }
}

/// So that a table of a later migration is thought of: it is told of above, or stands here with the reason.
#[tokio::test]
async fn every_table_that_a_way_back_drops_is_thought_of() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, _) = cluster.migrated().await;
    let tables = text(
        &mut connect(&url).await,
        "select string_agg(oid::regclass::text, ' ' order by oid::regclass::text) from pg_class
        where relkind = 'r' and relnamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')",
    )
    .await;
    // Made again from the rows of the seed: the feed's places and clocks, and what a page is used by. Links that were sent
    // slow down for a day who asks for many. Ours: the rest.
    let made_again = [
        "deepsearch.link_sent",
        "deepsearch.migration",
        "deepsearch.note",
        "deepsearch_sync.meta",
        "deepsearch_sync.page_use",
        "deepsearch_sync.setting_clock",
    ];
    let told = include_str!("../../src/migrations/loss.rs");
    let forgotten: Vec<&str> = tables
        .split(' ')
        .filter(|table| !made_again.contains(table) && !told.contains(&format!("\"{table}\"")))
        .collect();
    assert_eq!(forgotten, Vec::<&str>::new());
}

#[tokio::test]
async fn devices_and_rows_of_people_are_lost_only_by_force() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    run(&mut connect(&url).await, PEOPLE).await;
    let device = admit(&database, &url, "A").await;
    let connected = device.connect().await;
    let said = database.rollback(1, false, |_| {}).await.unwrap_err().to_string();
    assert!(
        said.contains("devices that are signed in (1), devices that are connected at this moment (1)"),
        "{said}"
    );
    let said = database.rollback(0, false, |_| {}).await.unwrap_err().to_string();
    assert!(
        said.starts_with("going back would throw away users (1), sessions (1), devices"),
        "{said}"
    );
    drop(connected);
    database.rollback(0, true, |_| {}).await.unwrap();
}

#[tokio::test]
async fn going_back_that_ends_halfway_says_where_it_came_to() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let last = database.list_migrations().await.unwrap().last().unwrap().version;
    assert!(last > 5);
    let mut owner = connect(&url).await;
    // Something of the administrator's that stands on a table of 0004.
    run(&mut owner, "create view busy as select * from deepsearch.search_count").await;
    let error = database.rollback(1, false, |_| {}).await.unwrap_err();
    assert!(
        matches!(&error, SchemaError::Stopped { at: 4, source } if matches!(**source, SchemaError::Refused(_))),
        "{error:?}"
    );
    let failure = Failure::from(&error);
    assert!(failure.message.contains("is at migration 4 now"), "{failure}");
    assert!(
        !failure.hint.clone().unwrap().contains("Nothing was changed"),
        "{failure}"
    );
    let applied = "select max(version)::text from deepsearch.migration";
    assert_eq!(text(&mut owner, applied).await, "4");
    // At the first step nothing has come before.
    let error = database.rollback(3, false, |_| {}).await.unwrap_err();
    assert!(matches!(error, SchemaError::Refused(_)), "{error:?}");
    assert_eq!(Failure::from(&error).code, ErrorCode::Invalid);
    run(&mut owner, "drop view busy").await;
    database.rollback(1, false, |_| {}).await.unwrap();

    // The same forward.
    run(&mut owner, "create table deepsearch.search_count (mine int)").await;
    let error = database.migrate(|_| {}).await.unwrap_err();
    assert!(matches!(&error, SchemaError::Stopped { at: 3, .. }), "{error:?}");
    assert_eq!(text(&mut owner, applied).await, "3");
}

/// Steps of two who go opposite ways may meet between two of them. Then one of them goes on or is told; no step is ever
/// left on one that is missing.
#[tokio::test]
async fn who_goes_back_while_somebody_migrates_waits_for_them_or_is_told() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let other = SharedDatabase::connect(&url).await.unwrap();
    for _ in 0..4 {
        let (back, forth) = tokio::join!(database.rollback(5, false, |_| {}), other.migrate(|_| {}));
        for met in [back.err(), forth.err()].into_iter().flatten() {
            let met = match met {
                SchemaError::Stopped { source, .. } => *source,
                met => met,
            };
            assert!(matches!(met, SchemaError::Locked), "{met:?}");
        }
        database.migrate(|_| {}).await.unwrap();
        assert_eq!(database.check().await.unwrap(), []);
    }
}
