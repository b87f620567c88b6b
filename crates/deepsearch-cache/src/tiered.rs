//! Several tiers as one cache: asked downwards, filled upwards, and never in the way when one of them fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError, Clock, Freshness};
use deepsearch_net::carried;
use futures::future::join_all;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Longest one tier is waited for when reading.
const READ_LIMIT: Duration = Duration::from_millis(500);
/// Longest a caller waits for the tiers to take an entry; slower ones go on behind its back.
const ADD_LIMIT: Duration = Duration::from_millis(50);
/// Longest a tier may go on writing then.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// Tiers from the nearest to the farthest.
pub struct TieredCache {
    tiers: Vec<Arc<Tier>>,
    clock: Arc<dyn Clock>,
    writes: TaskTracker,
}

struct Tier {
    cache: Arc<dyn Cache>,
    failing: AtomicBool,
}

impl TieredCache {
    pub fn new(tiers: Vec<Arc<dyn Cache>>, clock: Arc<dyn Clock>) -> Self {
        let tier = |cache| {
            Arc::new(Tier {
                cache,
                failing: AtomicBool::new(false),
            })
        };
        Self {
            tiers: tiers.into_iter().map(tier).collect(),
            clock,
            writes: TaskTracker::new(),
        }
    }

    /// Waits for what is still being written, as quitting does. At most five seconds.
    pub async fn flush(&self) {
        self.writes.close();
        self.writes.wait().await;
        self.writes.reopen();
    }

    /// Gives an entry to some tiers and waits for them as long as a caller may be kept.
    async fn spread(&self, tiers: &[Arc<Tier>], entry: &SearchCache) {
        let writes = tiers.iter().map(|tier| {
            let (tier, entry) = (tier.clone(), entry.clone());
            self.writes.spawn(carried(async move { tier.add(entry).await }))
        });
        // Running into the limit is no failure: each write has an end of its own.
        let _ = timeout(ADD_LIMIT, join_all(writes)).await;
    }
}

#[async_trait]
impl Cache for TieredCache {
    /// The first fresh entry; where there is none, the newest stale one, which its times show to be stale.
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        let mut stale: Option<SearchCache> = None;
        for (depth, tier) in self.tiers.iter().enumerate() {
            let Some(entry) = tier.lookup(query).await else {
                continue;
            };
            if entry.freshness(self.clock.now()) == Freshness::Fresh {
                self.spread(&self.tiers[..depth], &entry).await;
                return Ok(Some(entry));
            }
            if stale.as_ref().is_none_or(|known| known.created_at < entry.created_at) {
                stale = Some(entry);
            }
        }
        Ok(stale)
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.spread(&self.tiers, &entry).await;
        Ok(())
    }
}

impl Tier {
    async fn lookup(&self, query: &str) -> Option<SearchCache> {
        let answer = timeout(READ_LIMIT, self.cache.lookup(query)).await;
        self.note(answer).flatten()
    }

    async fn add(&self, entry: SearchCache) {
        let answer = timeout(WRITE_LIMIT, self.cache.add(entry)).await;
        self.note(answer);
    }

    /// Logs a failing tier once, and again when it is back, because callers just go on without it.
    fn note<T>(&self, answer: Result<Result<T, CacheError>, tokio::time::error::Elapsed>) -> Option<T> {
        let error = match answer {
            Ok(Ok(value)) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("a cache tier answers again");
                }
                return Some(value);
            }
            Ok(Err(error)) => with_causes(&error),
            Err(_) => "a cache tier did not answer in time".to_owned(),
        };
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!("{error}; going on without it");
        }
        None
    }
}

fn with_causes(error: &CacheError) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}
