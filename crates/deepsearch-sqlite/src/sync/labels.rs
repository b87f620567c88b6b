//! Labels as sync brings them, with what has no room here: the chat is without it, and what is sent of the chat holds it
//! still. Nothing of that stops sync.

use deepsearch_core::{ChatId, Labels};

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::labels;
use crate::messages::{read_json, write_json};

const ACTION: &str = "keep how a synced chat is sorted";

impl SyncTx {
    /// Sorts a chat as these say, and notes what of them is left out. Names are spelled as they are there by now.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn put_labels(&mut self, chat: &ChatId, labels: &Labels) -> Result<(), StoreError> {
        self.brought.chat(chat);
        let left_out = labels::put(&mut self.tx, chat, labels, self.now).await?;
        if labels::spell(&mut self.tx, labels).await? {
            // It is in other chats, too.
            self.brought.any();
        }
        let json = if left_out.is_empty() {
            None
        } else {
            tracing::info!(%chat, "a label from another device has no room here");
            Some(write_json(&left_out).doing(ACTION)?)
        };
        let id = chat.as_str();
        sqlx::query!("update sync_chat set left_out = ? where chat_id = ?", json, id)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        Ok(())
    }

    /// Notes all chats that are sorted as changed: the server can be told of it from now on.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn queue_labels(&mut self) -> Result<(), StoreError> {
        let now = self.now().timestamp_millis();
        // Once per server, so that this may walk through the table.
        sqlx::query(
            "insert or ignore into outbox (entity, entity_id, operation, changed_at)
             select 'chat', id, 'upsert', ? from (
                select id from chat where collection is not null union select chat_id from chat_tag
             ) where id not in (select chat_id from sync_offer)",
        )
        .bind(now)
        .execute(self.tx())
        .await
        .doing("note which chats are sorted")?;
        Ok(())
    }
}

/// The labels of a chat: those it has, and those that have no room here.
pub(super) fn read_labels(id: &str, collection: Option<String>, tags: &str, left_out: Option<&str>) -> Labels {
    let left_out: Labels = left_out
        .and_then(|json| read_json(json, "left_out", id))
        .unwrap_or_default();
    let tags: Vec<String> = read_json(tags, "tags", id).unwrap_or_default();
    Labels::new(
        collection.or(left_out.collection),
        tags.into_iter().chain(left_out.tags),
    )
}
