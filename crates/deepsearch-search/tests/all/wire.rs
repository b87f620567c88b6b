//! Answers as the engines really send them, with what surrounds the results; only the results are the test's.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

/// Title, address and snippet of a result.
pub(crate) type Hit<'a> = (&'a str, &'a str, &'a str);

pub(crate) const TWO: &[Hit<'_>] = &[
    (
        "Async in Rust",
        "https://rust-lang.github.io/async-book/",
        "The async book.",
    ),
    ("Tokio", "https://tokio.rs/", "A runtime for async Rust."),
];

/// The answer of the engine `id` with these results.
pub(crate) fn answer(id: &str, hits: &[Hit<'_>]) -> ResponseTemplate {
    let ok = ResponseTemplate::new(200);
    match id {
        "serper" => ok.set_body_json(serper(hits)),
        "brave" => ok.set_body_json(brave(hits)),
        "tavily" => ok.set_body_json(tavily(hits)),
        "exa" => ok.set_body_json(exa(hits)),
        "searxng" => ok.set_body_json(searxng(hits, json!([["brave", "timeout"]]))),
        "wikipedia" => ok.set_body_json(wikipedia(hits)),
        "duckduckgo" => page(duckduckgo(hits)),
        "openalex" => ok.set_body_json(json!({"meta": {"count": hits.len()}, "results": hits.iter().map(|(title, url, _)|
            json!({"display_name": title, "doi": url})).collect::<Vec<_>>()})),
        "arxiv" => page(format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\">{}</feed>",
            hits.iter()
                .map(|(title, url, said)| format!("<entry><id>{url}</id><title>{title}</title><summary>{said}</summary></entry>"))
                .collect::<String>()
        )),
        "hackernews" => ok.set_body_json(json!({"hits": hits.iter().enumerate().map(|(at, (title, url, _))|
            json!({"objectID": at.to_string(), "title": title, "url": url})).collect::<Vec<_>>()})),
        "stackexchange" => ok.set_body_json(json!({"items": hits.iter().map(|(title, link, body)|
            json!({"title": title, "link": link, "body": body})).collect::<Vec<_>>(), "has_more": false})),
        "reddit" => ok.set_body_json(json!({"kind": "Listing", "data": {"children": hits.iter().enumerate().map(|(at, (title, _, said))|
            json!({"kind": "t3", "data": {"title": title, "permalink": format!("/r/x/comments/{at}/"), "selftext": said}}))
            .collect::<Vec<_>>()}})),
        "gdelt" => ok.set_body_json(json!({"articles": hits.iter().map(|(title, url, _)|
            json!({"url": url, "title": title, "domain": "example.org"})).collect::<Vec<_>>()})),
        other => panic!("no engine `{other}`"),
    }
}

pub(crate) fn page(html: String) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(html, "text/html; charset=UTF-8")
}

fn serper(hits: &[Hit<'_>]) -> Value {
    let organic = hits.iter().enumerate().map(|(at, (title, link, snippet))| {
        json!({"title": title, "link": link, "snippet": snippet, "date": "Mar 3, 2024", "position": at + 1,
            "sitelinks": [{"title": "Chapter", "link": "https://example.org/not-a-result"}]})
    });
    json!({
        "searchParameters": {"q": "rust async", "type": "search", "num": 10, "engine": "google"},
        "knowledgeGraph": {"title": "Rust", "type": "Programming language"},
        "organic": organic.collect::<Vec<_>>(),
        "peopleAlsoAsk": [{"question": "Is Rust async?", "link": "https://example.org/also-not-a-result"}],
        "relatedSearches": [{"query": "rust tokio"}],
        "credits": 1,
    })
}

fn brave(hits: &[Hit<'_>]) -> Value {
    let results = hits.iter().map(|(title, url, description)| {
        json!({"title": title, "url": url, "description": description, "is_source_local": false, "language": "en",
            "page_age": "2025-01-15T08:00:00", "age": "January 15, 2025", "family_friendly": true,
            "profile": {"name": "A site", "url": url, "img": "https://imgs.search.brave.com/x"},
            "meta_url": {"scheme": "https", "netloc": "example.org", "favicon": "https://imgs.search.brave.com/icon"},
            "extra_snippets": ["More of it."]})
    });
    json!({
        "type": "search",
        "query": {"original": "rust async", "more_results_available": true},
        "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": false}]},
        "web": {"type": "search", "results": results.collect::<Vec<_>>(), "family_friendly": true},
    })
}

