//! Engines of one kind of page: papers, discussions, news. Their answers as their documentation shows them.

use deepsearch_core::{EngineKind, SearchError, SearchQuery, TimeRange};
use deepsearch_search::ENGINES;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::{Fake, field, kind, query};

fn ok(body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn of_last_week(text: &str) -> SearchQuery {
    SearchQuery {
        time_range: Some(TimeRange::Week),
        ..query(text)
    }
}

#[tokio::test]
async fn openalex_tells_year_doi_authors_and_abstract_of_a_paper() {
    let work = json!({
        "doi": "https://doi.org/10.7717/peerj.4375",
        "display_name": "The state of OA: a large-scale analysis",
        "publication_year": 2018,
        "publication_date": "2018-02-13",
        "primary_location": {"landing_page_url": "https://doi.org/10.7717/peerj.4375", "pdf_url": null,
            "source": {"id": "https://openalex.org/S1983995261", "display_name": "PeerJ"}},
        "best_oa_location": {"landing_page_url": "https://peerj.com/articles/4375", "pdf_url": "https://peerj.com/articles/4375.pdf", "source": null},
        "authorships": [{"author_position": "first", "author": {"display_name": "Heather Piwowar"}},
            {"author": {"display_name": "Jason Priem"}}, {"author": {"display_name": "Vincent Larivière"}}],
        "abstract_inverted_index": {"Despite": [0], "growing": [1], "interest": [2], "in": [3], "Open": [4], "Access": [5]},
    });
    let closed = json!({"doi": "https://doi.org/10.1000/1", "display_name": "Closed", "publication_year": 1999,
        "publication_date": "1999-01-01", "primary_location": null, "best_oa_location": null, "authorships": [],
        "abstract_inverted_index": null});
    let body = json!({"meta": {"count": 2, "page": 1, "per_page": 10}, "results": [work, 7, closed], "group_by": []});
    let fake = Fake::new("openalex", ok(body)).await;
    let found = fake.search(&of_last_week("open access: how, common?")).await.unwrap();
    let request = fake.request().await;
    assert_eq!(request.url.path(), "/works");
    assert_eq!(field(&request, "search").as_deref(), Some("open access how common?"));
    assert_eq!(
        field(&request, "filter").as_deref(),
        Some("from_publication_date:2026-11-16")
    );
    assert_eq!(field(&request, "api_key").as_deref(), Some("k3y-of-a-test"));
    let paper = &found.hits[0];
    assert_eq!(paper.title, "The state of OA: a large-scale analysis (2018)");
    assert_eq!(paper.url, "https://peerj.com/articles/4375");
    assert_eq!(
        paper.snippet,
        "Heather Piwowar et al. · PeerJ · doi:10.7717/peerj.4375. Despite growing interest in Open Access"
    );
    assert_eq!(paper.published_at.unwrap().to_rfc3339(), "2018-02-13T00:00:00+00:00");
    assert_eq!(found.hits[1].url, "https://doi.org/10.1000/1");
}

#[tokio::test]
async fn arxiv_is_asked_for_every_word_and_its_feed_is_read() {
    let feed = r#"<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id><title type="html">ArXiv Query</title>
  <entry>
    <id>http://arxiv.org/abs/1706.03762v7</id>
    <published>2017-06-12T17:57:34Z</published>
    <title>Attention Is All
  You Need</title>
    <summary>  The dominant models &amp; others are based on recurrence.</summary>
    <author><name>Ashish Vaswani</name></author><author><name>Noam Shazeer</name></author>
    <arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.CL"/>
  </entry>
</feed>"#;
    let fake = Fake::new(
        "arxiv",
        ResponseTemplate::new(200).set_body_raw(feed, "application/atom+xml"),
    )
    .await;
    let found = fake
        .search(&of_last_week("What is the attention OR all:x"))
        .await
        .unwrap();
    let asked = field(&fake.request().await, "search_query").unwrap();
    assert!(
        asked.starts_with("(all:attention AND ") && !asked.contains("all:all:"),
        "{asked}"
    );
    assert!(
        asked.ends_with(" AND submittedDate:[202611161200 TO 202611231200]"),
        "{asked}"
    );
    let paper = &found.hits[0];
    assert_eq!(
        (&*paper.title, &*paper.url),
        ("Attention Is All You Need (2017)", "https://arxiv.org/abs/1706.03762v7")
    );
    assert_eq!(
        paper.snippet,
        "Ashish Vaswani, Noam Shazeer · arXiv · doi:10.48550/arXiv.1706.03762. The dominant models & others are based on recurrence."
    );
}

#[tokio::test]
async fn arxiv_says_what_is_wrong_as_an_entry_and_a_page_of_html_is_no_feed() {
    let feed = r#"<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/api/errors#incorrect_id</id>
<title>Error</title><summary>incorrect id format</summary></entry></feed>"#;
    for body in [feed, "<html><body>Rate exceeded.</body></html>", "<feed><entry>"] {
        let fake = Fake::new("arxiv", ResponseTemplate::new(200).set_body_string(body)).await;
        assert_eq!(kind(&fake.search(&query("quarks")).await), "unreadable", "{body}");
    }
}

#[tokio::test]
async fn hacker_news_brings_the_discussion_and_not_the_page_it_is_about() {
    let body = json!({"hits": [
        {"objectID": "8863", "title": "My YC app: Dropbox", "url": "http://www.getdropbox.com/u/2/screencast.html",
         "author": "dhouston", "points": 111, "num_comments": 71, "created_at": "2007-04-04T19:16:40Z", "story_text": null},
        {"objectID": "9224", "story_title": "My YC app: Dropbox", "comment_text": "For a Linux user, you can already <i>build</i> such a system", "created_at": "2007-04-05T15:16:54Z"},
        {"objectID": "../evil", "title": "No id"}], "nbHits": 3, "page": 0, "hitsPerPage": 10});
    let fake = Fake::new("hackernews", ok(body)).await;
    let found = fake.search(&of_last_week("dropbox")).await.unwrap();
    let request = fake.request().await;
    assert_eq!(request.url.path(), "/api/v1/search");
    assert_eq!(
        field(&request, "numericFilters").as_deref(),
        Some("created_at_i>1794830400")
    );
    let urls: Vec<_> = found.hits.iter().map(|hit| &*hit.url).collect();
    assert_eq!(
        urls,
        [
            "https://news.ycombinator.com/item?id=8863",
            "https://news.ycombinator.com/item?id=9224"
        ]
    );
    assert_eq!(
        found.hits[1].snippet,
        "For a Linux user, you can already build such a system"
    );
}

#[tokio::test]
async fn stack_exchange_is_read_and_its_refusals_are_told_apart() {
    let body = json!({"items": [{"tags": ["rust"], "title": "What does &#39;static mean?", "body": "<p>I wrote <code>&amp;'static str</code>.</p>",
        "link": "https://stackoverflow.com/questions/1/x", "score": 12, "answer_count": 1, "creation_date": 1_700_000_000, "question_id": 1}],
        "has_more": false, "quota_max": 300, "quota_remaining": 299});
    let fake = Fake::new("stackexchange", ok(body)).await;
    let found = fake.search(&query("static lifetime")).await.unwrap();
    let request = fake.request().await;
    assert_eq!(request.url.path(), "/search/advanced");
    assert_eq!(field(&request, "site").as_deref(), Some("stackoverflow"));
    assert_eq!(field(&request, "filter").as_deref(), Some("withbody"));
    assert_eq!(found.hits[0].title, "What does 'static mean?");
    assert_eq!(found.hits[0].snippet, "Score 12, 1 answer. I wrote &'static str.");
    let throttled = json!({"error_id": 502, "error_name": "throttle_violation",
        "error_message": "too many requests from this IP, more requests available in 3600 seconds"});
    let fake = Fake::new("stackexchange", ResponseTemplate::new(400).set_body_json(throttled)).await;
    match fake.search(&query("x")).await {
        Err(SearchError::RateLimited {
            retry_after: Some(after),
            ..
        }) => assert_eq!(after.as_secs(), 3600),
        other => panic!("{other:?}"),
    }
    let no_key = json!({"error_id": 405, "error_name": "key_required", "error_message": "`key` is required"});
    let fake = Fake::new("stackexchange", ResponseTemplate::new(400).set_body_json(no_key)).await;
    assert_eq!(kind(&fake.search(&query("x")).await), "key refused");
}

#[tokio::test]
async fn reddit_is_read_and_says_when_it_turns_a_network_away() {
    let post = |title: &str, permalink: &str, adult: bool| {
        json!({"kind": "t3", "data": {"title": title, "permalink": permalink, "selftext": "We tried both.",
            "subreddit_name_prefixed": "r/rust", "score": 41, "num_comments": 9, "created_utc": 1_700_000_000.0, "over_18": adult}})
    };
    let children = [
        post("Axum or Actix?", "/r/rust/comments/1/axum/", false),
        post("No", "/r/x/comments/2/", true),
        post("Away", "//evil.example/", false),
    ];
    let body = json!({"kind": "Listing", "data": {"after": null, "dist": 3, "children": children}});
    let fake = Fake::new("reddit", ok(body)).await;
    let found = fake.search(&of_last_week("axum")).await.unwrap();
    assert_eq!(field(&fake.request().await, "t").as_deref(), Some("week"));
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.hits[0].url, "https://www.reddit.com/r/rust/comments/1/axum/");
    assert_eq!(found.hits[0].snippet, "r/rust, 41 points, 9 comments. We tried both.");
    let fake = Fake::new(
        "reddit",
        ResponseTemplate::new(403).set_body_string("<html>whoa there, pardner!</html>"),
    )
    .await;
    assert_eq!(kind(&fake.search(&query("x")).await), "captcha");
}

