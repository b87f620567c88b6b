//! Page, a source that was read and saved, and Passage, the part of it that a model is shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::text::Span;

crate::ids::id!(
    /// A saved page: `page_` and a UUID version 7.
    PageId, "page_"
);

/// What a page was before it became text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum MediaType {
    Html,
    Pdf,
    Text,
}

/// A web page, PDF, guide topic or past answer, as it read when it was fetched. Never changed once saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Page {
    pub id: PageId,
    /// Where the text came from, after redirects.
    pub url: Url,
    pub title: String,
    pub author: Option<String>,
    pub site_name: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub favicon: Option<Url>,
    /// The picture that the page shows itself with, until a copy of it is kept.
    #[serde(default)]
    pub picture: Option<PictureLink>,
    /// BCP 47, as declared or detected.
    pub language: Option<String>,
    pub media_type: MediaType,
    /// The readable text. Blocks (paragraphs, list items, headings) are separated by newlines.
    pub text: String,
    /// Where each sentence of `text` lies, in order, without overlap.
    pub sentences: Vec<Span>,
    /// Sanitised HTML for the reader; `None` where only text is known. Still never to be trusted as markup.
    pub html: Option<String>,
    pub fetched_at: DateTime<Utc>,
    /// Lower-case hex SHA-256 of `text`: two fetches with equal text are one saved page.
    pub content_hash: String,
}

/// Where a page's picture is, as the page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct PictureLink {
    pub url: Url,
    /// What it shows, in the page's words; often empty.
    pub alt: String,
}

/// A picture of a page, drawn anew from what its pixels show and kept with the page, so that looking at it asks nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub page_id: PageId,
    /// Where it was found.
    pub url: Url,
    pub alt: String,
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// In pixels.
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

/// A picture beside the answer whose source shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePicture {
    /// The source's number in the answer.
    pub number: u32,
    /// The source's title.
    pub title: String,
    pub picture: Picture,
}

impl Page {
    /// The text of one sentence; empty when the span does not belong to this page.
    pub fn quote(&self, span: Span) -> &str {
        span.slice(&self.text)
    }

    /// The host, for display and for limits per site; the whole scheme for local addresses.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or(self.url.scheme())
    }
}

/// Lower-case hex SHA-256 of a page's text.
pub fn content_hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A run of whole sentences of a page, with its score for one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    pub page_id: PageId,
    /// Position in the list of pages the passages were made from.
    pub page: usize,
    /// Bytes of the page's text.
    pub span: Span,
    pub text: String,
    pub score: f32,
}
