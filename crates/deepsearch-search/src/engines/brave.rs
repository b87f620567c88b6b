//! Brave Search: an index of its own, by a key.

use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use reqwest::header::{ACCEPT, HeaderMap};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Endpoint, shortened};
use crate::hits::{collect, from_html, published};
use crate::http::{Answer, items, json};
use crate::locale::Locale;

/// Brave refuses longer questions and unknown languages or countries, rather than doing its best.
const QUERY_CHARACTERS: usize = 400;
const QUERY_WORDS: usize = 50;
const LANGUAGES: &[&str] = &[
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fi", "fr", "gl", "gu", "he", "hi", "hr",
    "hu", "is", "it", "kn", "ko", "lt", "lv", "ml", "mr", "ms", "nb", "nl", "pa", "pl", "ro", "ru", "sk", "sl", "sr",
    "sv", "ta", "te", "th", "tr", "uk", "vi",
];
const COUNTRIES: &[&str] = &[
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HK", "ID", "IN",
    "IT", "JP", "KR", "MX", "MY", "NL", "NO", "NZ", "PH", "PL", "PT", "RU", "SA", "SE", "TR", "TW", "US", "ZA",
];

pub(super) struct Brave(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    // Absent when the web has nothing on it.
    web: Option<Web>,
}

#[derive(Deserialize)]
struct Web {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct Hit {
    url: String,
    #[serde(default)]
    title: String,
    description: Option<String>,
    page_age: Option<String>,
    meta_url: Option<MetaUrl>,
}

#[derive(Deserialize)]
struct MetaUrl {
    favicon: Option<String>,
}

#[async_trait]
impl SearchEngine for Brave {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let request = http
            .get(self.url(query))
            .header(ACCEPT, "application/json")
            .header("X-Subscription-Token", self.0.key("")?);
        let answer = http.send(engine, request).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let found: Found = json(engine, &answer.body)?;
        let results = found.web.map(|web| web.results).unwrap_or_default();
        let hits = items(results).map(|hit: Hit| SearchHit {
            title: from_html(&hit.title),
            url: hit.url,
            snippet: from_html(&hit.description.unwrap_or_default()),
            favicon: hit.meta_url.and_then(|meta| meta.favicon),
            published_at: hit.page_age.and_then(|date| published(&date, http.now())),
        });
        collect(engine, query, hits)
    }
}

impl Brave {
    fn url(&self, query: &SearchQuery) -> Url {
        let mut url = self.0.url("res/v1/web/search");
        let mut pairs = url.query_pairs_mut();
        pairs
            .append_pair("q", &shortened(&query.text, QUERY_CHARACTERS, QUERY_WORDS))
            .append_pair("count", &query.limit.clamp(1, 20).to_string())
            .append_pair("text_decorations", "false")
            .append_pair("result_filter", "web");
        if let Some(locale) = Locale::of(query) {
            let region = locale.region.as_deref().filter(|region| COUNTRIES.contains(region));
            // Without a country Brave takes the United States for granted.
            pairs.append_pair("country", region.unwrap_or("ALL"));
            if let Some(language) = language(&locale) {
                pairs.append_pair("search_lang", language);
            }
        }
        if let Some(range) = query.time_range {
            pairs.append_pair(
                "freshness",
                match range {
                    TimeRange::Day => "pd",
                    TimeRange::Week => "pw",
                    TimeRange::Month => "pm",
                    TimeRange::Year => "py",
                },
            );
        }
        drop(pairs);
        url
    }

    /// A refused key is status 422 like a malformed request, and a used-up allowance 429 like haste: the body tells.
    fn refusal(&self, answer: &Answer) -> SearchError {
        let engine = self.0.engine.to_owned();
        let body = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
        let error = if body["error"].is_object() {
            &body["error"]
        } else {
            &body["errors"][0]
        };
        let code = error["code"].as_str().unwrap_or_default();
        let is_about_the_key = code.starts_with("SUBSCRIPTION_TOKEN")
            || error["meta"]["errors"]
                .to_string()
                .to_ascii_lowercase()
                .contains("x-subscription-token");
        match answer.status {
            422 if is_about_the_key => SearchError::KeyRefused { engine },
            429 if code == "QUOTA_LIMITED" => SearchError::QuotaExceeded { engine },
            429 => {
                let asked = self.0.http.retry_after(&answer.headers);
                SearchError::RateLimited {
                    engine,
                    retry_after: asked.or_else(|| used_up_until(&answer.headers)),
                }
            }
            _ => self.0.http.refusal(self.0.engine, answer),
        }
    }
}

/// Brave counts in several windows at once (`X-RateLimit-Remaining: 0, 1999`, `X-RateLimit-Reset: 1, 86400`): when
/// the last of those that are used up starts anew.
fn used_up_until(headers: &HeaderMap) -> Option<Duration> {
    let numbers = |name: &str| -> Option<Vec<u64>> {
        let values = headers.get(name)?.to_str().ok()?;
        values.split(',').map(|number| number.trim().parse().ok()).collect()
    };
    let (remaining, reset) = (numbers("x-ratelimit-remaining")?, numbers("x-ratelimit-reset")?);
    let used_up = remaining.into_iter().zip(reset).filter(|(left, _)| *left == 0);
    used_up.map(|(_, seconds)| Duration::from_secs(seconds)).max()
}

fn language(locale: &Locale) -> Option<&str> {
    let region = locale.region.as_deref();
    Some(match (locale.language.as_str(), region) {
        ("en", Some("GB")) => "en-gb",
        ("ja", _) => "jp",
        ("no" | "nn", _) => "nb",
        ("pt", Some("BR")) => "pt-br",
        ("pt", _) => "pt-pt",
        ("zh", _) if locale.is_traditional() => "zh-hant",
        ("zh", _) => "zh-hans",
        (language, _) => return LANGUAGES.contains(&language).then_some(language),
    })
}
