use deepsearch_core::{Failure, SearchError, SearchQuery, TimeRange};
use deepsearch_search::HttpLimits;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::wire::{CAPTCHA, NOTHING, TWO, answer, article, articles, duckduckgo, page, searxng};
use crate::{Fake, at, field, header, kind, query};

fn french_of_last_month() -> SearchQuery {
    SearchQuery {
        locale: Some("fr-CA".into()),
        time_range: Some(TimeRange::Month),
        ..query("rust async")
    }
}

/// The fields of a form that was posted.
fn form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

#[tokio::test]
async fn wikipedia_is_asked_as_its_documentation_says() {
    let hits = [(
        "Futures and promises",
        "",
        "a <span class=\"searchmatch\">Rust</span> &quot;future&quot;",
    )];
    let fake = Fake::new("wikipedia", answer("wikipedia", &hits)).await;
    let results = fake.search(&query("What is async in Rust?")).await.unwrap();
    let request = fake.request().await;
    assert_eq!((request.method.as_str(), request.url.path()), ("GET", "/w/api.php"));
    let fields = [
        ("action", "query"),
        ("list", "search"),
        ("format", "json"),
        ("formatversion", "2"),
        ("srlimit", "10"),
        // A question mark would be a wildcard.
        ("srsearch", "What is async in Rust"),
    ];
    for (name, value) in fields {
        assert_eq!(field(&request, name).as_deref(), Some(value), "{name}");
    }
    assert!(
        header(&request, "user-agent").starts_with("DeepSearch/"),
        "Wikimedia asks for an honest name"
    );
    assert_eq!(results.hits[0].title, "Futures and promises");
    assert_eq!(
        results.hits[0].url,
        format!("{}/wiki/Futures_and_promises", fake.server.uri())
    );
    assert_eq!(results.hits[0].snippet, "a Rust \"future\"");
}

#[tokio::test]
async fn wikipedia_titles_make_addresses_whatever_is_in_them() {
    let titles = ["AC/DC", "C++", "50% rule", "Was ist das?", "東京"];
    let hits: Vec<_> = titles.iter().map(|title| (*title, "", "")).collect();
    let fake = Fake::new("wikipedia", answer("wikipedia", &hits)).await;
    let results = fake.search(&query("x")).await.unwrap();
    let paths: Vec<_> = results
        .hits
        .iter()
        .map(|hit| hit.url.split_once("/wiki/").unwrap().1)
        .collect();
    assert_eq!(
        paths,
        ["AC/DC", "C++", "50%25_rule", "Was_ist_das%3F", "%E6%9D%B1%E4%BA%AC"]
    );
}

#[tokio::test]
async fn wikipedia_leaves_out_articles_not_touched_in_the_time_asked_for() {
    let found = vec![
        article("Old", "", "2026-09-01T00:00:00Z"),
        article("New", "", "2026-11-22T00:00:00Z"),
    ];
    let fake = Fake::new("wikipedia", ResponseTemplate::new(200).set_body_json(articles(found))).await;
    let results = fake.search(&french_of_last_month()).await.unwrap();
    let titles: Vec<_> = results.hits.iter().map(|hit| hit.title.as_str()).collect();
    assert_eq!(titles, ["New"]);
    assert_eq!(results.hits[0].published_at, None, "an edit is no publication");
}

#[tokio::test]
async fn wikipedia_reports_errors_in_answers_that_look_fine() {
    for (code, expected) in [
        ("ratelimited", "rate limited"),
        ("maxlag", "rate limited"),
        ("badvalue", "unreadable"),
    ] {
        let body = json!({"error": {"code": code, "info": "…", "docref": "…"}, "servedby": "mw1"});
        let fake = Fake::new("wikipedia", ResponseTemplate::new(200).set_body_json(body)).await;
        assert_eq!(kind(&fake.search(&query("x")).await), expected, "{code}");
    }
    let refused = Fake::new("wikipedia", ResponseTemplate::new(403)).await;
    assert_eq!(
        kind(&refused.search(&query("x")).await),
        "status",
        "there is no key to refuse"
    );
}

