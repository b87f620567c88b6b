use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use deepsearch_cache::{ENTRY_LIMIT, RedisCache, Resting, contract};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError, Clock};
use deepsearch_servers::{Redis, free_port};
use redis::AsyncCommands;
use tokio::net::TcpListener;

use crate::{Stopped, entry, start_redis};

fn cache(url: &str, user: &str) -> RedisCache {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    RedisCache::new(url, user, Arc::new(Stopped::at_noon())).unwrap()
}

/// A cache that waits, for promises that are not about waiting and are tested on busy machines.
fn patient(url: &str, user: &str) -> RedisCache {
    cache(url, user).limit(Duration::from_secs(10))
}

fn now() -> chrono::DateTime<chrono::Utc> {
    Stopped::at_noon().now()
}

/// How many of the answers made the caller wait, instead of leaving the server alone.
fn waits(answers: &[Result<Option<SearchCache>, CacheError>]) -> usize {
    let rested = |error: &CacheError| error.source.downcast_ref::<Resting>().is_some();
    answers
        .iter()
        .filter(|answer| answer.as_ref().err().is_some_and(|error| !rested(error)))
        .count()
}

async fn ask_twenty_times(cache: &RedisCache) -> Vec<Result<Option<SearchCache>, CacheError>> {
    let mut answers = Vec::new();
    for n in 0..20 {
        answers.push(cache.lookup(&format!("question {n}")).await);
    }
    answers
}

/// Asks until the server is trusted again; a failing test ends at the deadline.
async fn until_found(cache: &RedisCache, query: &str) -> SearchCache {
    let found = async {
        loop {
            if let Ok(Some(entry)) = cache.lookup(query).await {
                return entry;
            }
            let _ = cache.add(entry(query, now())).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .expect("the server is used again once it is back")
}

#[tokio::test]
async fn redis_keeps_the_contract() {
    let server = start_redis();
    contract::holds(&patient(&server.url(), "anna"), now()).await;
}

#[tokio::test]
async fn users_do_not_see_each_others_entries() {
    let server = start_redis();
    let (anna, bob) = (patient(&server.url(), "anna"), patient(&server.url(), "bob"));
    anna.add(entry("a private question", now())).await.unwrap();
    assert_eq!(bob.lookup("a private question").await.unwrap(), None);
    assert!(anna.lookup("a private question").await.unwrap().is_some());
}

#[tokio::test]
async fn two_devices_of_a_user_share_entries() {
    let server = start_redis();
    patient(&server.url(), "anna")
        .add(entry("shared", now()))
        .await
        .unwrap();
    assert!(patient(&server.url(), "anna").lookup("shared").await.unwrap().is_some());
}

#[tokio::test]
async fn entries_leave_redis_by_themselves() {
    let server = start_redis();
    patient(&server.url(), "anna")
        .add(entry("leaving", now()))
        .await
        .unwrap();
    let mut raw = raw(&server).await;
    let key = only_key(&mut raw).await;
    let seconds: i64 = raw.ttl(key).await.unwrap();
    assert!((1..=7 * 24 * 3600).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn what_others_left_under_the_key_is_taken_for_nothing() {
    let server = start_redis();
    let cache = patient(&server.url(), "anna");
    cache.add(entry("poisoned", now())).await.unwrap();
    let mut raw = raw(&server).await;
    let key = only_key(&mut raw).await;
    let mut for_ever = entry("poisoned", now());
    for_ever.expires_at = now() + TimeDelta::days(10_000);
    let for_another_query = entry("something else", now());
    let poison: [Vec<u8>; 6] = [
        b"".to_vec(),
        b"not json".to_vec(),
        vec![0xff, 0xfe, 0x00],
        serde_json::to_vec(&for_ever).unwrap(),
        serde_json::to_vec(&for_another_query).unwrap(),
        vec![b'['; ENTRY_LIMIT + 1],
    ];
    for value in poison {
        let _: () = raw.set(&key, value).await.unwrap();
        assert_eq!(cache.lookup("poisoned").await.unwrap(), None);
    }
    let _: () = raw.del(&key).await.unwrap();
    let _: () = raw.lpush(&key, "a list").await.unwrap();
    assert_eq!(cache.lookup("poisoned").await.unwrap(), None, "a value of another type");
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_waited_for_once() {
    for scheme in ["redis", "rediss"] {
        let cache = cache(&format!("{scheme}://127.0.0.1:{}", free_port().unwrap()), "anna");
        let answers = ask_twenty_times(&cache).await;
        assert_eq!(waits(&answers), 1, "{answers:?}");
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_never_speaks_is_waited_for_once() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for scheme in ["redis", "rediss"] {
        let cache = cache(&format!("{scheme}://{}", silent.local_addr().unwrap()), "anna");
        let answers = ask_twenty_times(&cache).await;
        assert_eq!(waits(&answers), 1, "{answers:?}");
    }
}

#[tokio::test]
async fn a_redis_that_hangs_is_waited_for_once_and_used_again_when_it_is_back() {
    let server = start_redis();
    let cache = cache(&server.url(), "anna");
    until_found(&cache, "before").await;
    server.signal("STOP").unwrap();
    let answers = ask_twenty_times(&cache).await;
    server.signal("CONT").unwrap();
    assert_eq!(waits(&answers), 1, "{answers:?}");
    until_found(&cache, "before").await;
}

#[tokio::test]
async fn a_redis_that_dies_is_waited_for_once_and_used_again_when_it_is_back() {
    let mut server = start_redis();
    let cache = cache(&server.url(), "anna");
    until_found(&cache, "before").await;
    server.kill().unwrap();
    let answers = ask_twenty_times(&cache).await;
    assert_eq!(waits(&answers), 1, "{answers:?}");
    server.start_again().unwrap();
    until_found(&cache, "after").await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_repeating_its_password() {
    let error = RedisCache::new("redis//:s3cret@nowhere", "anna", Arc::new(Stopped::at_noon()))
        .err()
        .unwrap();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

async fn raw(server: &Redis) -> redis::aio::MultiplexedConnection {
    redis::Client::open(server.url())
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap()
}

async fn only_key(raw: &mut redis::aio::MultiplexedConnection) -> String {
    let keys: Vec<String> = raw.keys("deepsearch:search:*").await.unwrap();
    assert_eq!(keys.len(), 1);
    keys.into_iter().next().unwrap()
}
