//! npm, in each folder that has packages of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

pub(crate) fn npm(folder: &Path, args: &[&str]) -> Command {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut npm = shell::command(name, args);
    npm.current_dir(folder);
    npm
}

/// Brings the packages that the folder's lock file names, unless they are there.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn packages(folder: &Path, whose: &str) -> Result<()> {
    let modified = |path: &str| {
        std::fs::metadata(folder.join(path))
            .and_then(|file| file.modified())
            .ok()
    };
    let lock = modified("package-lock.json");
    // npm writes this file last.
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= lock {
        return Ok(());
    }
    shell::say(&format!("Bringing {whose} packages from the npm registry"));
    // Not `npm ci`: it refuses a lock that leaves out optional packages for other systems, which ours has to, because
    // some of them were never published. This keeps to the lock as strictly, and does not change it.
    shell::run(&mut npm(folder, &["install", "--no-save", "--no-audit", "--no-fund"]))
        .context("is the network there? npm needs its registry once")
}
