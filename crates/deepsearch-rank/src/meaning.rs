//! Meaning: passages in the order in which an embedding model finds them near the question.
//!
//! A model says nothing of what its numbers are worth beside ours, and each has a scale of its own, so only its order is
//! taken. Of the passages that words have found, because those are few enough to be embedded while somebody waits.

/// How near each passage is to the question by the angle between their vectors, -1 to 1.
pub fn nearness(question: &[f32], passages: &[Vec<f32>]) -> Vec<f32> {
    passages.iter().map(|passage| cosine(question, passage)).collect()
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let lengths = (product(one, one) * product(other, other)).sqrt();
    if lengths > 0.0 {
        (product(one, other) / lengths) as f32
    } else {
        0.0
    }
}

/// The places of passages, nearest first. `freshness` keeps its say: it is weighed against the place that the nearness
/// alone gives, as fusing the lists of engines weighs theirs.
pub(crate) fn order(nearness: &[f32], freshness: impl Fn(usize) -> f32) -> Vec<usize> {
    let mut nearest: Vec<usize> = (0..nearness.len()).collect();
    nearest.sort_by(|a, b| nearness[*b].total_cmp(&nearness[*a]));
    let worth = |rank: usize, at: usize| freshness(at) / (RANK_OFFSET + rank as f32);
    let mut places: Vec<(f32, usize)> = nearest
        .into_iter()
        .enumerate()
        .map(|(rank, at)| (worth(rank, at), at))
        .collect();
    places.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    places.into_iter().map(|(_, at)| at).collect()
}

/// What reciprocal rank fusion adds to a rank (Cormack et al. 2009).
const RANK_OFFSET: f32 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_angle_counts_and_not_the_length() {
        let near = nearness(
            &[1.0, 0.0],
            &[vec![7.0, 0.0], vec![0.0, 2.0], vec![-1.0, 0.0], vec![0.5, 0.5]],
        );
        assert_eq!(near[..3], [1.0, 0.0, -1.0]);
        assert!((near[3] - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
    }

    #[test]
    fn the_nearest_goes_first_and_equals_keep_their_order() {
        assert_eq!(order(&[0.1, 0.8, 0.1, 0.9], |_| 1.0), [3, 1, 0, 2]);
    }

    #[test]
    fn where_new_pages_are_wanted_an_old_one_has_to_be_much_nearer() {
        let fresh = |at| if at == 1 { 0.5 } else { 1.0 };
        assert_eq!(order(&[0.5, 0.9, 0.4], fresh), [0, 2, 1]);
    }
}
