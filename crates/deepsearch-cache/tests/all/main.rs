//! The cache's promises, over memory and a real Redis server.

mod guarded;
mod memory;
mod redis;
mod tiered;

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use deepsearch_core::Clock;
use deepsearch_core::cache::SearchCache;
use deepsearch_servers::Redis;

/// A server of a test's own, which `cargo xtask test` brings; without it a test cannot say anything.
fn start_redis() -> Redis {
    Redis::start()
        .expect("Redis starts")
        .expect("redis-server is installed")
}

/// A clock that stands where a test put it.
#[derive(Debug)]
struct Stopped(Mutex<DateTime<Utc>>);

impl Stopped {
    fn at_noon() -> Self {
        Self(Mutex::new(
            Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).single().unwrap(),
        ))
    }

    fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

fn entry(query: &str, made: DateTime<Utc>) -> SearchCache {
    SearchCache {
        query: query.into(),
        results: serde_json::json!({"hits": []}),
        created_at: made,
        expires_at: made + TimeDelta::hours(1),
    }
}
