//! Reading and searching by themselves, and what there is to do it with: pages, engines, models.

use std::sync::Arc;

use deepsearch_core::{
    EngineKind, Failure, ModelInfo, Page, PageId, SearchError, SearchOutcome, SearchQuery, SystemClock,
};
use deepsearch_crawl::{ParserOptions, Reader};
use deepsearch_llm::ProviderStatus;
use deepsearch_search::{ENGINES, EngineHealth, EngineState};
use futures::future::join_all;
use serde::Serialize;
use url::Url;

use crate::app::{App, Lacks, SPECIAL, engines_of, is_enabled, ready_engines};
use crate::error::AppError;

/// A search engine as a person sees it.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct EngineStatus {
    pub name: &'static str,
    /// What it is asked for: the whole web, or one kind of page.
    pub kind: EngineKind,
    /// Whether it is asked as things are set. Where it is not, although it is on and needs nothing, private mode holds it
    /// back, or it was left out of `engines.order`.
    pub used: bool,
    /// Whether the person has it on.
    pub enabled: bool,
    /// It works only with a key, and has none.
    pub lacks_key: bool,
    /// It has no address of its own, and none is set.
    pub lacks_url: bool,
    #[serde(flatten)]
    pub health: EngineHealth,
    /// Where a key is to be had.
    pub key_url: Option<&'static str>,
    /// Cannot be asked without a key.
    pub needs_key: bool,
    /// Cannot be asked without an address of the person's own.
    pub needs_url: bool,
    /// Private mode holds it back.
    pub held_back: bool,
}

/// Reads pages that are there already. Needs neither the store nor the network.
pub struct PageReader(Reader);

impl PageReader {
    pub fn new() -> Self {
        Self(Reader::new(ParserOptions::default(), Arc::new(SystemClock)))
    }

    /// The readable page in some HTML, PDF or text.
    ///
    /// # Errors
    /// [`AppError::Fetch`].
    pub async fn read(&self, bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<Page, AppError> {
        Ok(self.0.parse(bytes, content_type, url).await?)
    }
}

impl Default for PageReader {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// Reads one page: of the web, the guide, a past answer or a saved one.
    ///
    /// # Errors
    /// [`AppError::Fetch`].
    pub async fn read(&self, url: &Url) -> Result<Page, AppError> {
        Ok(self.wired().fetcher.fetch(url).await?)
    }

    /// A page as it was saved.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a page that is not there.
    pub async fn saved_page(&self, id: &PageId) -> Result<Page, AppError> {
        let unknown = || AppError::Unknown {
            what: "saved page",
            id: id.to_string(),
        };
        self.store().lookup_page(id).await?.ok_or_else(unknown)
    }

    /// The icon of a page's site as a `data:` address, from what was kept when the site was read: this asks nobody.
    /// `None` where it has none that is an ordinary picture.
    pub async fn favicon(&self, page: &str) -> Option<String> {
        self.inner.favicons.get(&Url::parse(page).ok()?).await
    }

    /// The readable page in some HTML, PDF or text that is there already.
    ///
    /// # Errors
    /// [`AppError::Fetch`].
    pub async fn read_bytes(&self, bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<Page, AppError> {
        Ok(self.wired().crawler.reader().parse(bytes, content_type, url).await?)
    }

    /// Searches with one engine, or with all that are ready in their order.
    ///
    /// # Errors
    /// [`AppError::Search`] when a named engine fails, [`AppError::UnknownEngine`] when there is none of that name,
    /// [`AppError::HeldBack`] in private mode. Without a name, the outcome tells.
    pub async fn search(&self, engine: Option<&str>, query: &SearchQuery) -> Result<SearchOutcome, AppError> {
        let wired = self.wired();
        match engine {
            None if wired.settings.is_private() => Err(AppError::HeldBack),
            None => {
                let outcome = wired.asked_web.search(query).await;
                self.keep_health(&wired).await;
                Ok(outcome)
            }
            Some("guide") => Ok(wired.whole_guide.search(query).await),
            Some("files") => Ok(wired.files.search(query).await),
            Some("chats") => Ok(wired.chats.search(query).await),
            Some(id) => {
                let engine = wired
                    .engine(id)
                    .ok_or_else(|| AppError::UnknownEngine { id: id.to_owned() })?;
                let results = tokio::time::timeout(ONE_ENGINE, engine.search(query)).await;
                let timed_out = |_| SearchError::TimedOut {
                    engine: id.to_owned(),
                    limit: ONE_ENGINE,
                };
                let results = results.map_err(timed_out)??;
                Ok(SearchOutcome {
                    results: vec![results],
                    ..SearchOutcome::default()
                })
            }
        }
    }

    /// Every engine with its state, those in use first, in the order they are asked.
    pub fn engines(&self) -> Vec<EngineStatus> {
        let wired = self.wired();
        let special = SPECIAL.into_iter().flat_map(|kind| engines_of(kind, &wired.settings));
        let used: Vec<&str> = ready_engines(&wired.settings)
            .chain(special)
            .map(|info| info.id)
            .collect();
        let known: Vec<EngineHealth> = wired.web.health().into_iter().chain(wired.special_health()).collect();
        let mut engines: Vec<EngineStatus> = ENGINES
            .iter()
            .map(|info| {
                let health = known.iter().find(|health| health.engine == info.id).cloned();
                let lacks = Lacks::of(info, &wired.settings);
                let state = if lacks.key {
                    EngineState::NoKey
                } else {
                    EngineState::Ready
                };
                EngineStatus {
                    name: info.name,
                    kind: info.kind,
                    used: used.contains(&info.id),
                    enabled: is_enabled(info, &wired.settings),
                    lacks_key: lacks.key,
                    lacks_url: lacks.url,
                    health: health.unwrap_or_else(|| EngineHealth::unknown(info.id, state)),
                    key_url: info.key_url,
                    needs_key: info.needs_key,
                    needs_url: info.needs_url,
                    held_back: wired.settings.is_private(),
                }
            })
            .collect();
        engines.sort_by_key(|engine| {
            used.iter()
                .position(|id| *id == engine.health.engine)
                .unwrap_or(usize::MAX)
        });
        engines
    }

    /// Asks every engine in use one harmless question, side by side.
    pub async fn try_engines(&self) -> Vec<(String, Result<usize, Failure>)> {
        let query = SearchQuery {
            text: "Rust programming language".into(),
            locale: None,
            time_range: None,
            limit: 3,
        };
        let query = &query;
        let engines = self
            .engines()
            .into_iter()
            .filter(|engine| engine.used)
            .map(|engine| engine.health.engine);
        let tried = engines.map(|id| async move {
            let found = self.search(Some(&id), query).await;
            let count = found.map(|outcome| outcome.results.iter().map(|results| results.hits.len()).sum());
            (id, count.map_err(|error| Failure::from(&error)))
        });
        join_all(tried).await
    }

    /// Every provider of models as it is set, those that are switched off included.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        self.wired().models.providers()
    }

    /// The models that can be used now.
    pub async fn models(&self) -> Vec<ModelInfo> {
        self.wired().models.list().await
    }

    /// The model that answers when none is named.
    ///
    /// # Errors
    /// [`AppError::Model`] when the one that was chosen cannot be used.
    pub async fn default_model(&self) -> Result<ModelInfo, AppError> {
        Ok(self.wired().models.default().await?.info().clone())
    }
}

const ONE_ENGINE: std::time::Duration = std::time::Duration::from_secs(15);
