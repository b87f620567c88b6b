use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_cache::{Guarded, MemoryCache, Resting, contract};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError, Clock};
use tokio::time::Instant;

use crate::{Stopped, entry};

const LIMIT: Duration = Duration::from_millis(300);

/// A memory that hangs while it is told to, and counts who asks.
#[derive(Default)]
struct Moody {
    memory: MemoryCache,
    hangs: AtomicBool,
    asked: AtomicU32,
}

impl Moody {
    async fn mood(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Cache for Moody {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        self.mood().await;
        self.memory.lookup(query).await
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.mood().await;
        self.memory.add(entry).await
    }
}

#[tokio::test]
async fn a_guarded_tier_keeps_the_contract() {
    let tier = Guarded::new(Arc::new(MemoryCache::default()), "guarded", LIMIT);
    contract::holds(&tier, Stopped::at_noon().now()).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_meets_a_hanging_tier_first_waits_its_limit_and_the_next_not_at_all() {
    let moody = Arc::new(Moody::default());
    moody.hangs.store(true, Ordering::SeqCst);
    let tier = Guarded::new(moody.clone(), "guarded", LIMIT);
    let began = Instant::now();
    assert!(tier.lookup("q").await.is_err());
    assert_eq!(began.elapsed(), LIMIT);
    for _ in 0..50 {
        let error = tier.lookup("q").await.unwrap_err();
        assert!(error.source.is::<Resting>());
        assert!(tier.add(entry("q", Stopped::at_noon().now())).await.is_err());
    }
    assert_eq!(began.elapsed(), LIMIT, "nobody else waited");
    assert_eq!(moody.asked.load(Ordering::SeqCst), 1, "nor was it asked");
}

#[tokio::test(start_paused = true)]
async fn a_tier_that_is_back_is_found_out_of_the_callers_way() {
    let moody = Arc::new(Moody::default());
    let tier = Guarded::new(moody.clone(), "guarded", LIMIT);
    let kept = entry("q", Stopped::at_noon().now());
    tier.add(kept.clone()).await.unwrap();
    moody.hangs.store(true, Ordering::SeqCst);
    assert!(tier.lookup("q").await.is_err());
    moody.hangs.store(false, Ordering::SeqCst);

    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    assert!(tier.lookup("q").await.is_err(), "this one sends somebody to look");
    assert_eq!(began.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(tier.lookup("q").await.unwrap(), Some(kept));
}
