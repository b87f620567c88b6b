//! How a chat is sorted, by names: read for an archive, and given to a chat that comes out of one.
//!
//! What there is no room for is told and left out: a chat is worth more than its place.

use deepsearch_core::{ChatId, CollectionId, NamedLabels};
use sqlx::SqliteConnection;

use crate::bulk::move_chat;
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

    /// The collection of this name, made where there is none; `None`, and its name among the refused, where none can be.
    pub(crate) async fn make_collection(
        &self,
        name: &str,
        refused: &mut Vec<String>,
    ) -> Result<Option<CollectionId>, StoreError> {
        if let Some(known) = self.find_collection(name).await? {
            return Ok(Some(known.id));
        }
        match self.add_collection(name).await {
            Ok(made) => Ok(Some(made.id)),
            // Another program may have made it in between.
            Err(StoreError::Invalid(_)) => {
                let known = self.find_collection(name).await?;
                if known.is_none() {
                    refused.push(name.to_owned());
                }
                Ok(known.map(|known| known.id))
            }
            Err(error) => Err(error),
        }
    }
}

/// Sorts a chat that is new; what it cannot be given comes to the refused.
pub(crate) async fn give(
    tx: &mut SqliteConnection,
    chat: &ChatId,
    collection: Option<CollectionId>,
    tags: &[String],
    refused: &mut Vec<String>,
) -> Result<(), StoreError> {
    // One that was deleted meanwhile is none.
    move_chat(tx, chat.as_str(), collection, false).await?;
    for tag in tags {
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
    Ok(())
}
