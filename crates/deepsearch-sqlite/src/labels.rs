//! Labels of a chat, by name: read for an archive, and given to a chat that comes from a file or from another device.
//!
//! Names come from outside. One that nobody could give here, and one for which there is no room, is left out and told:
//! a chat is worth more than its place.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use deepsearch_core::collection::{name_key, valid_name};
use deepsearch_core::{ChatId, CollectionId, Labels};
use sqlx::SqliteConnection;

use crate::collections;
use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::tags::{tag_chat, what_is_full};

const ACTION: &str = "keep how a chat is sorted";

impl Store {
    /// How a chat is sorted; of one that is not there, not at all.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_labels(&self, chat: &ChatId) -> Result<Labels, StoreError> {
        const ACTION: &str = "look up how the chat is sorted";
        let id = chat.as_str();
        let collection = sqlx::query_scalar!(
            "select collection.name from chat join collection on collection.id = chat.collection where chat.id = ?",
            id
        )
        .fetch_optional(self.readers())
        .await
        .doing(ACTION)?;
        let tags = sqlx::query_scalar!(
            "select name from chat_tag join tag on tag.id = tag_id where chat_id = ? order by name_key",
            id
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        Ok(Labels { collection, tags })
    }
}

/// Sorts a chat as these say, and gives back what of them is left out. A collection that is missing is made; one that this
/// takes the last chat from goes: it was renamed or deleted elsewhere, as far as anybody can tell here.
pub(crate) async fn put(
    tx: &mut SqliteConnection,
    chat: &ChatId,
    labels: &Labels,
    now: DateTime<Utc>,
) -> Result<Labels, StoreError> {
    let collection = put_collection(tx, chat, labels.collection.as_deref(), now).await?;
    let tags = put_tags(tx, chat, &labels.tags).await?;
    Ok(Labels::new(collection, tags))
}

/// Spells the names of a collection and of tags that there are as these do. Says whether any was spelled otherwise.
pub(crate) async fn spell(tx: &mut SqliteConnection, labels: &Labels) -> Result<bool, StoreError> {
    let mut changed = 0;
    if let Some(name) = labels.collection.as_deref().filter(|name| is_sound(name)) {
        let key = name_key(name);
        let spelled = sqlx::query!(
            "update collection set name = ?1 where name_key = ?2 and name <> ?1",
            name,
            key
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        changed += spelled.rows_affected();
    }
    for name in labels.tags.iter().filter(|name| is_sound(name)) {
        let key = name_key(name);
        let spelled = sqlx::query!("update tag set name = ?1 where name_key = ?2 and name <> ?1", name, key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        changed += spelled.rows_affected();
    }
    Ok(changed > 0)
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
    now: DateTime<Utc>,
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
