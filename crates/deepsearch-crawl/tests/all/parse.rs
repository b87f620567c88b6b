//! A hostile document costs its parser child and nothing else: the app lives, and the next page parses.

use std::fmt::Write;
use std::time::Duration;

use deepsearch_core::{FetchError, Page, SystemClock};
use deepsearch_crawl::{ParserCommand, ParserOptions, Reader};
use futures::future::join_all;
use std::sync::Arc;
use url::Url;

use crate::support::{article, parser, reader};

const PDF: &[u8] = include_bytes!("../fixtures/report.pdf");

fn url() -> Url {
    Url::parse("https://example.org/page").unwrap()
}

async fn parse_html(reader: &Reader, html: &str) -> Result<Page, FetchError> {
    reader.parse(html.as_bytes(), Some("text/html"), &url()).await
}

async fn assert_still_reads(reader: &Reader, after: &str) {
    let page = parse_html(reader, &article("healthy")).await;
    assert!(
        page.as_ref().is_ok_and(|page| page.text.contains("healthy is what")),
        "after {after}: {page:?}"
    );
}

/// A pool that waits no longer than a hostile page deserves.
fn strict() -> Reader {
    let options = ParserOptions {
        time: Duration::from_secs(8),
        memory: 768 << 20,
        ..parser()
    };
    Reader::new(options, Arc::new(SystemClock))
}

#[tokio::test]
async fn hostile_html_is_survived() {
    let reader = strict();
    let bomb = |open: &str, count: usize| format!("<!doctype html><body>{}text", open.repeat(count));
    let attributes = (0..100_000).fold(String::new(), |mut all, n| {
        write!(all, " a{n}=1").unwrap();
        all
    });
    for (name, html) in [
        ("100,000 nested divs", bomb("<div>", 100_000)),
        (
            "100,000 nested divs, closed",
            format!("{}text{}", "<div>".repeat(100_000), "</div>".repeat(100_000)),
        ),
        ("100,000 nested formats", bomb("<b><i>", 50_000)),
        ("nested tables", bomb("<table><tr><td>", 20_000)),
        ("nested lists and quotes", bomb("<ul><li><blockquote>", 30_000)),
        ("nested anchors and fonts", bomb("<a href=x><font>", 20_000)),
        ("misnested formats", "<b><p><i></b><a></p></i>".repeat(5_000)),
        (
            "a 19 MB attribute",
            format!("<body><p title=\"{}\">text", "a".repeat(19 << 20)),
        ),
        ("a 19 MB word", format!("<body><p>{}", "a".repeat(19 << 20))),
        ("100,000 attributes", format!("<body><p{attributes}>text")),
        (
            "unclosed everything",
            "<div><!-- <script> <style> <textarea> <title> <![CDATA[ <svg><math>".repeat(1_000),
        ),
        ("open comment", format!("<body><p>text<!--{}", "-".repeat(5 << 20))),
        (
            "a million entities",
            format!("<body><p>{}", "&amp;&#x1F600;&nosuch;".repeat(300_000)),
        ),
        (
            "nested templates and svg",
            bomb("<svg><foreignObject><template>", 10_000),
        ),
        (
            "nul and control bytes",
            format!("<body><p>{}text", "\u{1}\u{8}\u{b}".repeat(100_000)),
        ),
        (
            "deep json-ld",
            format!(
                "<script type='application/ld+json'>{}</script><p>text",
                "[".repeat(1_000_000)
            ),
        ),
    ] {
        match parse_html(&reader, &html).await {
            Ok(page) => assert!(page.text.len() <= 20 << 20, "{name}"),
            Err(
                FetchError::TimedOut { .. }
                | FetchError::Unparsable { .. }
                | FetchError::ParserLost { .. }
                | FetchError::Empty { .. },
            ) => {}
            Err(other) => panic!("{name}: {other}"),
        }
        assert_still_reads(&reader, name).await;
    }
}

#[tokio::test]
async fn hostile_pdfs_are_survived() {
    let reader = strict();
    let mut cut: Vec<(String, Vec<u8>)> = [1, 8, 100, PDF.len() / 2, PDF.len() - 200, PDF.len() - 10]
        .map(|length| {
            (
                format!("cut at {length}"),
                [&b"%PDF-1.4\n"[..], &PDF[9.min(length)..length.max(9)]].concat(),
            )
        })
        .into();
    cut.extend([
        ("garbage".into(), [b"%PDF-1.7\n".to_vec(), pseudo_random(200_000)].concat()),
        ("bytes changed".into(), with_noise(PDF)),
        ("a page tree that is its own child".into(), pdf(&["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99999999>>"])),
        ("a page tree in a circle".into(), pdf(&["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Pages/Kids[2 0 R]/Parent 2 0 R/Count 1>>"])),
        ("a length that refers to itself".into(), pdf(&["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>", "<</Length 4 0 R>>stream\nBT ET\nendstream"])),
        ("an xref that refers to itself".into(), b"%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF".to_vec()),
        ("deep arrays".into(), pdf(&["<</Type/Catalog/Pages 2 0 R>>", &format!("<</Type/Pages/Kids {}{}>>", "[".repeat(200_000), "]".repeat(200_000))])),
        ("deep dictionaries".into(), pdf(&[&"<</A".repeat(200_000)])),
        ("a form that draws itself".into(), pdf(&[
            "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            "<</Type/Page/Parent 2 0 R/Resources<</XObject<</X 4 0 R>>>>/Contents 4 0 R>>",
            "<</Type/XObject/Subtype/Form/Resources<</XObject<</X 4 0 R>>>>/Length 11>>stream\n/X Do /X Do\nendstream",
        ])),
        ("a content bomb".into(), content_bomb()),
    ]);
    for (name, bytes) in cut {
        match reader.parse(&bytes, Some("application/pdf"), &url()).await {
            Ok(_)
            | Err(
                FetchError::TimedOut { .. }
                | FetchError::Unparsable { .. }
                | FetchError::ParserLost { .. }
                | FetchError::Empty { .. },
            ) => {}
            Err(other) => panic!("{name}: {other}"),
        }
        assert_still_reads(&reader, &name).await;
    }
}

