use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::TimeDelta;
use deepsearch_cache::{MemoryCache, TieredCache, contract};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError, Clock, Freshness};

use crate::{Stopped, entry};

/// A tier that counts what it is asked, and fails or hangs when told to.
struct Watched {
    inner: MemoryCache,
    behaviour: Behaviour,
    lookups: AtomicUsize,
    adds: AtomicUsize,
}

#[derive(PartialEq)]
enum Behaviour {
    Answers,
    Fails,
    Hangs,
}

impl Watched {
    fn that(behaviour: Behaviour) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryCache::default(),
            behaviour,
            lookups: AtomicUsize::new(0),
            adds: AtomicUsize::new(0),
        })
    }

    async fn behave(&self) -> Result<(), CacheError> {
        match self.behaviour {
            Behaviour::Answers => Ok(()),
            Behaviour::Hangs => std::future::pending().await,
            Behaviour::Fails => Err(CacheError {
                tier: "watched",
                action: "answer",
                source: "told to fail".into(),
            }),
        }
    }
}

#[async_trait]
impl Cache for Watched {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.behave().await?;
        self.inner.lookup(query).await
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.adds.fetch_add(1, Ordering::SeqCst);
        self.behave().await?;
        self.inner.add(entry).await
    }
}

fn tiered(tiers: &[Arc<Watched>], clock: &Arc<Stopped>) -> TieredCache {
    let tiers = tiers.iter().map(|tier| tier.clone() as Arc<dyn Cache>).collect();
    TieredCache::new(tiers, clock.clone())
}

#[tokio::test]
async fn tiers_together_keep_the_contract() {
    let clock = Arc::new(Stopped::at_noon());
    let tiers = [Watched::that(Behaviour::Answers), Watched::that(Behaviour::Answers)];
    contract::holds(&tiered(&tiers, &clock), clock.now()).await;
}

#[tokio::test]
async fn an_entry_found_below_fills_the_tiers_above() {
    let clock = Arc::new(Stopped::at_noon());
    let tiers = [0; 3].map(|_| Watched::that(Behaviour::Answers));
    tiers[2].inner.add(entry("deep", clock.now())).await.unwrap();
    let cache = tiered(&tiers, &clock);
    assert!(cache.lookup("deep").await.unwrap().is_some());
    cache.flush().await;
    assert!(cache.lookup("deep").await.unwrap().is_some());
    assert_eq!(tiers[0].lookups.load(Ordering::SeqCst), 2);
    assert_eq!(
        tiers[1].lookups.load(Ordering::SeqCst),
        1,
        "the nearest tier answers the second time"
    );
    assert!(tiers[1].inner.lookup("deep").await.unwrap().is_some());
    assert_eq!(
        tiers[2].adds.load(Ordering::SeqCst),
        0,
        "the tier it came from is not written"
    );
}

#[tokio::test]
async fn a_fresh_entry_below_wins_over_a_stale_one_above() {
    let clock = Arc::new(Stopped::at_noon());
    let tiers = [0; 2].map(|_| Watched::that(Behaviour::Answers));
    tiers[0]
        .inner
        .add(entry("news", clock.now() - TimeDelta::days(1)))
        .await
        .unwrap();
    tiers[1].inner.add(entry("news", clock.now())).await.unwrap();
    let found = tiered(&tiers, &clock).lookup("news").await.unwrap().unwrap();
    assert_eq!(found.freshness(clock.now()), Freshness::Fresh);
}

#[tokio::test]
async fn the_newest_stale_entry_is_the_last_resort_and_is_not_spread() {
    let clock = Arc::new(Stopped::at_noon());
    let tiers = [0; 2].map(|_| Watched::that(Behaviour::Answers));
    tiers[0]
        .inner
        .add(entry("news", clock.now() - TimeDelta::days(2)))
        .await
        .unwrap();
    tiers[1]
        .inner
        .add(entry("news", clock.now() - TimeDelta::days(1)))
        .await
        .unwrap();
    let found = tiered(&tiers, &clock).lookup("news").await.unwrap().unwrap();
    assert_eq!(found.created_at, clock.now() - TimeDelta::days(1));
    assert_eq!(found.freshness(clock.now()), Freshness::Stale);
    assert_eq!(tiers[0].adds.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_entry_turns_stale_when_its_time_is_over() {
    let clock = Arc::new(Stopped::at_noon());
    let cache = tiered(&[Watched::that(Behaviour::Answers)], &clock);
    cache.add(entry("soon old", clock.now())).await.unwrap();
    clock.advance(TimeDelta::hours(1));
    let found = cache.lookup("soon old").await.unwrap().unwrap();
    assert_eq!(found.freshness(clock.now()), Freshness::Stale);
}

#[tokio::test]
async fn a_failing_tier_is_skipped_in_both_directions() {
    let clock = Arc::new(Stopped::at_noon());
    let tiers = [
        Watched::that(Behaviour::Answers),
        Watched::that(Behaviour::Fails),
        Watched::that(Behaviour::Answers),
    ];
    let cache = tiered(&tiers, &clock);
    cache.add(entry("kept", clock.now())).await.unwrap();
    cache.flush().await;
    assert!(tiers[2].inner.lookup("kept").await.unwrap().is_some());
    tiers[2].inner.add(entry("below", clock.now())).await.unwrap();
    assert!(cache.lookup("below").await.unwrap().is_some());
}

// With the clock of the runtime paused, a call that waited for the hanging tier itself would never end.
#[tokio::test(start_paused = true)]
async fn a_hanging_tier_keeps_nobody_waiting() {
    let clock = Arc::new(Stopped::at_noon());
    let tiers = [Watched::that(Behaviour::Hangs), Watched::that(Behaviour::Answers)];
    let cache = tiered(&tiers, &clock);
    let began = tokio::time::Instant::now();
    cache.add(entry("kept", clock.now())).await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 50, "of the runtime's own time");
    assert!(cache.lookup("kept").await.unwrap().is_some());
    cache.flush().await;
}
