//! How a command ends: an exit code, and for a failure a sentence that says what to do next.

use std::process::ExitCode;

use deepsearch_app::AppError;
use deepsearch_core::{ErrorCode, Failure};

use crate::print;

/// What a command ends with.
pub(crate) type Outcome = Result<ExitCode, AppError>;

/// Nothing was found: not an error, but a script may want to know.
pub(crate) const NOTHING: u8 = 7;

/// Tells a failure, and gives the exit code.
pub(crate) fn report(outcome: &Outcome, json: bool) -> ExitCode {
    match outcome {
        Ok(code) => *code,
        Err(error) => {
            let failure = Failure::from(error);
            if json {
                print::json(&serde_json::json!({ "error": failure }));
            } else {
                print::failure(&failure);
            }
            ExitCode::from(code(failure.code))
        }
    }
}

/// The documented exit code of a failure.
pub(crate) fn code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::Internal => 1,
        ErrorCode::Invalid | ErrorCode::TooLarge => 2,
        ErrorCode::NotFound => 3,
        ErrorCode::Offline
        | ErrorCode::TimedOut
        | ErrorCode::Captcha
        | ErrorCode::RateLimited
        | ErrorCode::Refused
        | ErrorCode::Private
        | ErrorCode::Upstream => 4,
        ErrorCode::KeyRefused | ErrorCode::QuotaExceeded => 5,
        ErrorCode::Storage | ErrorCode::ReadOnly => 6,
        ErrorCode::NoResults => NOTHING,
        ErrorCode::Cancelled => 130,
    }
}
