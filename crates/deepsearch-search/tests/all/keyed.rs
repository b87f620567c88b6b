use deepsearch_core::{EngineKind, SearchQuery, TimeRange};
use deepsearch_search::{ENGINES, EngineConfig, HttpLimits, engine};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::wire::{TWO, answer};
use crate::{Fake, field, header, http, kind, query};

const KEYED: [&str; 4] = ["serper", "brave", "tavily", "exa"];

fn german_of_last_week() -> SearchQuery {
    SearchQuery {
        locale: Some("de-CH".into()),
        time_range: Some(TimeRange::Week),
        limit: 5,
        ..query("  rust async ")
    }
}

async fn status(id: &str, status: u16, body: Value) -> &'static str {
    let fake = Fake::new(id, ResponseTemplate::new(status).set_body_json(body)).await;
    kind(&fake.search(&query("rust")).await)
}

#[tokio::test]
async fn serper_is_asked_as_its_documentation_says() {
    let fake = Fake::new("serper", answer("serper", TWO)).await;
    let results = fake.search(&german_of_last_week()).await.unwrap();
    let request = fake.request().await;
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/search"));
    assert_eq!(header(&request, "x-api-key"), "k3y-of-a-test");
    let body: Value = request.body_json().unwrap();
    assert_eq!(
        body,
        json!({"q": "rust async", "num": 5, "hl": "de", "gl": "ch", "tbs": "qdr:w"})
    );
    assert_eq!(results.hits.len(), 2, "sitelinks and related questions are no results");
    assert_eq!(
        results.hits[0].published_at.unwrap().to_rfc3339(),
        "2024-03-03T00:00:00+00:00"
    );
}

