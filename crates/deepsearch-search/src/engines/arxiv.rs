//! arXiv: papers that anybody can read, mostly of physics, mathematics and computer science. No key; an Atom feed.

use async_trait::async_trait;
use deepsearch_core::{EngineKind, SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::openalex::{about, titled};
use super::{Endpoint, days, shortened};
use crate::hits::{collect, from_html, published};
use crate::http::unreadable;

const QUERY_CHARACTERS: usize = 300;
const WORDS: usize = 12;

pub(super) struct Arxiv(pub(super) Endpoint);

#[derive(Debug, Default)]
struct Entry {
    id: String,
    title: String,
    summary: String,
    published: String,
    doi: Option<String>,
    authors: Vec<String>,
}

#[async_trait]
impl SearchEngine for Arxiv {
    fn id(&self) -> &str {
        self.0.engine
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Academic
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let mut url = self.0.url("api/query");
        let Some(mut asked) = expression(&query.text) else {
            return Err(SearchError::NoResults {
                engine: (*engine).into(),
            });
        };
        if let Some(range) = query.time_range {
            let (since, now) = (http.now() - days(range), http.now());
            asked = format!(
                "({asked}) AND submittedDate:[{} TO {}]",
                since.format("%Y%m%d%H%M"),
                now.format("%Y%m%d%H%M")
            );
        }
        url.query_pairs_mut()
            .append_pair("search_query", &asked)
            .append_pair("start", "0")
            .append_pair("max_results", &query.limit.clamp(1, 50).to_string())
            .append_pair("sortBy", "relevance");
        let answer = http.send(engine, http.get(url)).await?;
        if answer.status != 200 {
            return Err(http.refusal(engine, &answer));
        }
        let entries = entries(&answer.body).map_err(|error| unreadable(engine, &error.to_string()))?;
        // A query that it does not take comes back as an entry of its own.
        if let Some(error) = entries.iter().find(|entry| entry.id.contains("/api/errors")) {
            return Err(unreadable(engine, error.summary.trim()));
        }
        let now = http.now();
        collect(engine, query, entries.into_iter().map(|entry| hit(entry, now)))
    }
}

/// Every word somewhere in the paper; its fields and operators are not the person's to write.
fn expression(question: &str) -> Option<String> {
    let text = shortened(question, QUERY_CHARACTERS, usize::MAX);
    let content = |word: &&str| !deepsearch_core::text::is_stop_word(&deepsearch_core::text::fold(word));
    let words: Vec<String> = deepsearch_core::text::words(&text)
        .map(|(_, word)| word)
        .filter(content)
        .take(WORDS)
        .map(|word| format!("all:{word}"))
        .collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

fn entries(feed: &str) -> Result<Vec<Entry>, quick_xml::Error> {
    let mut reader = Reader::from_str(feed);
    let (mut entries, mut entry, mut text) = (Vec::new(), None::<Entry>, String::new());
    let mut is_whole = false;
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                if tag.local_name().as_ref() == "entry" {
                    entry = Some(Entry::default());
                }
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(name) => text.push_str(&format!("&{};", &*name)),
            Event::End(tag) => {
                // Text of a feed may hold HTML's entities, and markup that was escaped.
                let said = from_html(&text);
                match (tag.local_name().as_ref(), &mut entry) {
                    ("id", Some(entry)) => entry.id = said,
                    ("title", Some(entry)) => entry.title = said,
                    ("summary", Some(entry)) => entry.summary = said,
                    ("published", Some(entry)) => entry.published = said,
                    ("doi", Some(entry)) => entry.doi = Some(said),
                    ("name", Some(entry)) => entry.authors.push(said),
                    ("feed", None) => is_whole = true,
                    ("entry", _) => entries.extend(entry.take()),
                    _ => {}
                }
                text.clear();
            }
            Event::Eof if is_whole => return Ok(entries),
            Event::Eof => {
                return Err(quick_xml::Error::Io(std::sync::Arc::new(std::io::Error::other(
                    "it is no whole feed",
                ))));
            }
            _ => {}
        }
    }
}

fn hit(entry: Entry, now: chrono::DateTime<chrono::Utc>) -> SearchHit {
    let date = published(&entry.published, now);
    let year = entry.published.get(..4).and_then(|year| year.parse().ok());
    let authors: Vec<&str> = entry.authors.iter().map(String::as_str).collect();
    // Each paper there has a DOI of its own, beside the journal's that it may have.
    let id = entry
        .id
        .rsplit_once("/abs/")
        .map(|(_, id)| id.split('v').next().unwrap_or(id));
    let doi = entry
        .doi
        .clone()
        .or_else(|| id.map(|id| format!("10.48550/arXiv.{id}")));
    SearchHit {
        title: titled(&entry.title, year),
        snippet: about(&authors, Some("arXiv"), doi.as_deref(), &entry.summary),
        url: entry.id.replacen("http://", "https://", 1),
        favicon: None,
        published_at: date,
    }
}
