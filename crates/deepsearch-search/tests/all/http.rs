use std::time::Duration;

use deepsearch_core::SearchError;
use deepsearch_search::{ENGINES, HttpLimits};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::wire::{TWO, answer};
use crate::{Fake, at, kind, query};

async fn retry_after(id: &str, name: &str, value: &str) -> Option<Duration> {
    let answer = ResponseTemplate::new(429).insert_header(name, value);
    match Fake::new(id, answer).await.search(&query("x")).await {
        Err(SearchError::RateLimited { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn how_long_to_wait_is_read_in_seconds_and_as_a_date() {
    assert_eq!(
        retry_after("exa", "retry-after", "7").await,
        Some(Duration::from_secs(7))
    );
    let date = "Mon, 23 Nov 2026 12:01:00 GMT";
    assert_eq!(
        retry_after("exa", "retry-after", date).await,
        Some(Duration::from_secs(60))
    );
    assert_eq!(retry_after("exa", "retry-after", "a while").await, None);
}

#[tokio::test]
async fn brave_says_in_headers_of_its_own_how_long_to_wait() {
    let answer = ResponseTemplate::new(429)
        .insert_header("X-RateLimit-Remaining", "0, 1999")
        .insert_header("X-RateLimit-Reset", "1, 86400");
    match Fake::new("brave", answer).await.search(&query("x")).await {
        Err(SearchError::RateLimited { retry_after, .. }) => assert_eq!(retry_after, Some(Duration::from_secs(1))),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_slow_engine_is_given_up() {
    let limits = HttpLimits {
        total: Duration::from_millis(100),
        ..HttpLimits::default()
    };
    for info in ENGINES {
        let slow = answer(info.id, TWO).set_delay(Duration::from_secs(60));
        let fake = Fake::new(info.id, slow).await;
        let engine = at(info.id, &fake.server.uri(), limits);
        assert_eq!(kind(&engine.search(&query("x")).await), "timed out", "{}", info.id);
    }
}

#[tokio::test]
async fn an_engine_that_is_not_there_cannot_be_reached_and_its_error_does_not_repeat_the_question() {
    for info in ENGINES {
        let engine = at(info.id, "http://127.0.0.1:9", HttpLimits::default());
        let result = engine.search(&query("a private question")).await;
        assert_eq!(kind(&result), "unreachable", "{}", info.id);
        let words = format!("{:?}", result.unwrap_err());
        assert!(
            !words.contains("private") && !words.contains("k3y-of-a-test"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    for info in ENGINES {
        let endless = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 3 * 1024 * 1024]);
        let fake = Fake::new(info.id, endless).await;
        assert_eq!(kind(&fake.search(&query("x")).await), "unreadable", "{}", info.id);
    }
}

#[tokio::test]
async fn no_engine_is_led_to_another_host_with_its_key() {
    for info in ENGINES {
        let other = MockServer::start().await;
        Mock::given(any())
            .respond_with(answer(info.id, TWO))
            .mount(&other)
            .await;
        for status in [301, 302, 307, 308] {
            let there = format!("{}/stolen", other.uri().replace("127.0.0.1", "localhost"));
            let redirect = ResponseTemplate::new(status).insert_header("location", there);
            let fake = Fake::new(info.id, redirect).await;
            assert_eq!(
                kind(&fake.search(&query("x")).await),
                "unreadable",
                "{} {status}",
                info.id
            );
        }
        assert_eq!(other.received_requests().await.unwrap().len(), 0, "{}", info.id);
    }
}

#[tokio::test]
async fn an_address_that_moved_on_its_own_host_is_followed() {
    let server = MockServer::start().await;
    let moved = ResponseTemplate::new(308).insert_header("location", "/new/search");
    Mock::given(path("/search")).respond_with(moved).mount(&server).await;
    Mock::given(path("/new/search"))
        .respond_with(answer("searxng", TWO))
        .mount(&server)
        .await;
    let engine = at("searxng", &server.uri(), HttpLimits::default());
    assert_eq!(kind(&engine.search(&query("x")).await), "results");
}

#[tokio::test]
async fn an_address_that_leads_in_circles_is_given_up() {
    let circle = ResponseTemplate::new(302).insert_header("location", "/search");
    let fake = Fake::new("searxng", circle).await;
    assert_eq!(kind(&fake.search(&query("x")).await), "unreadable");
    assert!(fake.server.received_requests().await.unwrap().len() <= 5);
}
