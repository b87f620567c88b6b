//! People: which user somebody is, once a provider or a mailbox has proven something about them.
//!
//! An account is known by the provider's own id for it, never by an e-mail address that somebody merely claims: an
//! address counts only where it was verified, on both sides. Otherwise whoever writes a stranger's address into a
//! profile would be the stranger, or would wait in an account that the stranger is led into later.

use chrono::{DateTime, Utc};
use deepsearch_core::{User, UserId};
use deepsearch_postgres::{DatabaseError, Rule, SharedDatabase};

use crate::providers::Identity;

/// The provider of those who sign in by a link.
pub(crate) const EMAIL: &str = "email";
/// Longest name and address of a picture that the table takes, in characters.
const COLUMN: usize = 255;

pub(crate) enum Found {
    Known(User),
    /// Nobody yet; this is who it would be.
    New(User),
    /// A known user, whom this account is to be linked to.
    Link(User),
}

/// Why somebody who proved who they are cannot sign in all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The provider told no address.
    NoEmail,
    /// The provider does not say that the address is theirs.
    Unverified,
    /// The address is a user's who signs in another way.
    Taken { address: String },
}

pub(crate) async fn find(
    database: &SharedDatabase,
    identity: &Identity,
    link_verified_email: bool,
    now: DateTime<Utc>,
) -> Result<Result<Found, Refusal>, DatabaseError> {
    let by_mail = identity.provider == EMAIL;
    if !by_mail {
        let known = database
            .find_user_by_account(&identity.provider, &identity.account_id)
            .await?;
        if let Some(user) = known {
            return Ok(Ok(Found::Known(user)));
        }
    }
    let Some(address) = identity.email.as_deref().and_then(mailbox) else {
        return Ok(Err(Refusal::NoEmail));
    };
    if !identity.email_verified {
        return Ok(Err(Refusal::Unverified));
    }
    let Some(user) = database.find_user_by_email(&address).await? else {
        return Ok(Ok(Found::New(new_user(identity, address, by_mail.then_some(now)))));
    };
    if by_mail {
        // An account at a provider says nothing about the mailbox until somebody has shown that it is theirs.
        let proven = user.email_verified.is_some() || database.list_accounts(&user.id).await?.is_empty();
        return Ok(if proven {
            Ok(Found::Known(user))
        } else {
            Err(Refusal::Taken { address })
        });
    }
    if link_verified_email && user.email_verified.is_some() {
        return Ok(Ok(Found::Link(user)));
    }
    Ok(Err(Refusal::Taken { address }))
}

/// Writes down what was found, once the person has agreed.
pub(crate) async fn settle(
    database: &SharedDatabase,
    identity: &Identity,
    found: Found,
    now: DateTime<Utc>,
) -> Result<Result<User, Refusal>, DatabaseError> {
    let by_mail = identity.provider == EMAIL;
    match found {
        Found::Known(mut user) => {
            if by_mail && user.email_verified.is_none() {
                user.email_verified = Some(now);
                database.update_user(&user).await?;
            }
            Ok(Ok(user))
        }
        Found::Link(user) => {
            database.add_account(&identity.account(user.id.clone())).await?;
            Ok(Ok(user))
        }
        Found::New(user) => {
            let account = (!by_mail).then(|| identity.account(user.id.clone()));
            match database.sign_up(&user, account.as_ref()).await {
                Ok(()) => Ok(Ok(user)),
                // Somebody signed up with it a moment ago.
                Err(DatabaseError::Refused { rule: Rule::Taken, .. }) => {
                    Ok(Err(Refusal::Taken { address: user.email }))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// As Auth.js writes one: verified when a mailbox proved it, `NULL` when a provider did (seed R16).
fn new_user(identity: &Identity, email: String, email_verified: Option<DateTime<Utc>>) -> User {
    User {
        id: UserId::new(),
        name: identity.name.as_deref().and_then(fitting_name),
        email,
        email_verified,
        image: identity.image.clone().filter(|image| is_picture(image)),
        is_admin: false,
    }
}

fn fitting_name(name: &str) -> Option<String> {
    let name: String = name
        .chars()
        .filter(|character| !character.is_control())
        .take(COLUMN)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// What others will load as a picture.
fn is_picture(image: &str) -> bool {
    image.len() <= COLUMN && image.starts_with("https://")
}

/// The mail address that a text is, as Auth.js writes it: without spaces around it, in small letters, so that one mailbox
/// is one user in both. `None` for what no mail server would take, or the column.
pub(crate) fn mailbox(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let address: lettre::Address = text.parse().ok()?;
    let is_whole = address.domain().contains('.') || address.domain() == "localhost";
    (is_whole && text.len() <= 254).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_spelling() {
        for text in ["ann@x.org", "Ann@X.org", " ANN@X.ORG\n"] {
            assert_eq!(mailbox(text).as_deref(), Some("ann@x.org"));
        }
        for text in ["ann", "ann@", "ann@x", "ann@x.org, bob@x.org", ""] {
            assert_eq!(mailbox(text), None, "{text}");
        }
    }
}
