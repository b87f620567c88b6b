//! From a file to its text: plain text here, everything that needs a parser in the parsers' child process.

use std::path::Path;

use deepsearch_core::text::sentences;
use deepsearch_core::{Clock, FetchError, MediaType, Page, PageId};
use deepsearch_crawl::{Reader, plain_text};
use url::Url;

use crate::files::Rules;
use crate::kind::{self, Kind};
use crate::walk::words_of;

/// The most of a file that a parser takes; larger plain files are read as far as the rules allow.
const PARSED: u64 = 20 << 20;

/// Why a file gives no text.
#[derive(Debug)]
pub(crate) struct Unread {
    /// In words for a person.
    pub(crate) reason: String,
    /// Whether the same bytes may give a text another time: it was no fault of theirs, or nobody knows.
    pub(crate) may_pass: bool,
}

impl Unread {
    fn of_its_bytes(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            may_pass: false,
        }
    }
}

/// The bytes of a file, within what the rules allow.
///
/// # Errors
/// Why not, in words for a person.
pub(crate) fn bytes(path: &Path, rules: Rules) -> Result<Vec<u8>, String> {
    let kind = kind::of(path);
    let limit = if kind == Some(Kind::Plain) {
        rules.largest
    } else {
        rules.largest.min(PARSED)
    };
    let metadata = std::fs::metadata(path).map_err(|error| words_of(&error))?;
    if metadata.len() > limit {
        return Err(format!(
            "It is larger than {} MB, the most that is read.",
            limit.div_ceil(1 << 20)
        ));
    }
    if !metadata.is_file() {
        return Err("It is no ordinary file.".into());
    }
    let bytes = std::fs::read(path).map_err(|error| words_of(&error))?;
    if bytes.is_empty() {
        return Err("It is empty.".into());
    }
    Ok(bytes)
}

/// What is indexed of a file.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) title: String,
    pub(crate) text: String,
}

/// The text of a plain file. `None` where its bytes are none.
pub(crate) fn plain(bytes: &[u8], url: &Url) -> Option<Text> {
    plain_text(bytes, url).map(|(title, text)| Text { title, text })
}

/// The page of a file, as an answer cites it.
///
/// # Errors
/// [`Unread`] where it has none.
pub(crate) async fn page(
    path: &Path,
    url: &Url,
    bytes: Vec<u8>,
    reader: &Reader,
    clock: &dyn Clock,
) -> Result<Page, Unread> {
    let media_type = match kind::of(path) {
        Some(Kind::Parsed(media_type)) => media_type,
        _ => return plain_page(bytes, url, clock).await,
    };
    reader
        .parse(&bytes, Some(media_type), url)
        .await
        .map_err(|error| Unread {
            reason: reason(&error),
            may_pass: matches!(error, FetchError::TimedOut { .. } | FetchError::ParserLost { .. }),
        })
}

async fn plain_page(bytes: Vec<u8>, url: &Url, clock: &dyn Clock) -> Result<Page, Unread> {
    let (address, now) = (url.clone(), clock.now());
    let page = tokio::task::spawn_blocking(move || {
        let Text { title, text } = plain(&bytes, &address)?;
        Some(Page {
            id: PageId::new(),
            url: address,
            title,
            author: None,
            site_name: None,
            published_at: None,
            favicon: None,
            picture: None,
            language: None,
            media_type: MediaType::Text,
            sentences: sentences(&text),
            html: None,
            fetched_at: now,
            content_hash: deepsearch_core::page::content_hash(&text),
            text,
        })
    });
    let page = page.await.ok().flatten().ok_or_else(|| Unread::of_its_bytes(NO_TEXT))?;
    if page.text.is_empty() {
        Err(Unread::of_its_bytes(EMPTY))
    } else {
        Ok(page)
    }
}

pub(crate) const NO_TEXT: &str = "It holds no text, whatever its name says.";
const EMPTY: &str = "It holds no text.";

/// Why a parser gave nothing, without the address, which says nothing to a person.
fn reason(error: &FetchError) -> String {
    match error {
        FetchError::Empty { .. } => "It holds no text; a scan has only pictures of it.".into(),
        FetchError::Unparsable { detail, .. } | FetchError::ParserLost { detail, .. } => {
            format!("It cannot be read: {detail}.")
        }
        FetchError::TimedOut { .. } => "Reading it takes too long.".into(),
        FetchError::TooLarge { limit, .. } => format!("It is larger than {} MB, the most that is read.", limit >> 20),
        FetchError::Unsupported { media_type, .. } => format!("It is {media_type}, whatever its name says."),
        _ => "It holds no text that we can read.".into(),
    }
}
