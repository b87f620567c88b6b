//! What kinds of documents are read, and what becomes of them.

use deepsearch_core::{FetchError, MediaType};
use url::Url;

use crate::support::{Step, Web, answer, article, fetch, head, options, reader};

const PDF: &[u8] = include_bytes!("../fixtures/report.pdf");

fn url(path: &str) -> Url {
    Url::parse("https://example.org").unwrap().join(path).unwrap()
}

#[tokio::test]
async fn a_web_page_becomes_a_page() {
    let web = Web::saying(answer("200 OK", &["content-type: text/html"], article("Fresnel"))).await;
    let page = fetch(options(), &web.url("/book#chapter")).await.unwrap();
    assert_eq!(page.media_type, MediaType::Html);
    assert_eq!(page.url, web.url("/book"));
    assert_eq!(page.title, "The keeper's book");
    assert_eq!(page.language.as_deref(), Some("en"));
    assert!(page.html.is_some());
    assert!(
        page.sentences
            .iter()
            .any(|span| page.quote(*span).starts_with("Fresnel is what this page is about"))
    );
    assert_eq!(page.content_hash.len(), 64);
}

#[tokio::test]
async fn a_pdf_becomes_a_page_with_its_title_author_and_date() {
    let page = reader()
        .parse(PDF, Some("application/pdf"), &url("/report.pdf"))
        .await
        .unwrap();
    assert_eq!(page.media_type, MediaType::Pdf);
    assert_eq!(page.title, "Annual report on lighthouses");
    assert_eq!(page.author.as_deref(), Some("Ada Keeper"));
    assert_eq!(page.published_at.unwrap().to_rfc3339(), "2024-01-15T09:30:00+00:00");
    assert_eq!(page.language.as_deref(), Some("en"));
    assert!(page.html.is_none());
    let says = |text: &str| page.sentences.iter().any(|span| page.quote(*span).contains(text));
    assert!(says("The lamp was lit on every night of the year."), "{}", page.text);
    assert!(says("North Point | 365 | 12"), "{}", page.text);
    assert!(!page.text.contains('#') && !page.text.contains("**"), "{}", page.text);
}

#[tokio::test]
async fn a_pdf_is_known_by_its_bytes_whatever_its_server_says() {
    for content_type in [
        None,
        Some("application/octet-stream"),
        Some("text/html"),
        Some("text/plain"),
        Some("nonsense"),
    ] {
        let page = reader().parse(PDF, content_type, &url("/report")).await.unwrap();
        assert_eq!(page.media_type, MediaType::Pdf, "{content_type:?}");
    }
    let page = reader()
        .parse(article("not a pdf").as_bytes(), Some("application/pdf"), &url("/x.pdf"))
        .await
        .unwrap();
    assert_eq!(page.media_type, MediaType::Html);
}

#[tokio::test]
async fn plain_text_markdown_and_json_are_read_as_they_are() {
    let text =
        "# Tides\r\n\r\nThe tide comes twice a day.   \r\nIt goes twice, too.\r\n\r\n\r\n\r\nThe end.\u{0}\u{7}\r\n";
    let page = reader()
        .parse(text.as_bytes(), Some("text/markdown"), &url("/tides.md"))
        .await
        .unwrap();
    assert_eq!(page.media_type, MediaType::Text);
    assert_eq!(page.title, "Tides");
    assert_eq!(
        page.text,
        "# Tides\n\nThe tide comes twice a day.\nIt goes twice, too.\n\nThe end."
    );
    let page = reader()
        .parse(
            b"{\"name\": \"tide\", \"times\": 2}",
            Some("application/json"),
            &url("/api/tide.json"),
        )
        .await
        .unwrap();
    assert_eq!((page.title.as_str(), page.media_type), ("tide.json", MediaType::Text));
}

#[tokio::test]
async fn html_is_known_without_a_content_type() {
    for content_type in [
        None,
        Some("application/xml"),
        Some("application/octet-stream"),
        Some("application/xhtml+xml"),
    ] {
        let page = reader()
            .parse(article("unsaid").as_bytes(), content_type, &url("/"))
            .await
            .unwrap();
        assert_eq!(page.media_type, MediaType::Html, "{content_type:?}");
    }
}

#[tokio::test]
async fn pictures_films_and_archives_are_refused_before_their_bodies() {
    for kind in [
        "image/png",
        "video/mp4",
        "audio/mpeg",
        "application/zip",
        "font/woff2",
        "application/msword",
    ] {
        let header = format!("content-type: {kind}");
        let web = Web::saying(vec![
            Step::Send(head("200 OK", &[&header])),
            Step::Wait(std::time::Duration::from_secs(600)),
        ])
        .await;
        let outcome = fetch(options(), &web.url("/file")).await;
        assert!(
            matches!(&outcome, Err(FetchError::Unsupported { media_type, .. }) if media_type == kind),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn files_that_call_themselves_text_are_known_by_their_bytes() {
    let png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01";
    let zip = b"PK\x03\x04\x14\x00\x00\x00\x08\x00";
    for (bytes, kind) in [
        (&png[..], "image/png"),
        (&zip[..], "application/zip"),
        (&[0, 1, 2, 3, 0, 0][..], "application/octet-stream"),
    ] {
        for said in [None, Some("text/html"), Some("text/plain")] {
            let outcome = reader().parse(bytes, said, &url("/")).await;
            assert!(
                matches!(&outcome, Err(FetchError::Unsupported { media_type, .. }) if media_type == kind),
                "{said:?}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn two_readings_of_one_text_have_one_hash() {
    let reader = reader();
    let one = reader
        .parse(b"The same words.", Some("text/plain"), &url("/a"))
        .await
        .unwrap();
    let two = reader
        .parse(b"The same words.\r\n", Some("text/plain"), &url("/b"))
        .await
        .unwrap();
    assert_eq!(one.content_hash, two.content_hash);
    assert_ne!(one.id, two.id);
}
