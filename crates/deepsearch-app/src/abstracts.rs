//! What engines of papers and discussions say of a page, kept for the moment it is read: their sites often give programs
//! nothing, and the abstract or the post is then the page. A paper keeps its year in its title, and its DOI beside it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use deepsearch_core::page::content_hash;
use deepsearch_core::text::sentences;
use deepsearch_core::{
    Clock, FetchError, MediaType, Page, PageFetcher, PageId, SearchHit, SearchOutcome, SearchQuery, Searcher,
};
use url::Url;

/// Results that are remembered: those of the last questions.
const KEPT: usize = 500;
/// A shorter text says no more than the title.
const SHORTEST: usize = 120;

/// The last results of engines whose texts are worth reading.
#[derive(Debug)]
pub(crate) struct Abstracts {
    clock: Arc<dyn Clock>,
    hits: Mutex<VecDeque<SearchHit>>,
}

impl Abstracts {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hits: Mutex::default(),
        }
    }

    fn keep(&self, outcome: &SearchOutcome) {
        let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        for hit in outcome.results.iter().flat_map(|results| &results.hits) {
            hits.retain(|kept| kept.url != hit.url);
            hits.push_front(hit.clone());
        }
        hits.truncate(KEPT);
    }

    fn lookup(&self, url: &Url) -> Option<SearchHit> {
        let hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        hits.iter().find(|hit| hit.url == url.as_str()).cloned()
    }

    fn page(&self, url: &Url, hit: SearchHit) -> Page {
        let text = format!("{}\n{}", hit.title, hit.snippet);
        Page {
            id: PageId::new(),
            url: url.clone(),
            author: None,
            site_name: doi(&hit.snippet),
            published_at: hit.published_at,
            favicon: None,
            picture: None,
            language: None,
            media_type: MediaType::Text,
            sentences: sentences(&text),
            html: None,
            fetched_at: self.clock.now(),
            content_hash: content_hash(&text),
            title: hit.title,
            text,
        }
    }
}

/// `doi:10.1000/1`, as the engines of papers write it.
fn doi(snippet: &str) -> Option<String> {
    let word = snippet.split_whitespace().find(|word| word.starts_with("doi:10."))?;
    Some(word.trim_end_matches('.').to_owned())
}

/// A search whose results are remembered.
pub(crate) struct Remembered {
    pub(crate) searcher: Arc<dyn Searcher>,
    pub(crate) abstracts: Arc<Abstracts>,
}

#[async_trait]
impl Searcher for Remembered {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        let outcome = self.searcher.search(query).await;
        self.abstracts.keep(&outcome);
        outcome
    }
}

/// Reads a page, and where its site gives nothing, what an engine told of it.
pub(crate) struct OrAbstract {
    pub(crate) fetcher: Arc<dyn PageFetcher>,
    pub(crate) abstracts: Arc<Abstracts>,
}

#[async_trait]
impl PageFetcher for OrAbstract {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        let Some(hit) = self.abstracts.lookup(url) else {
            return self.fetcher.fetch(url).await;
        };
        match self.fetcher.fetch(url).await {
            Ok(mut page) => {
                if let Some(doi) = doi(&hit.snippet) {
                    (page.title, page.site_name) = (hit.title, Some(doi));
                    page.published_at = page.published_at.or(hit.published_at);
                }
                Ok(page)
            }
            Err(_) if hit.snippet.chars().count() >= SHORTEST => Ok(self.abstracts.page(url, hit)),
            Err(error) => Err(error),
        }
    }
}
