//! Tags of chats: any number a chat, and each is there while a chat has it. Sync takes them along with the chat.

use std::collections::BTreeMap;

use deepsearch_core::collection::{TAGS_OF_A_CHAT, name_key, valid_name};
use deepsearch_core::validate::Invalid;
use deepsearch_core::{ChatId, CollectionId};
use serde::{Deserialize, Serialize};
use sqlx::{SqliteConnection, SqlitePool};

use crate::error::{Doing, StoreError};
use crate::messages::write_json;
use crate::store::Store;

/// As many as can be shown and chosen from.
const MOST: u32 = 500;

/// A tag, as the list of them shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Tag {
    /// As it was written first.
    pub name: String,
    /// How many chats have it, without those in Trash.
    pub chats: u32,
}

/// How one chat is sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct ChatLabels {
    pub chat: ChatId,
    pub collection: Option<CollectionId>,
    /// By name.
    pub tags: Vec<String>,
}

impl Store {
    /// All tags, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_tags(&self) -> Result<Vec<Tag>, StoreError> {
        let rows = sqlx::query!(
            r#"select name, (select count(*) from chat_tag join chat on chat.id = chat_id
                where tag_id = tag.id and deleted_at is null) as "chats!: u32"
            from tag order by name_key"#
        )
        .fetch_all(self.readers())
        .await
        .doing("list the tags")?;
        let tags = rows.into_iter().map(|row| Tag {
            name: row.name,
            chats: row.chats,
        });
        Ok(tags.collect())
    }

    /// How these chats are sorted; those that are in no collection and have no tag are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_labels(&self, chats: &[ChatId]) -> Result<Vec<ChatLabels>, StoreError> {
        const ACTION: &str = "look up how the chats are sorted";
        let ids = write_json(&chats).doing(ACTION)?;
        let rows = sqlx::query!(
            r#"select chat.id as "id!", collection, tag.name as "tag?"
            from chat left join chat_tag on chat_id = chat.id left join tag on tag.id = tag_id
            where chat.id in (select value from json_each(?)) and (collection is not null or tag_id is not null)
            order by tag.name_key"#,
            ids
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        let mut sorted: BTreeMap<String, ChatLabels> = BTreeMap::new();
        for row in rows {
            let chat = ChatId::from_stored(row.id.clone());
            let labels = sorted.entry(row.id).or_insert_with(|| ChatLabels {
                chat,
                collection: row.collection.map(CollectionId::from_stored),
                tags: Vec::new(),
            });
            labels.tags.extend(row.tag);
        }
        Ok(sorted.into_values().collect())
    }
}

/// The number of a tag, in whatever case it is written.
pub(crate) async fn number_of(name: &str, readers: &SqlitePool) -> Result<Option<i64>, sqlx::Error> {
    let key = name_key(name);
    sqlx::query_scalar!("select id from tag where name_key = ?", key)
        .fetch_optional(readers)
        .await
}

/// A tag's name as it may be given.
pub(crate) fn valid_tag(name: &str) -> Result<String, Invalid> {
    valid_name("the tag", name)
}

/// Gives a chat a tag, or takes it away. Tells the tag as it was spelled until then, which undoes it; `None` where it was so
/// already.
pub(crate) async fn tag_chat(
    tx: &mut SqliteConnection,
    chat: &ChatId,
    name: &str,
    on: bool,
    action: &'static str,
) -> Result<Option<String>, StoreError> {
    let (chat, key) = (chat.as_str(), name_key(name));
    let had = sqlx::query_scalar!(
        "select name from tag join chat_tag on tag_id = tag.id where name_key = ? and chat_id = ?",
        key,
        chat
    )
    .fetch_optional(&mut *tx)
    .await
    .doing(action)?;
    if had.is_some() == on {
        return Ok(None);
    }
    if on {
        make_room(tx, chat, &key, action).await?;
        sqlx::query!(
            "insert into tag (name, name_key) values (?, ?) on conflict (name_key) do nothing",
            name,
            key
        )
        .execute(&mut *tx)
        .await
        .doing(action)?;
        sqlx::query!(
            "insert into chat_tag (chat_id, tag_id) select ?, id from tag where name_key = ?",
            chat,
            key
        )
        .execute(&mut *tx)
        .await
        .doing(action)?;
    } else {
        sqlx::query!(
            "delete from chat_tag where chat_id = ? and tag_id = (select id from tag where name_key = ?)",
            chat,
            key
        )
        .execute(&mut *tx)
        .await
        .doing(action)?;
    }
    Ok(Some(had.unwrap_or_else(|| name.to_owned())))
}

async fn make_room(tx: &mut SqliteConnection, chat: &str, key: &str, action: &'static str) -> Result<(), StoreError> {
    match what_is_full(tx, chat, key).await.doing(action)? {
        None => Ok(()),
        Some(full) => Err(StoreError::Invalid(full)),
    }
}

/// What has no room for one more tag of a chat; `None` where there is room.
pub(crate) async fn what_is_full(
    tx: &mut SqliteConnection,
    chat: &str,
    key: &str,
) -> Result<Option<Invalid>, sqlx::Error> {
    let of_chat = sqlx::query_scalar!("select count(*) from chat_tag where chat_id = ?", chat)
        .fetch_one(&mut *tx)
        .await?;
    let others = sqlx::query_scalar!("select count(*) from tag where name_key <> ?", key)
        .fetch_one(&mut *tx)
        .await?;
    let full = [(of_chat, TAGS_OF_A_CHAT, "tags of one chat"), (others, MOST, "tags")]
        .into_iter()
        .find(|(count, limit, _)| *count >= i64::from(*limit));
    Ok(full.map(|(_, limit, field)| Invalid::TooMany { field, limit }))
}
