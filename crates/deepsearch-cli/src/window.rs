//! The window, which is a program of its own beside this one.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use deepsearch_core::{ErrorCode, Failure};

use crate::{outcome, print};

const PROGRAM: &str = "deepsearch-desktop";

/// Calls quick ask. The running app shows it at once; otherwise this starts the app.
pub(crate) fn quick_ask() -> ExitCode {
    match Command::new(program()).arg("--quick-ask").spawn() {
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

/// Packages put both programs into one folder; elsewhere `PATH` knows.
fn program() -> PathBuf {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}
