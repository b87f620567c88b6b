//! The web app that tests put beside DeepSearch on one database (`tests/webapp`): its packages and its checks.

use std::path::PathBuf;

use anyhow::Result;

use crate::npm::{self, npm};
use crate::{shell, ui};

fn folder() -> PathBuf {
    shell::root().join("tests/webapp")
}

/// Brings its packages, and says where it lies.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn ensure() -> Result<PathBuf> {
    npm::packages(&folder(), "the test web app's")?;
    Ok(folder())
}

/// Its types, and its style by the interface's formatter.
///
/// # Errors
/// When a check fails.
pub(crate) fn check() -> Result<()> {
    shell::run(&mut npm(&folder(), &["run", "check"]))?;
    shell::run(&mut ui::npm(&["exec", "--", "prettier", "--check", "../tests/webapp"]))
}
