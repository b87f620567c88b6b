//! The search cache: tiers behind core's `Cache` trait, asked from the nearest to the farthest.
//!
//! Leaves out the table tier, which lives with the store that holds the table, and what is cached under which key,
//! which the search crate decides.

mod guarded;
mod memory;
mod redis;
mod rest;
mod tiered;
mod users;

#[cfg(feature = "contract")]
pub mod contract;

pub use guarded::Guarded;
pub use memory::MemoryCache;
pub use redis::{RedisCache, RedisPlace};
pub use rest::Resting;
pub use tiered::TieredCache;
pub use users::{Levelled, RedisUser, RedisUsers};

use std::time::Duration;

/// How long an entry is kept after it was made, also when it is stale: the last resort when no engine answers.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Largest entry that a tier keeps or takes from others, in bytes of JSON.
pub const ENTRY_LIMIT: usize = 512 * 1024;

/// How the keys of one scope begin: one person's, or a team's that shares. They say neither who asked nor what.
pub fn key_prefix(scope: &str) -> String {
    format!("deepsearch:search:{}:", redis::hash(scope))
}
