//! `cargo xtask run`: from a fresh clone to a first cited answer.

use anyhow::{Context, Result};

use crate::setup::{self, Consent};
use crate::shell;

const FIRST_QUESTION: &[&str] = &["ask", "--in", "guide", "how do I use my own SearXNG?"];

/// Builds the `deepsearch` command and hands it `args`, or a first question to the built-in guide.
///
/// # Errors
/// When something is missing that cannot be installed, or the build or the command fails.
pub(crate) fn run(consent: Consent, args: &[String]) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    let asked: Vec<&str> = if args.is_empty() {
        shell::say("Building the `deepsearch` command (a few minutes the first time) and asking the built-in guide");
        FIRST_QUESTION.to_vec()
    } else {
        args.iter().map(String::as_str).collect()
    };
    let mut deepsearch = shell::cargo("run --locked --package deepsearch-cli --bin deepsearch --");
    shell::run(deepsearch.args(&asked)).context("running `deepsearch`; what it printed above says why")?;
    if args.is_empty() {
        println!("\nAsk the web next: cargo xtask run -- ask \"how do vaccines work?\"");
    }
    Ok(())
}