#[tokio::test]
async fn a_page_that_takes_too_long_is_given_up_and_the_next_one_reads() {
    let reader = Reader::new(
        ParserOptions {
            time: Duration::from_millis(1),
            ..parser()
        },
        Arc::new(SystemClock),
    );
    let outcome = parse_html(&reader, &"<div>".repeat(100_000)).await;
    assert!(matches!(outcome, Err(FetchError::TimedOut { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_parser_that_cannot_be_started_is_told_with_its_name() {
    let command = ParserCommand {
        program: "/no/such/parser".into(),
        args: Vec::new(),
    };
    let reader = Reader::new(ParserOptions { command, ..parser() }, Arc::new(SystemClock));
    let error = parse_html(&reader, &article("x")).await.unwrap_err();
    assert!(matches!(error, FetchError::ParserLost { .. }));
    assert!(error.to_string().contains("/no/such/parser"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_no_parser_is_survived() {
    for program in ["true", "yes", "cat"] {
        let command = ParserCommand {
            program: format!("/usr/bin/{program}").into(),
            args: Vec::new(),
        };
        let reader = Reader::new(
            ParserOptions {
                command,
                time: Duration::from_secs(3),
                ..parser()
            },
            Arc::new(SystemClock),
        );
        let outcome = parse_html(&reader, &article("x")).await;
        assert!(
            matches!(
                outcome,
                Err(FetchError::ParserLost { .. } | FetchError::TimedOut { .. })
            ),
            "{program}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn many_pages_go_through_few_children() {
    let reader = Reader::new(
        ParserOptions {
            children: 2,
            pages: 7,
            ..parser()
        },
        Arc::new(SystemClock),
    );
    let pages: Vec<String> = (0..40).map(|n| article(&format!("mark{n}mark"))).collect();
    let read = join_all(pages.iter().map(|html| parse_html(&reader, html))).await;
    for (n, page) in read.into_iter().enumerate() {
        assert!(
            page.unwrap().text.contains(&format!("mark{n}mark is what")),
            "answers belong to their pages"
        );
    }
}

#[tokio::test]
async fn a_document_larger_than_any_download_is_not_parsed() {
    let outcome = reader()
        .parse(&vec![b'a'; (20 << 20) + 1], Some("text/plain"), &url())
        .await;
    assert!(matches!(outcome, Err(FetchError::TooLarge { .. })), "{outcome:?}");
}

#[cfg(target_os = "linux")]
mod children {
    use super::*;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    /// A parser that first writes down its process id, which is then the child's.
    fn written_down(file: &Path) -> ParserOptions {
        let script = format!(
            "echo $$ > {}; exec {}",
            file.display(),
            env!("CARGO_BIN_EXE_deepsearch-parse")
        );
        ParserOptions {
            command: ParserCommand {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), script],
            },
            time: Duration::from_secs(4),
            ..parser()
        }
    }

    struct Child {
        reader: Reader,
        file: PathBuf,
        _folder: tempfile::TempDir,
    }

    impl Child {
        async fn started() -> Self {
            Self::started_with(|_| {}).await
        }

        async fn started_with(change: impl FnOnce(&mut ParserOptions)) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("pid");
            let mut options = written_down(&file);
            change(&mut options);
            let reader = Reader::new(options, Arc::new(SystemClock));
            assert_still_reads(&reader, "the start").await;
            Self {
                reader,
                file,
                _folder: folder,
            }
        }

        fn id(&self) -> String {
            std::fs::read_to_string(&self.file).unwrap().trim().to_owned()
        }

        fn signal(&self, signal: &str) {
            assert!(
                Command::new("kill")
                    .args([signal, &self.id()])
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }

    async fn assert_gone(id: &str) {
        // A killed child may stay a zombie until its parent looks; its first thread is one while the others still end.
        let is_running = || {
            let threads = std::fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count);
            let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            threads > 1 || (threads == 1 && !state.contains(") Z"))
        };
        for _ in 0..200 {
            if !is_running() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the child {id} still runs");
    }

    #[tokio::test]
    async fn a_child_killed_in_the_middle_of_a_page_costs_that_page_only() {
        let child = Child::started().await;
        let first = child.id();
        child.signal("-STOP");
        let html = article("lost");
        let (outcome, ()) = tokio::join!(parse_html(&child.reader, &html), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            child.signal("-KILL");
        });
        assert!(matches!(outcome, Err(FetchError::ParserLost { .. })), "{outcome:?}");
        assert_still_reads(&child.reader, "the kill").await;
        assert_ne!(child.id(), first);
    }

    #[tokio::test]
    async fn a_child_killed_while_it_waits_costs_nothing() {
        let child = Child::started().await;
        let first = child.id();
        child.signal("-KILL");
        assert_gone(&first).await;
        assert_still_reads(&child.reader, "the kill").await;
    }

    #[tokio::test]
    async fn a_child_without_work_is_let_go() {
        let child = Child::started_with(|options| options.idle = Duration::from_millis(200)).await;
        let first = child.id();
        assert_gone(&first).await;
        assert_still_reads(&child.reader, "the rest").await;
        assert_ne!(child.id(), first);
    }

    #[tokio::test]
    async fn a_hanging_child_is_killed_and_replaced() {
        let child = Child::started().await;
        let first = child.id();
        child.signal("-STOP");
        let outcome = parse_html(&child.reader, &article("stuck")).await;
        assert!(matches!(outcome, Err(FetchError::TimedOut { .. })), "{outcome:?}");
        assert_still_reads(&child.reader, "the hang").await;
        assert_ne!(child.id(), first);
        assert_gone(&first).await;
    }

    #[tokio::test]
    async fn a_parse_that_nobody_waits_for_any_more_is_killed() {
        let child = Child::started().await;
        let first = child.id();
        child.signal("-STOP");
        let html = article("left");
        assert!(
            tokio::time::timeout(Duration::from_millis(300), parse_html(&child.reader, &html))
                .await
                .is_err()
        );
        assert_still_reads(&child.reader, "leaving").await;
        assert_ne!(child.id(), first);
    }

    #[tokio::test]
    async fn a_child_ends_with_its_parents_pool() {
        let child = Child::started().await;
        let id = child.id();
        drop(child.reader);
        assert_gone(&id).await;
    }

    #[tokio::test]
    async fn a_child_has_given_up_files_network_and_memory() {
        let child = Child::started().await;
        let about = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
        let limits = about("limits");
        let limit = |name: &str| {
            let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
            line[name.len()..]
                .split_whitespace()
                .take(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(limit("Max open files"), ["3", "3"]);
        assert_eq!(limit("Max file size"), ["0", "0"]);
        assert_eq!(
            limit("Max address space"),
            [(1_u64 << 30).to_string(), (1_u64 << 30).to_string()]
        );
        let status = about("status");
        assert!(status.contains("Seccomp:\t2"), "system calls are filtered: {status}");
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        assert!(
            !about("environ").contains("PATH="),
            "nothing of the app's environment is handed on"
        );
    }

    #[tokio::test]
    async fn a_page_that_needs_more_memory_than_is_allowed_costs_its_child() {
        let reader = Reader::new(
            ParserOptions {
                memory: 400 << 20,
                ..parser()
            },
            Arc::new(SystemClock),
        );
        let outcome = parse_html(&reader, &"<a b=1>".repeat((19 << 20) / 7)).await;
        assert!(matches!(outcome, Err(FetchError::ParserLost { .. })), "{outcome:?}");
        assert_still_reads(&reader, "the glutton").await;
    }
}

/// A PDF of these objects, numbered from 1, with a true cross-reference table.
fn pdf(objects: &[&str]) -> Vec<u8> {
    let mut out = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        write!(out, "{} 0 obj\n{object}\nendobj\n", number + 1).unwrap();
    }
    let xref = out.len();
    write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(out, "{offset:010} 00000 n ").unwrap();
    }
    write!(
        out,
        "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF",
        objects.len() + 1
    )
    .unwrap();
    out.into_bytes()
}

/// One page whose compressed content draws a million words.
fn content_bomb() -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"BT /F1 12 Tf").unwrap();
    for _ in 0..1_000_000 {
        encoder.write_all(b" 1 0 0 1 10 10 Tm (bomb) Tj").unwrap();
    }
    encoder.write_all(b" ET").unwrap();
    let stream = encoder.finish().unwrap();
    let head = format!(
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
         3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>\nendobj\n\
         5 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n4 0 obj\n<</Length {}/Filter/FlateDecode>>stream\n",
        stream.len()
    );
    let tail = b"\nendstream\nendobj\ntrailer<</Size 6/Root 1 0 R>>\nstartxref\n0\n%%EOF";
    [head.as_bytes(), &stream, tail].concat()
}

fn pseudo_random(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    });
    next.take(length).collect()
}

/// A true PDF with every fortieth byte changed.
fn with_noise(bytes: &[u8]) -> Vec<u8> {
    let noise = pseudo_random(bytes.len());
    bytes
        .iter()
        .zip(noise)
        .enumerate()
        .map(|(at, (byte, noise))| if at > 20 && at % 40 == 0 { noise } else { *byte })
        .collect()
}
