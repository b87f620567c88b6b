//! Cache: search results kept for a while (seed 3.3), behind one trait for memory, Redis and the table.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A cached value with its times. `results` is any JSON object, kept as it was (seed part 3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchCache {
    /// The trimmed query, with engine and options, at most 500 code points (seed R21).
    pub query: String,
    pub results: serde_json::Value,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Whether a cached value is within its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    Fresh,
    Stale,
}

/// Why a cache tier did not answer. The caller goes on without it.
#[derive(Debug, Error)]
#[error("the {tier} cache did not {action}")]
pub struct CacheError {
    pub tier: &'static str,
    pub action: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// One tier of the search cache. Entries are data from others: callers parse them as tolerantly as a search answer.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The newest entry of the query, also when it is past its time (the last resort of failover).
    ///
    /// # Errors
    /// [`CacheError`] when the tier does not answer.
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError>;

    /// Keeps an entry; a newer one of the same query replaces it.
    ///
    /// # Errors
    /// [`CacheError`] when the tier does not answer.
    async fn add(&self, entry: SearchCache) -> Result<(), CacheError>;
}

impl SearchCache {
    pub fn freshness(&self, now: DateTime<Utc>) -> Freshness {
        if now < self.expires_at {
            Freshness::Fresh
        } else {
            Freshness::Stale
        }
    }
}
