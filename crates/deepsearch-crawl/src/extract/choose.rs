//! Decides which blocks are kept, given how likely each is content.
//!
//! A fixed threshold suits no two kinds of page. What is wanted is the set of blocks with the best balance of
//! "nothing missing" and "nothing foreign" (F1, by words), so the set whose expected F1 is greatest is taken.

/// A block as far as choosing goes.
pub(super) struct Candidate {
    pub(super) probability: f32,
    pub(super) words: u32,
}

/// One verdict per candidate, in the same order.
pub(super) fn keep(candidates: &[Candidate]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| candidates[b].probability.total_cmp(&candidates[a].probability));
    let expected = |at: usize| f64::from(candidates[at].probability) * f64::from(candidates[at].words);
    let wanted: f64 = order.iter().map(|&at| expected(at)).sum();
    let (mut right, mut taken) = (0.0, 0.0);
    let mut best = (0.0, 0);
    for (count, &at) in order.iter().enumerate() {
        right += expected(at);
        taken += f64::from(candidates[at].words);
        let f1 = 2.0 * right / (taken + wanted);
        if f1 > best.0 {
            best = (f1, count + 1);
        }
    }
    let mut kept = vec![false; candidates.len()];
    order[..best.1].iter().for_each(|&at| kept[at] = true);
    kept
}
