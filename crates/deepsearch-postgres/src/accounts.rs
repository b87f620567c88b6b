//! Accounts: a user's identity at each provider (seed 2.2).
//!
//! The provider's tokens are secrets: they are read only where whoever signs in needs them.

use deepsearch_core::{Account, User, UserId};
use sqlx::PgConnection;

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::users::UserRow;

struct AccountRow {
    user_id: String,
    kind: String,
    provider: String,
    provider_account_id: String,
    refresh_token: Option<String>,
    access_token: Option<String>,
    expires_at: Option<i32>,
    token_type: Option<String>,
    scope: Option<String>,
    id_token: Option<String>,
    session_state: Option<String>,
}

impl SharedDatabase {
    /// The user who signs in with this account. Whoever signs in is found by this, never by an e-mail address that a
    /// provider merely claims.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn find_user_by_account(
        &self,
        provider: &str,
        provider_account_id: &str,
    ) -> Result<Option<User>, DatabaseError> {
        const ACTION: &str = "find the user of the account";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query_as!(
            UserRow,
            r#"select u.id, name, email, email_verified, image, is_admin
            from "ai-app-template_account" as account join "ai-app-template_user" as u on u.id = account.user_id
            where provider = $1 and provider_account_id = $2"#,
            provider,
            provider_account_id
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(row.map(User::from))
    }

    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn list_accounts(&self, user: &UserId) -> Result<Vec<Account>, DatabaseError> {
        const ACTION: &str = "list the accounts";
        let mut tx = self.begin().await.doing(ACTION)?;
        let accounts = list(&mut tx, user).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(accounts)
    }

    /// Links an account to its user.
    ///
    /// # Errors
    /// [`DatabaseError::Refused`] when the account is linked already, or the user unknown.
    pub async fn add_account(&self, account: &Account) -> Result<(), DatabaseError> {
        const ACTION: &str = "link the account";
        let mut tx = self.begin().await.doing(ACTION)?;
        add(&mut tx, account).await?;
        tx.commit().await.doing(ACTION)
    }

    /// Keeps what the provider gave at the newest sign-in. An account is never handed to another user by this.
    ///
    /// # Errors
    /// [`DatabaseError::NotFound`] for an account that this user does not have.
    pub async fn update_account(&self, account: &Account) -> Result<(), DatabaseError> {
        const ACTION: &str = "renew the account";
        account.validate()?;
        let mut tx = self.begin().await.doing(ACTION)?;
        let updated = sqlx::query!(
            r#"update "ai-app-template_account" set type = $4, refresh_token = $5, access_token = $6, expires_at = $7,
                token_type = $8, scope = $9, id_token = $10, session_state = $11
            where user_id = $1 and provider = $2 and provider_account_id = $3"#,
            account.user_id.as_str(),
            account.provider,
            account.provider_account_id,
            account.kind,
            account.refresh_token,
            account.access_token,
            account.expires_at,
            account.token_type,
            account.scope,
            account.id_token,
            account.session_state
        )
        .execute(&mut *tx)
        .await
        .writing(ACTION, &fields(account))?;
        if updated.rows_affected() == 0 {
            return Err(DatabaseError::NotFound {
                what: "account",
                id: format!("{} {}", account.provider, account.provider_account_id),
            });
        }
        tx.commit().await.doing(ACTION)
    }

    /// Unlinks an account from its user, and says whether it was linked.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn delete_account(
        &self,
        user: &UserId,
        provider: &str,
        provider_account_id: &str,
    ) -> Result<bool, DatabaseError> {
        const ACTION: &str = "unlink the account";
        let mut tx = self.begin().await.doing(ACTION)?;
        let deleted = sqlx::query!(
            r#"delete from "ai-app-template_account"
            where user_id = $1 and provider = $2 and provider_account_id = $3"#,
            user.as_str(),
            provider,
            provider_account_id
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(deleted.rows_affected() > 0)
    }
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            user_id: UserId::from_stored(row.user_id),
            kind: row.kind,
            provider: row.provider,
            provider_account_id: row.provider_account_id,
            refresh_token: row.refresh_token,
            access_token: row.access_token,
            expires_at: row.expires_at,
            token_type: row.token_type,
            scope: row.scope,
            id_token: row.id_token,
            session_state: row.session_state,
        }
    }
}

/// Links an account within a transaction.
pub(crate) async fn add(tx: &mut PgConnection, account: &Account) -> Result<(), DatabaseError> {
    const ACTION: &str = "link the account";
    account.validate()?;
    sqlx::query!(
        r#"insert into "ai-app-template_account" (user_id, type, provider, provider_account_id, refresh_token,
            access_token, expires_at, token_type, scope, id_token, session_state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"#,
        account.user_id.as_str(),
        account.kind,
        account.provider,
        account.provider_account_id,
        account.refresh_token,
        account.access_token,
        account.expires_at,
        account.token_type,
        account.scope,
        account.id_token,
        account.session_state
    )
    .execute(tx)
    .await
    .writing(ACTION, &fields(account))?;
    Ok(())
}

pub(crate) async fn list(tx: &mut PgConnection, user: &UserId) -> Result<Vec<Account>, sqlx::Error> {
    // More than there are providers.
    const LIMIT: i64 = 100;
    let rows = sqlx::query_as!(
        AccountRow,
        r#"select user_id, type as kind, provider, provider_account_id, refresh_token, access_token, expires_at,
            token_type, scope, id_token, session_state
        from "ai-app-template_account" where user_id = $1 order by provider, provider_account_id limit $2"#,
        user.as_str(),
        LIMIT
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Account::from).collect())
}

fn fields(account: &Account) -> [(&'static str, &str); 10] {
    let text = Option::as_deref;
    [
        ("user_id", account.user_id.as_str()),
        ("type", &account.kind),
        ("provider", &account.provider),
        ("provider_account_id", &account.provider_account_id),
        ("refresh_token", text(&account.refresh_token).unwrap_or_default()),
        ("access_token", text(&account.access_token).unwrap_or_default()),
        ("token_type", text(&account.token_type).unwrap_or_default()),
        ("scope", text(&account.scope).unwrap_or_default()),
        ("id_token", text(&account.id_token).unwrap_or_default()),
        ("session_state", text(&account.session_state).unwrap_or_default()),
    ]
}
