//! What one page may cost in time and size, and that one bad server costs the others nothing.

use std::io::Write;
use std::time::Duration;

use deepsearch_core::{FetchError, PageFetcher};
use deepsearch_crawl::{CrawlOptions, Limits};
use futures::future::join_all;
use tokio::time::timeout;

use crate::support::{Step, Web, answer, article, crawler, fetch, head, html, options, redirect};

const LONG: Duration = Duration::from_secs(600);

/// Limits that a test can wait for.
fn short() -> CrawlOptions {
    CrawlOptions {
        limits: Limits {
            connect: Duration::from_millis(500),
            first_byte: Duration::from_millis(600),
            idle: Duration::from_millis(400),
            total: Duration::from_millis(1500),
            ..Limits::default()
        },
        ..options()
    }
}

fn html_head(more: &[&str]) -> Vec<u8> {
    head("200 OK", &[&["content-type: text/html"], more].concat())
}

#[tokio::test]
async fn servers_that_keep_us_waiting_are_left() {
    let cases: [(&str, Vec<Step>, Duration); 5] = [
        ("says nothing", vec![Step::Wait(LONG)], Duration::from_millis(600)),
        (
            "half a status line",
            vec![Step::Send(b"HTTP/1.1 2".to_vec()), Step::Wait(LONG)],
            Duration::from_millis(600),
        ),
        (
            "headers without end",
            vec![
                Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
                Step::Drip(b"x-more: 1\r\n".to_vec(), Duration::from_millis(50)),
            ],
            Duration::from_millis(600),
        ),
        (
            "stops in the body",
            vec![
                Step::Send(html_head(&[])),
                Step::Send(b"<p>one".to_vec()),
                Step::Wait(LONG),
            ],
            Duration::from_millis(400),
        ),
        (
            "a byte at a time",
            vec![
                Step::Send(html_head(&[])),
                Step::Drip(b"x".to_vec(), Duration::from_millis(50)),
            ],
            Duration::from_millis(1500),
        ),
    ];
    for (name, steps, limit) in cases {
        let web = Web::saying(steps).await;
        let outcome = timeout(Duration::from_secs(60), fetch(short(), &web.url("/")))
            .await
            .expect(name);
        assert!(
            matches!(&outcome, Err(FetchError::TimedOut { limit: told, .. }) if *told == limit),
            "{name}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_at_the_wire_limit() {
    let web = Web::saying(vec![
        Step::Send(html_head(&[])),
        Step::Drip(vec![b'a'; 1 << 16], Duration::ZERO),
    ])
    .await;
    let mut options = options();
    options.limits.wire = 1 << 20;
    let outcome = fetch(options, &web.url("/")).await;
    assert!(
        matches!(outcome, Err(FetchError::TooLarge { limit, .. }) if limit == 1 << 20),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_announced_size_is_believed_when_it_is_too_large() {
    let web = Web::saying(vec![
        Step::Send(html_head(&["content-length: 999999999"])),
        Step::Wait(LONG),
    ])
    .await;
    let outcome = fetch(options(), &web.url("/")).await;
    assert!(matches!(outcome, Err(FetchError::TooLarge { .. })), "{outcome:?}");
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    // 64 MiB of zeros each: far above 100:1, and above the decoded limit.
    let zeros = vec![0_u8; 64 << 20];
    for (encoding, bomb) in [
        ("gzip", gzip(&zeros)),
        ("br", brotli(&zeros)),
        ("zstd", zstd::encode_all(&zeros[..], 19).unwrap()),
        ("deflate", deflate(&zeros)),
    ] {
        assert!(bomb.len() < 1 << 20, "{encoding}: {} bytes", bomb.len());
        let header = format!("content-encoding: {encoding}");
        let web = Web::saying(answer("200 OK", &["content-type: text/html", &header], bomb)).await;
        let outcome = fetch(options(), &web.url("/")).await;
        assert!(
            matches!(outcome, Err(FetchError::TooLarge { .. })),
            "{encoding}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn the_inner_layer_of_a_nested_bomb_is_never_opened() {
    let bomb = gzip(&gzip(&vec![0_u8; 64 << 20]));
    let headers = ["content-type: text/html", "content-encoding: gzip"];
    let web = Web::saying(answer("200 OK", &headers, bomb)).await;
    let outcome = fetch(options(), &web.url("/")).await;
    let is_gzip = |media_type: &str| media_type == "application/gzip";
    assert!(
        matches!(&outcome, Err(FetchError::Unsupported { media_type, .. }) if is_gzip(media_type)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_zstd_window_larger_than_the_webs_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(article("window").as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    let web = Web::saying(answer(
        "200 OK",
        &["content-type: text/html", "content-encoding: zstd"],
        body,
    ))
    .await;
    let outcome = fetch(options(), &web.url("/")).await;
    assert!(matches!(outcome, Err(FetchError::Unparsable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn every_encoding_we_ask_for_is_read() {
    let page = article("compressed");
    let bytes = page.as_bytes();
    for (encoding, body) in [
        ("gzip", gzip(bytes)),
        ("GZip", gzip(bytes)),
        ("br", brotli(bytes)),
        ("zstd", zstd::encode_all(bytes, 3).unwrap()),
        ("deflate", zlib(bytes)),
        ("deflate", deflate(bytes)),
        ("identity", bytes.to_vec()),
    ] {
        let header = format!("content-encoding: {encoding}");
        let web = Web::saying(answer("200 OK", &["content-type: text/html", &header], body)).await;
        let page = fetch(options(), &web.url("/"))
            .await
            .unwrap_or_else(|error| panic!("{encoding}: {error}"));
        assert!(page.text.contains("compressed is what"), "{encoding}");
    }
}

#[tokio::test]
async fn damaged_and_unknown_compression_is_an_error_in_words() {
    for (encoding, body) in [
        ("gzip", b"this is not gzip".to_vec()),
        ("br", vec![0xff; 100]),
        ("zstd", b"nor zstd".to_vec()),
        ("compress", b"old".to_vec()),
        ("gzip, gzip", gzip(&gzip(b"twice"))),
    ] {
        let header = format!("content-encoding: {encoding}");
        let web = Web::saying(answer("200 OK", &["content-type: text/html", &header], body)).await;
        let outcome = fetch(options(), &web.url("/")).await;
        assert!(
            matches!(outcome, Err(FetchError::Unparsable { .. })),
            "{encoding}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_not_taken_for_the_page() {
    let web = Web::saying(vec![
        Step::Send(html_head(&["content-length: 100000"])),
        Step::Send(article("half").into_bytes()),
    ])
    .await;
    let outcome = fetch(options(), &web.url("/")).await;
    assert!(matches!(outcome, Err(FetchError::Unreachable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn redirects_end() {
    let web = Web::start(|path| {
        let hop: usize = path.trim_start_matches('/').parse().unwrap_or(0);
        if hop >= 5 && path != "/loop" {
            html(article("arrived"))
        } else if path == "/loop" {
            redirect("/loop")
        } else {
            redirect(&format!("/{}", hop + 1))
        }
    })
    .await;
    let page = fetch(options(), &web.url("/0")).await.unwrap();
    assert_eq!(
        page.url,
        web.url("/5"),
        "a page is called by the address it was found at"
    );
    let outcome = fetch(options(), &web.url("/loop")).await;
    assert!(matches!(outcome, Err(FetchError::Refused { .. })), "{outcome:?}");
}

#[tokio::test]
async fn headers_without_measure_are_not_read() {
    let one = format!("x-large: {}", "h".repeat(4 << 20));
    let many: Vec<String> = (0..5000).map(|n| format!("x-{n}: {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for headers in [vec![one.as_str()], many] {
        let web = Web::saying(answer("200 OK", &headers, article("large"))).await;
        let outcome = fetch(options(), &web.url("/")).await;
        assert!(matches!(outcome, Err(FetchError::Unreachable { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn fifty_slow_servers_do_not_hold_up_a_good_one() {
    let slow = join_all((0..50).map(|n| {
        Web::saying(match n % 2 {
            0 => vec![Step::Wait(LONG)],
            _ => vec![
                Step::Send(html_head(&[])),
                Step::Drip(b"<p>".to_vec(), Duration::from_millis(100)),
            ],
        })
    }))
    .await;
    let good = Web::saying(html(article("prompt"))).await;
    let mut options = short();
    options.manners.at_once = 64;
    let crawler = crawler(options);
    let urls: Vec<_> = slow.iter().map(|web| web.url("/")).collect();
    let all_slow = join_all(urls.iter().map(|url| crawler.fetch(url)));
    let (outcomes, page) = timeout(Duration::from_secs(120), async {
        // The parser needs its time on a busy machine; the network limits above are what is short.
        tokio::join!(all_slow, async { crawler.fetch(&good.url("/")).await })
    })
    .await
    .expect("all limits together are far shorter");
    assert!(page.unwrap().text.contains("prompt"));
    for outcome in outcomes {
        assert!(matches!(outcome, Err(FetchError::TimedOut { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_talks_nonsense_is_an_error() {
    for steps in [
        vec![],
        vec![Step::Send(b"\x00\x01\x02\x03 nonsense\r\n\r\n".to_vec())],
        vec![Step::Send(b"SSH-2.0-OpenSSH\r\n".to_vec())],
    ] {
        let web = Web::saying(steps).await;
        let outcome = fetch(options(), &web.url("/")).await;
        assert!(matches!(outcome, Err(FetchError::Unreachable { .. })), "{outcome:?}");
    }
    let closed = Web::saying(vec![]).await.url("/");
    let outcome = fetch(short(), &closed).await;
    assert!(matches!(outcome, Err(FetchError::Unreachable { .. })), "{outcome:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut out, 1 << 16, 5, 22);
    encoder.write_all(bytes).unwrap();
    drop(encoder);
    out
}
