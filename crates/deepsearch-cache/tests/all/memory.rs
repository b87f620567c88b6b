use deepsearch_cache::{ENTRY_LIMIT, MemoryCache, contract};
use deepsearch_core::{Cache, Clock};

use crate::{Stopped, entry};

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract::holds(&MemoryCache::default(), Stopped::at_noon().now()).await;
}

#[tokio::test]
async fn memory_stays_within_its_limit() {
    let cache = MemoryCache::new(100_000);
    let now = Stopped::at_noon().now();
    for n in 0..1_000 {
        let mut large = entry(&format!("question {n}"), now);
        large.results = serde_json::json!({"hits": "x".repeat(1_000)});
        cache.add(large).await.unwrap();
    }
    let mut kept = 0;
    for n in 0..1_000 {
        kept += usize::from(cache.lookup(&format!("question {n}")).await.unwrap().is_some());
    }
    assert!(
        kept > 0 && kept <= 100,
        "{kept} entries of 1,000 bytes in 100,000 bytes"
    );
}

#[tokio::test]
async fn an_entry_over_the_limit_is_not_kept() {
    let cache = MemoryCache::default();
    let mut large = entry("large", Stopped::at_noon().now());
    large.results = serde_json::json!({"hits": "x".repeat(ENTRY_LIMIT)});
    cache.add(large).await.unwrap();
    assert_eq!(cache.lookup("large").await.unwrap(), None);
}