#[tokio::test]
async fn duckduckgo_is_asked_as_its_own_form_asks() {
    let fake = Fake::new("duckduckgo", answer("duckduckgo", TWO)).await;
    let results = fake.search(&french_of_last_month()).await.unwrap();
    let request = fake.request().await;
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/html/"));
    let fields = [("q", "rust async"), ("b", ""), ("kl", "ca-fr"), ("df", "m")];
    assert_eq!(
        form(&request.body),
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(header(&request, "accept-language"), "fr-CA");
    assert!(header(&request, "referer").starts_with(&fake.server.uri()));
    assert_eq!(
        results.hits[0].published_at.unwrap().to_rfc3339(),
        "2025-12-30T00:00:00+00:00"
    );
}

#[tokio::test]
async fn duckduckgo_knows_regions_by_names_of_its_own() {
    for (locale, region) in [
        ("en", "wt-wt"),
        ("en-GB", "uk-en"),
        ("en-DE", "wt-wt"),
        ("de", "de-de"),
        ("de-LU", "de-de"),
        ("ja", "jp-jp"),
        ("zh-TW", "tw-tzh"),
        ("zh", "cn-zh"),
        ("nb-NO", "no-no"),
        ("uk", "ua-uk"),
        ("sv", "se-sv"),
        ("sw-KE", "wt-wt"),
    ] {
        let fake = Fake::new("duckduckgo", answer("duckduckgo", TWO)).await;
        let query = SearchQuery {
            locale: Some(locale.into()),
            ..query("x")
        };
        fake.search(&query).await.unwrap();
        let fields = form(&fake.request().await.body);
        assert!(fields.contains(&("kl".into(), region.into())), "{locale}: {fields:?}");
    }
}

#[tokio::test]
async fn duckduckgo_is_not_led_to_another_site_by_a_bang() {
    let fake = Fake::new("duckduckgo", answer("duckduckgo", TWO)).await;
    fake.search(&query("!g \\rust ! async!")).await.unwrap();
    assert_eq!(form(&fake.request().await.body)[0].1, "g rust async!");
}

#[tokio::test]
async fn duckduckgo_redirects_are_undone_and_advertisements_dropped() {
    let hits = [
        (
            "Redirected",
            "//duckduckgo.com/l/?uddg=https%3A%2F%2Fa.example%2Fx%3Fy%3D1&amp;rut=abc",
            "A &amp; <b>b</b>",
        ),
        (
            "Advertised",
            "//duckduckgo.com/l/?uddg=https%3A%2F%2Fduckduckgo.com%2Fy.js%3Fad_domain%3Dx&amp;rut=a",
            "",
        ),
        ("Also advertised", "https://duckduckgo.com/y.js?ad_domain=x", ""),
        (
            "Direct",
            "https://b.example/",
            "mentions class=\"anomaly-modal\" in its text",
        ),
    ];
    let fake = Fake::new("duckduckgo", answer("duckduckgo", &hits)).await;
    let results = fake.search(&query("x")).await.unwrap();
    let found: Vec<_> = results.hits.iter().map(|h| (&*h.title, &*h.url, &*h.snippet)).collect();
    let expected = [
        ("Redirected", "https://a.example/x?y=1", "A & b"),
        (
            "Direct",
            "https://b.example/",
            "mentions class=\"anomaly-modal\" in its text",
        ),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn duckduckgos_captcha_is_recognised_whatever_its_status() {
    for status in [200, 202, 403] {
        let captcha = ResponseTemplate::new(status).set_body_raw(CAPTCHA, "text/html");
        let fake = Fake::new("duckduckgo", captcha).await;
        assert_eq!(kind(&fake.search(&query("x")).await), "captcha", "{status}");
    }
}

#[tokio::test]
async fn duckduckgos_pages_without_results_are_told_apart() {
    let nothing = Fake::new("duckduckgo", page(NOTHING.into())).await;
    assert_eq!(kind(&nothing.search(&query("x")).await), "no results");
    let only_advertisements = Fake::new("duckduckgo", page(duckduckgo(&[]))).await;
    assert_eq!(kind(&only_advertisements.search(&query("x")).await), "no results");
    let another_page = Fake::new("duckduckgo", page("<html><body>New design</body></html>".into())).await;
    assert_eq!(kind(&another_page.search(&query("x")).await), "unreadable");
    let limited = Fake::new("duckduckgo", ResponseTemplate::new(429)).await;
    assert_eq!(kind(&limited.search(&query("x")).await), "rate limited");
}

#[tokio::test]
async fn searxng_is_asked_as_its_documentation_says() {
    let fake = Fake::new("searxng", answer("searxng", TWO)).await;
    fake.search(&french_of_last_month()).await.unwrap();
    let request = fake.request().await;
    assert_eq!((request.method.as_str(), request.url.path()), ("GET", "/search"));
    let fields = [
        ("q", "rust async"),
        ("format", "json"),
        ("language", "fr-CA"),
        ("time_range", "month"),
    ];
    for (name, value) in fields {
        assert_eq!(field(&request, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(header(&request, "authorization"), "", "SearXNG needs no key");
}

#[tokio::test]
async fn searxng_may_live_below_a_path() {
    let fake = Fake::new("searxng", answer("searxng", TWO)).await;
    let below = at(
        "searxng",
        &format!("{}/searxng/", fake.server.uri()),
        HttpLimits::default(),
    );
    below.search(&query("x")).await.unwrap();
    assert_eq!(fake.request().await.url.path(), "/searxng/search");
}

#[tokio::test]
async fn searxng_without_json_says_how_to_turn_it_on() {
    let forbidden = ResponseTemplate::new(403).set_body_string("<h1>Forbidden</h1>");
    for answer in [forbidden, page("<!doctype html><title>SearXNG</title>".into())] {
        let error = Fake::new("searxng", answer)
            .await
            .search(&query("x"))
            .await
            .unwrap_err();
        assert!(matches!(error, SearchError::Unreadable { .. }));
        let words = Failure::from(&error).to_string();
        assert!(words.contains("settings.yml") && words.contains("`json`"), "{words}");
    }
}

#[tokio::test]
async fn searxng_tells_why_its_own_engines_found_nothing() {
    for (unresponsive, expected) in [
        (json!([]), "no results"),
        (json!([["mojeek", "timeout"]]), "no results"),
        (json!([["brave", "Suspended: too many requests"]]), "rate limited"),
        (json!([["duckduckgo", "CAPTCHA"]]), "captcha"),
    ] {
        let body = ResponseTemplate::new(200).set_body_json(searxng(&[], unresponsive));
        assert_eq!(
            kind(&Fake::new("searxng", body).await.search(&query("x")).await),
            expected
        );
    }
    let limited = Fake::new("searxng", ResponseTemplate::new(429)).await;
    assert_eq!(kind(&limited.search(&query("x")).await), "rate limited");
}
