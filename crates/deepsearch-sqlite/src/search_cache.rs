//! The search cache's table: what engines answered, kept for when nothing faster has it and for when the network is
//! gone (seed 3.3).

use async_trait::async_trait;
use deepsearch_core::cache::{Cache, CacheError, SearchCache};
use deepsearch_core::validate::CACHED_QUERY_LIMIT;

use crate::error::{Doing, StoreError};
use crate::messages::write_json;
use crate::store::Store;
use crate::time::from_millis;

/// The store's table as a tier of the search cache.
#[derive(Debug, Clone)]
pub struct SearchCacheTable {
    store: Store,
}

/// More than a year of searching, and some tens of megabytes.
const ENTRY_LIMIT: i64 = 10_000;

impl Store {
    /// The table that keeps search results.
    pub fn search_cache(&self) -> SearchCacheTable {
        SearchCacheTable { store: self.clone() }
    }
}

#[async_trait]
impl Cache for SearchCacheTable {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        self.read(query).await.map_err(|error| cache_error("look up", error))
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.write(entry).await.map_err(|error| cache_error("keep", error))
    }
}

impl SearchCacheTable {
    async fn read(&self, query: &str) -> Result<Option<SearchCache>, StoreError> {
        let query = query.trim();
        let row = sqlx::query!(
            "select results, created_at, expires_at from search_cache where query = ?",
            query
        )
        .fetch_optional(self.store.readers())
        .await
        .doing("look up the search")?;
        // What cannot be read is as good as not there: the next answer replaces it.
        Ok(row.and_then(|row| {
            Some(SearchCache {
                query: query.to_owned(),
                results: crate::messages::read_json(&row.results, "results", query)?,
                created_at: from_millis(row.created_at),
                expires_at: from_millis(row.expires_at),
            })
        }))
    }

    async fn write(&self, entry: SearchCache) -> Result<(), StoreError> {
        const ACTION: &str = "keep the search";
        let query = entry.query.trim();
        // Longer ones are not cached (seed R21).
        if query.is_empty() || query.chars().count() > CACHED_QUERY_LIMIT {
            return Ok(());
        }
        let results = write_json(&entry.results).doing(ACTION)?;
        let (created_at, expires_at) = (entry.created_at.timestamp_millis(), entry.expires_at.timestamp_millis());
        let mut tx = self.store.begin(ACTION).await?;
        sqlx::query!(
            "insert into search_cache (query, results, created_at, expires_at) values (?, ?, ?, ?)
             on conflict (query) do update
                set results = excluded.results, created_at = excluded.created_at, expires_at = excluded.expires_at
                where excluded.created_at >= search_cache.created_at",
            query,
            results,
            created_at,
            expires_at
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        sqlx::query!(
            "delete from search_cache where id in
                (select id from search_cache order by expires_at desc limit -1 offset ?)",
            ENTRY_LIMIT
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }
}

fn cache_error(action: &'static str, error: StoreError) -> CacheError {
    CacheError {
        tier: "table",
        action,
        source: error.into(),
    }
}
