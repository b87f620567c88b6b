//! What every cache tier promises, as one suite for memory, Redis and the table: `contract::holds(&tier, now).await`.
//!
//! Leaves out what differs between tiers on purpose: bounds, expiry, white space around a query (tables trim it, seed
//! R21), and what happens when one is down.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, Freshness};
use futures::future::join_all;
use serde_json::{Value, json};

/// Holds an empty tier to the promises.
///
/// # Panics
/// When one is broken, with the promise in words.
pub async fn holds(tier: &dyn Cache, now: DateTime<Utc>) {
    let now = now.trunc_subsecs(3);
    an_unknown_query_has_no_entry(tier).await;
    an_entry_comes_back_as_it_was(tier, now).await;
    a_newer_entry_replaces_an_older_one(tier, now).await;
    an_entry_past_its_time_comes_back_as_stale(tier, now).await;
    queries_that_differ_in_any_character_are_different(tier, now).await;
    a_query_of_500_characters_is_kept(tier, now).await;
    many_at_once_do_not_mix(tier, now).await;
}

async fn an_unknown_query_has_no_entry(tier: &dyn Cache) {
    assert_eq!(lookup(tier, "never asked").await, None, "an unknown query has no entry");
}

async fn an_entry_comes_back_as_it_was(tier: &dyn Cache, now: DateTime<Utc>) {
    let entry = fresh(
        "straße 東京 'quoted' \"twice\" %_\\ 🦀",
        json!({"hits": [{"title": "a \u{0} b", "n": -1.5, "none": null, "deep": [[[{}]]]}], "flag": true}),
        now,
    );
    add(tier, &entry).await;
    assert_eq!(
        lookup(tier, &entry.query).await,
        Some(entry),
        "an entry comes back as it was"
    );
}

async fn a_newer_entry_replaces_an_older_one(tier: &dyn Cache, now: DateTime<Utc>) {
    add(
        tier,
        &fresh("replaced", json!({"age": "old"}), now - TimeDelta::seconds(5)),
    )
    .await;
    let newer = fresh("replaced", json!({"age": "new"}), now);
    add(tier, &newer).await;
    assert_eq!(
        lookup(tier, "replaced").await,
        Some(newer),
        "a newer entry replaces an older one"
    );
}

async fn an_entry_past_its_time_comes_back_as_stale(tier: &dyn Cache, now: DateTime<Utc>) {
    let mut entry = fresh("stale", json!({"old": true}), now - TimeDelta::hours(2));
    entry.expires_at = now - TimeDelta::hours(1);
    add(tier, &entry).await;
    let found = lookup(tier, "stale")
        .await
        .expect("an entry past its time is still found");
    assert_eq!(
        found.freshness(now),
        Freshness::Stale,
        "an entry past its time says that it is stale"
    );
    assert_eq!(found, entry);
}

async fn queries_that_differ_in_any_character_are_different(tier: &dyn Cache, now: DateTime<Utc>) {
    let entries = ["Case", "case", "case s", "ca%e", "càse"].map(|query| fresh(query, json!({"for": query}), now));
    for entry in &entries {
        add(tier, entry).await;
    }
    for entry in entries {
        assert_eq!(
            lookup(tier, &entry.query).await,
            Some(entry),
            "queries are compared exactly"
        );
    }
}

async fn a_query_of_500_characters_is_kept(tier: &dyn Cache, now: DateTime<Utc>) {
    let entry = fresh(&"界".repeat(500), json!({"long": true}), now);
    add(tier, &entry).await;
    assert_eq!(
        lookup(tier, &entry.query).await,
        Some(entry),
        "500 code points fit, whatever their bytes"
    );
}

async fn many_at_once_do_not_mix(tier: &dyn Cache, now: DateTime<Utc>) {
    let entries: Vec<_> = (0..40)
        .map(|n| fresh(&format!("one of many {n}"), json!({"n": n}), now))
        .collect();
    join_all(entries.iter().map(|entry| add(tier, entry))).await;
    let found = join_all(entries.iter().map(|entry| lookup(tier, &entry.query))).await;
    assert_eq!(
        found,
        entries.into_iter().map(Some).collect::<Vec<_>>(),
        "entries written at once do not mix"
    );
}

fn fresh(query: &str, results: Value, created_at: DateTime<Utc>) -> SearchCache {
    SearchCache {
        query: query.into(),
        results,
        created_at,
        expires_at: created_at + TimeDelta::hours(1),
    }
}

async fn lookup(tier: &dyn Cache, query: &str) -> Option<SearchCache> {
    tier.lookup(query).await.expect("the tier answers")
}

async fn add(tier: &dyn Cache, entry: &SearchCache) {
    tier.add(entry.clone()).await.expect("the tier takes an entry");
}
