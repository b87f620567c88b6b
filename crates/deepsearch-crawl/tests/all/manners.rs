//! How servers are treated: robots.txt, places per host, pauses, and no page asked for twice at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deepsearch_core::{FetchError, PageFetcher};
use deepsearch_crawl::CrawlOptions;
use futures::future::join_all;

use crate::support::{Step, Web, answer, article, crawler, fetch, html, options, redirect};

fn obedient() -> CrawlOptions {
    let mut options = options();
    options.manners.robots = true;
    options
}

async fn site(robots: Vec<Step>) -> Web {
    Web::start(move |path| {
        if path == "/robots.txt" {
            robots.clone()
        } else {
            html(article("page"))
        }
    })
    .await
}

fn rules(text: &str) -> Vec<Step> {
    answer("200 OK", &["content-type: text/plain"], text)
}

#[tokio::test]
async fn a_page_that_robots_txt_closes_is_not_asked_for() {
    let web = site(rules("User-agent: *\nDisallow: /private\nAllow: /private/open\n")).await;
    let crawler = crawler(obedient());
    let closed = crawler.fetch(&web.url("/private/page?x=1")).await;
    assert!(
        matches!(&closed, Err(FetchError::Robots { host }) if host == "127.0.0.1"),
        "{closed:?}"
    );
    assert!(crawler.fetch(&web.url("/private/open")).await.is_ok());
    assert!(crawler.fetch(&web.url("/public")).await.is_ok());
    assert_eq!(web.requests(), ["/robots.txt", "/private/open", "/public"]);
}

#[tokio::test]
async fn rules_for_us_by_name_go_before_rules_for_all() {
    let web = site(rules(
        "User-agent: *\nDisallow: /\n\nUser-agent: deepsearch\nDisallow: /only-this\n",
    ))
    .await;
    let crawler = crawler(obedient());
    assert!(crawler.fetch(&web.url("/page")).await.is_ok());
    assert!(matches!(
        crawler.fetch(&web.url("/only-this")).await,
        Err(FetchError::Robots { .. })
    ));
}

#[tokio::test]
async fn many_pages_of_a_site_ask_for_its_robots_txt_once() {
    let web = site(rules("User-agent: *\nAllow: /\n")).await;
    let crawler = crawler(obedient());
    let urls: Vec<_> = (0..12).map(|n| web.url(&format!("/{n}"))).collect();
    for outcome in join_all(urls.iter().map(|url| crawler.fetch(url))).await {
        outcome.unwrap();
    }
    assert_eq!(web.requests().iter().filter(|path| *path == "/robots.txt").count(), 1);
    assert_eq!(web.requests().len(), 13);
}

#[tokio::test]
async fn what_a_robots_txt_that_is_no_robots_txt_means() {
    for (name, robots, is_open) in [
        ("missing", answer("404 Not Found", &[], ""), true),
        ("forbidden", answer("403 Forbidden", &[], ""), true),
        ("empty", rules(""), true),
        ("binary", rules("\u{0}\u{1}\u{2}"), true),
        ("a page", html(article("not rules")), true),
        ("elsewhere", redirect("/elsewhere.txt"), true),
        ("in circles", redirect("/robots.txt"), true),
        ("server trouble", answer("503 Service Unavailable", &[], ""), false),
    ] {
        let web = site(robots).await;
        let outcome = fetch(obedient(), &web.url("/page")).await;
        assert_eq!(outcome.is_ok(), is_open, "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_held_against_the_rules_of_where_it_leads() {
    let closed = site(rules("User-agent: *\nDisallow: /\n")).await;
    let target = closed.url("/page").to_string();
    let open = Web::start(move |path| {
        if path == "/robots.txt" {
            rules("")
        } else {
            redirect(&target)
        }
    })
    .await;
    let outcome = fetch(obedient(), &open.url("/")).await;
    assert!(matches!(outcome, Err(FetchError::Robots { .. })), "{outcome:?}");
    assert_eq!(closed.requests(), ["/robots.txt"]);
}

#[tokio::test]
async fn requests_to_one_host_keep_the_pause_it_asks_for_up_to_a_limit() {
    let web = site(rules("User-agent: *\nCrawl-delay: 3600\n")).await;
    let mut options = obedient();
    options.manners.longest_pause = Duration::from_millis(300);
    let crawler = crawler(options);
    let start = Instant::now();
    for n in 0..3 {
        crawler.fetch(&web.url(&format!("/{n}"))).await.unwrap();
    }
    // Two pauses at least; that they are no hour each is shown by getting here.
    assert!(start.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn a_host_is_asked_for_no_more_pages_at_once_than_agreed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, peak) = (Arc::clone(&now), Arc::clone(&most));
    let web = Web::start(move |_| {
        peak.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let counter = Arc::clone(&counter);
        // Leaves when the answer is over, not when it is written.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(60)).await;
            counter.fetch_sub(1, Ordering::SeqCst);
        });
        [vec![Step::Wait(Duration::from_millis(80))], html(article("busy"))].concat()
    })
    .await;
    let mut options = options();
    options.manners.per_host = 2;
    let crawler = crawler(options);
    let urls: Vec<_> = (0..8).map(|n| web.url(&format!("/{n}"))).collect();
    for outcome in join_all(urls.iter().map(|url| crawler.fetch(url))).await {
        outcome.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_address_wanted_by_many_is_downloaded_once() {
    let web = Web::saying([vec![Step::Wait(Duration::from_millis(100))], html(article("shared"))].concat()).await;
    let crawler = crawler(options());
    let urls = [web.url("/page"), web.url("/page#part"), web.url("/page")];
    let pages = join_all(urls.iter().map(|url| crawler.fetch(url))).await;
    let ids: Vec<_> = pages.into_iter().map(|page| page.unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(web.requests(), ["/page"]);

    crawler.fetch(&web.url("/page")).await.unwrap();
    assert_eq!(
        web.requests().len(),
        2,
        "what is finished is not kept: the app decides what it saves"
    );
}

#[tokio::test]
async fn an_error_is_shared_too_and_one_who_leaves_does_not_take_it_along() {
    let web = Web::saying(
        [
            vec![Step::Wait(Duration::from_millis(200))],
            answer("500 Oops", &[], ""),
        ]
        .concat(),
    )
    .await;
    let crawler = crawler(options());
    let url = web.url("/page");
    let leaver = tokio::time::timeout(Duration::from_millis(50), crawler.fetch(&url));
    let (left, one, two) = tokio::join!(leaver, crawler.fetch(&url), crawler.fetch(&url));
    assert!(left.is_err());
    for outcome in [one, two] {
        assert!(
            matches!(outcome, Err(FetchError::Status { status: 500, .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(web.requests().len(), 1);
}