#[tokio::test]
async fn brave_is_asked_as_its_documentation_says() {
    let fake = Fake::new("brave", answer("brave", TWO)).await;
    let results = fake.search(&german_of_last_week()).await.unwrap();
    let request = fake.request().await;
    assert_eq!(
        (request.method.as_str(), request.url.path()),
        ("GET", "/res/v1/web/search")
    );
    assert_eq!(header(&request, "x-subscription-token"), "k3y-of-a-test");
    let fields = [
        ("q", "rust async"),
        ("count", "5"),
        ("country", "CH"),
        ("search_lang", "de"),
        ("freshness", "pw"),
    ];
    for (name, value) in fields {
        assert_eq!(field(&request, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(
        results.hits[0].published_at.unwrap().to_rfc3339(),
        "2025-01-15T08:00:00+00:00"
    );
    assert_eq!(
        results.hits[0].favicon.as_deref(),
        Some("https://imgs.search.brave.com/icon")
    );
}

#[tokio::test]
async fn brave_is_never_asked_what_it_refuses() {
    for (locale, country, language) in [
        ("pt-BR", "BR", Some("pt-br")),
        ("pt", "ALL", Some("pt-pt")),
        ("zh-Hant-TW", "TW", Some("zh-hant")),
        ("ja-JP", "JP", Some("jp")),
        ("en-GB", "GB", Some("en-gb")),
        ("sw-KE", "ALL", None),
    ] {
        let fake = Fake::new("brave", answer("brave", TWO)).await;
        let words = format!("{} {}", "long".repeat(60), "word ".repeat(100));
        let query = SearchQuery {
            locale: Some(locale.into()),
            limit: 50,
            ..query(&words)
        };
        fake.search(&query).await.unwrap();
        let request = fake.request().await;
        assert_eq!(field(&request, "country").as_deref(), Some(country), "{locale}");
        assert_eq!(field(&request, "search_lang").as_deref(), language, "{locale}");
        assert_eq!(field(&request, "count").as_deref(), Some("20"));
        let asked = field(&request, "q").unwrap();
        assert!(
            asked.chars().count() <= 400 && asked.split(' ').count() <= 50,
            "{asked}"
        );
    }
}

#[tokio::test]
async fn tavily_is_asked_as_its_documentation_says() {
    let fake = Fake::new("tavily", answer("tavily", TWO)).await;
    let results = fake.search(&german_of_last_week()).await.unwrap();
    let request = fake.request().await;
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/search"));
    assert_eq!(header(&request, "authorization"), "Bearer k3y-of-a-test");
    let body: Value = request.body_json().unwrap();
    let expected = json!({"query": "rust async", "topic": "general", "search_depth": "basic", "max_results": 5,
        "include_favicon": true, "country": "switzerland", "time_range": "week"});
    assert_eq!(body, expected);
    assert_eq!(
        results.hits[0].published_at.unwrap().to_rfc3339(),
        "2025-01-20T10:00:00+00:00"
    );
}

#[tokio::test]
async fn exa_is_asked_as_its_documentation_says() {
    let fake = Fake::new("exa", answer("exa", TWO)).await;
    let results = fake.search(&german_of_last_week()).await.unwrap();
    let request = fake.request().await;
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/search"));
    assert_eq!(header(&request, "x-api-key"), "k3y-of-a-test");
    let body: Value = request.body_json().unwrap();
    let expected = json!({"query": "rust async", "type": "auto", "numResults": 5, "userLocation": "CH",
        "contents": {"highlights": {"maxCharacters": 600}}, "startPublishedDate": "2026-11-16T12:00:00.000Z"});
    assert_eq!(body, expected);
    assert_eq!(results.hits[0].snippet, "The async book.");
}

#[tokio::test]
async fn every_engine_reads_its_own_answer() {
    // Those of one kind of page say more than was asked for; their own tests hold them to it.
    for info in ENGINES
        .iter()
        .filter(|info| info.id != "wikipedia" && info.kind == EngineKind::Web)
    {
        let fake = Fake::new(info.id, answer(info.id, TWO)).await;
        let results = fake.search(&query("rust async")).await.unwrap();
        assert_eq!(
            (results.engine.as_str(), results.query.as_str()),
            (info.id, "rust async")
        );
        let found: Vec<_> = results.hits.iter().map(|h| (&*h.title, &*h.url, &*h.snippet)).collect();
        assert_eq!(found, TWO, "{}", info.id);
    }
}

#[tokio::test]
async fn nothing_found_is_said_by_every_engine() {
    for info in ENGINES {
        let fake = Fake::new(info.id, answer(info.id, &[])).await;
        assert_eq!(kind(&fake.search(&query("rust")).await), "no results", "{}", info.id);
    }
    let without_web = json!({"type": "search", "query": {"original": "x"}, "mixed": {"main": []}});
    assert_eq!(status("brave", 200, without_web).await, "no results");
}

#[tokio::test]
async fn no_more_results_than_asked_for_and_no_markup_in_them() {
    let hits = [
        (
            "<b>Bold</b> &amp; <i>slanted</i>",
            "https://a.example/",
            "One <strong>word</strong><script>alert(1)</script>",
        ),
        ("Trap", "javascript:alert(1)", ""),
        ("Local", "file:///etc/passwd", ""),
        ("Again", "http://www.a.example/#part", ""),
        ("Second", "https://b.example/", ""),
        ("Third", "https://c.example/", ""),
    ];
    for info in ENGINES
        .iter()
        .filter(|info| !matches!(info.id, "wikipedia" | "duckduckgo") && info.kind == EngineKind::Web)
    {
        let fake = Fake::new(info.id, answer(info.id, &hits)).await;
        let results = fake.search(&SearchQuery { limit: 2, ..query("x") }).await.unwrap();
        let titles: Vec<_> = results.hits.iter().map(|hit| hit.title.as_str()).collect();
        assert_eq!(titles, ["Bold & slanted", "Second"], "{}", info.id);
        assert_eq!(results.hits[0].snippet, "One word", "{}", info.id);
    }
}

#[tokio::test]
async fn a_broken_result_does_not_cost_the_others() {
    let body = json!({"organic": [{"title": 7}, null, "x", {"link": "https://a.example/", "title": "Good"}]});
    let fake = Fake::new("serper", ResponseTemplate::new(200).set_body_json(body)).await;
    assert_eq!(fake.search(&query("x")).await.unwrap().hits.len(), 1);
}

#[tokio::test]
async fn a_refused_key_is_told_apart_from_everything_else() {
    let unauthorized = json!({"message": "Unauthorized.", "statusCode": 403});
    assert_eq!(status("serper", 403, unauthorized).await, "key refused");
    let invalid = json!({"id": "5d832250", "status": 422, "code": "SUBSCRIPTION_TOKEN_INVALID",
        "detail": "The provided subscription token is invalid.", "meta": {"component": "authentication"}});
    assert_eq!(
        status("brave", 422, json!({"type": "ErrorResponse", "error": invalid})).await,
        "key refused"
    );
    let missing = json!({"error": {"code": "VALIDATION", "status": 422,
        "meta": {"errors": [{"loc": ["header", "x-subscription-token"], "type": "missing"}]}}});
    assert_eq!(status("brave", 422, missing).await, "key refused");
    let detail = json!({"detail": {"error": "Unauthorized: missing or invalid API key."}});
    assert_eq!(status("tavily", 401, detail).await, "key refused");
    let tag = json!({"requestId": "r", "error": "Invalid API key", "tag": "INVALID_API_KEY"});
    assert_eq!(status("exa", 401, tag).await, "key refused");

    let malformed = json!({"error": {"code": "VALIDATION", "status": 422,
        "meta": {"errors": [{"loc": ["query", "q"], "type": "too_long"}]}}});
    assert_eq!(status("brave", 422, malformed).await, "status");
}

#[tokio::test]
async fn a_used_up_allowance_is_told_apart_from_haste() {
    assert_eq!(
        status(
            "serper",
            400,
            json!({"message": "Not enough credits", "statusCode": 400})
        )
        .await,
        "quota"
    );
    assert_eq!(
        status("serper", 400, json!({"message": "Query is empty", "statusCode": 400})).await,
        "status"
    );
    assert_eq!(
        status("brave", 429, json!({"error": {"code": "QUOTA_LIMITED", "status": 429}})).await,
        "quota"
    );
    assert_eq!(status("brave", 402, json!({})).await, "quota");
    let limit = json!({"detail": {"error": "This request exceeds your plan's set usage limit."}});
    assert_eq!(status("tavily", 432, limit.clone()).await, "quota");
    assert_eq!(status("tavily", 433, limit).await, "quota");
    assert_eq!(
        status(
            "exa",
            402,
            json!({"error": "credits exhausted", "tag": "NO_MORE_CREDITS"})
        )
        .await,
        "quota"
    );
    for id in KEYED {
        assert_eq!(status(id, 429, json!({})).await, "rate limited", "{id}");
    }
}

#[tokio::test]
async fn an_engine_in_trouble_says_its_status_or_that_it_cannot_be_read() {
    for id in KEYED {
        assert_eq!(status(id, 500, json!({})).await, "status", "{id}");
        let html = ResponseTemplate::new(200).set_body_raw("<html>maintenance</html>", "text/html");
        assert_eq!(
            kind(&Fake::new(id, html).await.search(&query("x")).await),
            "unreadable",
            "{id}"
        );
    }
    for id in ["tavily", "exa", "searxng"] {
        assert_eq!(
            status(id, 200, json!({"something": "else"})).await,
            "unreadable",
            "{id}"
        );
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    for id in KEYED {
        for key in [None, Some("  ".into())] {
            let config = EngineConfig { key, base_url: None };
            let without = engine(id, config, &http(HttpLimits::default())).unwrap();
            assert_eq!(kind(&without.search(&query("x")).await), "key missing", "{id}");
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_is_refused_and_never_shown() {
    for id in KEYED {
        let config = EngineConfig {
            key: Some("s3cret\r\nX-Injected: yes".into()),
            base_url: None,
        };
        assert!(!format!("{config:?}").contains("s3cret"));
        let broken = engine(id, config, &http(HttpLimits::default())).unwrap();
        let result = broken.search(&query("x")).await;
        assert_eq!(kind(&result), "key refused", "{id}");
        assert!(!format!("{result:?}").contains("s3cret"));
    }
}

#[test]
fn the_list_of_engines_is_what_can_be_made() {
    let http = http(HttpLimits::default());
    for info in ENGINES {
        let made = engine(info.id, EngineConfig::default(), &http);
        assert_eq!(made.is_none(), info.needs_url, "{}", info.id);
        assert!(info.key_url.is_some() || !info.needs_key, "{}", info.id);
        assert!(made.is_none_or(|made| made.id() == info.id));
    }
    assert!(engine("altavista", EngineConfig::default(), &http).is_none());
}
