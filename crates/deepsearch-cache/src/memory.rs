//! The nearest tier: this process's memory, bounded in bytes.

use async_trait::async_trait;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError};

use crate::{ENTRY_LIMIT, KEPT};

/// Entries in memory; the least used leave when the limit is reached.
pub struct MemoryCache {
    entries: moka::future::Cache<String, SearchCache>,
}

impl MemoryCache {
    /// `limit` is in bytes of JSON, over all entries.
    pub fn new(limit: u64) -> Self {
        let entries = moka::future::Cache::builder()
            .weigher(|query: &String, entry: &SearchCache| u32::try_from(query.len() + size(entry)).unwrap_or(u32::MAX))
            .max_capacity(limit)
            .time_to_live(KEPT)
            .build();
        Self { entries }
    }
}

impl Default for MemoryCache {
    /// 32 MiB: some thousand answers of search engines.
    fn default() -> Self {
        Self::new(32 * 1024 * 1024)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        Ok(self.entries.get(query).await)
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        if size(&entry) <= ENTRY_LIMIT {
            self.entries.insert(entry.query.clone(), entry).await;
        }
        Ok(())
    }
}

fn size(entry: &SearchCache) -> usize {
    entry.results.to_string().len()
}
