//! Messages as sync knows them: the row that travels, whether the server has it, and where it stands in its branch.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deepsearch_core::sync::{MessageExtras, MessageRow};
use deepsearch_core::{ChatId, MessageId, MessageState, Role};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::messages::{self, read_json, read_state, write_json};
use crate::pages;
use crate::time::from_millis;

/// A message of this device with what sync knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalMessage {
    /// As it would be sent, but without evidence; see [`SyncTx::evidence_of`].
    pub row: MessageRow,
    pub state: MessageState,
    /// The server is known to have it as it is here.
    pub synced: bool,
    /// The server has deleted it, and it is not shown.
    pub hidden_at: Option<DateTime<Utc>>,
    /// It is in the outbox.
    pub pending: bool,
    /// It has evidence of its own here.
    pub has_evidence: bool,
}

const PLACING: &str = "put a message in its place";

/// A row as it is in the table.
#[derive(Serialize)]
struct NewMessage<'a> {
    id: &'a MessageId,
    chat_id: &'a ChatId,
    parent: Option<&'a str>,
    role: &'static str,
    content: &'a str,
    sources: Option<&'a str>,
    metadata: Option<&'a str>,
    created_at: i64,
    state: &'static str,
    follow_ups: Option<String>,
    /// The web app wrote it, which knows no tree.
    appended: bool,
}

impl<'a> NewMessage<'a> {
    fn of(row: &'a MessageRow) -> Result<Self, sqlx::Error> {
        let extras = row.extras.as_ref();
        let follow_ups = extras.map(|extras| &extras.follow_ups);
        Ok(Self {
            id: &row.id,
            chat_id: &row.chat_id,
            parent: extras.and_then(|extras| extras.parent.as_ref()).map(MessageId::as_str),
            role: row.role.parse().unwrap_or(Role::System).as_str(),
            content: &row.content,
            sources: row.sources.as_deref(),
            metadata: row.metadata.as_deref(),
            created_at: row.created_at.timestamp_millis(),
            state: match extras {
                Some(extras) if extras.interrupted => "interrupted",
                _ => "complete",
            },
            follow_ups: follow_ups
                .filter(|questions| !questions.is_empty())
                .map(write_json)
                .transpose()?,
            appended: extras.is_none(),
        })
    }
}

impl SyncTx {
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_message(&mut self, id: &MessageId) -> Result<Option<LocalMessage>, StoreError> {
        let key = id.as_str();
        let row = sqlx::query!(
            r#"select chat_id, parent, role, content, sources, metadata, created_at, state, follow_ups,
                synced as "synced: bool", appended as "appended: bool", hidden_at,
                exists (select 1 from outbox where entity = 'message' and entity_id = ?1) as "pending!: bool",
                exists (select 1 from message_source where message_id = ?1) as "has_evidence!: bool"
            from message where id = ?1"#,
            key
        )
        .fetch_optional(self.tx())
        .await
        .doing("look up a message to sync")?;
        Ok(row.map(|row| {
            let state = read_state(&row.state);
            // What another program wrote goes back as it came.
            let extras = (!row.appended || row.has_evidence).then(|| MessageExtras {
                parent: row.parent.map(MessageId::from_stored),
                interrupted: state == MessageState::Interrupted,
                follow_ups: (row.follow_ups.as_deref())
                    .and_then(|json| read_json(json, "follow_ups", key))
                    .unwrap_or_default(),
                evidence: None,
            });
            LocalMessage {
                row: MessageRow {
                    id: id.clone(),
                    chat_id: ChatId::from_stored(row.chat_id),
                    role: row.role,
                    content: row.content,
                    sources: row.sources,
                    metadata: row.metadata,
                    created_at: from_millis(row.created_at),
                    extras,
                },
                state,
                synced: row.synced,
                hidden_at: row.hidden_at.map(from_millis),
                pending: row.pending,
                has_evidence: row.has_evidence,
            }
        }))
    }

