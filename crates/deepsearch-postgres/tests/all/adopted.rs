//! Rows that were there before a migration: each is there after it as it was, and reaches a device by the feed.

use std::collections::BTreeSet;

use deepsearch_core::sync::FeedCursor;
use deepsearch_postgres::SharedDatabase;

use crate::cluster::{Cluster, admit, connect, run, text};
use crate::sync::{all, names, sync};

const DRIZZLE: &str = include_str!("../web_app/full.sql");
const WITHOUT_FUTURE: &str = include_str!("../web_app/without_future.sql");
const APPENDIX: &str = include_str!("../web_app/appendix_names.sql");

/// Two people's, as a web app writes them.
pub(crate) const ROWS: &str = r#"
    insert into "ai-app-template_user" (id, name, email)
        values ('A', 'Ann', 'a@example.com'), ('B', null, 'b@example.com');
    insert into "ai-app-template_account" (user_id, type, provider, provider_account_id)
        values ('A', 'oauth', 'github', '1');
    insert into "ai-app-template_session" values ('a cookie', 'A', '2100-01-01');
    insert into "ai-app-template_chat" (id, user_id, title, created_at, updated_at)
        select 'c' || n, case when n = 3 then 'B' else 'A' end, 'chat ' || n, '2024-01-01', timestamptz '2024-02-01' + n * interval '1 h'
        from generate_series(1, 3) as n;
    insert into "ai-app-template_message" (id, chat_id, role, content, sources, metadata, created_at)
        select 'm' || n, 'c' || (n % 3 + 1), case when n % 2 = 0 then 'user' else 'assistant' end, 'text ' || n,
            case when n % 5 = 0 then '[{"title": "T", "url": "https://example.org",  "snippet": ""}]'::json end,
            case when n % 7 = 0 then '{"model":  "m", "tokens": {"total": 3}}'::json end,
            timestamptz '2024-01-01' + n * interval '1 s'
        from generate_series(1, 30) as n;
    insert into "ai-app-template_user_settings" (user_id, theme, language) values ('A', 'light', 'de');
    insert into "ai-app-template_search_cache" (query, results, expires_at) values ('q', '{"n":  1}', '2100-01-01');"#;

/// All of it as text, in the columns that every web app has.
const KEPT: &str = r#"select concat_ws(E'\n',
    (select string_agg(concat_ws('|', id, name, email, is_admin), ' ' order by id) from "ai-app-template_user"),
    (select string_agg(concat_ws('|', user_id, provider, provider_account_id), ' ') from "ai-app-template_account"),
    (select string_agg(concat_ws('|', session_token, user_id, expires), ' ') from "ai-app-template_session"
        where session_token not like 'ds1:%'),
    (select string_agg(concat_ws('|', id, user_id, title, created_at, updated_at), ' ' order by id)
        from "ai-app-template_chat"),
    (select string_agg(concat_ws('|', id, chat_id, role, content, sources, metadata, created_at), ' ' order by id)
        from "ai-app-template_message"),
    (select string_agg(concat_ws('|', user_id, theme, language, default_model, max_search_results), ' ')
        from "ai-app-template_user_settings"),
    (select string_agg(concat_ws('|', query, results, expires_at), ' ') from "ai-app-template_search_cache"))"#;

pub(crate) async fn kept(url: &str) -> String {
    text(&mut connect(url).await, KEPT).await
}

/// Migrates a database with rows, and lets a device in that has seen nothing.
async fn reach_a_device(url: &str, what: &str) {
    let before = kept(url).await;
    assert!(before.contains("text 30"), "{what}: {before}");
    let database = SharedDatabase::connect(url).await.unwrap();
    database.migrate(|_| {}).await.unwrap();
    assert_eq!(kept(url).await, before, "{what}");
    let device = admit(&database, url, "A").await;
    let (changes, _) = all(&sync(&device).await, FeedCursor::default(), 7).await;
    let came: BTreeSet<String> = names(&changes).into_iter().collect();
    let chats = [1, 2].map(|n| format!("chat c{n} chat {n}"));
    let messages = (1..=30)
        .filter(|n| n % 3 != 2)
        .map(|n| format!("message m{n} text {n}"));
    let settings = [r#"setting theme "light""#, r#"setting language "de""#].map(str::to_owned);
    for expected in chats.into_iter().chain(messages.clone()).chain(settings) {
        assert!(came.contains(&expected), "{what}: {expected} is not in {came:#?}");
    }
    let others = came
        .iter()
        .filter(|name| !name.starts_with("setting ") && !name.starts_with("flags "));
    assert_eq!(others.count(), 2 + messages.count(), "{what}: {came:#?}");
}

#[tokio::test]
async fn rows_of_a_web_app_reach_a_device() {
    let Some(cluster) = Cluster::start() else { return };
    for (what, made) in [
        ("all tables", DRIZZLE),
        ("without what the future brings", WITHOUT_FUTURE),
        ("the appendix's names", APPENDIX),
    ] {
        let url = cluster.empty().await;
        let mut web = connect(&url).await;
        run(&mut web, made).await;
        run(&mut web, ROWS).await;
        reach_a_device(&url, what).await;
    }
}

/// What else an earlier version kept, since when, and what it reads as.
const OURS: &[(i64, &str, &str)] = &[
    (
        2,
        "insert into deepsearch.setting values ('share_searches', 'on')",
        "select value from deepsearch.setting",
    ),
    (
        2,
        "insert into deepsearch.own_search (user_id, query, results, expires_at) values ('A', 'own', '{}', '2100-01-01')",
        "select query from deepsearch.own_search",
    ),
    (
        3,
        "insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, at) values ('A', 'c1', true, false, '2024-03-01')",
        "select concat(chat_id, pinned, archived, at) from deepsearch_sync.chat_flags",
    ),
    (
        3,
        "insert into deepsearch_sync.message_extras (user_id, message_id, body) values ('A', 'm3', '{\"follow_ups\": []}')",
        "select concat(message_id, body) from deepsearch_sync.message_extras",
    ),
    (
        4,
        "insert into deepsearch.search_count (day, query, searches) values ('2024-01-01', 'q', 3)",
        "select concat(day, query, searches) from deepsearch.search_count",
    ),
];

#[tokio::test]
async fn rows_of_each_earlier_version_reach_a_device() {
    let Some(cluster) = Cluster::start() else { return };
    let (_, newest) = cluster.migrated().await;
    for migration in newest.list_migrations().await.unwrap() {
        let (version, what) = (migration.version, format!("version {}", migration.version));
        let (url, database) = cluster.migrated().await;
        database.rollback(version, true, |_| {}).await.unwrap();
        let mut owner = connect(&url).await;
        run(&mut owner, ROWS).await;
        let known = match version {
            ..2 => None,
            _ => Some(admit(&database, &url, "A").await),
        };
        let mut read = Vec::new();
        for (_, write, reads) in OURS.iter().filter(|(since, ..)| *since <= version) {
            run(&mut owner, write).await;
            read.push((reads, text(&mut owner, reads).await));
        }
        reach_a_device(&url, &what).await;
        for (reads, before) in read {
            assert_eq!(text(&mut owner, reads).await, before, "{what}");
        }
        // A device that was let in before still is.
        if let Some(device) = known {
            let count = r#"select count(*)::text from "ai-app-template_chat""#;
            assert_eq!(text(&mut device.connect().await, count).await, "2", "{what}");
        }
    }
}
