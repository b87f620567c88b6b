//! Engines that do what a test tells them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults};

/// What an engine does when it is asked; `engine` becomes its id.
pub(crate) enum Act {
    Find,
    FindNothing,
    Captcha,
    KeyMissing,
    KeyRefused,
    Limited(Option<Duration>),
    Status(u16),
    Offline,
    /// Finds, after this long.
    Late(Duration),
    Hang,
}

pub(crate) struct Scripted {
    id: &'static str,
    acts: Mutex<VecDeque<Act>>,
    asked: AtomicUsize,
}

impl Scripted {
    /// An engine that does these acts one after the other, and then the last one for ever.
    pub(crate) fn new(id: &'static str, acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        Arc::new(Self {
            id,
            acts: Mutex::new(acts.into_iter().collect()),
            asked: AtomicUsize::new(0),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn act(&self) -> Act {
        let mut acts = self.acts.lock().unwrap();
        let act = acts.pop_front().expect("a script has an act");
        if acts.is_empty() {
            acts.push_back(match &act {
                Act::Find => Act::Find,
                Act::FindNothing => Act::FindNothing,
                Act::Captcha => Act::Captcha,
                Act::KeyMissing => Act::KeyMissing,
                Act::KeyRefused => Act::KeyRefused,
                Act::Limited(after) => Act::Limited(*after),
                Act::Status(status) => Act::Status(*status),
                Act::Offline => Act::Offline,
                Act::Late(late) => Act::Late(*late),
                Act::Hang => Act::Hang,
            });
        }
        act
    }

    fn results(&self, query: &SearchQuery) -> SearchResults {
        SearchResults {
            engine: self.id.into(),
            query: query.text.clone(),
            hits: vec![SearchHit {
                title: format!("{} knows", self.id),
                url: format!("https://{}.example/", self.id),
                snippet: String::new(),
                favicon: None,
                published_at: None,
            }],
        }
    }
}

#[async_trait]
impl SearchEngine for Scripted {
    fn id(&self) -> &str {
        self.id
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let engine = self.id.to_owned();
        match self.act() {
            Act::Find => Ok(self.results(query)),
            Act::FindNothing => Err(SearchError::NoResults { engine }),
            Act::Captcha => Err(SearchError::Captcha { engine }),
            Act::KeyMissing => Err(SearchError::KeyMissing { engine }),
            Act::KeyRefused => Err(SearchError::KeyRefused { engine }),
            Act::Limited(retry_after) => Err(SearchError::RateLimited { engine, retry_after }),
            Act::Status(status) => Err(SearchError::Status { engine, status }),
            Act::Offline => Err(SearchError::Unreachable {
                engine,
                source: "no route to host".into(),
            }),
            Act::Late(late) => {
                tokio::time::sleep(late).await;
                Ok(self.results(query))
            }
            Act::Hang => std::future::pending().await,
        }
    }
}
