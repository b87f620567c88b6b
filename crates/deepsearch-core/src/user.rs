//! User, Account, Session and VerificationToken, as Auth.js keeps them (seed 2.1 to 2.4).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::validate::{Invalid, chars_between};

crate::ids::id!(
    /// A user: a bare UUID when we make it, any string when the web app did.
    UserId, ""
);

/// A person who has signed in (seed 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub name: Option<String>,
    pub email: String,
    /// `None` until verified; always written, because the column's default is "now" (seed R16).
    pub email_verified: Option<DateTime<Utc>>,
    pub image: Option<String>,
    pub is_admin: bool,
}

impl User {
    /// # Errors
    /// The first value that the table cannot hold, or an e-mail address that is none.
    pub fn validate(&self) -> Result<(), Invalid> {
        at_most(&[("the name", self.name.as_deref()), ("the image", self.image.as_deref())])?;
        valid_email(&self.email)
    }
}

/// An e-mail address that may be written: it fits its column, and has something on both sides of an `@`. Whether it
/// is somebody's, only a message to it shows.
///
/// # Errors
/// [`Invalid`] otherwise.
pub fn valid_email(email: &str) -> Result<(), Invalid> {
    required(&[("the e-mail address", email)])?;
    match email.rsplit_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !email.contains(char::is_whitespace) => Ok(()),
        _ => Err(Invalid::Malformed {
            field: "the e-mail address",
            value: email.to_owned(),
            expected: "e-mail address",
        }),
    }
}

/// Longest text in most columns of these tables, in code points.
const COLUMN: usize = 255;

fn required(fields: &[(&'static str, &str)]) -> Result<(), Invalid> {
    fields
        .iter()
        .try_for_each(|(field, value)| chars_between(field, value, 1, COLUMN))
}

fn at_most(fields: &[(&'static str, Option<&str>)]) -> Result<(), Invalid> {
    fields
        .iter()
        .try_for_each(|(field, value)| chars_between(field, value.unwrap_or_default(), 0, COLUMN))
}

/// A user's identity at one provider (seed 2.2). Tokens are secrets: never log this.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub user_id: UserId,
    /// `oauth`, `oidc`, `email`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub provider: String,
    pub provider_account_id: String,
    pub refresh_token: Option<String>,
    pub access_token: Option<String>,
    /// Unix seconds.
    pub expires_at: Option<i32>,
    pub token_type: Option<String>,
    pub scope: Option<String>,
    pub id_token: Option<String>,
    pub session_state: Option<String>,
}

impl Account {
    /// # Errors
    /// The first value that the table cannot hold. Tokens of the provider may have any length.
    pub fn validate(&self) -> Result<(), Invalid> {
        required(&[
            ("the kind of account", &self.kind),
            ("the provider", &self.provider),
            ("the account at the provider", &self.provider_account_id),
        ])?;
        at_most(&[
            ("the kind of token", self.token_type.as_deref()),
            ("the scope", self.scope.as_deref()),
            ("the session state", self.session_state.as_deref()),
        ])
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("user_id", &self.user_id)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// A signed-in session (seed 2.3).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub session_token: String,
    pub user_id: UserId,
    pub expires: DateTime<Utc>,
}

impl Session {
    /// # Errors
    /// [`Invalid`] when the token is empty or does not fit its column.
    pub fn validate(&self) -> Result<(), Invalid> {
        required(&[("the session token", &self.session_token)])
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("user_id", &self.user_id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A single-use token of an e-mail sign-in (seed 2.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationToken {
    /// The e-mail address.
    pub identifier: String,
    pub token: String,
    pub expires: DateTime<Utc>,
}

impl VerificationToken {
    /// # Errors
    /// [`Invalid`] when a value is empty or does not fit its column.
    pub fn validate(&self) -> Result<(), Invalid> {
        required(&[("the identifier", &self.identifier), ("the token", &self.token)])
    }
}

impl std::fmt::Debug for VerificationToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerificationToken")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
