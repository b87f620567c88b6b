//! Documents changed at random, the same each time: whatever a parser child is given, the app gets a page or an error
//! within its deadline, a page is sound, and the next document is read.
//!
//! `DEEPSEARCH_LONG=1` goes through many times as many.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deepsearch_core::page::content_hash;
use deepsearch_core::{FetchError, Page, SystemClock};
use deepsearch_crawl::{ParserOptions, Reader};
use url::Url;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{article, parser};

const PDF: &[u8] = include_bytes!("../fixtures/report.pdf");
const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// For one document; unoptimised, on a busy machine.
const TIME: Duration = Duration::from_secs(10);
/// What the parent may take beside: to start a child, to hand over, to end one that hangs.
const BESIDE: Duration = Duration::from_secs(10);

/// Chance that is the same in each run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A piece of so many bytes at most.
    fn range(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(most + 1)).min(length)
    }
}

/// Bytes that mean something to one of the parsers, or lie about how much there is.
const TOKENS: &[&[u8]] = &[
    b"<table><tr><td>",
    b"</div></p></body>",
    b"<svg><foreignObject>",
    b"<!--",
    b"<![CDATA[",
    b"<script>",
    b"&#x110000;",
    b"<template><select>",
    b"<a href=\"javascript:alert(1)\" onclick=x>",
    b"<base href=\"//\">",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\0",
    b"%PDF-1.7\n",
    b"stream\r\n",
    b"endstream",
    b"endobj",
    b"<</Length 99999999>>",
    b"/Kids[1 0 R 1 0 R]",
    b"/Filter[/FlateDecode/FlateDecode/ASCII85Decode]",
    b"[[[[[[[[",
    b"<<<<<<<<",
    b"1 0 R ",
    b"xref\n0 4294967295\n",
    b"/Predictor 15/Columns 2147483647",
    b"BT /F1 1e38 Tf (",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"</w:p>",
    b"<w:tbl>",
    b"<!DOCTYPE x [<!ENTITY a \"aaaa\">]>&a;",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"-1",
];

/// Up to eight changes, each of a kind that has broken parsers.
fn changed(chance: &mut Chance, original: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=chance.below(8) {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match chance.below(8) {
            0 => {
                let at = chance.below(length);
                bytes[at] ^= 1 << chance.below(8);
            }
            1 => {
                let range = chance.range(length, 16);
                bytes[range].iter_mut().for_each(|byte| *byte = chance.next() as u8);
            }
            2 => drop(bytes.drain(chance.range(length, 200))),
            3 => {
                let piece = bytes[chance.range(length, 200)].repeat(1 + chance.below(20));
                let at = chance.below(length);
                bytes.splice(at..at, piece);
            }
            4 | 5 => {
                let token = chance.of(TOKENS).repeat(1 + chance.below(3) * chance.below(200));
                let at = chance.below(length);
                bytes.splice(at..at, token);
            }
            6 => {
                let (piece, at) = (other[chance.range(other.len(), 400)].to_vec(), chance.below(length));
                let end = (at + piece.len()).min(length);
                bytes.splice(at..end, piece);
            }
            _ => bytes.truncate(length - chance.below(length / 4 + 1)),
        }
    }
    bytes
}

struct Document {
    name: &'static str,
    media_type: &'static str,
    bytes: Vec<u8>,
    /// The parts of a zip, which are changed before they are packed.
    parts: Vec<(&'static str, Vec<u8>)>,
}

impl Document {
    fn plain(name: &'static str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name,
            media_type,
            bytes: bytes.into(),
            parts: Vec::new(),
        }
    }

    fn zipped(name: &'static str, media_type: &'static str, parts: &[(&'static str, &str)]) -> Self {
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, text)| (*name, text.as_bytes().to_vec()))
            .collect();
        Self {
            name,
            media_type,
            bytes: zipped(&parts),
            parts,
        }
    }

    /// Every second zip is a sound one of unsound parts.
    fn changed(&self, chance: &mut Chance, other: &[u8]) -> Vec<u8> {
        if self.parts.is_empty() || chance.below(2) == 0 {
            return changed(chance, &self.bytes, other);
        }
        let mut parts = self.parts.clone();
        let at = chance.below(parts.len());
        parts[at].1 = changed(chance, &parts[at].1, other);
        zipped(&parts)
    }
}

