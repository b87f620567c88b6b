//! Recheck: an old answer held, sentence by sentence, against what its question brings now.
//!
//! A sentence of the old answer is compared with the pages that were read now, and not with the new answer's words: what
//! a model leaves out is not gone from the world. Nor is it gone because a site did not answer today.

use std::collections::HashSet;

use deepsearch_core::recheck::{Compared, Proof, Standing};
use deepsearch_core::{Citation, Source, Span};
use deepsearch_rank::{Assertion, PARTLY, SUPPORTED, similarity};

use crate::claims::{Claim, claims};
use crate::evidence::Evidence;

/// An answer as it was kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub content: &'a str,
    pub citations: &'a [Citation],
    pub sources: &'a [Source],
}

/// Holds an old answer against a new one and the pages that were read for it. `unread` are the addresses that the old one
/// cites and that could not be read now, though they may still be there. Once it is not `wanted` any more, it gives what it
/// has: each sentence is held against each page, which may take a while.
pub fn compare(
    old: Kept<'_>,
    new: Kept<'_>,
    evidence: &Evidence,
    unread: &HashSet<String>,
    wanted: &dyn Fn() -> bool,
) -> Vec<Compared> {
    let (old_claims, new_claims) = (claims(old.content), claims(new.content));
    let mut compared: Vec<Compared> = old_claims
        .iter()
        .take_while(|_| wanted())
        .filter_map(|claim| held(claim, old, evidence, unread))
        .collect();
    let is_new = |claim: &&Claim| {
        let nearest = old_claims.iter().map(|known| similarity(&claim.text, &known.text));
        nearest.fold(0.0, f32::max) < PARTLY
    };
    // What contradicts an old sentence stands beside that one already.
    let told: Vec<String> = compared
        .iter()
        .filter_map(|known| known.now.as_ref())
        .map(|now| now.quote.clone())
        .collect();
    for claim in new_claims.iter().take_while(|_| wanted()).filter(is_new) {
        let now = proof(claim.span, new);
        if !now.as_ref().is_some_and(|now| told.contains(&now.quote)) {
            compared.push(Compared {
                standing: Standing::New,
                sentence: claim.text.clone(),
                before: None,
                now,
            });
        }
    }
    compared
}

/// How many sentences do not stand as they did. What is new changes nothing of what was said.
pub fn count_changed(compared: &[Compared]) -> usize {
    let changed = |known: &&Compared| known.standing.is_changed();
    compared.iter().filter(changed).count()
}

/// What has become of a sentence; nothing where it rested on nothing and nothing speaks of it now: what was never there
/// cannot be gone.
fn held(claim: &Claim, old: Kept<'_>, evidence: &Evidence, unread: &HashSet<String>) -> Option<Compared> {
    let before = proof(claim.span, old);
    let assertion = Assertion::of(&claim.text);
    let mut best: Option<(f32, Proof)> = None;
    let mut against: Option<Proof> = None;
    // What the very source that was cited says now.
    let mut own: Option<Proof> = None;
    for number in 1..=evidence.pages.len() as u32 {
        let (Some(page), Some(near)) = (evidence.page(number), evidence.nearest(number, &claim.text)) else {
            continue;
        };
        let quote = page.quote(near.span);
        let found = || Proof {
            quote: quote.to_owned(),
            title: page.title.clone(),
            url: page.url.to_string(),
            page_id: Some(page.id.clone()),
            page_span: Some(near.span),
        };
        if best.as_ref().is_none_or(|(score, _)| near.score > *score) {
            best = Some((near.score, found()));
        }
        let contradicts = assertion.contradicts(&Assertion::of(quote)).is_some();
        if against.is_none() && contradicts {
            against = Some(found());
        }
        let is_cited = before.as_ref().is_some_and(|before| before.url == page.url.as_str());
        if is_cited && !contradicts && near.score >= SUPPORTED {
            own = Some(found());
        }
    }
    let is_unread = before.as_ref().is_some_and(|before| unread.contains(&before.url));
    let (standing, now) = match (best, against) {
        // A page that says otherwise is worth a look, also where another still says the same: it is the newer word of
        // somebody. Only what the cited source itself still says stays.
        _ if own.is_some() => (Standing::Same, own),
        (Some((score, same)), None) if score >= SUPPORTED => (Standing::Same, Some(same)),
        (_, Some(against)) => (Standing::Changed, Some(against)),
        (Some((score, near)), None) if is_unread => (Standing::Unread, (score >= PARTLY).then_some(near)),
        (None, None) if is_unread => (Standing::Unread, None),
        _ if before.is_none() => return None,
        (Some((score, near)), None) if score >= PARTLY => (Standing::Gone, Some(near)),
        _ => (Standing::Gone, None),
    };
    Some(Compared {
        standing,
        sentence: claim.text.clone(),
        before,
        now,
    })
}

/// What a sentence cites.
fn proof(sentence: Span, kept: Kept<'_>) -> Option<Proof> {
    let citation = kept
        .citations
        .iter()
        .find(|citation| sentence.contains(citation.marker))?;
    let source = kept.sources.get((citation.number as usize).checked_sub(1)?)?;
    Some(Proof {
        quote: citation.quote.clone(),
        title: source.title.clone(),
        url: source.url.clone(),
        page_id: Some(citation.page_id.clone()),
        page_span: Some(citation.page_span),
    })
}
