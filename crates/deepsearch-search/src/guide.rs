//! The built-in user guide: searched and read like the web, with no network.
//!
//! Its topics are the Markdown files of `guide/`, part of the program. What the guide has nothing about it says so,
//! rather than offering its nearest page; whoever asks in the guide alone may want that one, and is told what it is.

mod index;
mod topic;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use deepsearch_core::text::sentences;
use deepsearch_core::{
    Clock, EngineKind, FetchError, MediaType, Page, PageFetcher, PageId, SearchEngine, SearchError, SearchHit,
    SearchQuery, SearchResults,
};
use url::Url;

use index::Index;
use topic::Topic;

/// The scheme of the guide's addresses: `guide:searxng`.
pub const SCHEME: &str = "guide";
const ID: &str = "guide";
const SNIPPET_LIMIT: usize = 300;
/// How many topics are offered to a question that none is about.
const NEAREST: usize = 3;

/// File name without its ending, and text, of every topic.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/topics.rs"));

/// The guide as a search engine and as a reader of its own pages.
pub struct Guide {
    topics: Vec<Topic>,
    index: Index,
    clock: Arc<dyn Clock>,
}

impl Guide {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let topics: Vec<_> = FILES.iter().map(|(id, markdown)| Topic::read(id, markdown)).collect();
        Self {
            index: Index::over(&topics),
            topics,
            clock,
        }
    }

    /// The topics that come nearest to a question which none is about, each called that.
    pub fn nearest(&self, query: &SearchQuery) -> Vec<SearchHit> {
        let found = self.index.nearest(&query.text).into_iter().take(NEAREST);
        found
            .map(|found| SearchHit {
                title: format!("Nearest topic: {}", self.topics[found.topic].title),
                ..self.hit(found)
            })
            .collect()
    }

    fn hit(&self, found: index::Found) -> SearchHit {
        let topic = &self.topics[found.topic];
        let section = &topic.sections[found.section];
        SearchHit {
            title: topic.title.clone(),
            url: format!("{SCHEME}:{}", topic.id),
            snippet: section
                .text
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .take(SNIPPET_LIMIT)
                .collect(),
            favicon: None,
            published_at: None,
        }
    }

    /// Id and title of every topic, by id.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &str)> {
        self.topics
            .iter()
            .map(|topic| (topic.id.as_str(), topic.title.as_str()))
    }
}

#[async_trait]
impl SearchEngine for Guide {
    fn id(&self) -> &str {
        ID
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Guide
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let hits: Vec<_> = self
            .index
            .search(&query.text)
            .into_iter()
            .take(query.limit.max(1))
            .map(|found| self.hit(found))
            .collect();
        if hits.is_empty() {
            return Err(SearchError::NoResults { engine: ID.into() });
        }
        Ok(SearchResults {
            engine: ID.into(),
            query: query.text.clone(),
            hits,
        })
    }
}

#[async_trait]
impl PageFetcher for Guide {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        if url.scheme() != SCHEME {
            return Err(FetchError::Refused {
                url: url.clone(),
                reason: "it is no topic of the guide".into(),
            });
        }
        let topic = self.topics.iter().find(|topic| topic.id == url.path());
        let topic = topic.ok_or_else(|| FetchError::Unknown { url: url.clone() })?;
        let mut url = url.clone();
        url.set_fragment(None);
        url.set_query(None);
        let text = topic.text();
        Ok(Page {
            id: PageId::new(),
            url,
            title: topic.title.clone(),
            author: None,
            site_name: Some("DeepSearch guide".into()),
            published_at: None,
            favicon: None,
            picture: None,
            language: Some("en".into()),
            media_type: MediaType::Text,
            sentences: sentences(&text),
            html: Some(topic.html.clone()),
            fetched_at: self.clock.now(),
            content_hash: deepsearch_core::page::content_hash(&text),
            text,
        })
    }
}
