//! Devices: the login role and the session of each, made and ended by whoever may let people in (the gateway, or the
//! owner of a database of their own).

use chrono::TimeDelta;
use deepsearch_core::UserId;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use thiserror::Error;

use crate::database::SharedDatabase;
use crate::error::DatabaseError;

/// Which device: made by the device itself.
pub type DeviceId = uuid::Uuid;

/// Why a device was not let in, or not ended.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// Something that came from the device is not as it has to be, or the device is somebody else's.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// What lets a device in: two proofs that its secrets are known to it, never the secrets.
#[derive(Debug, Clone)]
pub struct Admission {
    pub device: DeviceId,
    pub user: UserId,
    /// What the person calls it.
    pub name: String,
    /// Of the password of its login role, see [`scram_verifier`](crate::scram_verifier).
    pub scram_verifier: String,
    /// Of its session token, see [`session_token_hash`].
    pub token_hash: String,
    /// How long its session does, by the database's clock: that one tells when it has ended.
    pub lasts: TimeDelta,
}

/// What is kept of a session token.
pub fn session_token_hash(token: &str) -> String {
    format!("ds1:{}", hex::encode(Sha256::digest(token)))
}

impl SharedDatabase {
    /// Makes the login role and the session of a device, or gives a device that is there new ones. Returns the role.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] for a device that is another user's, an unknown user or a malformed proof.
    pub async fn mint_device(&self, admission: &Admission) -> Result<String, DeviceError> {
        let minted = self.owned(async |tx| mint(tx, admission).await).await;
        minted.map_err(|error| told(error, MINT))
    }

    /// Which device a login role is of, unless it is revoked.
    ///
    /// # Errors
    /// [`DeviceError::Database`] when the database does not answer.
    pub async fn find_device_by_role(&self, role: &str) -> Result<Option<DeviceId>, DeviceError> {
        const ACTION: &str = "find the device";
        let found = self.owned(async |tx| {
            sqlx::query_scalar!(
                "select id from deepsearch.device where role = $1 and revoked_at is null",
                role
            )
            .fetch_optional(tx)
            .await
        });
        found.await.map_err(|error| told(error, ACTION))
    }

    /// The user that this connection is let in for, as a device; `None` when it is not, or no longer.
    ///
    /// # Errors
    /// [`DeviceError::Database`] when the database does not answer.
    pub async fn signed_in_user(&self) -> Result<Option<UserId>, DeviceError> {
        const ACTION: &str = "say who is signed in";
        let user = self.owned(async |tx| sqlx::query_scalar!("select deepsearch.uid()").fetch_one(tx).await);
        let user = user.await.map_err(|error| told(error, ACTION))?;
        Ok(user.map(UserId::from_stored))
    }

    /// Takes a device its login, its session and its connections, and says whether it had them.
    ///
    /// # Errors
    /// [`DeviceError::Database`] when the database does not answer.
    pub async fn revoke_device(&self, device: DeviceId) -> Result<bool, DeviceError> {
        const ACTION: &str = "revoke the device";
        let revoked = self.owned(async |tx| {
            sqlx::query_scalar!(r#"select deepsearch.revoke_device($1) as "revoked!""#, device)
                .fetch_one(tx)
                .await
        });
        revoked.await.map_err(|error| told(error, ACTION))
    }
}

pub(crate) const MINT: &str = "let the device in";

/// As [`SharedDatabase::mint_device`], within a transaction.
pub(crate) async fn mint(tx: &mut PgConnection, admission: &Admission) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select deepsearch.mint_device($1, $2, $3, $4, $5, now() + $6::bigint * interval '1 second') as "role!""#,
        admission.device,
        admission.user.as_str(),
        admission.name,
        admission.scram_verifier,
        admission.token_hash,
        admission.lasts.num_seconds()
    )
    .fetch_one(tx)
    .await
}

pub(crate) fn told(source: sqlx::Error, action: &'static str) -> DeviceError {
    match source.as_database_error() {
        Some(error) if error.code().as_deref() == Some("DS003") => DeviceError::Refused(error.message().to_owned()),
        // The foreign key of the session or the device.
        Some(error) if error.code().as_deref() == Some("23503") => {
            DeviceError::Refused("there is no such user in the shared database".to_owned())
        }
        _ => DatabaseError::of(action, source).into(),
    }
}
