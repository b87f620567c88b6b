//! Searches that are counted in the shared database, where the team shares its cache.
//!
//! Counting is nobody's concern who searches: it happens afterwards, a few at a time, and what cannot be counted in time
//! is not counted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError, Errand, SearchOutcome, SearchQuery, Searcher};
use deepsearch_net::{Network, Place, Purpose, contact};
use deepsearch_postgres::{CountedSearch, SharedDatabase};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many counts are on their way at most.
const AT_ONCE: usize = 4;
/// Longest that one may take, connecting included.
const LIMIT: Duration = Duration::from_secs(10);

/// Where searches are counted.
pub(crate) struct Counter {
    database: SharedDatabase,
    place: Place,
    network: Network,
    permits: Arc<Semaphore>,
}

impl Counter {
    pub(crate) fn new(database: SharedDatabase, place: Place, network: Network) -> Self {
        Self {
            database,
            place,
            network,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    fn count(&self, search: CountedSearch) {
        // An answer that began before private mode was turned on still counts here.
        if self.network.check_place(&self.place).is_err() {
            return;
        }
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            return;
        };
        let database = self.database.clone();
        contact(
            Purpose::of(Errand::Database),
            &self.place.host,
            self.place.local,
            search.query.len() as u64,
        );
        tokio::spawn(async move {
            match timeout(LIMIT, database.add_search(&search)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a search is not counted"),
                Err(_) => tracing::debug!("a search is not counted: the shared database took too long"),
            }
            drop(permit);
        });
    }

    /// Waits for what is being counted, as quitting does.
    pub(crate) async fn flush(&self) {
        let all = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        // Each has its own end.
        let _ = self.permits.acquire_many(all).await;
    }
}

/// A searcher whose searches are counted.
pub(crate) struct Counted {
    pub(crate) searcher: Arc<dyn Searcher>,
    pub(crate) counter: Arc<Counter>,
}

#[async_trait]
impl Searcher for Counted {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        let outcome = self.searcher.search(query).await;
        self.counter.count(CountedSearch {
            query: query.text.clone(),
            cached: outcome.cached,
            answered: outcome.results.iter().map(|results| results.engine.clone()).collect(),
            failed: outcome.attempts.iter().map(|attempt| attempt.engine.clone()).collect(),
        });
        outcome
    }
}

/// A cache elsewhere that knows no ledger, and is written into it here.
pub(crate) struct NotedCache<C> {
    pub(crate) cache: C,
    pub(crate) place: Place,
}

impl<C> NotedCache<C> {
    fn note(&self, said: usize) -> deepsearch_net::Entry {
        contact(
            Purpose::new(Errand::SearchCache, "table"),
            &self.place.host,
            self.place.local,
            said as u64,
        )
    }
}

#[async_trait]
impl<C: Cache> Cache for NotedCache<C> {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        let entry = self.note(query.len());
        let found = self.cache.lookup(query).await?;
        let came = found.as_ref().map_or(0, |found| found.results.to_string().len());
        entry.received(came);
        Ok(found)
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.note(entry.query.len() + entry.results.to_string().len());
        self.cache.add(entry).await
    }
}
