//! How a chat is sorted, by names: read for an archive, and given to a chat that comes out of one.
//!
//! What there is no room for is told and left out: a chat is worth more than its place.

use chrono::{DateTime, Utc};
use deepsearch_core::collection::valid_name;
use deepsearch_core::{ChatId, NamedLabels};
use sqlx::SqliteConnection;

use crate::bulk::move_chat;
use crate::collections;
use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::tags::{tag_chat, valid_tag};

impl Store {
    /// How a chat is sorted; of one that is not there, not at all.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_named_labels(&self, chat: &ChatId) -> Result<NamedLabels, StoreError> {
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
        Ok(NamedLabels { collection, tags })
    }
}

/// Sorts a chat that is new, and gives back what it cannot be given. A collection that is missing is made.
pub(crate) async fn give(
    tx: &mut SqliteConnection,
    chat: &ChatId,
    labels: &NamedLabels,
    now: DateTime<Utc>,
) -> Result<Vec<String>, StoreError> {
    let mut refused = Vec::new();
    if let Some(name) = &labels.collection {
        let made = match valid_name("the collection's name", name) {
            Ok(name) => collections::find_or_make(tx, &name, now)
                .await
                .doing("make the collection")?,
            Err(_) => None,
        };
        match made {
            Some(made) => {
                move_chat(tx, chat.as_str(), Some(made), true).await?;
            }
            None => refused.push(name.clone()),
        }
    }
    for tag in &labels.tags {
        let given = match valid_tag(tag) {
            Ok(tag) => tag_chat(tx, chat, &tag, true, "tag the chat").await,
            Err(invalid) => Err(StoreError::Invalid(invalid)),
        };
        match given {
            Ok(_) => {}
            Err(StoreError::Invalid(_)) => refused.push(tag.clone()),
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}
