//! Holds each sentence of an answer against the saved pages: do they say that? Sentences are marked, never removed.

use deepsearch_core::{Evidence as Found, SentenceCheck};
use deepsearch_rank::{SUPPORTED, verdict};

use crate::claims::{Claim, claims};
use crate::evidence::Evidence;

/// The verdict on each sentence of `content`, in reading order. Without sources there is nothing to hold it against.
pub fn check(content: &str, evidence: &Evidence) -> Vec<SentenceCheck> {
    if evidence.is_empty() {
        return Vec::new();
    }
    claims(content)
        .iter()
        .map(|claim| check_claim(claim, evidence))
        .collect()
}

fn check_claim(claim: &Claim, evidence: &Evidence) -> SentenceCheck {
    let cited = claim.markers.iter().map(|marker| marker.number);
    let mut found = best_of(cited.clone(), claim, evidence);
    // What the cited page does not say another may: the reader is shown where it does stand.
    if found.as_ref().is_none_or(|found| found.score < SUPPORTED) {
        let others = (1..=evidence.pages.len() as u32).filter(|number| !cited.clone().any(|cited| cited == *number));
        let elsewhere = best_of(others, claim, evidence);
        let is_better = |other: &Found| found.as_ref().is_none_or(|found| other.score > found.score);
        if elsewhere.as_ref().is_some_and(is_better) {
            found = elsewhere;
        }
    }
    let score = found.as_ref().map_or(0.0, |found| found.score);
    SentenceCheck {
        sentence: claim.span,
        verdict: verdict(score),
        evidence: found,
    }
}

fn best_of(numbers: impl Iterator<Item = u32>, claim: &Claim, evidence: &Evidence) -> Option<Found> {
    let candidates = numbers.filter_map(|number| {
        let (page, best) = (evidence.page(number)?, evidence.nearest(number, &claim.text)?);
        Some(Found {
            number,
            page_id: page.id.clone(),
            page_span: best.span,
            quote: page.quote(best.span).to_owned(),
            score: best.score,
        })
    });
    candidates.reduce(|best, next| if next.score > best.score { next } else { best })
}
