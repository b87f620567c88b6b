//! Similarity: how far a sentence of a page says what a sentence of an answer says.

use std::collections::HashSet;

use deepsearch_core::text::content_terms;
use deepsearch_core::{Page, Span, Verdict};

/// From this score on, the evidence says what the claim says.
pub const SUPPORTED: f32 = 0.7;
/// From this score on, it says a part of it.
pub const PARTLY: f32 = 0.4;

/// The verdict that a score stands for.
pub fn verdict(score: f32) -> Verdict {
    match score {
        score if score >= SUPPORTED => Verdict::Supported,
        score if score >= PARTLY => Verdict::Partly,
        _ => Verdict::NotFound,
    }
}

/// How far `evidence` says what `claim` says, 0 to 1.
pub fn similarity(claim: &str, evidence: &str) -> f32 {
    containment(&terms(claim), &terms(evidence))
}

/// The sentence that comes nearest to a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// One sentence, in bytes of the page's text.
    pub span: Span,
    /// 0 to 1, to be read with [`verdict`]. May need the neighbouring sentence to be understood.
    pub score: f32,
}

/// A page whose sentences are ready to be compared with many claims.
#[derive(Debug, Clone)]
pub struct PreparedPage {
    sentences: Vec<(Span, HashSet<String>)>,
}

impl PreparedPage {
    pub fn new(page: &Page) -> Self {
        Self::from_text(&page.text, &page.sentences)
    }

    pub fn from_text(text: &str, sentences: &[Span]) -> Self {
        Self {
            sentences: sentences.iter().map(|span| (*span, terms(span.slice(text)))).collect(),
        }
    }

    /// The sentence nearest to `claim`, among those inside `within` where that is given; `None` where not even one
    /// word is shared.
    pub fn best_sentence(&self, claim: &str, within: Option<Span>) -> Option<Best> {
        let claim = terms(claim);
        self.sentences
            .iter()
            .filter(|(span, _)| within.is_none_or(|within| within.contains(*span)))
            .map(|(span, sentence)| Best {
                span: *span,
                score: containment(&claim, sentence),
            })
            .filter(|best| best.score > 0.0)
            .reduce(|best, next| if next.score > best.score { next } else { best })
    }
}

/// As [`PreparedPage::best_sentence`], for one claim.
pub fn best_sentence(claim: &str, page_text: &str, sentences: &[Span], within: Option<Span>) -> Option<(Span, f32)> {
    let best = PreparedPage::from_text(page_text, sentences).best_sentence(claim, within)?;
    Some((best.span, best.score))
}

fn terms(text: &str) -> HashSet<String> {
    content_terms(text).into_iter().collect()
}

fn containment(claim: &HashSet<String>, evidence: &HashSet<String>) -> f32 {
    if claim.is_empty() {
        return 0.0;
    }
    claim.intersection(evidence).count() as f32 / claim.len() as f32
}
