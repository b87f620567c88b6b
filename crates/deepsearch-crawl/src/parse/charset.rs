//! From bytes to text: the byte order mark, the server, the document and the bytes themselves are asked, and believed
//! only where the bytes agree.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};
use url::Url;

/// Where a document may declare its charset (the HTML standard says 1,024; real pages are later).
const DECLARED_WITHIN: usize = 4096;
/// Bytes that are looked at to guess.
const GUESSED_FROM: usize = 256 << 10;

/// Decodes a document. Bytes that fit no charset become U+FFFD.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>, is_html: bool, url: &Url) -> String {
    let encoding = choose(bytes, declared, is_html, url);
    // This also removes a byte order mark, and lets it overrule the choice.
    encoding.decode(bytes).0.into_owned()
}

fn choose(bytes: &[u8], declared: Option<&str>, is_html: bool, url: &Url) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(utf_16) = bare_utf_16(bytes) {
        return utf_16;
    }
    let by_server = declared.and_then(|label| Encoding::for_label(label.as_bytes()));
    let claimed = by_server.or_else(|| is_html.then(|| declared_inside(bytes)).flatten());
    let is_utf_8 = std::str::from_utf8(bytes).is_ok();
    match claimed {
        // Legacy text that happens to be valid UTF-8 with accents does not exist; a wrong declaration does.
        Some(_) if is_utf_8 && !bytes.is_ascii() => UTF_8,
        Some(claimed) if claimed == UTF_8 && !is_utf_8 && is_mostly_wrong(bytes) => {
            guess(bytes, url, Utf8Detection::Deny)
        }
        Some(claimed) => claimed,
        None if is_utf_8 && !has_escapes(bytes) => UTF_8,
        None => guess(bytes, url, Utf8Detection::Allow),
    }
}

/// UTF-16 without its mark: most characters of markup and of Western text have a zero byte.
fn bare_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(512) & !1];
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count() * 2;
    let (even, odd) = (zeros(0), zeros(1));
    match sample.len() {
        0..8 => None,
        length if odd * 10 > length * 4 && even * 10 < length => Some(UTF_16LE),
        length if even * 10 > length * 4 && odd * 10 < length => Some(UTF_16BE),
        _ => None,
    }
}

/// The charset in a `<meta>` or an XML declaration.
fn declared_inside(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]).to_ascii_lowercase();
    let after = |mark: &str| start.find(mark).map(|at| &start[at + mark.len()..]);
    let xml = after("<?xml").and_then(|rest| value(rest.split('>').next()?, "encoding"));
    let meta = || {
        start
            .split("<meta")
            .skip(1)
            .find_map(|rest| value(rest.split('>').next()?, "charset"))
    };
    let encoding = Encoding::for_label(xml.or_else(meta)?.as_bytes())?;
    // What could be read as ASCII is not UTF-16, whatever it says (the HTML standard).
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return Some(UTF_8);
    }
    Some(if encoding == X_USER_DEFINED {
        encoding_rs::WINDOWS_1252
    } else {
        encoding
    })
}

fn value<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let rest = tag[tag.find(name)? + name.len()..].trim_start().strip_prefix('=')?;
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    rest.split(['"', '\'', ';', ' ', '/', '?', '>'])
        .next()
        .filter(|value| !value.is_empty())
}

/// Whether so many bytes are wrong for UTF-8 that another charset explains them better than damage.
fn is_mostly_wrong(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(GUESSED_FROM)];
    let wrong = sample.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    let right = sample
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars())
        .filter(|c| !c.is_ascii())
        .count();
    wrong > right
}

/// ISO-2022-JP is ASCII with escapes.
fn has_escapes(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(GUESSED_FROM)]
        .windows(2)
        .any(|pair| pair == b"\x1b$" || pair == b"\x1b(")
}

fn guess(bytes: &[u8], url: &Url, utf_8: Utf8Detection) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(GUESSED_FROM)], true);
    let top_level = url
        .domain()
        .and_then(|domain| domain.trim_end_matches('.').rsplit('.').next());
    let top_level = top_level.filter(|label| label.bytes().all(|byte| byte.is_ascii_lowercase()));
    detector.guess(top_level.map(str::as_bytes), utf_8)
}
