//! What kind of document a body is: what its server says, corrected by what its first bytes say.

use deepsearch_core::MediaType;
use mime::Mime;

/// What a server's `Content-Type` lets expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Kind(MediaType),
    /// A document of Word, PowerPoint, Excel or an OpenDocument program.
    Office,
    /// Nothing was said, or nothing definite: the bytes decide.
    Unsaid,
}

/// Reads a `Content-Type`, so that pictures and films are refused before they are downloaded.
///
/// # Errors
/// The media type, where we cannot read it.
pub(crate) fn expected(content_type: Option<&str>) -> Result<Expected, String> {
    let Some(Ok(mime)) = content_type.map(str::parse::<Mime>) else {
        return Ok(Expected::Unsaid);
    };
    let suffix = mime.suffix().map(|suffix| suffix.as_str());
    match (mime.type_().as_str(), mime.subtype().as_str()) {
        ("text", "html") | ("application", "xhtml") => Ok(Expected::Kind(MediaType::Html)),
        ("application", "pdf" | "x-pdf") => Ok(Expected::Kind(MediaType::Pdf)),
        ("text" | "application", "xml" | "octet-stream" | "unknown" | "x-unknown") | ("binary", _) => {
            Ok(Expected::Unsaid)
        }
        ("text", _) => Ok(Expected::Kind(MediaType::Text)),
        ("application", "json" | "yaml" | "x-yaml" | "toml" | "x-ndjson") => Ok(Expected::Kind(MediaType::Text)),
        ("application", office) if is_office(office) => Ok(Expected::Office),
        _ if matches!(suffix, Some("json" | "yaml")) => Ok(Expected::Kind(MediaType::Text)),
        _ => Err(mime.essence_str().to_owned()),
    }
}

fn is_office(subtype: &str) -> bool {
    ["vnd.openxmlformats-officedocument.", "vnd.oasis.opendocument."]
        .iter()
        .any(|family| subtype.starts_with(family))
}

/// The `charset` of a `Content-Type`.
pub(crate) fn charset(content_type: Option<&str>) -> Option<String> {
    let mime: Mime = content_type?.parse().ok()?;
    mime.get_param(mime::CHARSET).map(|charset| charset.as_str().to_owned())
}

/// Settles the kind once the bytes are there.
///
/// # Errors
/// The media type, where we cannot read it.
pub(crate) fn settle(expected: Expected, bytes: &[u8]) -> Result<MediaType, String> {
    let start = &bytes[..bytes.len().min(1024)];
    // A PDF may have rubbish before its mark; readers look for it in the first KiB.
    let is_pdf = start.windows(5).any(|window| window == b"%PDF-");
    let looks_like_html = looks_like_html(start);
    match expected {
        Expected::Kind(MediaType::Pdf) | Expected::Office if looks_like_html => Ok(MediaType::Html),
        Expected::Office if is_zip(bytes) => Ok(MediaType::Text),
        Expected::Office => Err(binary_type(bytes)),
        Expected::Kind(MediaType::Pdf) => Ok(MediaType::Pdf),
        _ if bytes.starts_with(b"%PDF-") || (is_pdf && expected == Expected::Unsaid) => Ok(MediaType::Pdf),
        Expected::Kind(MediaType::Html) if !is_binary(start) => Ok(MediaType::Html),
        Expected::Unsaid if looks_like_html => Ok(MediaType::Html),
        _ if !is_binary(start) => Ok(MediaType::Text),
        _ => Err(binary_type(bytes)),
    }
}

/// Whether the bytes may be an office document: a ZIP, which OOXML and OpenDocument files are.
fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

fn looks_like_html(start: &[u8]) -> bool {
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    // In UTF-16 every second byte is zero.
    let start = start.replace('\0', "");
    let marks = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<title",
        "<meta",
    ];
    start.trim_start_matches('\u{feff}').trim_start().starts_with('<') && marks.iter().any(|mark| start.contains(mark))
}

/// Whether no text starts this way: a known file mark, or zero bytes that are not UTF-16's.
fn is_binary(start: &[u8]) -> bool {
    let is_utf16 = start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]);
    let zeros = start.iter().filter(|byte| **byte == 0).count();
    if is_utf16 || zeros * 5 > start.len() * 2 && looks_like_html(start) {
        return false;
    }
    // A stray zero byte is damage; more of them are no text.
    zeros * 50 > start.len() || infer::get(start).is_some_and(|kind| kind.matcher_type() != infer::MatcherType::Text)
}

fn binary_type(bytes: &[u8]) -> String {
    infer::get(bytes)
        .map_or("application/octet-stream", |kind| kind.mime_type())
        .to_owned()
}