    /// Makes this the message's row, shown and known to be on the server. One that is being written here stays.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn put_message(&mut self, row: &MessageRow) -> Result<(), StoreError> {
        const ACTION: &str = "keep a synced message";
        let new = NewMessage::of(row).doing(ACTION)?;
        let (id, chat_id) = (row.id.as_str(), row.chat_id.as_str());
        // Not one upsert: under that, triggers could not ignore what is noted already.
        let updated = sqlx::query!(
            "update message set chat_id = ?, parent = ?, content = ?, sources = ?, metadata = ?, created_at = ?,
                state = ?, follow_ups = ?, synced = max(synced, 1), appended = ?, hidden_at = null
             where id = ? and state <> 'streaming'",
            chat_id,
            new.parent,
            new.content,
            new.sources,
            new.metadata,
            new.created_at,
            new.state,
            new.follow_ups,
            new.appended,
            id
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        if updated.rows_affected() == 0 {
            self.add_messages(std::slice::from_ref(row)).await?;
        } else {
            self.brought.chat(&row.chat_id);
            let moved = write_json(&[new]).doing(ACTION)?;
            self.note_dangling(&moved).await?;
        }
        self.link_in_order(&[&row.id]).await
    }

    /// Which of these messages are here, in whatever state.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn known_messages(&mut self, ids: &[&MessageId]) -> Result<HashSet<MessageId>, StoreError> {
        const ACTION: &str = "look up messages to sync";
        let ids = write_json(&ids).doing(ACTION)?;
        let known = sqlx::query_scalar!(
            "select id from message where id in (select value from json_each(?))",
            ids
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        Ok(known.into_iter().map(MessageId::from_stored).collect())
    }

