//! `cargo xtask simulate`: the long run of sync's simulation, on optimised code.
//!
//! The short run is an ordinary test of `deepsearch-sync`; both are the same code with other numbers.

use anyhow::{Context, Result, bail};

use crate::setup::{self, Consent};
use crate::shell;

/// The figures of the design: an error in a rule that a few worlds in ten thousand bring out is met.
const SEEDS: u64 = 20_000;
const STEPS: u64 = 250;

/// Lives through worlds from a first seed on, and stops at the first that ends badly, with the shortest steps that
/// still do.
///
/// # Errors
/// When a world ends badly.
pub(crate) fn simulate(consent: Consent, args: Vec<String>) -> Result<()> {
    let [mut seeds, mut steps, mut from] = [SEEDS, STEPS, 0];
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let number = match arg.as_str() {
            "--seeds" => &mut seeds,
            "--steps" => &mut steps,
            "--from" => &mut from,
            other => bail!("`{other}` is not understood here; there are --seeds N, --steps M and --from SEED"),
        };
        let value = args.next().with_context(|| format!("{arg} wants a number"))?;
        *number = value.parse().with_context(|| format!("`{value}` is no number"))?;
    }
    setup::ensure(consent, setup::BUILD)?;
    shell::say(&format!("{seeds} worlds of about {steps} steps, from seed {from}"));
    shell::run(
        shell::cargo(
            "test --locked --profile bench --package deepsearch-sync --test all whatever_happens -- --nocapture",
        )
        .env("DEEPSEARCH_SIMULATE_SEEDS", seeds.to_string())
        .env("DEEPSEARCH_SIMULATE_STEPS", steps.to_string())
        .env("DEEPSEARCH_SIMULATE_FROM", from.to_string()),
    )
}
