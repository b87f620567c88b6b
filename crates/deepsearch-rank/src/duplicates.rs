//! Near-duplicates: two passages that say the same in almost the same words, by the word triples they share.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

/// From which share of common triples on two passages are copies of each other.
const SAME: f32 = 0.7;

/// The word triples of a text, as hashes: sorted, because two lists are compared many times as fast as two sets, and an
/// answer compares tens of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shingles(Vec<u64>);

impl Shingles {
    /// Of a text's terms in their order, each as its [`hash`].
    pub(crate) fn of(terms: &[u64]) -> Self {
        let width = terms.len().clamp(1, 3);
        let mut hashes: Vec<u64> = terms.windows(width).map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// Whether one text is a copy of the other, or is held in it: the share of the smaller one's triples.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        let small = self.0.len().min(other.0.len());
        small > 0 && self.common(other) as f32 >= SAME * small as f32
    }

    /// The Jaccard share of common triples, 0 to 1.
    pub(crate) fn overlap(&self, other: &Self) -> f32 {
        let common = self.common(other);
        let all = self.0.len() + other.0.len() - common;
        if all == 0 { 0.0 } else { common as f32 / all as f32 }
    }

    fn common(&self, other: &Self) -> usize {
        let (mut left, mut right) = (self.0.as_slice(), other.0.as_slice());
        let mut common = 0;
        while let ([first, ..], [second, ..]) = (left, right) {
            let order = first.cmp(second);
            common += usize::from(order == Ordering::Equal);
            left = &left[usize::from(order != Ordering::Greater)..];
            right = &right[usize::from(order != Ordering::Less)..];
        }
        common
    }
}

/// The same on every run, because this hasher has fixed keys.
pub(crate) fn hash<T: Hash + ?Sized>(of: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
