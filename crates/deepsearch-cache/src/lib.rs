//! The search cache: tiers behind core's `Cache` trait, asked from the nearest to the farthest.
//!
//! Leaves out the table tier, which lives with the store that holds the table, and what is cached under which key,
//! which the search crate decides.

mod guarded;
mod memory;
mod redis;
mod rest;
mod tiered;

#[cfg(feature = "contract")]
pub mod contract;

pub use guarded::Guarded;
pub use memory::MemoryCache;
pub use redis::RedisCache;
pub use rest::Resting;
pub use tiered::TieredCache;

use std::time::Duration;

/// How long an entry is kept after it was made, also when it is stale: the last resort when no engine answers.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Largest entry that a tier keeps or takes from others, in bytes of JSON.
pub const ENTRY_LIMIT: usize = 512 * 1024;
