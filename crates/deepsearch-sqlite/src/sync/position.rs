//! Position: whose data this is, and how far sync has come with it.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::UserId;
use deepsearch_core::sync::{EntityKind, FEED_HELD_LONG, FeedCursor, RecentMark};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::messages::{read_json, write_json};
use crate::store::Store;

/// The person and the server that a store belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAccount {
    pub user: UserId,
    /// Names the server; compared as it is.
    pub server: String,
}

/// How far sync has come. Kept as one value, because it is read and written as one, with the rows it tells of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncPosition {
    /// The protocol that was spoken when it was pulled last. With a later one is pulled anew what this one passed over.
    pub protocol: u32,
    pub epoch: Option<String>,
    pub cursor: FeedCursor,
    /// How far the server had come when it was heard last. One that stands before that was put back.
    pub seen: u64,
    /// Since when the feed has stood at the cursor although there is more, by this device's clock: a transaction that does
    /// not end holds it up.
    pub held_since: Option<DateTime<Utc>>,
    /// The server's mark of forgotten deletions, up to which all ids were compared.
    pub swept: u64,
    pub sweep: Option<Sweep>,
    pub first: FirstPull,
    /// Entries that came in the first pull, and how many were expected.
    pub pulled: u64,
    pub expected: u64,
}

impl SyncPosition {
    /// Since when the feed has been held up, if that is long enough to be worth a word.
    pub fn held_long(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.held_since
            .filter(|since| (now - *since).to_std().is_ok_and(|lasts| lasts >= FEED_HELD_LONG))
    }
}

/// How far the first pull of a device is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum FirstPull {
    /// Bringing chats and the last month, newest first.
    Recent(Option<RecentMark>),
    /// Bringing everything, from the feed.
    #[default]
    Feed,
    Done,
}

/// A comparison of ids that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    pub reason: SweepReason,
    pub kind: EntityKind,
    /// Compared up to and with this id.
    pub after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SweepReason {
    /// The server has forgotten deletions up to this mark: what it lacks was deleted.
    Collected(u64),
    /// The server's past has changed: what it lacks is offered to it again.
    Epoch,
}

impl Store {
    /// The account that the store belongs to; `None` before the first sign-in.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_sync_account(&self) -> Result<Option<SyncAccount>, StoreError> {
        let row = sqlx::query!("select user_id, server from sync_account where id = 1")
            .fetch_optional(self.readers())
            .await
            .doing("look up the account")?;
        Ok(row.map(|row| SyncAccount {
            user: UserId::from_stored(row.user_id),
            server: row.server,
        }))
    }

    /// Makes the store an account's, and says whether it was not before. What it held stays on this device and is
    /// offered for upload; what was known of another account's server is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn bind_sync_account(&self, account: &SyncAccount) -> Result<bool, StoreError> {
        const ACTION: &str = "keep the account";
        if self.lookup_sync_account().await?.as_ref() == Some(account) {
            if self.is_left().await? {
                let mut tx = self.begin(ACTION).await?;
                sqlx::query!("update sync_account set position = json_remove(position, '$.left')")
                    .execute(&mut *tx)
                    .await
                    .doing(ACTION)?;
                tx.commit().await.doing(ACTION)?;
            }
            return Ok(false);
        }
        let mut tx = self.begin(ACTION).await?;
        // Once per account, so that these may walk through the tables.
        for statement in [
            "delete from sync_chat",
            "delete from sync_setting",
            "delete from sync_early",
            "delete from sync_evidence",
            "delete from sync_page",
            "delete from sync_dead",
            "delete from sync_offer",
            "delete from outbox where entity in ('chat', 'message')",
            "insert into sync_offer (chat_id) select id from chat",
            "update message set synced = 0 where synced <> 0",
            "update message set hidden_at = null where hidden_at is not null",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.doing(ACTION)?;
        }
        let position = SyncPosition {
            first: FirstPull::Recent(None),
            ..SyncPosition::default()
        };
        let (user, position, now) = (account.user.as_str(), write_json(&position).doing(ACTION)?, self.now());
        let now = now.timestamp_millis();
        sqlx::query!(
            "replace into sync_account (id, user_id, server, bound_at, position) values (1, ?, ?, ?, ?)",
            user,
            account.server,
            now,
            position
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        crate::history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(true)
    }

    /// Nobody is signed in any more. The store stays the account's, but chats that are made from now on are this device's
    /// alone until they are handed over.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn leave_sync_account(&self) -> Result<(), StoreError> {
        const ACTION: &str = "keep that nobody is signed in";
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!("update sync_account set position = json_set(position, '$.left', 1)")
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    async fn is_left(&self) -> Result<bool, StoreError> {
        let left = sqlx::query_scalar!(r#"select position ->> 'left' is not null as "left!: bool" from sync_account"#)
            .fetch_optional(self.readers())
            .await
            .doing("look up whether somebody is signed in")?;
        Ok(left.unwrap_or(false))
    }
}

/// Puts a chat that was just made here on offer, if nobody is signed in.
pub(crate) async fn offer_if_left(tx: &mut SqliteConnection, chat: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into sync_offer (chat_id) select ? from sync_account where position ->> 'left' is not null",
        chat
    )
    .execute(tx)
    .await?;
    Ok(())
}

impl SyncTx {
    /// # Errors
    /// [`StoreError::NotFound`] before the first sign-in.
    pub async fn position(&mut self) -> Result<SyncPosition, StoreError> {
        let json = sqlx::query_scalar!("select position from sync_account where id = 1")
            .fetch_optional(self.tx())
            .await
            .doing("look up how far sync is")?;
        let json = json.ok_or_else(|| StoreError::NotFound {
            what: "account with the number",
            id: "1".into(),
        })?;
        // One that cannot be read begins anew, which only costs time.
        Ok(read_json(&json, "position", "1").unwrap_or_default())
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_position(&mut self, position: &SyncPosition) -> Result<(), StoreError> {
        const ACTION: &str = "keep how far sync is";
        let position = write_json(position).doing(ACTION)?;
        // That nobody is signed in stands beside it, and a run that was under way by then does not undo that.
        sqlx::query!(
            "update sync_account set position = json_patch(?, json_object('left', position ->> 'left')) where id = 1",
            position
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }

    /// Forgets what was known of the server's rows, and notes all chats as changed: its past is another now.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn forget_server(&mut self) -> Result<(), StoreError> {
        const ACTION: &str = "begin anew with the server";
        let now = self.now().timestamp_millis();
        sqlx::query("delete from sync_chat")
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        sqlx::query("delete from sync_early")
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        sqlx::query(
            "insert or ignore into outbox (entity, entity_id, operation, changed_at)
             select 'chat', id, 'upsert', ? from chat where id not in (select chat_id from sync_offer)",
        )
        .bind(now)
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        sqlx::query(
            "insert or ignore into outbox (entity, entity_id, operation, changed_at)
             select 'user_settings', key, 'upsert', ? from sync_setting",
        )
        .bind(now)
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }
}

impl Store {
    /// Keeps what the server's clock is ahead of ours. From then on the store's times are the server's, so that the
    /// later of two changes is the later one, whatever the clocks of the devices say.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_clock_offset(&self, offset: TimeDelta) -> Result<(), StoreError> {
        const ACTION: &str = "keep the server's time";
        let millis = offset.num_milliseconds();
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!("update sync_account set clock_offset = ? where id = 1", millis)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        self.set_clock_offset(offset);
        Ok(())
    }
}