fn zipped(parts: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn documents() -> Vec<Document> {
    let mut table = String::from("<table><caption>Steps</caption>");
    (0..20).for_each(|row| write!(table, "<tr><th>Step {row}</th><td>{} cm</td></tr>", row * 20).unwrap());
    let rich = article("granite").replace(
        "</article>",
        &format!(
            "{table}</table><ul><li>one<ol><li>two</ol></ul><blockquote>It <b>is <i>so</b></i>.</blockquote>\
             <pre><code>let x = 1 &lt; 2;</code></pre><figure><img src=a.png alt=\"A tower\"><figcaption>The tower</figcaption>\
             </figure><script type=\"application/ld+json\">{{\"@type\":\"Article\",\"headline\":\"Stones\",\"author\":\
             {{\"name\":\"Ada\"}},\"datePublished\":\"2024-01-05\"}}</script><svg viewBox=\"0 0 1 1\"><title>s</title></svg>\
             <math><mi>x</mi></math><iframe src=\"//b.example\"></iframe></article>"
        ),
    );
    let paragraphs =
        "<w:p><w:r><w:t xml:space=\"preserve\">The tower was built of granite. </w:t></w:r></w:p>".repeat(12);
    vec![
        Document::plain("an article", "text/html; charset=utf-8", article("granite")),
        Document::plain("a page of everything", "text/html", rich.clone()),
        Document::plain(
            "a page in UTF-16",
            "text/html",
            format!("\u{feff}{rich}")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        ),
        Document::plain("a PDF", "application/pdf", PDF),
        Document::plain("a PDF of which nothing is said", "application/octet-stream", PDF),
        Document::zipped(
            "a document of Word",
            WORD,
            &[
                (
                    "word/document.xml",
                    &format!(
                        "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\"><w:body>{paragraphs}<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell\
                 </w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"
                    ),
                ),
                (
                    "docProps/core.xml",
                    "<cp:coreProperties xmlns:dc=\"dc\"><dc:title>Towers</dc:title></cp:coreProperties>",
                ),
            ],
        ),
        Document::zipped(
            "a table of Excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            &[
                (
                    "xl/workbook.xml",
                    "<workbook xmlns:r=\"r\"><sheets><sheet name=\"Steps\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
                ),
                (
                    "xl/_rels/workbook.xml.rels",
                    "<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
                ),
                (
                    "xl/sharedStrings.xml",
                    "<sst><si><t>Granite from Ummel</t></si><si><t>212 steps</t></si></sst>",
                ),
                (
                    "xl/worksheets/sheet1.xml",
                    "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c>\
                 <c r=\"C1\"><v>47</v></c></row></sheetData></worksheet>",
                ),
            ],
        ),
        Document::zipped(
            "a text of OpenDocument",
            "application/vnd.oasis.opendocument.text",
            &[
                ("mimetype", "application/vnd.oasis.opendocument.text"),
                (
                    "content.xml",
                    "<office:document-content xmlns:text=\"t\"><office:body><office:text><text:h>Towers</text:h><text:p>The tower \
                 was built<text:s text:c=\"3\"/>of granite.</text:p></office:text></office:body></office:document-content>",
                ),
            ],
        ),
    ]
}

fn hold_sound(page: &Page, case: &str) {
    let mut before = 0;
    for span in &page.sentences {
        let sentence = page.text.get(span.range());
        assert!(
            sentence.is_some_and(|sentence| !sentence.trim().is_empty()),
            "{case}: {span:?} of {:?}",
            page.text
        );
        assert!(span.range().start >= before, "{case}: sentences out of order");
        before = span.range().end;
    }
    assert_eq!(page.content_hash, content_hash(&page.text), "{case}");
    assert!(page.text.len() <= 20 << 20, "{case}: {} bytes", page.text.len());
    let html = page.html.as_deref().unwrap_or_default().to_ascii_lowercase();
    // In the tags alone: what the changes have made a text of is text.
    for tag in html.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        for active in ["script", "iframe", "svg"] {
            assert!(!tag.starts_with(active), "{case}: <{tag}> in {html}");
        }
        for active in ["onclick=x", "href=\"javascript:"] {
            assert!(!tag.contains(active), "{case}: <{tag}> in {html}");
        }
    }
}

#[tokio::test]
async fn documents_changed_at_random_cost_no_more_than_themselves() {
    let cases = if std::env::var_os("DEEPSEARCH_LONG").is_some() {
        2_000
    } else {
        50
    };
    let options = ParserOptions { time: TIME, ..parser() };
    let reader = Reader::new(options, Arc::new(SystemClock));
    let url = Url::parse("https://example.org/page").unwrap();
    let documents = documents();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut refused) = (0, 0);
    for document in &documents {
        let whole = reader.parse(&document.bytes, Some(document.media_type), &url).await;
        assert!(
            whole.as_ref().is_ok_and(|page| page.text.len() > 20),
            "{}: {whole:?}",
            document.name
        );
        for number in 0..cases {
            let case = format!("{} {number}", document.name);
            let other = &documents[chance.below(documents.len())];
            let bytes = document.changed(&mut chance, &other.bytes);
            // What a server says of a document may be of another.
            let media_type = if chance.below(10) == 0 {
                other.media_type
            } else {
                document.media_type
            };
            let began = Instant::now();
            let outcome = tokio::time::timeout(TIME + BESIDE, reader.parse(&bytes, Some(media_type), &url)).await;
            match outcome.unwrap_or_else(|_| panic!("{case}: no answer after {:?}", began.elapsed())) {
                Ok(page) => {
                    hold_sound(&page, &case);
                    read += 1;
                }
                Err(
                    FetchError::TimedOut { .. }
                    | FetchError::Unparsable { .. }
                    | FetchError::ParserLost { .. }
                    | FetchError::Empty { .. }
                    | FetchError::Unsupported { .. }
                    | FetchError::SignIn { .. }
                    | FetchError::Captcha { .. }
                    | FetchError::NeedsScript { .. },
                ) => refused += 1,
                Err(other) => panic!("{case}: {other}"),
            }
            if number % 10 == 9 {
                let html = article("healthy");
                let page = reader.parse(html.as_bytes(), Some("text/html"), &url).await;
                assert!(
                    page.is_ok_and(|page| page.text.contains("healthy is what")),
                    "after {case}"
                );
            }
        }
    }
    // Both ways are gone: what is changed a little still reads, and much of the rest does not.
    assert!(read > 50 && refused > 50, "{read} read, {refused} refused");
}
