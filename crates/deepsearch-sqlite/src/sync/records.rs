//! Records: what lost a conflict, what the server refuses, and how much waits; for the person to see.

use chrono::{DateTime, Utc};
use deepsearch_core::ChatId;
use serde::{Deserialize, Serialize};

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::time::from_millis;

/// A change that lost against another, and was decided without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Conflict {
    pub id: i32,
    pub kind: ConflictKind,
    pub chat_id: ChatId,
    /// The chat, message or setting.
    pub entity_id: String,
    /// The text that lost.
    pub lost: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two devices named a chat; the earlier name lost.
    Title,
    /// A message's text was replaced by another's.
    Message,
    Setting,
    /// A message went into a chat that lies in Trash; nothing was lost.
    InTrash,
    /// A chat was deleted for ever elsewhere; what it had not sent is in a new one, named here.
    Recovered,
}

/// A change that the server refuses for good. It is still on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct DeadChange {
    pub entity: String,
    pub entity_id: String,
    pub reason: String,
    pub at: DateTime<Utc>,
}

/// How much waits, and for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SyncCounts {
    /// Changes to be sent.
    pub outbox: u32,
    /// Chats that may be handed over and were not declined.
    pub offers: u32,
    pub conflicts: u32,
    /// Changes that the server refuses.
    pub dead: u32,
    /// Rows that came before their chat.
    pub early: u32,
    /// Saved pages to be sent, and answers whose pages have not come.
    pub pages: u32,
    /// Messages that the server has deleted.
    pub hidden: u32,
}

impl ConflictKind {
    const ALL: [Self; 5] = [
        Self::Title,
        Self::Message,
        Self::Setting,
        Self::InTrash,
        Self::Recovered,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Message => "message",
            Self::Setting => "setting",
            Self::InTrash => "in_trash",
            Self::Recovered => "recovered",
        }
    }
}

impl SyncTx {
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn add_conflict(
        &mut self,
        kind: ConflictKind,
        chat_id: &str,
        entity_id: &str,
        lost: &str,
    ) -> Result<(), StoreError> {
        let (kind, now) = (kind.as_str(), self.now().timestamp_millis());
        sqlx::query!(
            "insert into sync_conflict (kind, chat_id, entity_id, lost, at) values (?, ?, ?, ?, ?)",
            kind,
            chat_id,
            entity_id,
            lost,
            now
        )
        .execute(self.tx())
        .await
        .doing("keep what lost a conflict")?;
        Ok(())
    }
}

impl Store {
    /// Conflicts, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_conflicts(&self, limit: u32) -> Result<Vec<Conflict>, StoreError> {
        let rows = sqlx::query!(
            r#"select id as "id: i32", kind, chat_id, entity_id, lost, at from sync_conflict order by id desc limit ?"#,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list the conflicts")?;
        let conflicts = rows.into_iter().filter_map(|row| {
            Some(Conflict {
                id: row.id,
                kind: ConflictKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind)?,
                chat_id: ChatId::from_stored(row.chat_id),
                entity_id: row.entity_id,
                lost: row.lost,
                at: from_millis(row.at),
            })
        });
        Ok(conflicts.collect())
    }

    /// Forgets a conflict that the person has seen.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn delete_conflict(&self, id: i32) -> Result<(), StoreError> {
        const ACTION: &str = "forget the conflict";
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!("delete from sync_conflict where id = ?", id)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// What the server refuses, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_dead_changes(&self, limit: u32) -> Result<Vec<DeadChange>, StoreError> {
        let rows = sqlx::query!(
            "select entity, entity_id, reason, at from sync_dead order by at desc limit ?",
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list what the server refuses")?;
        let dead = rows.into_iter().map(|row| DeadChange {
            entity: row.entity,
            entity_id: row.entity_id,
            reason: row.reason,
            at: from_millis(row.at),
        });
        Ok(dead.collect())
    }

    /// Puts everything that the server refused back among what is to be sent, and says how much that is.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn retry_dead_changes(&self) -> Result<u32, StoreError> {
        const ACTION: &str = "send again what the server refused";
        let now = self.now().timestamp_millis();
        let mut tx = self.begin(ACTION).await?;
        // What has changed since waits already.
        sqlx::query!(
            "insert or ignore into outbox (entity, entity_id, operation, changed_at)
             select entity, entity_id, 'upsert', ? from sync_dead where entity <> 'page'",
            now
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        sqlx::query!(
            "insert or ignore into sync_page (content_hash) select entity_id from sync_dead where entity = 'page'"
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        let retried = sqlx::query!("delete from sync_dead")
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(u32::try_from(retried.rows_affected()).unwrap_or(u32::MAX))
    }

    /// How many saved pages the server may lack.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn count_queued_pages(&self) -> Result<u32, StoreError> {
        sqlx::query_scalar!(r#"select count(*) as "pages!: u32" from sync_page"#)
            .fetch_one(self.readers())
            .await
            .doing("count the pages to be synced")
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn count_sync(&self) -> Result<SyncCounts, StoreError> {
        let row = sqlx::query!(
            r#"select
                (select count(*) from outbox as waiting left join message on entity = 'message' and message.id = entity_id
                    where not exists (select 1 from sync_offer where sync_offer.chat_id =
                        case entity when 'chat' then entity_id else message.chat_id end)) as "outbox!: u32",
                (select count(*) from sync_offer where declined = 0) as "offers!: u32",
                (select count(*) from sync_conflict) as "conflicts!: u32",
                (select count(*) from sync_dead) as "dead!: u32",
                (select count(*) from sync_early) as "early!: u32",
                (select count(*) from sync_page) + (select count(*) from sync_evidence) as "pages!: u32",
                (select count(*) from message where hidden_at is not null) as "hidden!: u32""#
        )
        .fetch_one(self.readers())
        .await
        .doing("count what is to be synced")?;
        Ok(SyncCounts {
            outbox: row.outbox,
            offers: row.offers,
            conflicts: row.conflicts,
            dead: row.dead,
            early: row.early,
            pages: row.pages,
            hidden: row.hidden,
        })
    }
}
