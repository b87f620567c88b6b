//! Near-duplicates: two passages that say the same in almost the same words, by the word triples they share.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use deepsearch_core::text::terms;

/// From which share of common triples on two passages are copies of each other.
const SAME: f32 = 0.7;

/// The word triples of a text, as hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shingles(HashSet<u64>);

impl Shingles {
    pub(crate) fn of(text: &str) -> Self {
        let terms = terms(text);
        let width = terms.len().clamp(1, 3);
        Self(terms.windows(width).map(hash).collect())
    }

    /// Whether one text is a copy of the other, or is held in it: the share of the smaller one's triples.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        let (small, large) = if self.0.len() <= other.0.len() {
            (&self.0, &other.0)
        } else {
            (&other.0, &self.0)
        };
        let common = small.iter().filter(|shingle| large.contains(shingle)).count();
        !small.is_empty() && common as f32 >= SAME * small.len() as f32
    }

    /// The Jaccard share of common triples, 0 to 1.
    pub(crate) fn overlap(&self, other: &Self) -> f32 {
        let common = self.0.intersection(&other.0).count();
        let all = self.0.len() + other.0.len() - common;
        if all == 0 { 0.0 } else { common as f32 / all as f32 }
    }
}

fn hash(window: &[String]) -> u64 {
    // A hasher with fixed keys: the same on every run.
    let mut hasher = DefaultHasher::new();
    window.hash(&mut hasher);
    hasher.finish()
}
