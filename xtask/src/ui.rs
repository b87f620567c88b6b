//! The interface: its packages, its build, its checks, and the bindings that are generated for it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::setup::{self, Consent};
use crate::{npm, shell};

/// Where the interface lies.
pub(crate) fn folder() -> PathBuf {
    shell::root().join("ui")
}

/// `npm` in the interface's folder.
pub(crate) fn npm(args: &[&str]) -> Command {
    npm::npm(&folder(), args)
}

/// Brings the packages that the lock file names, unless they are there.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn packages() -> Result<()> {
    npm::packages(&folder(), "the interface's")
}

/// Builds what the window shows; the desktop shell carries it.
///
/// # Errors
/// When a package is missing or the build fails.
pub(crate) fn build() -> Result<()> {
    packages()?;
    shell::run(&mut npm(&["run", "build"]))
}

/// The interface on the fake platform in a real browser, with axe.
///
/// # Errors
/// When a test fails, or there is no browser.
pub(crate) fn browser_tests() -> Result<()> {
    let chromium = setup::chromium().context("there is no Chromium; name one in DEEPSEARCH_CHROMIUM")?;
    shell::run(npm(&["run", "test:browser"]).env("DEEPSEARCH_CHROMIUM", chromium))
}

/// Writes the TypeScript that the interface knows Rust by.
///
/// # Errors
/// When the shell cannot be built, or a type has no form in TypeScript.
pub(crate) fn bindings(consent: Consent) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    setup::ensure(consent, setup::DESKTOP)?;
    // Tauri embeds the interface also in the program that writes its bindings; the old one will do.
    std::fs::create_dir_all(folder().join("dist")).context("making `ui/dist`")?;
    let mut cargo = shell::cargo("test --locked --package deepsearch-desktop --test all bindings");
    shell::run(cargo.env("DEEPSEARCH_UPDATE_BINDINGS", "1"))
}
