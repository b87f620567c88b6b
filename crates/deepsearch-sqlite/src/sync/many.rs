//! Many chats at once: most of a first pull is new, and most of what comes again is as it was.

use std::collections::HashSet;

use deepsearch_core::ChatId;
use deepsearch_core::sync::ChatRow;
use serde::Serialize;

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::messages::write_json;

/// Chats of the server that need no look at what is here. The others do.
#[derive(Debug, Default)]
pub struct PlainChats {
    /// Nothing here is of them.
    pub new: HashSet<ChatId>,
    /// Both sides are as the server's row, and nothing of them waits.
    pub same: HashSet<ChatId>,
}

/// A row as it is in the tables.
#[derive(Serialize)]
struct NewChat<'a> {
    id: &'a str,
    title: &'a str,
    created_at: i64,
    updated_at: i64,
    deleted_at: Option<i64>,
}

fn as_stored<'a>(rows: impl IntoIterator<Item = &'a ChatRow>) -> Vec<NewChat<'a>> {
    let stored = rows.into_iter().map(|row| NewChat {
        id: row.id.as_str(),
        title: &row.title,
        created_at: row.created_at.timestamp_millis(),
        updated_at: row.updated_at.timestamp_millis(),
        deleted_at: row.deleted_at.map(|at| at.timestamp_millis()),
    });
    stored.collect()
}

impl SyncTx {
    /// Finds out at once which of these chats are plain.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn plain_chats(&mut self, rows: &[&ChatRow]) -> Result<PlainChats, StoreError> {
        const ACTION: &str = "look up chats to sync";
        let mut plain = PlainChats::default();
        if rows.is_empty() {
            return Ok(plain);
        }
        let rows = write_json(&as_stored(rows.iter().copied())).doing(ACTION)?;
        let found = sqlx::query!(
            r#"select row.id as "id!: String", chat.id is null as "is_new!: bool"
            from (select value ->> 'id' as id, value ->> 'title' as title, value ->> 'created_at' as created_at,
                    value ->> 'updated_at' as updated_at, value ->> 'deleted_at' as deleted_at from json_each(?)) as row
            left join chat on chat.id = row.id left join sync_chat as base on base.chat_id = row.id
            where not exists (select 1 from outbox where entity = 'chat' and entity_id = row.id)
                and not exists (select 1 from sync_early where chat_id = row.id)
                and (chat.id is null or (
                    (chat.title, chat.created_at, chat.updated_at) = (row.title, row.created_at, row.updated_at)
                    and (base.title, base.created_at, base.updated_at) = (row.title, row.created_at, row.updated_at)
                    and chat.deleted_at is row.deleted_at and base.deleted_at is row.deleted_at
                    and not exists (select 1 from sync_offer where chat_id = row.id)))"#,
            rows
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        for row in found {
            let of = if row.is_new { &mut plain.new } else { &mut plain.same };
            of.insert(ChatId::from_stored(row.id));
        }
        Ok(plain)
    }

    /// Adds chats that are not here, and notes that both sides have them so.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn add_chats(&mut self, rows: &[ChatRow]) -> Result<(), StoreError> {
        const ACTION: &str = "keep synced chats";
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            self.brought.chat(&row.id);
        }
        let rows = write_json(&as_stored(rows)).doing(ACTION)?;
        sqlx::query!(
            "insert into chat (id, title, created_at, updated_at, deleted_at)
             select value ->> 'id', value ->> 'title', value ->> 'created_at', value ->> 'updated_at',
                value ->> 'deleted_at' from json_each(?) order by key",
            rows
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        sqlx::query!(
            "insert into sync_chat (chat_id, title, created_at, updated_at, deleted_at)
             select value ->> 'id', value ->> 'title', value ->> 'created_at', value ->> 'updated_at',
                value ->> 'deleted_at' from json_each(?)",
            rows
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }
}
