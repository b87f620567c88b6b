//! What gateways keep while somebody signs in: who was proven to a provider, and the code on its way to the app.
//!
//! Secrets come in as their hashes. What must happen once is one statement or one transaction, so that of two gateways at
//! once only one has it.

use chrono::{DateTime, Utc};
use deepsearch_core::{Account, User, UserId};
use serde_json::Value;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::{accounts, users};

/// The SHA-256 of a secret.
pub type SecretHash = [u8; 32];

/// A code that was given to an app, and what it must be redeemed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInCode {
    pub user_id: UserId,
    pub redirect_uri: String,
    pub code_challenge: String,
    pub device_id: Uuid,
    pub device_name: String,
    pub expires_at: DateTime<Utc>,
}

/// For whom a code was redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeemedFor {
    pub user_id: UserId,
    pub device_id: Uuid,
}

/// What became of a code that somebody brought.
#[derive(Debug)]
pub enum Redeemed {
    First(Redemption),
    /// It comes a second time: somebody has it who should not.
    Again(RedeemedFor),
    Unknown,
}

/// A code that was brought for the first time. Whoever brings it meanwhile waits until this one is through; dropping it
/// leaves the code as it was.
#[derive(Debug)]
pub struct Redemption {
    pub code: SignInCode,
    pub(crate) tx: Transaction<'static, Postgres>,
}

impl Redemption {
    /// Uses the code up for nothing, because what came with it was not right.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn discard(self) -> Result<(), DatabaseError> {
        self.tx.commit().await.doing("use up the code")
    }
}

impl SharedDatabase {
    /// Keeps who somebody is until the consent page is answered.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not take it.
    pub async fn add_identity(
        &self,
        ticket: &SecretHash,
        identity: &Value,
        expires_at: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        const ACTION: &str = "keep who signs in";
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!(
            "insert into deepsearch.sign_in_identity (ticket_hash, identity, expires_at) values ($1, $2, $3)",
            ticket.as_slice(),
            identity,
            expires_at
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Who the holder of a ticket is, without using the ticket up.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_identity(&self, ticket: &SecretHash) -> Result<Option<Value>, DatabaseError> {
        const ACTION: &str = "look up who signs in";
        let mut tx = self.begin().await.doing(ACTION)?;
        let identity = sqlx::query_scalar!(
            "select identity from deepsearch.sign_in_identity where ticket_hash = $1 and expires_at > $2",
            ticket.as_slice(),
            self.now()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(identity)
    }

    /// Who the holder of a ticket is; the ticket is used up.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn use_identity(&self, ticket: &SecretHash) -> Result<Option<Value>, DatabaseError> {
        const ACTION: &str = "use up the sign-in";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query!(
            "delete from deepsearch.sign_in_identity where ticket_hash = $1 returning identity, expires_at",
            ticket.as_slice()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let now = self.now();
        Ok(row.filter(|row| row.expires_at > now).map(|row| row.identity))
    }

    /// Adds a user together with the account that they sign in by, or neither.
    ///
    /// # Errors
    /// [`DatabaseError::Refused`] when the address is another user's, or the account is linked.
    pub async fn sign_up(&self, user: &User, account: Option<&Account>) -> Result<(), DatabaseError> {
        const ACTION: &str = "add the user";
        let mut tx = self.begin().await.doing(ACTION)?;
        users::add(&mut tx, user).await?;
        if let Some(account) = account {
            accounts::add(&mut tx, account).await?;
        }
        tx.commit().await.doing(ACTION)
    }

    /// Keeps a code that is given to an app.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not take it.
    pub async fn add_sign_in_code(&self, hash: &SecretHash, code: &SignInCode) -> Result<(), DatabaseError> {
        const ACTION: &str = "keep the code";
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!(
            "insert into deepsearch.sign_in_code
                 (code_hash, user_id, redirect_uri, code_challenge, device_id, device_name, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
            hash.as_slice(),
            code.user_id.as_str(),
            code.redirect_uri,
            code.code_challenge,
            code.device_id,
            code.device_name,
            code.expires_at
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Redeems a code. The first to bring it has it, in time or not; nobody has it twice.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn redeem_sign_in_code(&self, hash: &SecretHash) -> Result<Redeemed, DatabaseError> {
        const ACTION: &str = "redeem the code";
        let mut tx = self.begin().await.doing(ACTION)?;
        // The row stays locked until the redemption is through: whoever comes second waits, and sees what became of it.
        let first = sqlx::query!(
            "update deepsearch.sign_in_code set redeemed_at = $2 where code_hash = $1 and redeemed_at is null
             returning user_id, redirect_uri, code_challenge, device_id, device_name, expires_at",
            hash.as_slice(),
            self.now()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        if let Some(row) = first {
            let code = SignInCode {
                user_id: UserId::from_stored(row.user_id),
                redirect_uri: row.redirect_uri,
                code_challenge: row.code_challenge,
                device_id: row.device_id,
                device_name: row.device_name,
                expires_at: row.expires_at,
            };
            return Ok(Redeemed::First(Redemption { code, tx }));
        }
        let before = sqlx::query!(
            "select user_id, device_id from deepsearch.sign_in_code where code_hash = $1 and redeemed_at is not null",
            hash.as_slice()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(before.map_or(Redeemed::Unknown, |row| {
            Redeemed::Again(RedeemedFor {
                user_id: UserId::from_stored(row.user_id),
                device_id: row.device_id,
            })
        }))
    }

    /// Deletes what nobody can use any more, and says how much that was. Codes stay until they expired before
    /// `forget_codes`, so that a late replay is noticed.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn delete_expired_sign_ins(&self, forget_codes: DateTime<Utc>) -> Result<u64, DatabaseError> {
        const ACTION: &str = "forget the sign-ins that are over";
        let now = self.now();
        let mut tx = self.begin().await.doing(ACTION)?;
        let identities = sqlx::query!("delete from deepsearch.sign_in_identity where expires_at <= $1", now)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        let codes = sqlx::query!(
            "delete from deepsearch.sign_in_code where expires_at <= $1",
            forget_codes
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        let requests = sqlx::query!(
            "delete from deepsearch.device_request where expires_at <= $1",
            forget_codes
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        // Of links only ours, which are told by how they are kept.
        let links = sqlx::query!(
            r#"delete from "ai-app-template_verification_token" where expires <= $1 and token like 'ds1:%'"#,
            now
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let rows = [identities, codes, requests, links].map(|deleted| deleted.rows_affected());
        Ok(rows.iter().sum())
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// [`DatabaseError`] when it gives none.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        const ACTION: &str = "say that it is there";
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!(r#"select 1 as "one!""#)
            .fetch_one(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }
}
