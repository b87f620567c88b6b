//! Tavily: search made for programs that read, by a key.

use async_trait::async_trait;
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Endpoint, shortened};
use crate::hits::{collect, from_text, published};
use crate::http::{items, json as read};
use crate::locale::Locale;

const QUERY_CHARACTERS: usize = 400;
/// Tavily knows countries by their names.
const COUNTRIES: &[(&str, &str)] = &[
    ("AR", "argentina"),
    ("AT", "austria"),
    ("AU", "australia"),
    ("BE", "belgium"),
    ("BG", "bulgaria"),
    ("BR", "brazil"),
    ("CA", "canada"),
    ("CH", "switzerland"),
    ("CL", "chile"),
    ("CN", "china"),
    ("CO", "colombia"),
    ("CZ", "czech republic"),
    ("DE", "germany"),
    ("DK", "denmark"),
    ("EG", "egypt"),
    ("ES", "spain"),
    ("FI", "finland"),
    ("FR", "france"),
    ("GB", "united kingdom"),
    ("GR", "greece"),
    ("HU", "hungary"),
    ("ID", "indonesia"),
    ("IE", "ireland"),
    ("IL", "israel"),
    ("IN", "india"),
    ("IT", "italy"),
    ("JP", "japan"),
    ("KR", "south korea"),
    ("MX", "mexico"),
    ("MY", "malaysia"),
    ("NL", "netherlands"),
    ("NO", "norway"),
    ("NZ", "new zealand"),
    ("PE", "peru"),
    ("PH", "philippines"),
    ("PL", "poland"),
    ("PT", "portugal"),
    ("RO", "romania"),
    ("RU", "russia"),
    ("SA", "saudi arabia"),
    ("SE", "sweden"),
    ("SG", "singapore"),
    ("TH", "thailand"),
    ("TR", "turkey"),
    ("TW", "taiwan"),
    ("UA", "ukraine"),
    ("US", "united states"),
    ("VN", "vietnam"),
    ("ZA", "south africa"),
];

pub(super) struct Tavily(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct Hit {
    url: String,
    title: Option<String>,
    content: Option<String>,
    published_date: Option<String>,
    favicon: Option<String>,
}

#[async_trait]
impl SearchEngine for Tavily {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let key = self.0.key("Bearer ")?;
        let request = http
            .post(self.0.url("search"))
            .header(AUTHORIZATION, key)
            .json(&body(query));
        let answer = http.send(engine, request).await?;
        match answer.status {
            200 => {}
            // The plan's limit, and the limit set for paying by use.
            432 | 433 => {
                return Err(SearchError::QuotaExceeded {
                    engine: (*engine).into(),
                });
            }
            _ => return Err(http.refusal(engine, &answer)),
        }
        let found: Found = read(engine, &answer.body)?;
        let hits = items(found.results).map(|hit: Hit| SearchHit {
            title: from_text(&hit.title.unwrap_or_default()),
            url: hit.url,
            snippet: from_text(&hit.content.unwrap_or_default()),
            favicon: hit.favicon,
            published_at: hit.published_date.and_then(|date| published(&date, http.now())),
        });
        collect(engine, query, hits)
    }
}

fn body(query: &SearchQuery) -> Value {
    let mut body = json!({
        "query": shortened(&query.text, QUERY_CHARACTERS, usize::MAX),
        "topic": "general",
        "search_depth": "basic",
        "max_results": query.limit.clamp(1, 20),
        "include_favicon": true,
    });
    let region = Locale::of(query).and_then(|locale| locale.region);
    if let Some((_, country)) = COUNTRIES.iter().find(|(code, _)| region.as_deref() == Some(code)) {
        body["country"] = json!(country);
    }
    if let Some(range) = query.time_range {
        body["time_range"] = json!(match range {
            TimeRange::Day => "day",
            TimeRange::Week => "week",
            TimeRange::Month => "month",
            TimeRange::Year => "year",
        });
    }
    body
}
