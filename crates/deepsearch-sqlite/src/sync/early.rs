//! Early rows: what came before its chat waits here, and nowhere a person would meet it half.

use deepsearch_core::ChatId;
use deepsearch_core::sync::{EntityKind, Row};

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::messages::{read_json, write_json};

impl SyncTx {
    /// Keeps a row until its chat comes; a later one of the same id takes its place.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_early(&mut self, row: &Row) -> Result<(), StoreError> {
        const ACTION: &str = "keep what came before its chat";
        let (kind, id, chat_id) = match row {
            Row::Flags(flags) => ("flags", flags.chat_id.as_str(), &flags.chat_id),
            Row::Message(message) => ("message", message.id.as_str(), &message.chat_id),
            Row::Chat(_) | Row::Setting(_) => return Ok(()),
        };
        let (chat_id, body) = (chat_id.as_str(), write_json(row).doing(ACTION)?);
        sqlx::query!(
            "replace into sync_early (kind, id, chat_id, body) values (?, ?, ?, ?)",
            kind,
            id,
            chat_id,
            body
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }

    /// Hands out what has waited for a chat, and keeps it no longer.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn take_early(&mut self, chat_id: &ChatId) -> Result<Vec<Row>, StoreError> {
        const ACTION: &str = "take what came before its chat";
        let key = chat_id.as_str();
        let rows = sqlx::query!(
            "select id, body from sync_early where chat_id = ? order by kind, id",
            key
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query!("delete from sync_early where chat_id = ?", key)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| read_json(&row.body, "body", &row.id))
            .collect())
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn delete_early(&mut self, kind: EntityKind, id: &str) -> Result<(), StoreError> {
        let kind = kind.as_str();
        sqlx::query!("delete from sync_early where kind = ? and id = ?", kind, id)
            .execute(self.tx())
            .await
            .doing("forget what came before its chat")?;
        Ok(())
    }

    /// The chats that something waits for, after one and up to another.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_early_chats(&mut self, after: &str, until: Option<&str>) -> Result<Vec<ChatId>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select distinct chat_id from sync_early where chat_id > ?1 and (?2 is null or chat_id <= ?2)
             order by chat_id",
            after,
            until
        )
        .fetch_all(self.tx())
        .await
        .doing("list the chats that something waits for")?;
        Ok(ids.into_iter().map(ChatId::from_stored).collect())
    }

    /// The messages that wait for their chats, after one and up to another.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_early_messages(&mut self, after: &str, until: Option<&str>) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar!(
            "select id from sync_early where kind = 'message' and id > ?1 and (?2 is null or id <= ?2) order by id",
            after,
            until
        )
        .fetch_all(self.tx())
        .await
        .doing("list the messages that wait for their chats")
    }
}
