//! Chats as sync knows them: the row here, the row as it last was on both sides, and what waits to be sent.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deepsearch_core::sync::{ChatRow, FlagsRow};
use deepsearch_core::validate::TITLE_LIMIT;
use deepsearch_core::{Chat, ChatId, Labels, MessageId};
use sqlx::SqliteConnection;

use super::SyncTx;
use super::labels::read_labels;
use crate::error::{Doing, StoreError};
use crate::messages::{read_json, write_json};
use crate::outbox::{self, Entity};
use crate::time::from_millis;
use crate::{chats, pages};

/// A chat of this device with what sync knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalChat {
    pub chat: Chat,
    /// With those that the server has and this device has no room for.
    pub labels: Labels,
    /// Whether there are any of those.
    pub has_left_out: bool,
    /// The shared row as it last was on both sides; `None` for one that the server does not know.
    pub base: Option<ChatRow>,
    pub flags_base: Option<FlagsRow>,
    /// When it was changed, and not sent since.
    pub pending: Option<DateTime<Utc>>,
    /// From before the sign-in: it is not sent.
    pub offered: bool,
}

impl SyncTx {
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_chat(&mut self, id: &ChatId) -> Result<Option<LocalChat>, StoreError> {
        const ACTION: &str = "look up a chat to sync";
        let Some(chat) = chats::lookup(self.tx(), id).await.doing(ACTION)? else {
            return Ok(None);
        };
        let key = id.as_str();
        let row = sqlx::query!(
            r#"select base.title, base.created_at, base.updated_at, base.deleted_at, base.pinned as "pinned: bool",
                base.archived as "archived: bool", base.leaf, base.flags_at, base.labels, base.left_out,
                (select name from collection where id = (select collection from chat where id = ?1))
                    as "collection?: String",
                (select json_group_array(name) from chat_tag join tag on tag.id = tag_id where chat_id = ?1)
                    as "tags!: String",
                (select changed_at from outbox where entity = 'chat' and entity_id = ?1 and operation = 'upsert')
                    as "changed_at: i64",
                exists (select 1 from sync_offer where chat_id = ?1) as "offered!: bool"
            from (select 1) left join sync_chat as base on base.chat_id = ?1"#,
            key
        )
        .fetch_one(self.tx())
        .await
        .doing(ACTION)?;
        let base = row.title.zip(row.updated_at).map(|(title, updated_at)| ChatRow {
            id: id.clone(),
            title,
            created_at: from_millis(row.created_at.unwrap_or(updated_at)),
            updated_at: from_millis(updated_at),
            deleted_at: row.deleted_at.map(from_millis),
        });
        let flags_base = row.flags_at.map(|at| FlagsRow {
            chat_id: id.clone(),
            pinned: row.pinned.unwrap_or_default(),
            archived: row.archived.unwrap_or_default(),
            leaf: row.leaf.map(MessageId::from_stored),
            at: from_millis(at),
            labels: row.labels.and_then(|json| read_json(&json, "labels", key)),
        });
        Ok(Some(LocalChat {
            labels: read_labels(key, row.collection, &row.tags, row.left_out.as_deref()),
            has_left_out: row.left_out.is_some(),
            chat,
            base,
            flags_base,
            pending: row.changed_at.map(from_millis),
            offered: row.offered,
        }))
    }

