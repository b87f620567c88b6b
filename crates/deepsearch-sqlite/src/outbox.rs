//! The outbox: what sync has still to send. A row is written in the transaction of the change it tells of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::time::from_millis;

/// What a row of the outbox is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    Chat,
    Message,
    /// One of a person's settings; its id is the key.
    UserSettings,
}

/// What is to be done with it on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Send the row as it is now.
    Upsert,
    Delete,
}

/// One entity that has changed since it was last sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Rises with each change; see [`Store::delete_outbox`].
    pub seq: i64,
    pub entity: Entity,
    pub entity_id: String,
    pub operation: Operation,
    pub changed_at: DateTime<Utc>,
}

impl Store {
    /// What is still to be sent, oldest change first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_outbox(&self, limit: u32) -> Result<Vec<OutboxEntry>, StoreError> {
        let rows = sqlx::query!(
            "select seq, entity, entity_id, operation, changed_at from outbox order by seq limit ?",
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list what is to be synced")?;
        let entries = rows.into_iter().filter_map(|row| {
            Some(OutboxEntry {
                seq: row.seq,
                entity: Entity::parse(&row.entity)?,
                entity_id: row.entity_id,
                operation: Operation::parse(&row.operation)?,
                changed_at: from_millis(row.changed_at),
            })
        });
        Ok(entries.collect())
    }

    /// How many entities are still to be sent.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn count_outbox(&self) -> Result<u64, StoreError> {
        let count = sqlx::query_scalar!("select count(*) from outbox")
            .fetch_one(self.readers())
            .await
            .doing("count what is to be synced")?;
        Ok(count.unsigned_abs())
    }

    /// Forgets what has been sent, up to and with `seq`. An entity that changed since it was listed has a greater
    /// `seq` by now, and stays.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn delete_outbox(&self, seq: i64) -> Result<u64, StoreError> {
        const ACTION: &str = "forget what was synced";
        let mut tx = self.begin(ACTION).await?;
        let deleted = sqlx::query!("delete from outbox where seq <= ?", seq)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(deleted.rows_affected())
    }
}

impl Entity {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Message => "message",
            Self::UserSettings => "user_settings",
        }
    }

    pub(crate) fn parse(entity: &str) -> Option<Self> {
        [Self::Chat, Self::Message, Self::UserSettings]
            .into_iter()
            .find(|known| known.as_str() == entity)
    }
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }

    pub(crate) fn parse(operation: &str) -> Option<Self> {
        [Self::Upsert, Self::Delete]
            .into_iter()
            .find(|known| known.as_str() == operation)
    }
}

/// Notes that an entity was made or changed.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    entity: Entity,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    note(tx, entity, id, Operation::Upsert, now).await
}

/// Notes that an entity is gone.
pub(crate) async fn add_deletion(
    tx: &mut SqliteConnection,
    entity: Entity,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    note(tx, entity, id, Operation::Delete, now).await
}

/// Takes back what is noted of an entity, because it is being changed and will be noted again.
pub(crate) async fn withdraw(tx: &mut SqliteConnection, entity: Entity, id: &str) -> Result<(), sqlx::Error> {
    let entity = entity.as_str();
    sqlx::query!("delete from outbox where entity = ? and entity_id = ?", entity, id)
        .execute(tx)
        .await?;
    Ok(())
}

async fn note(
    tx: &mut SqliteConnection,
    entity: Entity,
    id: &str,
    operation: Operation,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (entity, operation, now) = (entity.as_str(), operation.as_str(), now.timestamp_millis());
    sqlx::query!(
        "replace into outbox (entity, entity_id, operation, changed_at) values (?, ?, ?, ?)",
        entity,
        id,
        operation,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}
