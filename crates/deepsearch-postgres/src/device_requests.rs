//! Devices without a browser that wait for their person (RFC 8628). Polls are paced here, so that the pace holds however
//! many gateways there are.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::UserId;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::sign_in::{RedeemedFor, SecretHash};

/// By how much the network may bring two polls closer together than they were sent.
const NETWORK_JITTER: TimeDelta = TimeDelta::milliseconds(500);
/// RFC 8628, 3.5: how much longer a device that polls too fast is to wait, for all later polls.
const SLOWER_BY: i32 = 5;

/// A device that asked to be signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// What the person types or compares.
    pub user_code: String,
    pub device_id: Uuid,
    pub device_name: String,
    /// The network address that it asked from, shown to the person.
    pub asked_from: String,
    pub asked_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// What a device that polls is told.
#[derive(Debug)]
pub enum Polled {
    Waiting,
    TooFast,
    Denied,
    /// Its person agreed. Told once.
    Allowed(DeviceGrant),
    /// The device code comes again after it was redeemed.
    Again(RedeemedFor),
    Expired,
}

/// A device whose person agreed, while it is let in. Dropping it leaves the request as it was.
#[derive(Debug)]
pub struct DeviceGrant {
    pub user_id: UserId,
    pub device_id: Uuid,
    pub device_name: String,
    pub(crate) tx: Transaction<'static, Postgres>,
}

impl SharedDatabase {
    /// Keeps a request, and says `false` when its user code is another one's: then a new one is to be made.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not take it.
    pub async fn add_device_request(
        &self,
        device_code: &SecretHash,
        request: &DeviceRequest,
        poll_seconds: i32,
    ) -> Result<bool, DatabaseError> {
        const ACTION: &str = "keep the device's request";
        let mut tx = self.begin().await.doing(ACTION)?;
        let added = sqlx::query!(
            "insert into deepsearch.device_request
                 (device_code_hash, user_code, device_id, device_name, asked_from, asked_at, expires_at, poll_seconds)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (user_code) do nothing",
            device_code.as_slice(),
            request.user_code,
            request.device_id,
            request.device_name,
            request.asked_from,
            request.asked_at,
            request.expires_at,
            poll_seconds
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(added.rows_affected() == 1)
    }

    /// The request that waits under a user code.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_device_request(&self, user_code: &str) -> Result<Option<DeviceRequest>, DatabaseError> {
        const ACTION: &str = "look up the device's request";
        let mut tx = self.begin().await.doing(ACTION)?;
        let request = sqlx::query_as!(
            DeviceRequest,
            "select user_code, device_id, device_name, asked_from, asked_at, expires_at from deepsearch.device_request
             where user_code = $1 and state = 'waiting' and expires_at > $2",
            user_code,
            self.now()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(request)
    }

    /// Writes down what the person decided (`None`: no), and says `false` when nothing waits under the code any more.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not take it.
    pub async fn decide_device_request(&self, user_code: &str, user: Option<&UserId>) -> Result<bool, DatabaseError> {
        const ACTION: &str = "keep the decision";
        let mut tx = self.begin().await.doing(ACTION)?;
        let decided = sqlx::query!(
            "update deepsearch.device_request
             set user_id = $2, state = case when $2::varchar is null then 'denied' else 'allowed' end
             where user_code = $1 and state = 'waiting' and expires_at > $3",
            user_code,
            user.map(UserId::as_str),
            self.now()
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(decided.rows_affected() == 1)
    }

    /// Answers a poll.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn poll_device_request(&self, device_code: &SecretHash) -> Result<Polled, DatabaseError> {
        const ACTION: &str = "answer the waiting device";
        let now = self.now();
        let mut tx = self.begin().await.doing(ACTION)?;
        // Locked, so that of two polls at once one is first.
        let row = sqlx::query!(
            "select state, user_id, device_id, device_name, expires_at, polled_at, poll_seconds
             from deepsearch.device_request where device_code_hash = $1 for update",
            device_code.as_slice()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        let Some(row) = row else {
            return Ok(Polled::Expired);
        };
        let user_id = row.user_id.map(UserId::from_stored);
        let device_id = row.device_id;
        match (row.state.as_str(), user_id) {
            ("redeemed", Some(user_id)) => return Ok(Polled::Again(RedeemedFor { user_id, device_id })),
            _ if row.expires_at <= now => return Ok(Polled::Expired),
            ("allowed", Some(user_id)) => {
                sqlx::query!(
                    "update deepsearch.device_request set state = 'redeemed' where device_code_hash = $1",
                    device_code.as_slice()
                )
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
                return Ok(Polled::Allowed(DeviceGrant {
                    user_id,
                    device_id,
                    device_name: row.device_name,
                    tx,
                }));
            }
            ("denied", _) => return Ok(Polled::Denied),
            _ => {}
        }
        let pace = TimeDelta::seconds(i64::from(row.poll_seconds)) - NETWORK_JITTER;
        let too_fast = row.polled_at.is_some_and(|at| now - at < pace);
        sqlx::query!(
            "update deepsearch.device_request set polled_at = $2, poll_seconds = least(poll_seconds + $3, 60)
             where device_code_hash = $1",
            device_code.as_slice(),
            now,
            if too_fast { SLOWER_BY } else { 0 }
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(if too_fast { Polled::TooFast } else { Polled::Waiting })
    }
}
