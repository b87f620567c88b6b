//! Stack Exchange: questions with answers, of Stack Overflow unless another of its sites is named in the address that is
//! set (`https://api.stackexchange.com/2.3?site=superuser`). Works without a key; one raises the daily allowance.

use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use deepsearch_core::{EngineKind, SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;

use super::{Endpoint, days, shortened};
use crate::hits::{collect, from_html};
use crate::http::{Answer, items, json};

const QUERY_CHARACTERS: usize = 240;
const SITE: &str = "stackoverflow";

pub(super) struct StackExchange(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct Refused {
    error_name: String,
    #[serde(default)]
    error_message: String,
}

#[derive(Deserialize)]
struct Question {
    title: String,
    link: String,
    #[serde(default)]
    body: String,
    creation_date: Option<i64>,
    #[serde(default)]
    score: i64,
    #[serde(default)]
    answer_count: i64,
}

#[async_trait]
impl SearchEngine for StackExchange {
    fn id(&self) -> &str {
        self.0.engine
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Discussions
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint {
            engine,
            http,
            key,
            base,
            ..
        } = &self.0;
        let site = base
            .query_pairs()
            .find(|(name, _)| name == "site")
            .map(|(_, site)| site.into_owned());
        let mut url = self.0.url("search/advanced");
        url.set_query(None);
        url.query_pairs_mut()
            .append_pair("q", &shortened(&query.text, QUERY_CHARACTERS, usize::MAX))
            .append_pair("site", site.as_deref().unwrap_or(SITE))
            .append_pair("sort", "relevance")
            .append_pair("order", "desc")
            .append_pair("pagesize", &query.limit.clamp(1, 50).to_string())
            .append_pair("filter", "withbody");
        if let Some(range) = query.time_range {
            let since = (http.now() - days(range)).timestamp();
            url.query_pairs_mut().append_pair("fromdate", &since.to_string());
        }
        if let Some(key) = key {
            url.query_pairs_mut().append_pair("key", key.expose_secret().trim());
        }
        let answer = http.send(engine, http.get(url)).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let found: Found = json(engine, &answer.body)?;
        collect(engine, query, items(found.items).map(hit))
    }
}

impl StackExchange {
    /// It tells everything with status 400 and a name.
    fn refusal(&self, answer: &Answer) -> SearchError {
        let engine = || self.0.engine.to_owned();
        let Ok(refused) = json::<Refused>(self.0.engine, &answer.body) else {
            return self.0.http.refusal(self.0.engine, answer);
        };
        match &*refused.error_name {
            "throttle_violation" | "temporarily_unavailable" => SearchError::RateLimited {
                engine: engine(),
                retry_after: wait(&refused.error_message),
            },
            "key_required" | "access_denied" | "bad_key" => SearchError::KeyRefused { engine: engine() },
            _ => SearchError::Status {
                engine: engine(),
                status: answer.status,
            },
        }
    }
}

/// "too many requests from this IP, more requests available in 3600 seconds".
fn wait(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("available in ")?;
    rest.split_whitespace().next()?.parse().ok().map(Duration::from_secs)
}

fn hit(question: Question) -> SearchHit {
    let answers = if question.answer_count == 1 {
        "answer"
    } else {
        "answers"
    };
    SearchHit {
        title: from_html(&question.title),
        url: question.link,
        snippet: format!(
            "Score {}, {} {answers}. {}",
            question.score,
            question.answer_count,
            from_html(&question.body)
        ),
        favicon: None,
        published_at: question.creation_date.and_then(|at| DateTime::from_timestamp(at, 0)),
    }
}
