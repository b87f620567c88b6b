//! Token estimates: how much of a model's context a text will take, without any model's vocabulary.
//!
//! Every model cuts text its own way, so this leans high: an estimate that is too low overflows a context, one that is
//! too high costs a passage.

/// About how many tokens a text takes, leaning high.
pub fn estimate_tokens(text: &str) -> usize {
    text.chars().count() / 3 + 1
}
