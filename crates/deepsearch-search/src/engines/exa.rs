//! Exa: finds pages by meaning, by a key.

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Endpoint;
use crate::hits::{collect, from_text, published};
use crate::http::{items, json as read};
use crate::locale::Locale;

/// Exa bills for what it brings: enough for a snippet, not the page.
const HIGHLIGHT_CHARACTERS: usize = 600;

pub(super) struct Exa(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    results: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hit {
    url: String,
    title: Option<String>,
    published_date: Option<String>,
    favicon: Option<String>,
    #[serde(default)]
    highlights: Vec<String>,
    text: Option<String>,
}

#[async_trait]
impl SearchEngine for Exa {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let key = self.0.key("")?;
        let request = http
            .post(self.0.url("search"))
            .header("x-api-key", key)
            .json(&body(query, http.now()));
        let answer = http.send(engine, request).await?;
        if answer.status != 200 {
            return Err(http.refusal(engine, &answer));
        }
        let found: Found = read(engine, &answer.body)?;
        let hits = items(found.results).map(|hit: Hit| {
            let snippet = if hit.highlights.is_empty() {
                hit.text.unwrap_or_default()
            } else {
                hit.highlights.join(" … ")
            };
            SearchHit {
                title: from_text(&hit.title.unwrap_or_default()),
                url: hit.url,
                snippet: from_text(&snippet),
                favicon: hit.favicon,
                published_at: hit.published_date.and_then(|date| published(&date, http.now())),
            }
        });
        collect(engine, query, hits)
    }
}

fn body(query: &SearchQuery, now: DateTime<Utc>) -> Value {
    let mut body = json!({
        "query": query.text.trim(),
        "type": "auto",
        "numResults": query.limit.clamp(1, 50),
        "contents": { "highlights": { "maxCharacters": HIGHLIGHT_CHARACTERS } },
    });
    if let Some(region) = Locale::of(query).and_then(|locale| locale.region) {
        body["userLocation"] = json!(region);
    }
    if let Some(range) = query.time_range {
        let days = match range {
            TimeRange::Day => 1,
            TimeRange::Week => 7,
            TimeRange::Month => 31,
            TimeRange::Year => 366,
        };
        let since = now - TimeDelta::days(days);
        body["startPublishedDate"] = json!(since.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    body
}