#[tokio::test]
async fn gdelt_is_asked_in_words_it_takes_and_its_refusals_are_read() {
    let body = json!({"articles": [{"url": "https://paper.example/a", "url_mobile": "", "title": "Bridge reopens", "seendate": "20261122T103000Z",
        "socialimage": "", "domain": "paper.example", "language": "English", "sourcecountry": "Germany"}]});
    let fake = Fake::new("gdelt", ok(body)).await;
    let found = fake
        .search(&of_last_week("When is the (new) bridge to be opened?"))
        .await
        .unwrap();
    let request = fake.request().await;
    assert_eq!(field(&request, "timespan").as_deref(), Some("1w"));
    let asked = field(&request, "query").unwrap();
    assert!(asked.contains("bridge opened") && !asked.contains('('), "{asked}");
    assert_eq!(found.hits[0].snippet, "paper.example, Germany");
    assert_eq!(
        found.hits[0].published_at.unwrap().to_rfc3339(),
        "2026-11-22T10:30:00+00:00"
    );
    for (said, expected) in [
        (
            "Please limit requests to one every 5 seconds or contact us.",
            "rate limited",
        ),
        ("The specified phrase is too short.", "unreadable"),
        ("", "no results"),
        ("{}", "no results"),
    ] {
        let fake = Fake::new("gdelt", ResponseTemplate::new(200).set_body_string(said)).await;
        assert_eq!(kind(&fake.search(&query("bridge")).await), expected, "{said}");
    }
}

#[test]
fn each_kind_has_an_engine_that_needs_nothing() {
    for kind in [EngineKind::Academic, EngineKind::Discussions, EngineKind::News] {
        let mut ready = ENGINES
            .iter()
            .filter(|info| info.kind == kind && !info.needs_key && !info.needs_url);
        assert!(ready.next().is_some(), "{kind:?}");
    }
}
