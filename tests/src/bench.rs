//! What benchmarks have in common: a size from the command line, and the percentiles of what was measured.

use std::time::Duration;

use anyhow::{Context, Result};

/// The number that follows `name` on the command line, where it stands there.
///
/// # Errors
/// When what follows is no number.
pub fn argument(name: &str) -> Result<Option<usize>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    let number = |value: String| value.parse().with_context(|| format!("{name} wants a number"));
    arguments.next().map(number).transpose()
}

/// In milliseconds.
///
/// # Panics
/// Where nothing was measured.
pub fn percentile(took: &mut [Duration], percent: usize) -> f64 {
    took.sort_unstable();
    took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
}
