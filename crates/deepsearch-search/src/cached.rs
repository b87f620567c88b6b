//! Answers of engines as entries of the search cache: which key, how long, and how much of an entry is believed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::validate::CACHED_QUERY_LIMIT;
use deepsearch_core::{SearchQuery, SearchResults, TimeRange};
use serde_json::{Value, json};

use crate::hits::clean;

/// What identifies a question, whichever engines answer it; `None` when it is too long to be kept (seed R21).
pub(crate) fn key(query: &SearchQuery) -> Option<String> {
    let text = query.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let locale = query.locale.as_deref().unwrap_or("any");
    let range = match query.time_range {
        None => "any",
        Some(TimeRange::Day) => "day",
        Some(TimeRange::Week) => "week",
        Some(TimeRange::Month) => "month",
        Some(TimeRange::Year) => "year",
    };
    let key = format!("{text} [{locale} {range} {}]", query.limit);
    (!text.is_empty() && key.chars().count() <= CACHED_QUERY_LIMIT).then_some(key)
}

/// An entry with what the engines found.
pub(crate) fn entry(key: &str, query: &SearchQuery, answers: &[SearchResults], now: DateTime<Utc>) -> SearchCache {
    SearchCache {
        query: key.into(),
        results: json!({ "answers": answers }),
        created_at: now,
        expires_at: now + lifetime(query),
    }
}

/// The answers of an entry. It may be another program's or another person's, so each hit is cleaned as if it came from
/// an engine, and what is none is left out.
pub(crate) fn answers(entry: SearchCache, query: &SearchQuery) -> Vec<SearchResults> {
    let Value::Object(mut results) = entry.results else {
        return Vec::new();
    };
    let Some(Value::Array(answers)) = results.remove("answers") else {
        return Vec::new();
    };
    answers
        .into_iter()
        .filter_map(|answer| serde_json::from_value::<SearchResults>(answer).ok())
        .map(|answer| SearchResults {
            engine: answer.engine.chars().take(50).collect(),
            query: query.text.clone(),
            hits: answer.hits.into_iter().filter_map(clean).take(query.limit).collect(),
        })
        .filter(|answer| !answer.hits.is_empty())
        .take(8)
        .collect()
}

/// News ages faster than the rest.
fn lifetime(query: &SearchQuery) -> Duration {
    const MINUTE: u64 = 60;
    Duration::from_secs(match query.time_range {
        Some(TimeRange::Day) => 10 * MINUTE,
        Some(TimeRange::Week) => 60 * MINUTE,
        Some(TimeRange::Month) => 6 * 60 * MINUTE,
        Some(TimeRange::Year) | None => 24 * 60 * MINUTE,
    })
}
