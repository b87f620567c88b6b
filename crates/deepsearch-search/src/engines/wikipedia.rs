//! Wikipedia: no key, and in the language of the question.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults};
use reqwest::header::USER_AGENT;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Endpoint, days, shortened};
use crate::hits::{collect, from_html, published};
use crate::http::{Answer, items, json, unreadable};
use crate::locale::Locale;

/// Wikimedia asks programs for a name of their own, and turns away those that pass for browsers.
const NAME: &str = concat!(
    "DeepSearch/",
    env!("CARGO_PKG_VERSION"),
    " (a person's own search app; reqwest)"
);
const QUERY_CHARACTERS: usize = 300;

pub(super) struct Wikipedia(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    query: Option<Pages>,
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct Pages {
    search: Vec<Value>,
}

#[derive(Deserialize)]
struct ApiError {
    code: String,
}

#[derive(Deserialize)]
struct Article {
    title: String,
    #[serde(default)]
    snippet: String,
    timestamp: Option<String>,
}

#[async_trait]
impl SearchEngine for Wikipedia {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let wiki = self.wiki(query);
        let request = http.get(search_url(&wiki, query)).header(USER_AGENT, NAME);
        let answer = http.send(engine, request).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let found: Found = json(engine, &answer.body)?;
        let pages = match (found.query, found.error) {
            (Some(pages), _) => pages.search,
            (None, Some(error)) => return Err(self.api_error(&error.code, &answer)),
            (None, None) => return Err(unreadable(engine, "neither results nor an error")),
        };
        let since = query.time_range.map(|range| http.now() - days(range));
        let is_recent = |article: &Article| since.is_none_or(|since| edited(article, http.now()) >= Some(since));
        let hits = items(pages).filter(is_recent).map(|article| hit(&wiki, article));
        collect(engine, query, hits)
    }
}

impl Wikipedia {
    /// The wiki in the question's language, or the one at the address that was set.
    fn wiki(&self, query: &SearchQuery) -> Url {
        let base = self.0.base.clone();
        if self.0.has_own_address {
            base
        } else {
            in_language(base, query)
        }
    }

    fn refusal(&self, answer: &Answer) -> SearchError {
        match self.0.http.refusal(self.0.engine, answer) {
            // There is no key to refuse: we ourselves are.
            SearchError::KeyRefused { engine } => SearchError::Status {
                engine,
                status: answer.status,
            },
            refusal => refusal,
        }
    }

    /// MediaWiki reports errors with status 200.
    fn api_error(&self, code: &str, answer: &Answer) -> SearchError {
        if matches!(code, "ratelimited" | "maxlag" | "cirrussearch-too-busy-error") {
            return SearchError::RateLimited {
                engine: self.0.engine.into(),
                retry_after: self.0.http.retry_after(&answer.headers),
            };
        }
        unreadable(self.0.engine, &format!("error `{code}`"))
    }
}

fn in_language(mut wiki: Url, query: &SearchQuery) -> Url {
    if let Some(locale) = Locale::of(query) {
        let language = match locale.language.as_str() {
            "nb" => "no",
            language => language,
        };
        // Two or three letters always make a host.
        let _ = wiki.set_host(Some(&format!("{language}.wikipedia.org")));
    }
    wiki
}

fn search_url(wiki: &Url, query: &SearchQuery) -> Url {
    let mut url = below(wiki, "w/api.php");
    // Recency is judged here, so more must come than are wanted. A `?` would be taken for a wildcard.
    let limit = if query.time_range.is_some() {
        50
    } else {
        query.limit.clamp(1, 50)
    };
    let text = shortened(&query.text.replace('?', " "), QUERY_CHARACTERS, usize::MAX);
    url.query_pairs_mut()
        .append_pair("action", "query")
        .append_pair("list", "search")
        .append_pair("format", "json")
        .append_pair("formatversion", "2")
        .append_pair("srprop", "snippet|timestamp")
        .append_pair("srlimit", &limit.to_string())
        .append_pair("srsearch", &text);
    url
}

fn hit(wiki: &Url, article: Article) -> SearchHit {
    let mut url = below(wiki, "wiki");
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(article.title.replace(' ', "_").split('/'));
    }
    SearchHit {
        title: article.title,
        url: url.into(),
        snippet: from_html(&article.snippet),
        favicon: None,
        // The timestamp is that of the last edit, be it of a comma: no date of publication.
        published_at: None,
    }
}

fn below(wiki: &Url, path: &str) -> Url {
    let mut url = wiki.clone();
    url.set_path(&format!("{}/{path}", wiki.path().trim_end_matches('/')));
    url
}

fn edited(article: &Article, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    published(article.timestamp.as_deref()?, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wiki_is_the_one_in_the_language_of_the_question() {
        let host = |locale: Option<&str>| {
            let query = SearchQuery {
                text: "x".into(),
                locale: locale.map(Into::into),
                time_range: None,
                limit: 1,
            };
            in_language(Url::parse("https://en.wikipedia.org").unwrap(), &query)
                .host_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(host(None), "en.wikipedia.org");
        assert_eq!(host(Some("de-CH")), "de.wikipedia.org");
        assert_eq!(host(Some("nb-NO")), "no.wikipedia.org");
        assert_eq!(host(Some("evil.example/")), "en.wikipedia.org");
    }
}
