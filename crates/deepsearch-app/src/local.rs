//! What this machine knows: past chats with their saved pages as an engine, and readers that need no network.

use std::sync::Arc;

use async_trait::async_trait;
use deepsearch_core::text::{fold, is_stop_word, sentences, words};
use deepsearch_core::{
    Attempt, EngineKind, FetchError, MediaType, Message, MessageId, Page, PageFetcher, PageId, SearchEngine,
    SearchError, SearchHit, SearchOutcome, SearchQuery, SearchResults, Searcher,
};
use deepsearch_crawl::Crawler;
use deepsearch_files::Files;
use deepsearch_search::Guide;
use deepsearch_sqlite::{HistoryQuery, Store};
use url::Url;

use crate::favicons::Favicons;

/// One engine as a searcher: nothing to fail over to, nothing to cache.
pub(crate) struct Alone<E>(pub(crate) Arc<E>);

#[async_trait]
impl<E: SearchEngine> Searcher for Alone<E> {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        match self.0.search(query).await {
            Ok(results) => SearchOutcome {
                results: vec![results],
                ..SearchOutcome::default()
            },
            // That a local source knows nothing of a question is not worth telling.
            Err(SearchError::NoResults { .. }) => SearchOutcome::default(),
            Err(error) => {
                let attempt = Attempt {
                    engine: self.0.id().to_owned(),
                    error,
                };
                SearchOutcome {
                    attempts: vec![attempt],
                    ..SearchOutcome::default()
                }
            }
        }
    }
}

/// The guide for who asks in it: where it has no topic about the question, the nearest ones, said to be only that.
pub(crate) struct WholeGuide(pub(crate) Arc<Guide>);

#[async_trait]
impl Searcher for WholeGuide {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        let error = match self.0.search(query).await {
            Ok(results) => {
                return SearchOutcome {
                    results: vec![results],
                    ..SearchOutcome::default()
                };
            }
            Err(error) => error,
        };
        let nearest = SearchResults {
            engine: NEAREST.into(),
            query: query.text.clone(),
            hits: self.0.nearest(query),
        };
        let attempt = Attempt {
            engine: self.0.id().to_owned(),
            error,
        };
        SearchOutcome {
            results: (!nearest.hits.is_empty()).then_some(nearest).into_iter().collect(),
            attempts: vec![attempt],
            ..SearchOutcome::default()
        }
    }
}

/// What the guide's nearest topics are told under.
const NEAREST: &str = "guide (nearest topics)";

/// The scheme of past answers: `chat:CHAT_ID/MESSAGE_ID`.
const CHAT: &str = "chat";
/// The scheme of saved pages, so that they are read from the store and not from the web: `page:PAGE_ID`.
const PAGE: &str = "page";

/// Past chats and the pages saved with them.
pub(crate) struct PastChats {
    store: Store,
}

impl PastChats {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    async fn read(&self, url: &Url) -> Option<Page> {
        match url.scheme() {
            PAGE => self
                .store
                .lookup_page(&PageId::from_stored(url.path()))
                .await
                .ok()
                .flatten(),
            CHAT => {
                let id = MessageId::from_stored(url.path().rsplit('/').next()?);
                let message = self.store.lookup_message(&id).await.ok().flatten()?;
                let chat = self.store.lookup_chat(&message.chat_id).await.ok().flatten()?;
                Some(as_page(url, chat.title, message))
            }
            _ => None,
        }
    }
}

#[async_trait]
impl SearchEngine for PastChats {
    fn id(&self) -> &str {
        "chats"
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Chats
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let engine = || self.id().to_owned();
        let limit = query.limit.clamp(1, 50) as u32;
        let asked = HistoryQuery {
            text: subject(&query.text),
            limit,
            ..HistoryQuery::default()
        };
        let found = self.store.search_history(&asked).await;
        let found = found.map_err(|error| SearchError::Unreadable {
            engine: engine(),
            detail: error.to_string(),
        })?;
        let hits: Vec<SearchHit> = found.hits.into_iter().filter_map(as_hit).collect();
        if hits.is_empty() {
            return Err(SearchError::NoResults { engine: engine() });
        }
        Ok(SearchResults {
            engine: engine(),
            query: query.text.clone(),
            hits,
        })
    }
}

/// The words of a question that say what it is about; the search of past chats looks for every word.
fn subject(question: &str) -> String {
    let told: Vec<&str> = words(question)
        .map(|(_, word)| word)
        .filter(|word| !is_stop_word(&fold(word)))
        .collect();
    if told.is_empty() {
        question.to_owned()
    } else {
        told.join(" ")
    }
}

/// Answers and saved pages are evidence; what a person once asked is none.
fn as_hit(hit: deepsearch_sqlite::HistoryHit) -> Option<SearchHit> {
    use deepsearch_sqlite::HitKind::{Answer, Chat, Page, Question};
    let (url, title) = match hit.kind {
        Answer => (format!("{CHAT}:{}/{}", hit.chat_id, hit.message_id?), hit.chat_title),
        Page => (format!("{PAGE}:{}", hit.page_id?), hit.title.unwrap_or(hit.chat_title)),
        Question | Chat => return None,
    };
    Some(SearchHit {
        title,
        url,
        snippet: hit.snippet,
        favicon: None,
        published_at: Some(hit.when),
    })
}

fn as_page(url: &Url, title: String, message: Message) -> Page {
    Page {
        id: PageId::new(),
        url: url.clone(),
        title,
        author: None,
        site_name: None,
        published_at: Some(message.created_at),
        favicon: None,
        picture: None,
        language: None,
        media_type: MediaType::Text,
        sentences: sentences(&message.content),
        html: None,
        fetched_at: message.created_at,
        content_hash: deepsearch_core::page::content_hash(&message.content),
        text: message.content,
    }
}

/// Reads each address where it lives: the guide, the store, the web.
pub(crate) struct LocalFirst {
    pub(crate) guide: Arc<Guide>,
    pub(crate) chats: Arc<PastChats>,
    pub(crate) files: Arc<Files>,
    pub(crate) web: Arc<Crawler>,
    pub(crate) favicons: Arc<Favicons>,
}

#[async_trait]
impl PageFetcher for LocalFirst {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        match url.scheme() {
            deepsearch_search::guide::SCHEME => self.guide.fetch(url).await,
            deepsearch_files::SCHEME => self.files.fetch(url).await,
            CHAT | PAGE => self
                .chats
                .read(url)
                .await
                .ok_or_else(|| FetchError::Unknown { url: url.clone() }),
            _ => {
                let page = self.web.fetch(url).await?;
                self.favicons.fetch(&page, &self.web);
                Ok(page)
            }
        }
    }
}
