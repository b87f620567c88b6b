//! `cargo xtask run`: from a fresh clone to the open window, or to a first cited answer where there is no screen.

use anyhow::{Context, Result};

use crate::setup::{self, Consent};
use crate::{shell, ui};

const FIRST_QUESTION: &[&str] = &["ask", "--in", "guide", "how do I use my own SearXNG?"];

/// Builds and opens the window; with `args`, builds the `deepsearch` command and hands it those instead.
///
/// # Errors
/// When something is missing that cannot be installed, or the build or the program fails.
pub(crate) fn run(consent: Consent, args: &[String]) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    if !args.is_empty() {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        return command(&args);
    }
    if !has_screen() {
        shell::say("There is no screen here: building the `deepsearch` command and asking the built-in guide instead");
        command(FIRST_QUESTION)?;
        println!("\nAsk the web next: cargo xtask run -- ask \"how do vaccines work?\"");
        return Ok(());
    }
    setup::ensure(consent, setup::DESKTOP)?;
    shell::say("Building the window (some minutes the first time)");
    ui::build()?;
    // The command parses the pages for the window.
    shell::run(&mut shell::cargo(
        "build --locked --package deepsearch-cli --package deepsearch-desktop --bins",
    ))?;
    let name = format!("deepsearch-desktop{}", std::env::consts::EXE_SUFFIX);
    // xtask itself lies among the programs that are built.
    let program = std::env::current_exe()
        .context("finding the folder of built programs")?
        .with_file_name(name);
    shell::run(&mut shell::command(program, &[])).context("running DeepSearch; what it printed above says why")
}

fn command(args: &[&str]) -> Result<()> {
    let mut deepsearch = shell::cargo("run --locked --package deepsearch-cli --bin deepsearch --");
    shell::run(deepsearch.args(args)).context("running `deepsearch`; what it printed above says why")
}

fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
