//! The interface: its packages, its build, its checks, and the bindings that are generated for it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::setup::{self, Consent};
use crate::shell;

/// Where the interface lies.
pub(crate) fn folder() -> PathBuf {
    shell::root().join("ui")
}

/// `npm` in the interface's folder.
pub(crate) fn npm(args: &[&str]) -> Command {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut npm = shell::command(name, args);
    npm.current_dir(folder());
    npm
}

/// Brings the packages that the lock file names, unless they are there.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn packages() -> Result<()> {
    let modified = |path: PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    let lock = modified(folder().join("package-lock.json"));
    // npm writes this file last.
    let installed = modified(folder().join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= lock {
        return Ok(());
    }
    shell::say("Bringing the interface's packages from the npm registry");
    // Not `npm ci`: it refuses a lock that leaves out optional packages for other systems, which ours has to, because
    // some of them were never published. This keeps to the lock as strictly, and does not change it.
    shell::run(&mut npm(&["install", "--no-save", "--no-audit", "--no-fund"]))
        .context("is the network there? npm needs its registry once")
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
