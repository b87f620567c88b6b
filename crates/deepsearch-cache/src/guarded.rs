//! A tier that may be slow or gone, kept out of everybody's way: whoever waits pays its limit once, then it rests and is
//! tried again in the background.
//!
//! Redis has this built in, because there the limit is part of how it is spoken to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError};
use tokio::time::timeout;

use crate::rest::{Permit, Rest, Resting};

const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Longest that trying it again may take, out of the callers' way.
const PROBE_LIMIT: Duration = Duration::from_secs(10);
/// What is looked up to find out whether it is back. Nobody asks this.
const PROBE: &str = "deepsearch: is anybody there?";

/// A tier behind a limit and a rest.
pub struct Guarded {
    cache: Arc<dyn Cache>,
    tier: &'static str,
    limit: Duration,
    rest: Arc<Rest>,
}

impl Guarded {
    /// `tier` is its name in words; `limit` is how long a caller waits for it.
    pub fn new(cache: Arc<dyn Cache>, tier: &'static str, limit: Duration) -> Self {
        Self {
            cache,
            tier,
            limit,
            rest: Arc::new(Rest::new(FIRST_REST, LONGEST_REST)),
        }
    }

    async fn ask<T>(
        &self,
        action: &'static str,
        question: impl Future<Output = Result<T, CacheError>>,
    ) -> Result<T, CacheError> {
        match self.rest.permit() {
            Permit::Ask => {}
            Permit::Probe => {
                tokio::spawn(probe(self.cache.clone(), self.rest.clone()));
                return Err(self.failure(action, Resting));
            }
            Permit::Leave => return Err(self.failure(action, Resting)),
        }
        let failed = match timeout(self.limit, question).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(late) => self.failure(action, late),
        };
        self.rest.failed_call();
        Err(failed)
    }

    fn failure(&self, action: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> CacheError {
        CacheError {
            tier: self.tier,
            action,
            source: Box::new(source),
        }
    }
}

#[async_trait]
impl Cache for Guarded {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        self.ask("answer", self.cache.lookup(query)).await
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.ask("take the entry", self.cache.add(entry)).await
    }
}

async fn probe(cache: Arc<dyn Cache>, rest: Arc<Rest>) {
    match timeout(PROBE_LIMIT, cache.lookup(PROBE)).await {
        Ok(Ok(_)) => rest.recovered(),
        _ => rest.failed(),
    }
}
