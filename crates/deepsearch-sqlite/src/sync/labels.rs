//! Labels as sync brings them: the chat's collection is found by its name or made, its tags are given and taken.
//!
//! Names come from outside. One that nobody could give here, and one for which there is no room, is left out: the chat is
//! without it, and what is sent of the chat holds it still. Nothing of that stops sync.

use std::collections::BTreeSet;

use deepsearch_core::collection::{name_key, valid_name};
use deepsearch_core::sync::Labels;
use deepsearch_core::{ChatId, CollectionId};
use sqlx::SqliteConnection;

use super::SyncTx;
use crate::collections;
use crate::error::{Doing, StoreError};
use crate::messages::{read_json, write_json};
use crate::tags::{tag_chat, what_is_full};

const ACTION: &str = "keep how a synced chat is sorted";

impl SyncTx {
    /// Sorts a chat as these say, and notes what of them is left out. A collection that this takes the last chat from
    /// goes: it was renamed or deleted elsewhere, as far as anybody can tell here.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn put_labels(&mut self, chat: &ChatId, labels: &Labels) -> Result<(), StoreError> {
        self.brought.chat(chat);
        let collection = put_collection(&mut self.tx, chat, labels.collection.as_deref(), self.now).await?;
        let tags = put_tags(&mut self.tx, chat, &labels.tags).await?;
        let left_out = Labels::new(collection, tags);
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

/// Whether this is a name as a person could have given it. Another is not mended, or it would be sent back as a change.
fn is_sound(name: &str) -> bool {
    valid_name("a label", name).is_ok_and(|valid| valid == name)
}

/// Gives back the name that is left out.
async fn put_collection(
    tx: &mut SqliteConnection,
    chat: &ChatId,
    name: Option<&str>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Option<String>, StoreError> {
    let id = chat.as_str();
    let from = sqlx::query_scalar!("select collection from chat where id = ?", id)
        .fetch_one(&mut *tx)
        .await
        .doing(ACTION)?;
    let to = match name.filter(|name| is_sound(name)) {
        Some(name) => collections::find_or_make(tx, name, now).await.doing(ACTION)?,
        None => None,
    };
    let left_out = name.filter(|_| to.is_none()).map(str::to_owned);
    let to = to.as_ref().map(CollectionId::as_str);
    if from.as_deref() == to {
        return Ok(left_out);
    }
    sqlx::query!("update chat set collection = ? where id = ?", to, id)
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
    sqlx::query!(
        "delete from collection where id = ?1 and not exists (select 1 from chat where collection = ?1)",
        from
    )
    .execute(&mut *tx)
    .await
    .doing(ACTION)?;
    Ok(left_out)
}

/// Gives back the names that are left out.
async fn put_tags(tx: &mut SqliteConnection, chat: &ChatId, names: &[String]) -> Result<Vec<String>, StoreError> {
    let id = chat.as_str();
    let had = sqlx::query_scalar!(
        "select name from chat_tag join tag on tag.id = tag_id where chat_id = ?",
        id
    )
    .fetch_all(&mut *tx)
    .await
    .doing(ACTION)?;
    let wanted: BTreeSet<String> = names.iter().map(|name| name_key(name)).collect();
    let had_keys: BTreeSet<String> = had.iter().map(|name| name_key(name)).collect();
    for name in had.iter().filter(|name| !wanted.contains(&name_key(name))) {
        tag_chat(tx, chat, name, false, ACTION).await?;
    }
    let mut left_out = Vec::new();
    for name in names.iter().filter(|name| !had_keys.contains(&name_key(name))) {
        if is_sound(name) && what_is_full(tx, id, &name_key(name)).await.doing(ACTION)?.is_none() {
            tag_chat(tx, chat, name, true, ACTION).await?;
        } else {
            left_out.push(name.clone());
        }
    }
    Ok(left_out)
}
