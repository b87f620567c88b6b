//! Chats: the list, a chat's title and place, Trash.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::chat::valid_title;
use deepsearch_core::collection::name_key;
use deepsearch_core::{Chat, ChatCursor, ChatId, CollectionId, MessageId};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, Transaction};

use crate::error::{Doing, StoreError};
use crate::history;
use crate::outbox::{self, Entity};
use crate::pages;
use crate::store::Store;
use crate::sync::offer_if_left;
use crate::time::from_millis;

/// Which chats are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct ChatFilter {
    pub view: ChatView,
    /// Only those of this collection.
    pub collection: Option<CollectionId>,
    /// Only those with this tag, in whatever case it is written.
    pub tag: Option<String>,
}

impl ChatFilter {
    /// All chats of a view.
    pub fn of(view: ChatView) -> Self {
        Self {
            view,
            ..Self::default()
        }
    }
}

/// A chat in Trash is in no other view, an archived one only in [`ChatView::Archived`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum ChatView {
    /// Pinned ones too; [`Chat::pinned`] tells which.
    #[default]
    Active,
    Pinned,
    Archived,
    Trash,
}

#[derive(sqlx::FromRow)]
struct ChatRow {
    id: String,
    title: String,
    created_at: i64,
    updated_at: i64,
    deleted_at: Option<i64>,
    pinned: bool,
    archived: bool,
    leaf: Option<String>,
}

/// `query_as!` over the columns of a [`ChatRow`], with the rest of the statement.
macro_rules! select_chats {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            ChatRow,
            r#"select id, title, created_at, updated_at, deleted_at, pinned as "pinned: bool",
            archived as "archived: bool", leaf from chat "# + $rest
            $(, $argument)*
        )
    };
}