    /// Adds the rows of messages that are not here; [`Self::link_in_order`] is to follow. A first pull is made of these, so
    /// that all of them take two statements.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn add_messages(&mut self, rows: &[MessageRow]) -> Result<(), StoreError> {
        const ACTION: &str = "keep synced messages";
        if rows.is_empty() {
            return Ok(());
        }
        let new: Vec<NewMessage<'_>> = rows
            .iter()
            .map(NewMessage::of)
            .collect::<Result<_, _>>()
            .doing(ACTION)?;
        let new = write_json(&new).doing(ACTION)?;
        sqlx::query!(
            "insert into message (id, chat_id, parent, role, content, sources, metadata, created_at, state,
                follow_ups, synced, appended)
             select value ->> 'id', value ->> 'chat_id', value ->> 'parent', value ->> 'role', value ->> 'content',
                value ->> 'sources', value ->> 'metadata', value ->> 'created_at', value ->> 'state',
                value ->> 'follow_ups', 1, value ->> 'appended'
             from json_each(?) order by key on conflict (id) do nothing",
            new
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        for row in rows {
            self.brought.chat(&row.chat_id);
        }
        self.note_dangling(&new).await
    }

    /// Puts messages in their place: each that has no known parent after the one before it in time, and what comes after
    /// one of them behind it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn link_in_order(&mut self, ids: &[&MessageId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = write_json(&ids).doing(PLACING)?;
        sqlx::query!(
            "update message set parent = (select before.id from message as before
                where before.chat_id = message.chat_id and before.created_at <= message.created_at
                    and before.hidden_at is null
                    and (before.created_at, before.id) < (message.created_at, message.id)
                order by before.created_at desc, before.id desc limit 1)
             where appended = 1 and id in (
                select value from json_each(?1)
                union select (select after.id from message as after
                    where after.chat_id = this.chat_id and after.created_at >= this.created_at
                        and after.hidden_at is null
                        and (after.created_at, after.id) > (this.created_at, this.id)
                    order by after.created_at, after.id limit 1)
                from json_each(?1) cross join message as this on this.id = value)",
            ids
        )
        .execute(self.tx())
        .await
        .doing(PLACING)?;
        Ok(())
    }

    /// Notes which of these messages answer one that is still to come. `new` are [`NewMessage`]s in JSON.
    async fn note_dangling(&mut self, new: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "insert or ignore into sync_dangling (message_id)
             select value ->> 'id' from json_each(?) where value ->> 'parent' is not null
                and not exists (select 1 from message where id = value ->> 'parent')",
            new
        )
        .execute(self.tx())
        .await
        .doing("keep synced messages")?;
        Ok(())
    }

    /// Notes whether the server has a message as it is here.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn mark_synced(&mut self, id: &MessageId, synced: bool) -> Result<(), StoreError> {
        let id = id.as_str();
        sqlx::query!(
            "update message set synced = case when ? then max(synced, 1) else 0 end where id = ?",
            synced,
            id
        )
        .execute(self.tx())
        .await
        .doing("note what was synced")?;
        Ok(())
    }

    /// Notes the time that the server keeps for a message.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_message_time(&mut self, id: &MessageId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (key, at) = (id.as_str(), at.timestamp_millis());
        sqlx::query!(
            "update message set created_at = ?1 where id = ?2 and created_at <> ?1",
            at,
            key
        )
        .execute(self.tx())
        .await
        .doing("keep the server's time of a message")?;
        Ok(())
    }

    /// Shows a message again, or shows it no more.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn hide_message(&mut self, id: &MessageId, hidden_at: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        const ACTION: &str = "hide a message that is gone on the server";
        self.brought.any();
        let (key, hidden_at) = (id.as_str(), hidden_at.map(|at| at.timestamp_millis()));
        sqlx::query!(
            "update message set hidden_at = ?1 where id = ?2 and hidden_at is not ?1",
            hidden_at,
            key
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        if hidden_at.is_none() {
            return self.link_in_order(&[id]).await;
        }
        let followers = sqlx::query_scalar!(
            "select id from message where parent = ?1 and appended = 1
                and chat_id = (select chat_id from message where id = ?1)",
            key
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        for follower in followers {
            self.link_in_order(&[&MessageId::from_stored(follower)]).await?;
        }
        Ok(())
    }

    /// Decides of messages whose parent did not come, now that everything has: each follows what is before it in time.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn settle_dangling(&mut self) -> Result<(), StoreError> {
        const ACTION: &str = "put messages in their place";
        let ids = sqlx::query_scalar!("select message_id from sync_dangling limit 1000")
            .fetch_all(self.tx())
            .await
            .doing(ACTION)?;
        for id in ids {
            sqlx::query!(
                "update message set appended = 1 where id = ?1 and parent is not null
                    and not exists (select 1 from message as parent where parent.id = message.parent)",
                id
            )
            .execute(self.tx())
            .await
            .doing(ACTION)?;
            sqlx::query!("delete from sync_dangling where message_id = ?", id)
                .execute(self.tx())
                .await
                .doing(ACTION)?;
            self.link_in_order(&[&MessageId::from_stored(id)]).await?;
        }
        Ok(())
    }

    /// Shows the branch that a chat shows to its newest end, which may have come just now.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn extend_leaf(&mut self, chat_id: &ChatId) -> Result<(), StoreError> {
        const ACTION: &str = "show what was synced";
        let key = chat_id.as_str();
        let leaf = sqlx::query_scalar!(
            r#"select message.id as "id!" from chat join message on message.id = chat.leaf
            where chat.id = ?1 and message.chat_id = ?1 and message.hidden_at is null"#,
            key
        )
        .fetch_optional(self.tx())
        .await
        .doing(ACTION)?;
        let Some(leaf) = leaf else {
            return Ok(());
        };
        let end = messages::newest_end(self.tx(), &leaf, key).await.doing(ACTION)?;
        if end != leaf {
            sqlx::query!("update chat set leaf = ? where id = ?", end, key)
                .execute(self.tx())
                .await
                .doing(ACTION)?;
        }
        Ok(())
    }

    /// Deletes a message with all that belongs to it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn delete_message(&mut self, id: &MessageId) -> Result<(), StoreError> {
        self.brought.any();
        delete(self.tx(), id.as_str()).await.doing("delete a message")
    }

    /// Gives a message another id, because the server has its id for something else.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn renumber_message(&mut self, id: &MessageId) -> Result<MessageId, StoreError> {
        const ACTION: &str = "give a message another id";
        self.brought.any();
        let new_id = MessageId::new();
        let (old, new) = (id.as_str(), new_id.as_str());
        // What refers to it follows below, and all of it is checked at the commit.
        sqlx::query("pragma defer_foreign_keys = on")
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        let tx = self.tx();
        for done in [
            sqlx::query!(
                "update message set parent = ?1 where parent = ?2
                    and chat_id = (select chat_id from message where id = ?2)",
                new,
                old
            )
            .execute(&mut *tx)
            .await,
            sqlx::query!(
                "update chat set leaf = ?1 where leaf = ?2 and id = (select chat_id from message where id = ?2)",
                new,
                old
            )
            .execute(&mut *tx)
            .await,
            sqlx::query!("update message set id = ? where id = ?", new, old)
                .execute(&mut *tx)
                .await,
            sqlx::query!(
                "update message_source set message_id = ? where message_id = ?",
                new,
                old
            )
            .execute(&mut *tx)
            .await,
            sqlx::query!("update citation set message_id = ? where message_id = ?", new, old)
                .execute(&mut *tx)
                .await,
            sqlx::query!(
                "update sentence_check set message_id = ? where message_id = ?",
                new,
                old
            )
            .execute(&mut *tx)
            .await,
            sqlx::query!("update ledger set message_id = ? where message_id = ?", new, old)
                .execute(&mut *tx)
                .await,
            sqlx::query!("update contact set message_id = ? where message_id = ?", new, old)
                .execute(&mut *tx)
                .await,
            sqlx::query!("update sent_text set message_id = ? where message_id = ?", new, old)
                .execute(&mut *tx)
                .await,
            sqlx::query!("delete from sync_evidence where message_id = ?", old)
                .execute(&mut *tx)
                .await,
            sqlx::query!("delete from sync_dangling where message_id = ?", old)
                .execute(&mut *tx)
                .await,
            sqlx::query!("delete from journal where message_id = ?", old)
                .execute(&mut *tx)
                .await,
        ] {
            done.doing(ACTION)?;
        }
        Ok(new_id)
    }

    /// The copy of a message that a program made which saves a chat by deleting and inserting all of it under new ids: one
    /// of the same text that came later, is on the server and stands for no other yet ([`SyncTx::take_copy`]). Who says the
    /// same thing twice is no such program: its rows come without a place in the tree, unless a device has given one the
    /// evidence of what it stands for since.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn find_copy(&mut self, id: &MessageId) -> Result<Option<MessageId>, StoreError> {
        let id = id.as_str();
        let copy = sqlx::query_scalar!(
            r#"select copy.id as "id!" from message as this join message as copy on copy.chat_id = this.chat_id
                and copy.role = this.role and copy.content = this.content and copy.id <> this.id
                and copy.hidden_at is null and copy.synced = 1 and copy.seq > this.seq
            where this.id = ? and (copy.appended = 1 or copy.created_at = this.created_at
                or exists (select 1 from message_source as theirs join message_source as ours using (page_id)
                    where theirs.message_id = copy.id and ours.message_id = this.id))
            order by copy.seq limit 1"#,
            id
        )
        .fetch_optional(self.tx())
        .await
        .doing("look for a message's copy")?;
        Ok(copy.map(MessageId::from_stored))
    }

    /// Notes that a copy stands for a message, so that it does for no other.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn take_copy(&mut self, copy: &MessageId) -> Result<(), StoreError> {
        let copy = copy.as_str();
        // More than synced; see `find_copy`.
        sqlx::query!("update message set synced = 2 where id = ?", copy)
            .execute(self.tx())
            .await
            .doing("note a message's copy")?;
        Ok(())
    }

    /// Messages that the server is known to have, by id after one, up to and with another.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_known_messages(
        &mut self,
        after: &str,
        until: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MessageId>, StoreError> {
        // Without an end, up to one that is later than all.
        let until = until.unwrap_or("\u{10FFFF}");
        let ids = sqlx::query_scalar!(
            "select id from message where id > ? and id <= ? and synced <> 0 and hidden_at is null order by id limit ?",
            after,
            until,
            limit
        )
        .fetch_all(self.tx())
        .await
        .doing("list the messages the server had")?;
        Ok(ids.into_iter().map(MessageId::from_stored).collect())
    }

    /// All messages of this device, hidden ones too, by id after one.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_messages_by_id(&mut self, after: &str, limit: u32) -> Result<Vec<MessageId>, StoreError> {
        let ids = sqlx::query_scalar!("select id from message where id > ? order by id limit ?", after, limit)
            .fetch_all(self.tx())
            .await
            .doing("list the messages")?;
        Ok(ids.into_iter().map(MessageId::from_stored).collect())
    }

    /// Deletes messages that have been hidden since before a time and are offered no more, `limit` at a time, and says
    /// how many that were. What followed them follows the message before.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn purge_hidden(&mut self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        const ACTION: &str = "delete messages that are gone on the server";
        let before = before.timestamp_millis();
        let rows = sqlx::query!(
            "select id, chat_id, parent from message where hidden_at < ?
                and not exists (select 1 from outbox where entity = 'message' and entity_id = message.id) limit ?",
            before,
            limit
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        for row in &rows {
            sqlx::query!(
                "update message set parent = ? where chat_id = ? and parent = ?",
                row.parent,
                row.chat_id,
                row.id
            )
            .execute(self.tx())
            .await
            .doing(ACTION)?;
            delete(self.tx(), &row.id).await.doing(ACTION)?;
        }
        Ok(rows.len() as u64)
    }
}

/// Deletes a message, and the pages that only it referred to.
async fn delete(tx: &mut SqliteConnection, id: &str) -> Result<(), sqlx::Error> {
    let pages = pages::ids_of_message(tx, id).await?;
    sqlx::query!("delete from message where id = ?", id)
        .execute(&mut *tx)
        .await?;
    pages::delete_unused(tx, &pages).await
}
