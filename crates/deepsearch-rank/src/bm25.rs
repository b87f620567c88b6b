//! BM25 with fields (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, §3.6):
//! a term in a heading counts more than one in the body, before the count saturates.
//!
//! Ours because the query's terms carry weights, and fields share one saturation; the collection is the few hundred
//! passages of one answer, so nothing is indexed.

/// How fast repeated terms stop counting, and how much long texts are held back.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// How often each query term occurs in one text, fields already weighed, and how long the text is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counts {
    /// One per query term.
    pub(crate) terms: Vec<f32>,
    pub(crate) length: f32,
}

/// The score of every text of the collection, for query terms of these weights.
pub(crate) fn scores(collection: &[&Counts], weights: &[f32]) -> Vec<f32> {
    let idf = idf(collection, weights.len());
    let average =
        (collection.iter().map(|counts| counts.length).sum::<f32>() / collection.len().max(1) as f32).max(1.0);
    collection
        .iter()
        .map(|counts| {
            let saturation = K1 * (1.0 - B + B * counts.length / average);
            let term =
                |at: usize| weights[at] * idf[at] * counts.terms[at] * (K1 + 1.0) / (counts.terms[at] + saturation);
            (0..weights.len()).map(term).sum()
        })
        .collect()
}

/// What share of the query each text has, terms weighed by how telling they are: 0 to 1.
pub(crate) fn coverage(collection: &[&Counts], weights: &[f32]) -> Vec<f32> {
    let telling: Vec<f32> = idf(collection, weights.len())
        .iter()
        .zip(weights)
        .map(|(idf, weight)| idf * weight)
        .collect();
    let whole = telling.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    collection
        .iter()
        .map(|counts| {
            let held = counts.terms.iter().zip(&telling).filter(|(count, _)| **count > 0.0);
            held.map(|(_, telling)| telling).sum::<f32>() / whole
        })
        .collect()
}

/// How telling each query term is in this collection; never negative.
fn idf(collection: &[&Counts], terms: usize) -> Vec<f32> {
    let count = collection.len() as f32;
    (0..terms)
        .map(|at| {
            let with_term = collection.iter().filter(|counts| counts.terms[at] > 0.0).count() as f32;
            (1.0 + (count - with_term + 0.5) / (with_term + 0.5)).ln()
        })
        .collect()
}
