//! From bytes to a readable page: for what the crawler downloaded, and for files a person hands over.

use std::sync::Arc;

use deepsearch_core::{Clock, FetchError, MediaType, Page, PageId};
use url::Url;

use crate::media::{Expected, charset, expected, settle};
use crate::options::ParserOptions;
use crate::parse::picture::Drawn;
use crate::parse::pool::ParserPool;
use crate::parse::{Job, Kind, Parsed, charset as decoding, text};

/// The largest document that is parsed, in bytes: as large as the largest download.
const LARGEST: usize = 20 << 20;

/// Parses documents in a pool of child processes. Cheap to clone; clones share the pool.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Arc<ParserPool>,
    clock: Arc<dyn Clock>,
}

impl Reader {
    /// Starts no child yet: the first page does.
    pub fn new(options: ParserOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            pool: ParserPool::new(options),
            clock,
        }
    }

    /// Makes a page of a document's bytes. `content_type` is what its server or owner says it is, `url` where it is from
    /// (links in it are relative to that). Calls may run side by side; the pool bounds what works at once.
    ///
    /// # Errors
    /// [`FetchError`] when the document is of no kind we read, damaged, too large, takes too long, or holds no text.
    pub async fn parse(&self, bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<Page, FetchError> {
        let expected = expected(content_type).map_err(|media_type| unsupported(url, media_type))?;
        self.parse_as(expected, bytes, charset(content_type), url).await
    }

    pub(crate) async fn parse_as(
        &self,
        expected: Expected,
        bytes: &[u8],
        charset: Option<String>,
        url: &Url,
    ) -> Result<Page, FetchError> {
        let url = url.clone();
        if bytes.is_empty() {
            return Err(FetchError::Empty { url });
        }
        if bytes.len() > LARGEST {
            return Err(FetchError::TooLarge { url, limit: LARGEST });
        }
        let media_type = settle(expected, bytes).map_err(|media_type| unsupported(&url, media_type))?;
        let is_office = expected == Expected::Office && media_type == MediaType::Text;
        let kind = if is_office {
            Kind::Office
        } else {
            Kind::Page(media_type)
        };
        let job = self.job(url, kind, charset);
        let parsed = self.pool.run(&job, bytes).await?;
        Ok(self.page(job.url, media_type, parsed))
    }

    /// Draws a picture anew, smaller: nothing is kept of its bytes but what they show.
    pub(crate) async fn draw(&self, bytes: &[u8], url: &Url) -> Result<Drawn, FetchError> {
        self.pool.run(&self.job(url.clone(), Kind::Picture, None), bytes).await
    }

    fn job(&self, url: Url, kind: Kind, charset: Option<String>) -> Job {
        Job {
            url,
            kind,
            charset,
            milliseconds: u64::try_from(self.pool.time().as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn page(&self, url: Url, media_type: MediaType, parsed: Parsed) -> Page {
        Page {
            id: PageId::new(),
            url,
            title: parsed.title,
            author: parsed.author,
            site_name: parsed.site_name,
            published_at: parsed.published_at,
            favicon: parsed.favicon,
            picture: parsed.picture,
            language: parsed.language,
            media_type,
            text: parsed.text,
            sentences: parsed.sentences,
            html: parsed.html,
            fetched_at: self.clock.now(),
            content_hash: parsed.content_hash,
        }
    }
}

/// The text of a plain document (Markdown, source code, …) and its title, as a page of it has them; `None` for bytes that
/// are no text. Works in this process: nothing here recurses, and what it makes is as large as what it is given.
pub fn plain_text(bytes: &[u8], url: &Url) -> Option<(String, String)> {
    if !matches!(settle(Expected::Kind(MediaType::Text), bytes), Ok(MediaType::Text)) {
        return None;
    }
    let text = text::normalised(&decoding::decode(bytes, None, false, url));
    let title = text::title(&text).unwrap_or_else(|| text::file_name(url));
    Some((title, text))
}

pub(crate) fn unsupported(url: &Url, media_type: String) -> FetchError {
    FetchError::Unsupported {
        url: url.clone(),
        media_type,
    }
}
