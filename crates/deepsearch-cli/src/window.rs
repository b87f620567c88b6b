//! The window, which is a program of its own beside this one.

use std::process::{Command, ExitCode};

use deepsearch_app::program_beside;
use deepsearch_core::{ErrorCode, Failure};

use crate::{outcome, print};

const PROGRAM: &str = "deepsearch-desktop";

/// Calls quick ask. The running app shows it at once; otherwise this starts the app.
pub(crate) fn quick_ask() -> ExitCode {
    match Command::new(program_beside(PROGRAM)).arg("--quick-ask").spawn() {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = Failure::new(
                ErrorCode::NotFound,
                format!("The window's program, {PROGRAM}, cannot be started: {error}."),
            )
            .hint("Install DeepSearch's package, or put the program beside this one.");
            print::failure(&failure);
            ExitCode::from(outcome::code(failure.code))
        }
    }
}
