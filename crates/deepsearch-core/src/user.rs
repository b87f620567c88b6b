//! User, Account, Session and VerificationToken, as Auth.js keeps them (seed 2.1 to 2.4).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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

impl std::fmt::Debug for VerificationToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerificationToken")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
