//! Users: who has signed in (seed 2.1).
//!
//! An e-mail address is one user's. The table does not say so, because the web app's schema does not (seed R1): here it
//! is looked for and written under a lock on the address. Should the web app have made two of one address all the same,
//! every lookup finds the same one.

use deepsearch_core::user::valid_email;
use deepsearch_core::{Account, User, UserId};
use sqlx::PgConnection;

use crate::accounts;
use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};

/// A user with every account they sign in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserWithAccounts {
    pub user: User,
    pub accounts: Vec<Account>,
}

pub(crate) struct UserRow {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) email: String,
    pub(crate) email_verified: Option<chrono::DateTime<chrono::Utc>>,
    pub(crate) image: Option<String>,
    pub(crate) is_admin: bool,
}

impl SharedDatabase {
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_user(&self, id: &UserId) -> Result<Option<User>, DatabaseError> {
        const ACTION: &str = "look up the user";
        let mut tx = self.begin().await.doing(ACTION)?;
        let user = lookup(&mut tx, id).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(user)
    }

    /// The user with this address, whatever its capitals.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, DatabaseError> {
        const ACTION: &str = "find the user";
        let mut tx = self.begin().await.doing(ACTION)?;
        let user = find_by_email(&mut tx, email).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(user)
    }

    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_user_with_accounts(&self, id: &UserId) -> Result<Option<UserWithAccounts>, DatabaseError> {
        const ACTION: &str = "look up the user's accounts";
        let mut tx = self.begin().await.doing(ACTION)?;
        let found = match lookup(&mut tx, id).await.doing(ACTION)? {
            None => None,
            Some(user) => Some(UserWithAccounts {
                accounts: accounts::list(&mut tx, id).await.doing(ACTION)?,
                user,
            }),
        };
        tx.commit().await.doing(ACTION)?;
        Ok(found)
    }

    /// # Errors
    /// [`DatabaseError::Refused`] when the address, or the id, is another user's.
    pub async fn add_user(&self, user: &User) -> Result<(), DatabaseError> {
        const ACTION: &str = "add the user";
        let mut tx = self.begin().await.doing(ACTION)?;
        add(&mut tx, user).await?;
        tx.commit().await.doing(ACTION)
    }

    /// # Errors
    /// [`DatabaseError::NotFound`] for an unknown user, [`DatabaseError::Refused`] when the address is another's.
    pub async fn update_user(&self, user: &User) -> Result<(), DatabaseError> {
        const ACTION: &str = "change the user";
        user.validate()?;
        let mut tx = self.begin().await.doing(ACTION)?;
        claim_email(&mut tx, user, ACTION).await?;
        let updated = sqlx::query!(
            r#"update "ai-app-template_user" set name = $2, email = $3, email_verified = $4, image = $5, is_admin = $6
            where id = $1"#,
            user.id.as_str(),
            user.name,
            user.email,
            user.email_verified,
            user.image,
            user.is_admin
        )
        .execute(&mut *tx)
        .await
        .writing(ACTION, &fields(user))?;
        if updated.rows_affected() == 0 {
            return Err(not_found(&user.id));
        }
        tx.commit().await.doing(ACTION)
    }

    /// Deletes a user with everything that is theirs: tokens sent to the address, sessions and accounts, which the
    /// tables would keep (seed R4), and by them chats, messages and settings.
    ///
    /// # Errors
    /// [`DatabaseError::NotFound`] for an unknown user; then nothing is deleted.
    pub async fn delete_user(&self, id: &UserId) -> Result<(), DatabaseError> {
        const ACTION: &str = "delete the user";
        let id_text = id.as_str();
        let mut tx = self.begin().await.doing(ACTION)?;
        // Locked, so that nobody signs in as the user meanwhile.
        let email = sqlx::query_scalar!(
            r#"select email from "ai-app-template_user" where id = $1 for update"#,
            id_text
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?
        .ok_or_else(|| not_found(id))?;
        sqlx::query!(
            r#"delete from "ai-app-template_verification_token" where lower(identifier) = lower($1)"#,
            email
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        sqlx::query!(r#"delete from "ai-app-template_session" where user_id = $1"#, id_text)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        sqlx::query!(r#"delete from "ai-app-template_account" where user_id = $1"#, id_text)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        sqlx::query!(r#"delete from "ai-app-template_user" where id = $1"#, id_text)
            .execute(&mut *tx)
            .await
            .deleting(ACTION)?;
        tx.commit().await.doing(ACTION)
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId::from_stored(row.id),
            name: row.name,
            email: row.email,
            email_verified: row.email_verified,
            image: row.image,
            is_admin: row.is_admin,
        }
    }
}

fn not_found(id: &UserId) -> DatabaseError {
    DatabaseError::NotFound {
        what: "user",
        id: id.to_string(),
    }
}

fn fields(user: &User) -> [(&'static str, &str); 4] {
    [
        ("id", user.id.as_str()),
        ("name", user.name.as_deref().unwrap_or_default()),
        ("email", &user.email),
        ("image", user.image.as_deref().unwrap_or_default()),
    ]
}

pub(crate) async fn lookup(tx: &mut PgConnection, id: &UserId) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        UserRow,
        r#"select id, name, email, email_verified, image, is_admin from "ai-app-template_user" where id = $1"#,
        id.as_str()
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(User::from))
}

/// Adds a user within a transaction.
pub(crate) async fn add(tx: &mut PgConnection, user: &User) -> Result<(), DatabaseError> {
    const ACTION: &str = "add the user";
    user.validate()?;
    claim_email(tx, user, ACTION).await?;
    // Every column is written: `email_verified` left out would be "now" (seed R16).
    sqlx::query!(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified, image, is_admin)
        values ($1, $2, $3, $4, $5, $6)"#,
        user.id.as_str(),
        user.name,
        user.email,
        user.email_verified,
        user.image,
        user.is_admin
    )
    .execute(tx)
    .await
    .writing(ACTION, &fields(user))?;
    Ok(())
}

/// The one written exactly so goes first, then one whose address is verified, then the lowest id: always the same.
///
/// Reads all users: the seed's table has no index of the address, and drizzle-kit would drop one of ours. It is asked when
/// somebody signs in, and ten thousand users take 2.3 ms, which a table of ours beside it would not be worth.
async fn find_by_email(tx: &mut PgConnection, email: &str) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        UserRow,
        r#"select id, name, email, email_verified, image, is_admin from "ai-app-template_user"
        where lower(email) = lower($1)
        order by email = $1 desc, email_verified nulls last, id collate "C" limit 1"#,
        email
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(User::from))
}

/// Makes sure, until the transaction ends, that the address is nobody else's.
async fn claim_email(tx: &mut PgConnection, user: &User, action: &'static str) -> Result<(), DatabaseError> {
    valid_email(&user.email)?;
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('deepsearch user ' || lower($1), 0))",
        user.email
    )
    .execute(&mut *tx)
    .await
    .writing(action, &fields(user))?;
    let others = sqlx::query_scalar!(
        r#"select exists (
            select from "ai-app-template_user" where lower(email) = lower($1) and id <> $2
        ) as "others!""#,
        user.email,
        user.id.as_str()
    )
    .fetch_one(tx)
    .await
    .doing(action)?;
    if others {
        return Err(DatabaseError::taken(action, "email"));
    }
    Ok(())
}
