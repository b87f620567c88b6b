//! A real Redis, or a word that it is missing.

use anyhow::Result;
use deepsearch_servers::Redis;

use crate::needs;

/// Starts one, or `None` where `redis-server` is not installed (which fails under `cargo xtask test`).
///
/// # Errors
/// When it does not start.
pub fn start() -> Result<Option<Redis>> {
    let redis = Redis::start()?;
    if redis.is_none() {
        needs::missing("redis-server");
    }
    Ok(redis)
}
