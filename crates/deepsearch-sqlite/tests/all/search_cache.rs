use chrono::{DateTime, Utc};
use deepsearch_cache::contract;
use deepsearch_core::Cache;
use deepsearch_core::cache::{Freshness, SearchCache};
use serde_json::json;

use crate::support::home;

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

fn entry(query: &str, created: i64, results: serde_json::Value) -> SearchCache {
    SearchCache {
        query: query.into(),
        results,
        created_at: at(created),
        expires_at: at(created + 1_000),
    }
}

#[tokio::test]
async fn the_table_keeps_the_contract_of_all_tiers() {
    let (_home, store) = home().await;
    contract::holds(&store.search_cache(), at(1_700_000_000_000)).await;
}

#[tokio::test]
async fn a_newer_entry_replaces_an_older_and_never_the_other_way() {
    let (_home, store) = home().await;
    let cache = store.search_cache();
    assert_eq!(cache.lookup("rust").await.unwrap(), None);
    cache.add(entry("rust", 10, json!({"organic": [1]}))).await.unwrap();
    cache.add(entry("rust", 20, json!({"organic": [2]}))).await.unwrap();
    cache.add(entry("rust", 5, json!({"organic": [3]}))).await.unwrap();
    let kept = cache.lookup(" rust ").await.unwrap().unwrap();
    assert_eq!((kept.results, kept.created_at), (json!({"organic": [2]}), at(20)));
}

#[tokio::test]
async fn an_entry_past_its_time_is_still_found_and_known_as_stale() {
    let (_home, store) = home().await;
    let cache = store.search_cache();
    cache.add(entry("q", 10, json!({}))).await.unwrap();
    let kept = cache.lookup("q").await.unwrap().unwrap();
    assert_eq!(kept.freshness(at(1_009)), Freshness::Fresh);
    assert_eq!(kept.freshness(at(1_010)), Freshness::Stale);
}

#[tokio::test]
async fn queries_of_more_than_500_characters_are_not_cached() {
    let (_home, store) = home().await;
    let cache = store.search_cache();
    for (length, is_kept) in [(500, true), (501, false)] {
        let query = "é".repeat(length);
        cache.add(entry(&query, 10, json!({}))).await.unwrap();
        assert_eq!(cache.lookup(&query).await.unwrap().is_some(), is_kept);
    }
}

#[tokio::test]
async fn results_that_cannot_be_read_are_as_good_as_none() {
    let (home, store) = home().await;
    let cache = store.search_cache();
    cache.add(entry("q", 10, json!({}))).await.unwrap();
    let mut raw = home.raw().await;
    sqlx::query("update search_cache set results = '{'")
        .execute(&mut raw)
        .await
        .unwrap();
    assert_eq!(cache.lookup("q").await.unwrap(), None);
}

#[tokio::test]
async fn the_table_does_not_grow_without_end() {
    let (home, store) = home().await;
    let mut raw = home.raw().await;
    sqlx::query(
        "with recursive number (n) as (select 1 union all select n + 1 from number where n < 10000)
         insert into search_cache (query, results, created_at, expires_at) select 'q' || n, '{}', n, n from number",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    let cache = store.search_cache();
    cache.add(entry("the newest", 20_000, json!({}))).await.unwrap();
    assert!(cache.lookup("the newest").await.unwrap().is_some());
    assert_eq!(cache.lookup("q1").await.unwrap(), None, "what ran out first goes first");
    assert!(cache.lookup("q2").await.unwrap().is_some());
}