    /// Whether the chat was deleted here for ever, which the server does not know yet.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn is_deletion_pending(&mut self, id: &ChatId) -> Result<bool, StoreError> {
        let id = id.as_str();
        let row = sqlx::query_scalar!(
            "select seq from outbox where entity = 'chat' and entity_id = ? and operation = 'delete'",
            id
        )
        .fetch_optional(self.tx())
        .await
        .doing("look up a deletion to sync")?;
        Ok(row.is_some())
    }

    /// Makes this the chat's row, whether or not there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn put_chat(&mut self, chat: &Chat) -> Result<(), StoreError> {
        const ACTION: &str = "keep a synced chat";
        self.brought.chat(&chat.id);
        // An insert keeps activity from lying before the beginning; what the server says is kept as it is.
        if chats::insert(self.tx(), chat).await.doing(ACTION)? && chat.updated_at >= chat.created_at {
            return Ok(());
        }
        let (id, created_at) = (chat.id.as_str(), chat.created_at.timestamp_millis());
        let updated_at = chat.updated_at.timestamp_millis();
        let deleted_at = chat.deleted_at.map(|at| at.timestamp_millis());
        let leaf = chat.leaf.as_ref().map(MessageId::as_str);
        sqlx::query!(
            "update chat set title = ?, created_at = ?, updated_at = ?, deleted_at = ?, pinned = ?, archived = ?,
                leaf = ? where id = ?",
            chat.title,
            created_at,
            updated_at,
            deleted_at,
            chat.pinned,
            chat.archived,
            leaf,
            id
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }

    /// Notes how the shared row is on both sides.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_chat_base(&mut self, row: &ChatRow) -> Result<(), StoreError> {
        let id = row.id.as_str();
        let (created_at, updated_at) = (row.created_at.timestamp_millis(), row.updated_at.timestamp_millis());
        let deleted_at = row.deleted_at.map(|at| at.timestamp_millis());
        sqlx::query!(
            "insert into sync_chat (chat_id, title, created_at, updated_at, deleted_at) values (?, ?, ?, ?, ?)
             on conflict (chat_id) do update set title = excluded.title, created_at = excluded.created_at,
                updated_at = excluded.updated_at, deleted_at = excluded.deleted_at",
            id,
            row.title,
            created_at,
            updated_at,
            deleted_at
        )
        .execute(self.tx())
        .await
        .doing("keep a chat's synced state")?;
        Ok(())
    }

    /// Notes how the flags are on both sides.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_flags_base(&mut self, flags: &FlagsRow) -> Result<(), StoreError> {
        const ACTION: &str = "keep a chat's synced state";
        let (id, at) = (flags.chat_id.as_str(), flags.at.timestamp_millis());
        let leaf = flags.leaf.as_ref().map(MessageId::as_str);
        let labels = flags.labels.as_ref().map(write_json).transpose().doing(ACTION)?;
        sqlx::query!(
            "insert into sync_chat (chat_id, pinned, archived, leaf, flags_at, labels) values (?, ?, ?, ?, ?, ?)
             on conflict (chat_id) do update set pinned = excluded.pinned, archived = excluded.archived,
                leaf = excluded.leaf, flags_at = excluded.flags_at, labels = excluded.labels",
            id,
            flags.pinned,
            flags.archived,
            leaf,
            at,
            labels
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }

    /// Chats that the server is known to have, by id after one, up to and with another.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_known_chats(&mut self, after: &str, until: Option<&str>) -> Result<Vec<ChatId>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select chat_id from sync_chat where title is not null and chat_id > ?1 and (?2 is null or chat_id <= ?2)
             order by chat_id",
            after,
            until
        )
        .fetch_all(self.tx())
        .await
        .doing("list the chats the server had")?;
        Ok(ids.into_iter().map(ChatId::from_stored).collect())
    }

    /// Takes a chat away that is gone on the server, with its messages and the pages that nothing else refers to.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn remove_chat(&mut self, id: &ChatId) -> Result<(), StoreError> {
        const ACTION: &str = "remove a chat that is gone on the server";
        self.brought.chat(id);
        let key = id.as_str();
        let pages = pages::ids_of_chat(self.tx(), key).await.doing(ACTION)?;
        sqlx::query!("delete from chat where id = ?", key)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        pages::delete_unused(self.tx(), &pages).await.doing(ACTION)
    }

    /// Forgets what still refers to a chat that goes: what was to be sent of it, and what came before it. Called
    /// before [`Self::remove_chat`], after which nobody knows its messages.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn clear_leftovers(&mut self, id: &ChatId) -> Result<(), StoreError> {
        const ACTION: &str = "forget what was left of a chat";
        let key = id.as_str();
        sqlx::query!(
            "delete from outbox where entity = 'message' and entity_id in (select id from message where chat_id = ?)",
            key
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        sqlx::query!("delete from outbox where entity = 'chat' and entity_id = ?", key)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        sqlx::query!("delete from sync_early where chat_id = ?", key)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        sqlx::query!(
            "delete from sync_dead where entity_id = ?1 or entity_id in (select id from message where chat_id = ?1)",
            key
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }

    /// Moves what was never sent of a chat into a new one, with the questions of answers among it, and returns that;
    /// `None` when there is nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn fork_pending(&mut self, chat: &Chat) -> Result<Option<ChatId>, StoreError> {
        const ACTION: &str = "recover what was not sent of a chat";
        self.brought.any();
        let key = chat.id.as_str();
        let rows = sqlx::query!(
            r#"select id, parent, created_at, state = 'streaming' as "streaming!: bool" from message
            where chat_id = ?1 and (id in (select id from message where chat_id = ?1 and hidden_at is null
                    and (state = 'streaming' or synced = 0))
                or (role = 'user' and id in (select parent from message where chat_id = ?1 and hidden_at is null
                    and role = 'assistant' and (state = 'streaming' or synced = 0))))
            order by created_at, id"#,
            key
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let now = self.now();
        let title: String = format!("Recovered: {}", chat.title).chars().take(TITLE_LIMIT).collect();
        let recovered = Chat {
            id: ChatId::new(),
            title,
            created_at: now,
            updated_at: now.max(from_millis(last.created_at)),
            leaf: Some(MessageId::from_stored(last.id.clone())),
            deleted_at: None,
            ..chat.clone()
        };
        chats::insert(self.tx(), &recovered).await.doing(ACTION)?;
        sort_like(self.tx(), recovered.id.as_str(), key).await.doing(ACTION)?;
        outbox::add(self.tx(), Entity::Chat, recovered.id.as_str(), now)
            .await
            .doing(ACTION)?;
        // What follows a message that stays behind follows the one before it.
        let mut moved: HashSet<&str> = HashSet::new();
        let mut before: Option<&str> = None;
        for row in &rows {
            let parent = row.parent.as_deref().filter(|parent| moved.contains(parent)).or(before);
            let (new_chat, id) = (recovered.id.as_str(), row.id.as_str());
            sqlx::query!(
                "update message set chat_id = ?, parent = ?, synced = 0, appended = 0, hidden_at = null where id = ?",
                new_chat,
                parent,
                id
            )
            .execute(self.tx())
            .await
            .doing(ACTION)?;
            if !row.streaming {
                outbox::add(self.tx(), Entity::Message, id, now).await.doing(ACTION)?;
            }
            moved.insert(id);
            before = Some(id);
        }
        Ok(Some(recovered.id))
    }
}

/// Puts a chat where another is, with the same tags.
async fn sort_like(tx: &mut SqliteConnection, chat: &str, other: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chat set collection = (select collection from chat where id = ?) where id = ?",
        other,
        chat
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into chat_tag (chat_id, tag_id) select ?, tag_id from chat_tag where chat_id = ?",
        chat,
        other
    )
    .execute(tx)
    .await?;
    Ok(())
}
