//! Binds each `[n]` to the sentence of a saved page that comes nearest to what the answer's sentence says.
//!
//! A model only names a number. Which sentence that means, code decides; a model never writes an address.

use deepsearch_core::Citation;

use crate::claims::{Claim, Lines, claims};
use crate::evidence::Evidence;

/// All citations of `content`, in reading order.
pub fn cite(content: &str, evidence: &Evidence) -> Vec<Citation> {
    claims(content)
        .iter()
        .flat_map(|claim| cite_claim(claim, evidence))
        .collect()
}

fn cite_claim<'a>(claim: &'a Claim, evidence: &'a Evidence) -> impl Iterator<Item = Citation> + 'a {
    claim.markers.iter().filter_map(|marker| {
        let page = evidence.page(marker.number)?;
        let page_span = evidence
            .nearest(marker.number, &claim.text)
            .map(|best| best.span)
            .or_else(|| evidence.opening(marker.number))?;
        Some(Citation {
            number: marker.number,
            marker: marker.span,
            sentence: claim.span,
            page_id: page.id.clone(),
            page_span,
            quote: page.quote(page_span).to_owned(),
        })
    })
}

/// Tells citations while the answer streams, one finished line at a time.
#[derive(Debug, Default)]
pub(crate) struct Citing(Lines);

impl Citing {
    /// Citations that became certain with the line breaks in `content` since the last call; all that are left at the end.
    pub(crate) fn advance(&mut self, content: &str, finished: bool, evidence: &Evidence) -> Vec<Citation> {
        if evidence.is_empty() {
            return Vec::new();
        }
        let end = if finished {
            content.len()
        } else {
            content.rfind('\n').map_or(0, |at| at + 1)
        };
        let claims = self.0.claims(content, end);
        claims.iter().flat_map(|claim| cite_claim(claim, evidence)).collect()
    }
}
