//! The sign-in server's peers that run in Node: the packages that `tests/sign-in-peers` names.

use anyhow::Result;

use crate::{npm, shell};

/// Brings the packages that the lock file names, unless they are there.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn packages() -> Result<()> {
    npm::packages(
        &shell::root().join("tests/sign-in-peers"),
        "the sign-in server's peers'",
    )
}
