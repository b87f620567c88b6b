//! Bulk: one change to many chats, all of it or nothing, and what undoes it exactly.
//!
//! What undoes a change is itself a list of changes, and undoing gives back what does it again.

use chrono::{DateTime, Utc};
use deepsearch_core::validate::Invalid;
use deepsearch_core::{Chat, ChatId, CollectionId};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::chats::lookup;
use crate::collections;
use crate::error::{Doing, StoreError};
use crate::outbox::{self, Entity};
use crate::store::Store;
use crate::tags::{tag_chat, valid_tag};

/// The most chats that one change is made to: as many as are written in the blink of an eye.
pub const MOST_AT_ONCE: usize = 1_000;

const ACTION: &str = "change the chats";

/// What is done to every chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BulkChange {
    Pin {
        on: bool,
    },
    Archive {
        on: bool,
    },
    /// To Trash, or out of it.
    Trash {
        on: bool,
    },
    /// `None` takes them out of the one that they are in.
    Move {
        collection: Option<CollectionId>,
    },
    Tag {
        name: String,
        on: bool,
    },
}

/// One thing of a chat, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Before {
    pub chat: ChatId,
    pub was: Was,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Was {
    Pinned { on: bool },
    Archived { on: bool },
    Deleted { at: Option<DateTime<Utc>> },
    In { collection: Option<CollectionId> },
    Tagged { name: String, on: bool },
}

/// What came of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct BulkDone {
    /// The chats that are another now, as they are.
    pub changed: Vec<Chat>,
    /// Those that were asked for and are not there.
    pub missing: Vec<ChatId>,
    /// To be given to [`Store::undo_bulk`].
    pub undo: Vec<Before>,
}

impl Store {
    /// Makes one change to up to [`MOST_AT_ONCE`] chats in one transaction. A chat that is so already is left alone.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for too many chats, or a tag that cannot be given; [`StoreError::NotFound`] for an
    /// unknown collection. Nothing is changed then.
    pub async fn change_chats(&self, chats: &[ChatId], change: &BulkChange) -> Result<BulkDone, StoreError> {
        let now = self.now();
        let wanted = match change {
            BulkChange::Pin { on } => Was::Pinned { on: *on },
            BulkChange::Archive { on } => Was::Archived { on: *on },
            BulkChange::Trash { on } => Was::Deleted { at: on.then_some(now) },
            BulkChange::Move { collection } => Was::In {
                collection: collection.clone(),
            },
            BulkChange::Tag { name, on } => Was::Tagged {
                name: valid_tag(name)?,
                on: *on,
            },
        };
        let wanted = chats.iter().map(|chat| Before {
            chat: chat.clone(),
            was: wanted.clone(),
        });
        self.make_so(wanted.collect(), true).await
    }

    /// Makes each chat what it was. What has been deleted for ever since stays away; a collection that is gone is none.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for too many at once. Nothing is changed then.
    pub async fn undo_bulk(&self, undo: Vec<Before>) -> Result<BulkDone, StoreError> {
        self.make_so(undo, false).await
    }

    async fn make_so(&self, wanted: Vec<Before>, is_new: bool) -> Result<BulkDone, StoreError> {
        if wanted.len() > MOST_AT_ONCE {
            return Err(StoreError::Invalid(Invalid::TooMany {
                field: "chats at once",
                limit: MOST_AT_ONCE as u32,
            }));
        }
        let mut done = BulkDone::default();
        let mut tx = self.begin(ACTION).await?;
        for Before { chat: id, was } in wanted {
            let Some(chat) = lookup(&mut tx, &id).await.doing(ACTION)? else {
                done.missing.push(id);
                continue;
            };
            if let Some(was) = set(&mut tx, &chat, was, is_new).await? {
                outbox::add(&mut tx, Entity::Chat, id.as_str(), self.now())
                    .await
                    .doing(ACTION)?;
                done.changed.extend(lookup(&mut tx, &id).await.doing(ACTION)?);
                done.undo.push(Before { chat: id, was });
            }
        }
        tx.commit().await.doing(ACTION)?;
        Ok(done)
    }
}

/// Makes a chat so, and gives back what it was; `None` where it was so already.
async fn set(tx: &mut SqliteConnection, chat: &Chat, wanted: Was, is_new: bool) -> Result<Option<Was>, StoreError> {
    let id = chat.id.as_str();
    match wanted {
        Was::Pinned { on } if on != chat.pinned => {
            sqlx::query!("update chat set pinned = ? where id = ?", on, id)
                .execute(tx)
                .await
                .doing(ACTION)?;
            Ok(Some(Was::Pinned { on: chat.pinned }))
        }
        Was::Archived { on } if on != chat.archived => {
            sqlx::query!("update chat set archived = ? where id = ?", on, id)
                .execute(tx)
                .await
                .doing(ACTION)?;
            Ok(Some(Was::Archived { on: chat.archived }))
        }
        // One that is in Trash already keeps its time; undoing gives another its own back.
        Was::Deleted { at } if at.is_some() != chat.deleted_at.is_some() => {
            let at = at.map(|at| at.timestamp_millis());
            sqlx::query!("update chat set deleted_at = ? where id = ?", at, id)
                .execute(tx)
                .await
                .doing(ACTION)?;
            Ok(Some(Was::Deleted { at: chat.deleted_at }))
        }
        Was::In { collection } => move_chat(tx, id, collection, is_new).await,
        Was::Tagged { name, on } => {
            let spelled = tag_chat(tx, &chat.id, &name, on, ACTION).await?;
            Ok(spelled.map(|name| Was::Tagged { name, on: !on }))
        }
        Was::Pinned { .. } | Was::Archived { .. } | Was::Deleted { .. } => Ok(None),
    }
}

/// Puts a chat into a collection, or out of all. Tells the one that it was in; `None` where it was so already.
pub(crate) async fn move_chat(
    tx: &mut SqliteConnection,
    id: &str,
    to: Option<CollectionId>,
    is_new: bool,
) -> Result<Option<Was>, StoreError> {
    let is_there = match &to {
        Some(to) => collections::exists(tx, to).await.doing(ACTION)?,
        None => true,
    };
    let to = match to {
        Some(to) if !is_there && is_new => return Err(collections::not_found(&to)),
        to => to.filter(|_| is_there),
    };
    let from = sqlx::query_scalar!("select collection from chat where id = ?", id)
        .fetch_one(&mut *tx)
        .await
        .doing(ACTION)?
        .map(CollectionId::from_stored);
    if from == to {
        return Ok(None);
    }
    let to = to.as_ref().map(CollectionId::as_str);
    sqlx::query!("update chat set collection = ? where id = ?", to, id)
        .execute(tx)
        .await
        .doing(ACTION)?;
    Ok(Some(Was::In { collection: from }))
}
