//! The queue: the outbox as sync empties it, one entity at a time.

use chrono::{DateTime, Utc};
use deepsearch_core::ChatId;

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::outbox::{self, Entity, Operation};
use crate::time::from_millis;

/// A change that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedChange {
    pub seq: i64,
    pub entity: Entity,
    pub id: String,
    pub operation: Operation,
    pub changed_at: DateTime<Utc>,
    /// The chat of a message; `None` where there is no such message any more.
    pub chat_id: Option<ChatId>,
}

/// Why a message is not sent whose chat the server refuses.
const CHAT_REFUSED: &str = "the server refuses its chat";

impl SyncTx {
    /// What is to be sent, oldest change first, after one. Chats from before the sign-in are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_queue(&mut self, after: i64, limit: u32) -> Result<Vec<QueuedChange>, StoreError> {
        let rows = sqlx::query!(
            r#"select waiting.seq as "seq!", entity as "entity!", entity_id as "entity_id!", operation as "operation!",
                changed_at as "changed_at!", message.chat_id as "chat_id?"
            from outbox as waiting
            left join message on entity = 'message' and message.id = entity_id
            where waiting.seq > ? and not exists (select 1 from sync_offer
                where sync_offer.chat_id = case entity when 'chat' then entity_id else message.chat_id end)
            order by waiting.seq limit ?"#,
            after,
            limit
        )
        .fetch_all(self.tx())
        .await
        .doing("list what is to be synced")?;
        let changes = rows.into_iter().filter_map(|row| {
            Some(QueuedChange {
                seq: row.seq,
                entity: Entity::parse(&row.entity)?,
                id: row.entity_id,
                operation: Operation::parse(&row.operation)?,
                changed_at: from_millis(row.changed_at),
                chat_id: row.chat_id.map(ChatId::from_stored),
            })
        });
        Ok(changes.collect())
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn is_queued(&mut self, entity: Entity, id: &str) -> Result<bool, StoreError> {
        Ok(self.lookup_queued(entity, id).await?.is_some())
    }

    /// An entity's change, if it waits. The chat of a message is left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_queued(&mut self, entity: Entity, id: &str) -> Result<Option<QueuedChange>, StoreError> {
        let name = entity.as_str();
        let row = sqlx::query!(
            "select seq, operation, changed_at from outbox where entity = ? and entity_id = ?",
            name,
            id
        )
        .fetch_optional(self.tx())
        .await
        .doing("look up what is to be synced")?;
        Ok(row.and_then(|row| {
            Some(QueuedChange {
                seq: row.seq,
                entity,
                id: id.to_owned(),
                operation: Operation::parse(&row.operation)?,
                changed_at: from_millis(row.changed_at),
                chat_id: None,
            })
        }))
    }

    /// Takes an entity out of the queue, unless it has changed since `seq`, and says whether it is out now.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn clear_queued(&mut self, entity: Entity, id: &str, seq: i64) -> Result<bool, StoreError> {
        const ACTION: &str = "forget what was synced";
        let name = entity.as_str();
        sqlx::query!(
            "delete from outbox where entity = ? and entity_id = ? and seq <= ?",
            name,
            id,
            seq
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        let left = sqlx::query_scalar!("select seq from outbox where entity = ? and entity_id = ?", name, id)
            .fetch_optional(self.tx())
            .await
            .doing(ACTION)?;
        Ok(left.is_none())
    }

    /// Notes that an entity is to be sent.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn queue(&mut self, entity: Entity, id: &str) -> Result<(), StoreError> {
        let now = self.now();
        outbox::add(self.tx(), entity, id, now)
            .await
            .doing("note what is to be synced")
    }

    /// Whether the server refuses an entity as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn is_refused(&mut self, entity: Entity, id: &str) -> Result<bool, StoreError> {
        let entity = entity.as_str();
        let row = sqlx::query_scalar!(
            "select at from sync_dead where entity = ? and entity_id = ?",
            entity,
            id
        )
        .fetch_optional(self.tx())
        .await
        .doing("look up what the server refuses")?;
        Ok(row.is_some())
    }

    /// Notes that the server has a chat now: what waited for that of its messages is to be sent.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn revive_messages(&mut self, chat_id: &ChatId) -> Result<(), StoreError> {
        const ACTION: &str = "send what waited for its chat";
        let id = chat_id.as_str();
        sqlx::query!("delete from sync_dead where entity = 'chat' and entity_id = ?", id)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        let waiting = sqlx::query_scalar!(
            "select entity_id from sync_dead where entity = 'message'
                and (select chat_id from message where id = entity_id) = ? and reason = ?",
            id,
            CHAT_REFUSED
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        for message in waiting {
            sqlx::query!(
                "delete from sync_dead where entity = 'message' and entity_id = ?",
                message
            )
            .execute(self.tx())
            .await
            .doing(ACTION)?;
            self.queue(Entity::Message, &message).await?;
        }
        Ok(())
    }

    /// Takes a message out of the queue until the server has its chat.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn wait_for_chat(&mut self, message: &str, seq: i64) -> Result<(), StoreError> {
        self.bury_queued(Entity::Message, message, seq, CHAT_REFUSED).await
    }

    /// Takes an entity out of the queue for good, because the server refuses it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn bury_queued(&mut self, entity: Entity, id: &str, seq: i64, reason: &str) -> Result<(), StoreError> {
        const ACTION: &str = "note what the server refuses";
        if !self.clear_queued(entity, id, seq).await? {
            return Ok(());
        }
        let (entity, now) = (entity.as_str(), self.now().timestamp_millis());
        sqlx::query!(
            "replace into sync_dead (entity, entity_id, reason, at) values (?, ?, ?, ?)",
            entity,
            id,
            reason,
            now
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }
}
