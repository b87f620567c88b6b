//! GDELT: news of the world's newspapers in all languages, minutes after they appear. No key; one question in five seconds.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use deepsearch_core::text::{fold, is_stop_word, words};
use deepsearch_core::{EngineKind, SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use serde::Deserialize;
use serde_json::Value;

use super::Endpoint;
use crate::hits::collect;
use crate::http::{items, json, unreadable};

/// It refuses words of fewer characters, and questions with more words find nothing.
const SHORTEST: usize = 3;
const WORDS: usize = 8;
const PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Gdelt(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    /// Not there where nothing was found.
    #[serde(default)]
    articles: Vec<Value>,
}

#[derive(Deserialize)]
struct Article {
    url: String,
    title: String,
    seendate: Option<String>,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    sourcecountry: String,
}

#[async_trait]
impl SearchEngine for Gdelt {
    fn id(&self) -> &str {
        self.0.engine
    }

    fn kind(&self) -> EngineKind {
        EngineKind::News
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let Some(asked) = asked(&query.text) else {
            return Err(SearchError::NoResults {
                engine: (*engine).into(),
            });
        };
        let span = match query.time_range {
            Some(TimeRange::Day) => "1d",
            Some(TimeRange::Week) => "1w",
            Some(TimeRange::Month) => "1m",
            // What is older is in no search of it.
            Some(TimeRange::Year) | None => "3m",
        };
        let mut url = self.0.url("api/v2/doc/doc");
        url.query_pairs_mut()
            .append_pair("query", &asked)
            .append_pair("mode", "artlist")
            .append_pair("format", "json")
            .append_pair("sort", "hybridrel")
            .append_pair("timespan", span)
            .append_pair("maxrecords", &query.limit.clamp(1, 50).to_string());
        let answer = http.send(engine, http.get(url)).await?;
        if answer.status != 200 {
            return Err(http.refusal(engine, &answer));
        }
        let body = answer.body.trim();
        // What it refuses it says in words, with status 200.
        if !body.starts_with('{') {
            return Err(if body.contains("limit requests") {
                SearchError::RateLimited {
                    engine: (*engine).into(),
                    retry_after: Some(PAUSE),
                }
            } else if body.is_empty() {
                SearchError::NoResults {
                    engine: (*engine).into(),
                }
            } else {
                unreadable(engine, body)
            });
        }
        let found: Found = json(engine, body)?;
        collect(engine, query, items(found.articles).map(hit))
    }
}

/// The words that say what is asked about; its operators are not the person's to write.
fn asked(question: &str) -> Option<String> {
    let telling = |word: &&str| word.chars().count() >= SHORTEST && !is_stop_word(&fold(word));
    let all: Vec<&str> = words(question).map(|(_, word)| word).collect();
    let mut told: Vec<&str> = all.iter().copied().filter(telling).take(WORDS).collect();
    if told.is_empty() {
        // It says itself what it does not take.
        told = all.into_iter().take(WORDS).collect();
    }
    (!told.is_empty()).then(|| told.join(" "))
}

fn hit(article: Article) -> SearchHit {
    let from = [article.domain, article.sourcecountry];
    let from: Vec<&str> = from
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    SearchHit {
        title: article.title,
        url: article.url,
        snippet: from.join(", "),
        favicon: None,
        published_at: article.seendate.as_deref().and_then(seen),
    }
}

/// `20240115T103000Z`.
fn seen(date: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").ok()?;
    Some(date.and_utc())
}
