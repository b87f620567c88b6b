//! The sign-in server's peers that run in Node: the packages that `tests/sign-in-peers` names.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell;

fn folder() -> PathBuf {
    shell::root().join("tests/sign-in-peers")
}

/// Brings the packages that the lock file names, unless they are there.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn packages() -> Result<()> {
    let modified = |name: &str| {
        std::fs::metadata(folder().join(name))
            .and_then(|file| file.modified())
            .ok()
    };
    // npm writes this file last.
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    shell::say("Bringing the sign-in server's peers from the npm registry");
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut npm = shell::command(name, &["ci", "--no-audit", "--no-fund"]);
    shell::run(npm.current_dir(folder())).context("is the network there? npm needs its registry once")
}
