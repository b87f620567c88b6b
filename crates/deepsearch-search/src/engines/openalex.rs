//! OpenAlex: papers of all fields, with year, DOI and abstract. Works without a key; one raises the daily allowance.

use std::collections::BTreeMap;

use async_trait::async_trait;
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;

use super::{Endpoint, days, shortened};
use crate::hits::{collect, from_text, published};
use crate::http::{items, json};

const QUERY_CHARACTERS: usize = 300;
/// Words of an abstract; a longer one is no abstract.
const ABSTRACT_WORDS: usize = 1_000;

pub(super) struct OpenAlex(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct Work {
    doi: Option<String>,
    display_name: Option<String>,
    publication_year: Option<i32>,
    publication_date: Option<String>,
    primary_location: Option<Location>,
    best_oa_location: Option<Location>,
    #[serde(default)]
    authorships: Vec<Authorship>,
    abstract_inverted_index: Option<BTreeMap<String, Vec<usize>>>,
}

#[derive(Deserialize)]
struct Location {
    landing_page_url: Option<String>,
    pdf_url: Option<String>,
    source: Option<Venue>,
}

#[derive(Deserialize)]
struct Venue {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Authorship {
    author: Author,
}

#[derive(Deserialize)]
struct Author {
    display_name: Option<String>,
}

#[async_trait]
impl SearchEngine for OpenAlex {
    fn id(&self) -> &str {
        self.0.engine
    }

    fn kind(&self) -> deepsearch_core::EngineKind {
        deepsearch_core::EngineKind::Academic
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, key, .. } = &self.0;
        let mut url = self.0.url("works");
        // Commas and colons part its filters; in a search they are only in the way.
        let text = query.text.replace([',', ':', '|', '!', '"'], " ");
        url.query_pairs_mut()
            .append_pair("search", &shortened(&text, QUERY_CHARACTERS, usize::MAX))
            .append_pair("per-page", &query.limit.clamp(1, 50).to_string())
            .append_pair(
                "select",
                "doi,display_name,publication_year,publication_date,primary_location,best_oa_location,authorships,abstract_inverted_index",
            );
        if let Some(range) = query.time_range {
            let since = (http.now() - days(range)).format("%Y-%m-%d");
            url.query_pairs_mut()
                .append_pair("filter", &format!("from_publication_date:{since}"));
        }
        if let Some(key) = key {
            url.query_pairs_mut().append_pair("api_key", key.expose_secret().trim());
        }
        let answer = http.send(engine, http.get(url)).await?;
        if answer.status != 200 {
            return Err(http.refusal(engine, &answer));
        }
        let found: Found = json(engine, &answer.body)?;
        collect(
            engine,
            query,
            items(found.results).filter_map(|work| hit(work, http.now())),
        )
    }
}

fn hit(work: Work, now: chrono::DateTime<chrono::Utc>) -> Option<SearchHit> {
    let title = from_text(work.display_name.as_deref()?);
    let open = work.best_oa_location.as_ref();
    let primary = work.primary_location.as_ref();
    // A page that anybody can read goes before the publisher's, and a page before a PDF of it.
    let readable = open.and_then(|place| place.landing_page_url.clone().or_else(|| place.pdf_url.clone()));
    let url = readable
        .or_else(|| work.doi.clone())
        .or_else(|| primary.and_then(|place| place.landing_page_url.clone()))?;
    let authors: Vec<&str> = work
        .authorships
        .iter()
        .filter_map(|authorship| authorship.author.display_name.as_deref())
        .collect();
    let venue = primary.and_then(|place| place.source.as_ref()?.display_name.as_deref());
    Some(SearchHit {
        title: titled(&title, work.publication_year),
        url,
        snippet: about(
            &authors,
            venue,
            work.doi.as_deref(),
            &abstract_of(work.abstract_inverted_index),
        ),
        favicon: None,
        published_at: work.publication_date.as_deref().and_then(|date| published(date, now)),
    })
}

/// A paper's title and its year.
pub(super) fn titled(title: &str, year: Option<i32>) -> String {
    year.map_or_else(|| title.to_owned(), |year| format!("{title} ({year})"))
}

/// Who wrote a paper, where it stands, and what it says of itself.
pub(super) fn about(authors: &[&str], venue: Option<&str>, doi: Option<&str>, said: &str) -> String {
    let mut parts = Vec::new();
    match authors {
        [] => {}
        [one] => parts.push((*one).to_owned()),
        [first, second] => parts.push(format!("{first}, {second}")),
        [first, ..] => parts.push(format!("{first} et al.")),
    }
    parts.extend(venue.map(str::to_owned));
    let doi = doi.map(|doi| doi.trim_start_matches("https://doi.org/"));
    parts.extend(doi.map(|doi| format!("doi:{doi}")));
    let head = parts.join(" · ");
    match (head.is_empty(), said.is_empty()) {
        (_, true) => head,
        (true, _) => said.to_owned(),
        _ => format!("{head}. {said}"),
    }
}

/// Abstracts come as a list of words with their places.
fn abstract_of(index: Option<BTreeMap<String, Vec<usize>>>) -> String {
    let mut words: Vec<(usize, String)> = Vec::new();
    for (word, places) in index.into_iter().flatten() {
        words.extend(places.into_iter().map(|place| (place, word.clone())));
        if words.len() > 4 * ABSTRACT_WORDS {
            return String::new();
        }
    }
    words.sort();
    words.truncate(ABSTRACT_WORDS);
    let words: Vec<String> = words.into_iter().map(|(_, word)| word).collect();
    from_text(&words.join(" "))
}
