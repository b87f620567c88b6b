//! Failure: an error as a person meets it. The code says what a face of the app may do; the words say what to do next.

use serde::{Deserialize, Serialize};

/// What kind of failure; each has one button or command that mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The input breaks a rule; the words say which.
    Invalid,
    NotFound,
    /// No network, or the host cannot be reached.
    Offline,
    TimedOut,
    /// The other side asks us to prove we are human.
    Captcha,
    RateLimited,
    /// The key's paid or free allowance is used up.
    QuotaExceeded,
    /// The key is missing or refused.
    KeyRefused,
    /// An answer that holds nothing, where something was to be expected.
    NoResults,
    /// Refused by our own rules: an address that is not public, robots.txt, a size limit.
    Refused,
    /// Refused because private mode is on and it is not on this computer.
    Private,
    /// The other side answered with an error, or with what we cannot read.
    Upstream,
    /// The question and its evidence do not fit the model.
    TooLarge,
    Cancelled,
    /// The disk is full or the folder cannot be written.
    Storage,
    /// The data was written by a newer version of the app and is open for reading only.
    ReadOnly,
    Internal,
}

/// What to do about [`ErrorCode::Private`].
pub const PRIVATE_HINT: &str =
    "Turn private mode off to reach other computers: `deepsearch settings set privacy.mode off`.";

/// A failure in words. Made where it is handled, from the error that holds the causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Failure {
    pub code: ErrorCode,
    /// What was being done and what happened, one sentence.
    pub message: String,
    /// What to do next, one sentence, where there is something.
    pub hint: Option<String>,
    /// Whom it happened with: an engine or a provider by its id, or a host. A face that speaks another language than these
    /// words says it in its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Failure {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            subject: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names whom it happened with.
    #[must_use]
    pub fn with(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

impl From<crate::validate::Invalid> for Failure {
    fn from(invalid: crate::validate::Invalid) -> Self {
        Self::new(ErrorCode::Invalid, sentence(&invalid.to_string()))
    }
}

/// An error's words as a sentence for a person: a capital first, a full stop last.
pub fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}
