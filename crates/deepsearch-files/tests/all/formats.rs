//! Every format that is read, as real files, whole and damaged.

use std::io::{Cursor, Write as _};

use deepsearch_core::PageFetcher as _;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Desk, has_parser};

/// A ZIP of these parts, as office programs write them.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const W: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#;

fn docx() -> Vec<u8> {
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><w:document {W}><w:body>
<w:p><w:r><w:t>The bridge </w:t></w:r><w:r><w:t xml:space="preserve">was closed &amp; mended.</w:t></w:r></w:p>
<w:p><w:del><w:r><w:delText>It collapsed.</w:delText></w:r></w:del><w:r><w:t>It opened in May.</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Span</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>40 m</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
</w:body></w:document>"#
    );
    let core = r#"<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>Bridge report</dc:title><dc:creator>Ada</dc:creator></cp:coreProperties>"#;
    archive(&[
        ("[Content_Types].xml", "<Types/>"),
        ("word/document.xml", &body),
        ("docProps/core.xml", core),
    ])
}

fn pptx() -> Vec<u8> {
    let slide =
        |text: &str| format!(r#"<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>"#);
    archive(&[
        ("ppt/presentation.xml", "<p:presentation xmlns:p=\"p\"/>"),
        ("ppt/slides/slide10.xml", &slide("The last slide thanks everybody.")),
        ("ppt/slides/slide2.xml", &slide("The viaduct has nine arches.")),
    ])
}

fn xlsx() -> Vec<u8> {
    archive(&[
        ("xl/workbook.xml", "<workbook/>"),
        (
            "xl/sharedStrings.xml",
            "<sst><si><t>Aqueduct</t></si><si><r><t>Roman</t></r><r><t> work</t></r></si></sst>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            r#"<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c><f>SUM(A1:A2)</f><v>275</v></c></row>
<row><c t="inlineStr"><is><t>Nimes</t></is></c></row></sheetData></worksheet>"#,
        ),
    ])
}

fn odt() -> Vec<u8> {
    let content = r#"<office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="b"><office:body><office:text>
<text:h>Canals</text:h><text:p>The <text:span>lock</text:span> lifts boats by five metres.</text:p>
<table:table><table:table-row><table:table-cell><text:p>Gates</text:p></table:table-cell><table:table-cell><text:p>two</text:p></table:table-cell></table:table-row></table:table>
</office:text></office:body></office:document-content>"#;
    archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("content.xml", content),
    ])
}

/// A PDF with one line of text, written by hand to the letter of the format.
fn pdf(text: &str) -> Vec<u8> {
    let stream = format!("BT /F1 18 Tf 72 720 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(pdf.len());
        pdf.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let xref = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        pdf.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    pdf.extend(
        format!(
            "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n",
            objects.len() + 1
        )
        .bytes(),
    );
    pdf
}

#[tokio::test]
async fn every_format_is_found_by_what_a_reader_sees_in_it() {
    if !has_parser() {
        return;
    }
    let desk = Desk::new().await;
    desk.write("bridge.docx", docx());
    desk.write("viaduct.pptx", pptx());
    desk.write("aqueduct.xlsx", xlsx());
    desk.write("canal.odt", odt());
    desk.write("ferry.pdf", pdf("The ferry crosses the fjord every twenty minutes."));
    desk.write("tunnel.html", "<html><head><title>Tunnel</title></head><body><article><p>The tunnel under the strait is fifty kilometres long, and was opened by two heads of state.</p></article></body></html>");
    desk.write("dike.md", "# Dikes\n\nA dike keeps the sea out.");
    desk.write("weir.py", "def weir():\n    \"\"\"Hold the river back.\"\"\"\n");
    desk.write("latin.txt", b"Die Schleuse \xf6ffnet um acht Uhr fr\xfch.");
    let report = desk.files.scan().await.unwrap();
    assert_eq!(
        (report.read, report.problems),
        (9, 0),
        "{:?}",
        desk.files.problems("", 20).await
    );
    for (question, name, sentence) in [
        ("bridge opened in May", "bridge.docx", "It opened in May."),
        ("viaduct arches", "viaduct.pptx", "The viaduct has nine arches."),
        ("Roman aqueduct", "aqueduct.xlsx", "Aqueduct | Roman work | 275"),
        ("lock lifts boats", "canal.odt", "The lock lifts boats by five metres."),
        (
            "ferry fjord",
            "ferry.pdf",
            "The ferry crosses the fjord every twenty minutes.",
        ),
        (
            "tunnel strait",
            "tunnel.html",
            "The tunnel under the strait is fifty kilometres long, and was opened by two heads of state.",
        ),
        ("dike sea", "dike.md", "A dike keeps the sea out."),
        ("weir river", "weir.py", "\"\"\"Hold the river back.\"\"\""),
        ("Schleuse öffnet", "latin.txt", "Die Schleuse öffnet um acht Uhr früh."),
    ] {
        let hit = desk
            .hits(question)
            .await
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("nothing for {question}"));
        assert!(hit.url.ends_with(name), "{question}: {}", hit.url);
        let page = desk.files.fetch(&hit.url.parse().unwrap()).await.unwrap();
        let sentences: Vec<_> = page.sentences.iter().map(|span| page.quote(*span)).collect();
        assert!(sentences.contains(&sentence), "{name}: {sentences:?}");
    }
    let bridge = desk.hits("bridge").await.remove(0);
    assert_eq!(bridge.title, "Bridge report (bridge.docx)");
    assert!(
        desk.hits("collapsed").await.is_empty(),
        "what was deleted under revision is not read"
    );
}

#[tokio::test]
async fn a_damaged_file_costs_nothing_but_itself() {
    if !has_parser() {
        return;
    }
    let desk = Desk::new().await;
    let whole = docx();
    desk.write("cut.docx", &whole[..whole.len() / 2]);
    desk.write("other.docx", archive(&[("readme.txt", "no document")]));
    desk.write(
        "broken.docx",
        archive(&[("word/document.xml", "<w:document><w:p></w:wrong>")]),
    );
    desk.write("cut.pdf", &pdf("x")[..40]);
    desk.write(
        "lies.pdf",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    );
    desk.write("good.docx", whole);
    let report = desk.files.scan().await.unwrap();
    assert_eq!(
        (report.read, report.problems),
        (6, 5),
        "{:?}",
        desk.files.problems("", 20).await
    );
    for name in ["cut.docx", "other.docx", "broken.docx", "cut.pdf", "lies.pdf"] {
        assert!(desk.problem(name).await.is_some(), "{name}");
    }
    assert_eq!(desk.names("bridge").await, ["good.docx"]);
}

#[tokio::test]
async fn a_small_file_that_unpacks_to_gigabytes_is_refused() {
    if !has_parser() {
        return;
    }
    let desk = Desk::new().await;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", SimpleFileOptions::default())
        .unwrap();
    let blank = vec![b' '; 1 << 20];
    for _ in 0..200 {
        zip.write_all(&blank).unwrap();
    }
    desk.write("bomb.docx", zip.finish().unwrap().into_inner());
    desk.files.scan().await.unwrap();
    let reason = desk.problem("bomb.docx").await.unwrap();
    assert!(reason.contains("unpacks to more than we read"), "{reason}");
}
