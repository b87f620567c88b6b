//! Serper: Google's results as JSON, by a key.

use async_trait::async_trait;
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Endpoint;
use crate::hits::{collect, from_text, published};
use crate::http::{Answer, items, json as read};
use crate::locale::Locale;

pub(super) struct Serper(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    organic: Vec<Value>,
}

#[derive(Deserialize)]
struct Organic {
    link: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    snippet: String,
    date: Option<String>,
}

#[async_trait]
impl SearchEngine for Serper {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let key = self.0.key("")?;
        let request = http
            .post(self.0.url("search"))
            .header("X-API-KEY", key)
            .json(&body(query));
        let answer = http.send(engine, request).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let found: Found = read(engine, &answer.body)?;
        let hits = items(found.organic).map(|organic: Organic| SearchHit {
            title: from_text(&organic.title),
            url: organic.link,
            snippet: from_text(&organic.snippet),
            favicon: None,
            published_at: organic.date.and_then(|date| published(&date, http.now())),
        });
        collect(engine, query, hits)
    }
}

impl Serper {
    /// Serper has no status of its own for used-up credits: it is a bad request that says so.
    fn refusal(&self, answer: &Answer) -> SearchError {
        let says = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
        let message = says["message"].as_str().unwrap_or_default().to_ascii_lowercase();
        if answer.status == 400 && message.contains("not enough credits") {
            return SearchError::QuotaExceeded {
                engine: self.0.engine.into(),
            };
        }
        self.0.http.refusal(self.0.engine, answer)
    }
}

fn body(query: &SearchQuery) -> Value {
    let mut body = json!({ "q": query.text.trim(), "num": query.limit.clamp(1, 50) });
    if let Some(locale) = Locale::of(query) {
        body["hl"] = match locale.language.as_str() {
            "zh" if locale.is_traditional() => json!("zh-tw"),
            "zh" => json!("zh-cn"),
            "pt" if locale.region.as_deref() == Some("BR") => json!("pt-br"),
            language => json!(language),
        };
        if let Some(region) = locale.region {
            body["gl"] = json!(region.to_ascii_lowercase());
        }
    }
    if let Some(range) = query.time_range {
        body["tbs"] = json!(match range {
            TimeRange::Day => "qdr:d",
            TimeRange::Week => "qdr:w",
            TimeRange::Month => "qdr:m",
            TimeRange::Year => "qdr:y",
        });
    }
    body
}