impl Store {
    /// Chats by last activity, newest first, `limit` of them after the cursor.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_chats(
        &self,
        filter: ChatFilter,
        after: Option<&ChatCursor>,
        limit: u32,
    ) -> Result<Vec<Chat>, StoreError> {
        if filter.collection.is_some() || filter.tag.is_some() {
            return self.list_sorted_chats(filter, after, limit).await;
        }
        // Without a cursor, the list starts after a chat that is later than all.
        let (time, id) = after.map_or((i64::MAX, ""), |cursor| {
            (cursor.updated_at.timestamp_millis(), cursor.id.as_str())
        });
        // Each condition is, to the letter, that of the view's index; a parameter there would make it unusable.
        let rows = match filter.view {
            ChatView::Active => {
                select_chats!(
                    "where deleted_at is null and archived = 0 and (updated_at, id) < (?, ?)
                 order by updated_at desc, id desc limit ?",
                    time,
                    id,
                    limit
                )
                .fetch_all(self.readers())
                .await
            }
            ChatView::Pinned => {
                select_chats!(
                    "where deleted_at is null and archived = 0 and pinned = 1 and (updated_at, id) < (?, ?)
                 order by updated_at desc, id desc limit ?",
                    time,
                    id,
                    limit
                )
                .fetch_all(self.readers())
                .await
            }
            ChatView::Archived => {
                select_chats!(
                    "where deleted_at is null and archived = 1 and (updated_at, id) < (?, ?)
                 order by updated_at desc, id desc limit ?",
                    time,
                    id,
                    limit
                )
                .fetch_all(self.readers())
                .await
            }
            ChatView::Trash => {
                select_chats!(
                    "where deleted_at is not null and (updated_at, id) < (?, ?)
                 order by updated_at desc, id desc limit ?",
                    time,
                    id,
                    limit
                )
                .fetch_all(self.readers())
                .await
            }
        };
        Ok(rows.doing("list the chats")?.into_iter().map(Chat::from).collect())
    }

    /// The chats of a collection, with a tag, or both. A tag's are walked through whole, as they lie in no order of time.
    async fn list_sorted_chats(
        &self,
        filter: ChatFilter,
        after: Option<&ChatCursor>,
        limit: u32,
    ) -> Result<Vec<Chat>, StoreError> {
        let view = match filter.view {
            ChatView::Active => "deleted_at is null and archived = 0",
            ChatView::Pinned => "deleted_at is null and archived = 0 and pinned = 1",
            ChatView::Archived => "deleted_at is null and archived = 1",
            ChatView::Trash => "deleted_at is not null",
        };
        let (from, tag) = match filter.tag {
            Some(_) => (
                "tag cross join chat_tag on tag_id = tag.id cross join chat on chat.id = chat_id",
                "tag.name_key = ?1",
            ),
            None => ("chat", "?1 is null"),
        };
        let collection = match filter.collection {
            Some(_) => "collection = ?2",
            None => "?2 is null",
        };
        let sql = format!(
            "select chat.id as id, title, created_at, updated_at, deleted_at, pinned, archived, leaf from {from}
             where {tag} and {collection} and {view} and (updated_at, chat.id) < (?3, ?4)
             order by updated_at desc, chat.id desc limit ?5"
        );
        let rows: Vec<ChatRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(filter.tag.as_deref().map(name_key))
            .bind(filter.collection.as_ref().map(CollectionId::as_str))
            .bind(after.map_or(i64::MAX, |cursor| cursor.updated_at.timestamp_millis()))
            .bind(after.map_or("", |cursor| cursor.id.as_str()))
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .doing("list the chats")?;
        Ok(rows.into_iter().map(Chat::from).collect())
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_chat(&self, id: &ChatId) -> Result<Option<Chat>, StoreError> {
        let id = id.as_str();
        let row = select_chats!("where id = ?", id)
            .fetch_optional(self.readers())
            .await
            .doing("look up the chat")?;
        Ok(row.map(Chat::from))
    }

    /// Adds a chat made elsewhere, as it is: from an import or another device. One that is here already stays.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a title that cannot be kept.
    pub async fn add_chat(&self, chat: &Chat) -> Result<(), StoreError> {
        const ACTION: &str = "add the chat";
        valid_title(&chat.title)?;
        let mut tx = self.begin(ACTION).await?;
        if make(&mut tx, chat).await.doing(ACTION)? {
            outbox::add(&mut tx, Entity::Chat, chat.id.as_str(), self.now())
                .await
                .doing(ACTION)?;
        }
        history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Gives a chat another title, which counts as activity (seed R14).
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a title that cannot be kept, [`StoreError::NotFound`] for an unknown chat.
    pub async fn rename_chat(&self, id: &ChatId, title: &str) -> Result<Chat, StoreError> {
        const ACTION: &str = "rename the chat";
        let title = valid_title(title)?;
        let (key, now) = (id.as_str(), self.now().timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "update chat set title = ?, updated_at = max(updated_at, ?) where id = ?",
            title,
            now,
            key
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        self.finish_change(tx, id, ACTION).await
    }

    /// Pins a chat or lets it go.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown chat.
    pub async fn pin_chat(&self, id: &ChatId, pinned: bool) -> Result<Chat, StoreError> {
        const ACTION: &str = "pin the chat";
        let key = id.as_str();
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!("update chat set pinned = ? where id = ?", pinned, key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        self.finish_change(tx, id, ACTION).await
    }

    /// Archives a chat or brings it back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown chat.
    pub async fn archive_chat(&self, id: &ChatId, archived: bool) -> Result<Chat, StoreError> {
        const ACTION: &str = "archive the chat";
        let key = id.as_str();
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!("update chat set archived = ? where id = ?", archived, key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        self.finish_change(tx, id, ACTION).await
    }

    /// Puts a chat into Trash. One that is there already keeps its time.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown chat.
    pub async fn delete_chat(&self, id: &ChatId) -> Result<Chat, StoreError> {
        const ACTION: &str = "move the chat to Trash";
        let (key, now) = (id.as_str(), self.now().timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "update chat set deleted_at = coalesce(deleted_at, ?) where id = ?",
            now,
            key
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        self.finish_change(tx, id, ACTION).await
    }

    /// Takes a chat out of Trash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown chat.
    pub async fn restore_chat(&self, id: &ChatId) -> Result<Chat, StoreError> {
        const ACTION: &str = "restore the chat";
        let key = id.as_str();
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!("update chat set deleted_at = null where id = ?", key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        self.finish_change(tx, id, ACTION).await
    }

    /// Deletes a chat with its messages and the pages that nothing else refers to; there is no way back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown chat.
    pub async fn delete_chat_forever(&self, id: &ChatId) -> Result<(), StoreError> {
        const ACTION: &str = "delete the chat";
        let mut tx = self.begin(ACTION).await?;
        if !remove(&mut tx, id.as_str(), self.now()).await.doing(ACTION)? {
            return Err(not_found(id));
        }
        tx.commit().await.doing(ACTION)
    }

    /// Deletes for ever what has been in Trash for longer than `older_than` (30 days, as the app calls it), and says
    /// how many chats that were. Each goes in a transaction of its own, so that nobody waits for all of them.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written; what went before is gone.
    pub async fn purge_deleted(&self, older_than: TimeDelta) -> Result<u64, StoreError> {
        const ACTION: &str = "empty Trash";
        let before = (self.now() - older_than).timestamp_millis();
        let mut purged = 0;
        loop {
            let mut tx = self.begin(ACTION).await?;
            let next = sqlx::query_scalar!(
                "select id from chat where deleted_at < ? order by deleted_at limit 1",
                before
            )
            .fetch_optional(&mut *tx)
            .await
            .doing(ACTION)?;
            let Some(id) = next else {
                return Ok(purged);
            };
            remove(&mut tx, &id, self.now()).await.doing(ACTION)?;
            tx.commit().await.doing(ACTION)?;
            purged += 1;
        }
    }

    /// Writes the outbox row of a changed chat, commits, and returns the chat as it is now.
    async fn finish_change(
        &self,
        mut tx: Transaction<'static, Sqlite>,
        id: &ChatId,
        action: &'static str,
    ) -> Result<Chat, StoreError> {
        let Some(chat) = lookup(&mut tx, id).await.doing(action)? else {
            return Err(not_found(id));
        };
        outbox::add(&mut tx, Entity::Chat, id.as_str(), self.now())
            .await
            .doing(action)?;
        history::follow(&mut tx).await.doing(action)?;
        tx.commit().await.doing(action)?;
        Ok(chat)
    }
}

impl From<ChatRow> for Chat {
    fn from(row: ChatRow) -> Self {
        Self {
            id: ChatId::from_stored(row.id),
            title: row.title,
            created_at: from_millis(row.created_at),
            updated_at: from_millis(row.updated_at),
            deleted_at: row.deleted_at.map(from_millis),
            pinned: row.pinned,
            archived: row.archived,
            leaf: row.leaf.map(MessageId::from_stored),
        }
    }
}

pub(crate) fn not_found(id: &ChatId) -> StoreError {
    StoreError::NotFound {
        what: "chat",
        id: id.to_string(),
    }
}

pub(crate) async fn lookup(tx: &mut SqliteConnection, id: &ChatId) -> Result<Option<Chat>, sqlx::Error> {
    let id = id.as_str();
    let row = select_chats!("where id = ?", id).fetch_optional(tx).await?;
    Ok(row.map(Chat::from))
}

/// Inserts a chat that is made here, and says whether it was new. While nobody is signed in it is this device's alone.
pub(crate) async fn make(tx: &mut SqliteConnection, chat: &Chat) -> Result<bool, sqlx::Error> {
    let is_new = insert(tx, chat).await?;
    if is_new {
        offer_if_left(tx, chat.id.as_str()).await?;
    }
    Ok(is_new)
}

/// Inserts a chat, and says whether it was new.
pub(crate) async fn insert(tx: &mut SqliteConnection, chat: &Chat) -> Result<bool, sqlx::Error> {
    let (id, created_at) = (chat.id.as_str(), chat.created_at.timestamp_millis());
    let updated_at = chat.updated_at.timestamp_millis().max(created_at);
    let deleted_at = chat.deleted_at.map(|at| at.timestamp_millis());
    let leaf = chat.leaf.as_ref().map(MessageId::as_str);
    let inserted = sqlx::query!(
        "insert into chat (id, title, created_at, updated_at, deleted_at, pinned, archived, leaf)
         values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
        id,
        chat.title,
        created_at,
        updated_at,
        deleted_at,
        chat.pinned,
        chat.archived,
        leaf
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Moves a chat's last activity and what is shown of it to a message, in the transaction that wrote the message.
pub(crate) async fn show_newest(
    tx: &mut SqliteConnection,
    chat_id: &ChatId,
    leaf: &MessageId,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (id, leaf) = (chat_id.as_str(), leaf.as_str());
    sqlx::query!("update chat set leaf = ? where id = ?", leaf, id)
        .execute(&mut *tx)
        .await?;
    touch(tx, chat_id, at).await
}

/// Moves a chat's last activity, in the transaction of what happened. Never backwards.
pub(crate) async fn touch(tx: &mut SqliteConnection, chat_id: &ChatId, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let (chat_id, millis) = (chat_id.as_str(), at.timestamp_millis());
    sqlx::query!(
        "update chat set updated_at = max(updated_at, ?) where id = ?",
        millis,
        chat_id
    )
    .execute(&mut *tx)
    .await?;
    outbox::add(tx, Entity::Chat, chat_id, at).await
}

async fn remove(tx: &mut SqliteConnection, id: &str, now: DateTime<Utc>) -> Result<bool, sqlx::Error> {
    let pages = pages::ids_of_chat(tx, id).await?;
    // The deletion of the chat tells the other side all there is to tell of its messages.
    sqlx::query!(
        "delete from outbox where entity = 'message' and entity_id in (select id from message where chat_id = ?)",
        id
    )
    .execute(&mut *tx)
    .await?;
    let deleted = sqlx::query!("delete from chat where id = ?", id)
        .execute(&mut *tx)
        .await?;
    pages::delete_unused(tx, &pages).await?;
    outbox::add_deletion(tx, Entity::Chat, id, now).await?;
    Ok(deleted.rows_affected() > 0)
}
