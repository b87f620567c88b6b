use chrono::TimeDelta;
use deepsearch_cache::contract;
use deepsearch_core::Cache;
use deepsearch_core::cache::{Freshness, SearchCache};
use futures::future::join_all;
use serde_json::json;
use sqlx::Executor;

use crate::support::{Home, NOON, at, home, sharing_home};

pub(crate) fn entry(query: &str, created: i64, results: serde_json::Value) -> SearchCache {
    SearchCache {
        query: query.into(),
        results,
        created_at: at(NOON + created),
        expires_at: at(NOON + created + 1_000),
    }
}

async fn rows(home: &Home) -> i64 {
    sqlx::query_scalar(r#"select count(*) from "ai-app-template_search_cache""#)
        .fetch_one(&mut home.raw().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_shared_table_keeps_the_contract_of_all_tiers() {
    let Some(home) = sharing_home().await else { return };
    contract::holds(&home.database.search_cache(), at(NOON)).await;
}

#[tokio::test]
async fn a_query_is_trimmed_and_one_of_more_than_500_characters_not_kept() {
    let Some(home) = sharing_home().await else { return };
    let cache = home.database.search_cache();
    cache.add(entry("  rust ", 0, json!({"n": 1}))).await.unwrap();
    assert_eq!(cache.lookup("rust\n").await.unwrap().unwrap().query, "rust");
    for query in ["é".repeat(501), "  ".into(), "a\0b".into()] {
        cache.add(entry(&query, 0, json!({}))).await.unwrap();
        assert_eq!(cache.lookup(&query).await.unwrap(), None);
    }
    assert_eq!(rows(&home).await, 1);
}

#[tokio::test]
async fn of_several_rows_of_a_query_the_newest_that_has_not_run_out_wins() {
    let Some(home) = sharing_home().await else { return };
    let cache = home.database.search_cache();
    // As the web app leaves them: it never looks before it inserts.
    home.raw()
        .await
        .execute(sqlx::AssertSqlSafe(format!(
            r#"insert into "ai-app-template_search_cache" (query, results, created_at, expires_at)
            select 'q', format('{{"n": %s}}', n)::json, to_timestamp({NOON} / 1000.0 + n), to_timestamp({NOON} / 1000.0 + ends)
            from (values (-30, 500), (-20, 1000), (-10, 5)) as rows (n, ends)"#
        )))
        .await
        .unwrap();
    let n = |found: Option<SearchCache>| found.unwrap().results["n"].clone();
    assert_eq!(n(cache.lookup("q").await.unwrap()), -10);
    home.clock.advance(TimeDelta::seconds(10));
    assert_eq!(n(cache.lookup("q").await.unwrap()), -20, "the newest has run out");
    home.clock.advance(TimeDelta::hours(1));
    let last = cache.lookup("q").await.unwrap().unwrap();
    assert_eq!(last.freshness(at(NOON + 3_600_000)), Freshness::Stale);
    assert_eq!(last.results["n"], -10, "of those that have all run out the newest");
}

#[tokio::test]
async fn an_entry_takes_the_place_of_older_ones_and_never_of_a_newer() {
    let Some(home) = sharing_home().await else { return };
    let cache = home.database.search_cache();
    for (created, n) in [(10, 1), (20, 2), (15, 3)] {
        cache.add(entry("q", created, json!({ "n": n }))).await.unwrap();
    }
    assert_eq!(cache.lookup("q").await.unwrap().unwrap().results["n"], 2);
    assert_eq!(rows(&home).await, 2);
    cache.add(entry("q", 30, json!({"n": 4}))).await.unwrap();
    assert_eq!(rows(&home).await, 1);
    let many = (0..20).map(|n| cache.add(entry("q", 40 + n, json!({ "n": n }))));
    join_all(many).await.into_iter().for_each(Result::unwrap);
    assert_eq!(cache.lookup("q").await.unwrap().unwrap().results["n"], 19);
}

#[tokio::test]
async fn what_a_stranger_wrote_is_not_believed_for_ever_nor_read_at_any_size() {
    let Some(home) = sharing_home().await else { return };
    let cache = home.database.search_cache();
    home.raw()
        .await
        .execute(
            r#"insert into "ai-app-template_search_cache" (query, results, created_at, expires_at) values
            ('for ever', '{"hits": []}', '2030-01-01', '9999-01-01'),
            ('no object', '[1]', now(), '9999-01-01'),
            ('huge', json_build_object('x', repeat('x', 600000)), now(), '9999-01-01')"#,
        )
        .await
        .unwrap();
    let poisoned = cache.lookup("for ever").await.unwrap().unwrap();
    assert_eq!(poisoned.expires_at, at(NOON) + TimeDelta::days(7));
    assert_eq!(cache.lookup("no object").await.unwrap(), None);
    assert_eq!(cache.lookup("huge").await.unwrap(), None);
    cache
        .add(entry("large", 0, json!({"x": "x".repeat(600_000)})))
        .await
        .unwrap();
    assert_eq!(rows(&home).await, 3);
}

#[tokio::test]
async fn entries_that_ran_out_are_forgotten_and_others_kept() {
    let Some(home) = home().await else { return };
    home.raw()
        .await
        .execute(
            r#"insert into "ai-app-template_search_cache" (query, results, expires_at)
            select 'q' || n, '{}', timestamptz '2024-01-01' + n * interval '1 second' from generate_series(1, 2500) as n"#,
        )
        .await
        .unwrap();
    let before = "2024-01-01T00:33:21Z".parse().unwrap();
    assert_eq!(home.database.delete_expired_searches(before).await.unwrap(), 2_000);
    assert_eq!(rows(&home).await, 500);
}

#[tokio::test]
async fn an_owners_searches_are_kept_nowhere_while_the_team_does_not_share() {
    let Some(home) = sharing_home().await else { return };
    let cache = home.database.search_cache();
    cache.add(entry("q", 0, json!({}))).await.unwrap();
    home.database.share_searches(false).await.unwrap();
    assert_eq!(cache.lookup("q").await.unwrap(), None);
    cache.add(entry("other", 0, json!({}))).await.unwrap();
    assert_eq!(rows(&home).await, 1);
    home.database.share_searches(true).await.unwrap();
    assert!(cache.lookup("q").await.unwrap().is_some());
}
