//! SearXNG: a server of one's own that asks many engines.

use async_trait::async_trait;
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use reqwest::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::Endpoint;
use crate::hits::{collect, from_text, published};
use crate::http::{Answer, items, json, unreadable};
use crate::locale::Locale;

pub(super) struct Searxng(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    results: Vec<Value>,
    /// Pairs of an engine's name and why it did not answer.
    #[serde(default)]
    unresponsive_engines: Value,
}

#[derive(Deserialize)]
struct Hit {
    url: String,
    #[serde(default)]
    title: String,
    content: Option<String>,
    #[serde(rename = "publishedDate")]
    published_date: Option<String>,
}

#[async_trait]
impl SearchEngine for Searxng {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let mut request = http.get(self.url(query)).header(ACCEPT, "application/json");
        // SearXNG itself knows no keys; a proxy in front of it may.
        if self.0.key.is_some() {
            request = request.header(AUTHORIZATION, self.0.key("Bearer ")?);
        }
        let answer = http.send(engine, request).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let found: Found = json(engine, &answer.body).map_err(|error| self.explained(error, &answer))?;
        let hits = items(found.results).map(|hit: Hit| SearchHit {
            title: from_text(&hit.title),
            url: hit.url,
            snippet: from_text(&hit.content.unwrap_or_default()),
            favicon: None,
            published_at: hit.published_date.and_then(|date| published(&date, http.now())),
        });
        collect(engine, query, hits).map_err(|nothing| self.reason(nothing, &found.unresponsive_engines))
    }
}

impl Searxng {
    fn url(&self, query: &SearchQuery) -> Url {
        let mut url = self.0.url("search");
        let mut pairs = url.query_pairs_mut();
        pairs
            .append_pair("q", query.text.trim())
            .append_pair("format", "json")
            .append_pair("categories", "general");
        if let Some(locale) = Locale::of(query) {
            let language = match locale.region {
                Some(region) => format!("{}-{region}", locale.language),
                None => locale.language,
            };
            pairs.append_pair("language", &language);
        }
        if let Some(range) = query.time_range {
            pairs.append_pair(
                "time_range",
                match range {
                    TimeRange::Day => "day",
                    TimeRange::Week => "week",
                    TimeRange::Month => "month",
                    TimeRange::Year => "year",
                },
            );
        }
        drop(pairs);
        url
    }

    fn refusal(&self, answer: &Answer) -> SearchError {
        match answer.status {
            // The first thing that anybody meets: a fresh SearXNG answers programs with 403 until JSON is turned on.
            403 if self.0.key.is_none() => self.json_is_off(),
            _ => self.0.http.refusal(self.0.engine, answer),
        }
    }

    fn json_is_off(&self) -> SearchError {
        unreadable(
            self.0.engine,
            "JSON is turned off there; add `json` to `formats` under `search` in SearXNG's settings.yml and restart it",
        )
    }

    fn explained(&self, error: SearchError, answer: &Answer) -> SearchError {
        if answer.body.trim_start().starts_with('<') {
            self.json_is_off()
        } else {
            error
        }
    }

    /// Nothing found, because nobody was there to look: what kept SearXNG's own engines.
    fn reason(&self, nothing: SearchError, unresponsive: &Value) -> SearchError {
        let engine = self.0.engine.to_owned();
        let reasons = unresponsive.to_string().to_ascii_lowercase();
        if reasons.contains("too many requests") {
            SearchError::RateLimited {
                engine,
                retry_after: None,
            }
        } else if reasons.contains("captcha") {
            SearchError::Captcha { engine }
        } else {
            nothing
        }
    }
}
