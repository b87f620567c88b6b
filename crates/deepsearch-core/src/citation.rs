//! Citation: from a sentence of an answer to the exact sentence of a saved page; and the check of each sentence.

use serde::{Deserialize, Serialize};

use crate::page::PageId;
use crate::text::Span;

/// One `[n]` in an answer, bound by code, never by a model, to a sentence of a saved page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Citation {
    /// The number in the text, from 1: `sources[number - 1]`.
    pub number: u32,
    /// Where `[n]` stands in the answer's content, in bytes.
    pub marker: Span,
    /// The answer's sentence that cites, in bytes of its content.
    pub sentence: Span,
    pub page_id: PageId,
    /// The cited sentence, in bytes of the page's text.
    pub page_span: Span,
    /// The text of `page_span`, kept so that evidence can be shown without opening the page.
    pub quote: String,
}

/// Whether the sources say what a sentence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Supported,
    Partly,
    NotFound,
}

/// The verdict on one sentence of an answer. Sentences are marked, never removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct SentenceCheck {
    /// Bytes of the answer's content.
    pub sentence: Span,
    pub verdict: Verdict,
    /// The best that the sources have for it, also when that is not enough.
    pub evidence: Option<Evidence>,
}

/// The sentence of a saved page that comes nearest to a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Evidence {
    /// `sources[number - 1]`.
    pub number: u32,
    pub page_id: PageId,
    pub page_span: Span,
    pub quote: String,
    /// 0 (nothing in common) to 1 (says the same).
    pub score: f32,
}