fn tavily(hits: &[Hit<'_>]) -> Value {
    let results = hits.iter().map(|(title, url, content)| {
        json!({"title": title, "url": url, "content": content, "score": 0.98, "raw_content": null,
            "published_date": "Mon, 20 Jan 2025 10:00:00 GMT", "favicon": "https://example.org/favicon.ico"})
    });
    json!({"query": "rust async", "answer": null, "images": [], "results": results.collect::<Vec<_>>(),
        "response_time": 1.09, "request_id": "123e4567-e89b-12d3-a456-426614174111"})
}

fn exa(hits: &[Hit<'_>]) -> Value {
    let results = hits.iter().map(|(title, url, highlight)| {
        json!({"id": url, "title": title, "url": url, "publishedDate": "2023-11-16T01:36:32.547Z", "author": null,
            "image": null, "favicon": "https://example.org/favicon.ico", "highlights": [highlight],
            "highlightScores": [0.4]})
    });
    json!({"requestId": "b5947044c4b78efa9552a7c89b306d95", "resolvedSearchType": "neural",
        "results": results.collect::<Vec<_>>(), "searchTime": 812.2, "costDollars": {"total": 0.007}})
}

pub(crate) fn searxng(hits: &[Hit<'_>], unresponsive_engines: Value) -> Value {
    let results = hits.iter().map(|(title, url, content)| {
        json!({"title": title, "url": url, "content": content, "engine": "mojeek", "engines": ["mojeek"],
            "parsed_url": ["https", "example.org", "/", "", "", ""], "template": "default.html", "positions": [1],
            "publishedDate": "2025-01-15T08:00:00", "score": 1.0, "category": "general"})
    });
    json!({"query": "rust async", "number_of_results": 0, "results": results.collect::<Vec<_>>(), "answers": [],
        "corrections": [], "infoboxes": [], "suggestions": ["tokio"], "unresponsive_engines": unresponsive_engines})
}

fn wikipedia(hits: &[Hit<'_>]) -> Value {
    // Wikipedia gives no addresses: they follow from the titles.
    let search = hits
        .iter()
        .map(|(title, _, snippet)| article(title, snippet, "2026-11-20T10:00:00Z"));
    articles(search.collect())
}

pub(crate) fn article(title: &str, snippet: &str, edited: &str) -> Value {
    json!({"ns": 0, "title": title, "pageid": 29414838, "size": 1000, "wordcount": 100, "snippet": snippet,
        "timestamp": edited})
}

pub(crate) fn articles(search: Vec<Value>) -> Value {
    json!({"batchcomplete": true, "continue": {"sroffset": 10, "continue": "-||"},
        "query": {"searchinfo": {"totalhits": search.len()}, "search": search}})
}

/// The page without scripts: an advertisement first, then the results.
pub(crate) fn duckduckgo(hits: &[Hit<'_>]) -> String {
    let results = hits.iter().map(|(title, href, snippet)| {
        format!(
            r##"<div class="result results_links results_links_deep web-result ">
              <div class="links_main links_deep result__body">
                <h2 class="result__title"><a rel="nofollow" class="result__a" href="{href}">{title}</a></h2>
                <div class="result__extras"><div class="result__extras__url">
                  <span class="result__icon"><a rel="nofollow" href="{href}"><img class="result__icon__img" width="16"
                    height="16" alt="" src="//external-content.duckduckgo.com/ip3/example.org.ico" /></a></span>
                  <a class="result__url" href="{href}"> example.org </a>
                  <span>&nbsp; &nbsp; 2025-12-30T00:00:00.0000000</span>
                </div></div>
                <a class="result__snippet" href="{href}">{snippet}</a>
                <div class="clear"></div>
              </div>
            </div>"##
        )
    });
    format!(
        r##"<!DOCTYPE html><html><head><title>rust async at DuckDuckGo</title></head>
        <body class="body--html"><form id="search_form" action="/html/" method="post"></form>
        <div class="serp__results"><div id="links" class="results">
          <div class="result results_links results_links_deep result--ad result--ad--small">
            <h2 class="result__title"><a class="result__a"
              href="https://duckduckgo.com/y.js?ad_domain=ads.example&ad_provider=bingv7aa&u3=x">Buy Rust</a></h2>
            <a class="result__snippet" href="https://duckduckgo.com/y.js?ad_domain=ads.example">An advertisement.</a>
            <button class="badge--ad">Ad</button>
          </div>
          {}
          <div class="nav-link"><form action="/html/" method="post"><input type="hidden" name="vqd" value="4-1" /></form></div>
        </div></div></body></html>"##,
        results.collect::<String>()
    )
}

/// DuckDuckGo's page for whoever asks too fast.
pub(crate) const CAPTCHA: &str = r##"<!DOCTYPE html><html><head><title>DuckDuckGo</title></head><body>
    <form id="challenge-form" action="//duckduckgo.com/anomaly.js?sv=html&cc=botnet" method="POST">
    <div class="anomaly-modal__mask"><div class="anomaly-modal__modal"><div class="anomaly-modal__title">
    Unfortunately, bots use DuckDuckGo too.</div><img class="anomaly-modal__image" src="../assets/anomaly/1.jpg" />
    </div></div></form></body></html>"##;

/// DuckDuckGo's page for a question without results.
pub(crate) const NOTHING: &str = r##"<!DOCTYPE html><html><body><div id="links" class="results">
    <div class="result results_links results_links_deep result--no-result"><div class="links_main">
    <div class="no-results">No results.</div></div></div></div></body></html>"##;
