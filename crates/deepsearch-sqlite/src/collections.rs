//! Collections of chats: each chat is in one or in none. Sync takes a chat's along with it by name; one without chats, and
//! the order that they have, stay on this device.

use chrono::{DateTime, Utc};
use deepsearch_core::CollectionId;
use deepsearch_core::collection::{name_key, valid_name};
use deepsearch_core::validate::Invalid;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::store::Store;

/// As many as a person can still look through.
const MOST: u32 = 200;
const FIELD: &str = "the collection's name";

/// A collection, as the list of them shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Collection {
    pub id: CollectionId,
    pub name: String,
    /// How many chats are in it, without those in the archive and in Trash.
    pub chats: u32,
}

impl Store {
    /// All collections, in the person's own order.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_collections(&self) -> Result<Vec<Collection>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, name, (select count(*) from chat where chat.collection = collection.id
                and deleted_at is null and archived = 0) as "chats!: u32"
            from collection order by position, id"#
        )
        .fetch_all(self.readers())
        .await
        .doing("list the collections")?;
        let collections = rows.into_iter().map(|row| Collection {
            id: CollectionId::from_stored(row.id),
            name: row.name,
            chats: row.chats,
        });
        Ok(collections.collect())
    }

    /// The collection with this id or this name, in whatever case it is written.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn find_collection(&self, id_or_name: &str) -> Result<Option<Collection>, StoreError> {
        let key = name_key(id_or_name);
        let mut all = self.list_collections().await?;
        let by_id = all.iter().position(|each| each.id.as_str() == id_or_name);
        let place = by_id.or_else(|| all.iter().position(|each| name_key(&each.name) == key));
        Ok(place.map(|place| all.swap_remove(place)))
    }

    /// Makes a collection, behind the others.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that cannot be given or that another has, and when there are enough.
    pub async fn add_collection(&self, name: &str) -> Result<Collection, StoreError> {
        const ACTION: &str = "make the collection";
        let name = valid_name(FIELD, name)?;
        let mut tx = self.begin(ACTION).await?;
        if is_full(&mut tx).await.doing(ACTION)? {
            return Err(StoreError::Invalid(Invalid::TooMany {
                field: "collections",
                limit: MOST,
            }));
        }
        refuse_taken(&mut tx, &name, "").await?;
        let id = insert(&mut tx, &name, self.now()).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(Collection { id, name, chats: 0 })
    }

    /// Gives a collection another name.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that cannot be given or that another has, [`StoreError::NotFound`] for an
    /// unknown collection.
    pub async fn rename_collection(&self, id: &CollectionId, name: &str) -> Result<(), StoreError> {
        const ACTION: &str = "rename the collection";
        let name = valid_name(FIELD, name)?;
        let (id_text, key) = (id.as_str(), name_key(&name));
        let mut tx = self.begin(ACTION).await?;
        refuse_taken(&mut tx, &name, id_text).await?;
        let renamed = sqlx::query!(
            "update collection set name = ?, name_key = ? where id = ?",
            name,
            key,
            id_text
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        if renamed.rows_affected() == 0 {
            return Err(not_found(id));
        }
        queue_chats(&mut tx, id_text, self.now()).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Puts a collection at a place of the list, which counts from 0; one behind the last is the last.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown collection.
    pub async fn order_collection(&self, id: &CollectionId, place: u32) -> Result<(), StoreError> {
        const ACTION: &str = "order the collections";
        let mut tx = self.begin(ACTION).await?;
        let mut ids = sqlx::query_scalar!("select id from collection order by position, id")
            .fetch_all(&mut *tx)
            .await
            .doing(ACTION)?;
        let from = ids.iter().position(|each| each == id.as_str());
        let moved = ids.remove(from.ok_or_else(|| not_found(id))?);
        ids.insert(ids.len().min(place as usize), moved);
        for (position, id) in (1_i64..).zip(&ids) {
            sqlx::query!("update collection set position = ? where id = ?", position, id)
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
        }
        tx.commit().await.doing(ACTION)
    }

    /// Deletes a collection; its chats stay, and are in none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown collection.
    pub async fn delete_collection(&self, id: &CollectionId) -> Result<(), StoreError> {
        const ACTION: &str = "delete the collection";
        let key = id.as_str();
        let mut tx = self.begin(ACTION).await?;
        queue_chats(&mut tx, key, self.now()).await.doing(ACTION)?;
        let deleted = sqlx::query!("delete from collection where id = ?", key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        if deleted.rows_affected() == 0 {
            return Err(not_found(id));
        }
        tx.commit().await.doing(ACTION)
    }
}

pub(crate) fn not_found(id: &CollectionId) -> StoreError {
    StoreError::NotFound {
        what: "collection",
        id: id.to_string(),
    }
}

/// Whether there is such a collection, as a transaction sees it.
pub(crate) async fn exists(tx: &mut SqliteConnection, id: &CollectionId) -> Result<bool, sqlx::Error> {
    let id = id.as_str();
    let found = sqlx::query_scalar!("select 1 from collection where id = ?", id)
        .fetch_optional(tx)
        .await?;
    Ok(found.is_some())
}

/// The collection of a name, made behind the others where there is none; `None` where there is no room for it.
pub(crate) async fn find_or_make(
    tx: &mut SqliteConnection,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<CollectionId>, sqlx::Error> {
    let key = name_key(name);
    let found = sqlx::query_scalar!("select id from collection where name_key = ?", key)
        .fetch_optional(&mut *tx)
        .await?;
    match found {
        Some(id) => Ok(Some(CollectionId::from_stored(id))),
        None if is_full(tx).await? => Ok(None),
        None => insert(tx, name, now).await.map(Some),
    }
}

async fn is_full(tx: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let count = sqlx::query_scalar!("select count(*) from collection")
        .fetch_one(tx)
        .await?;
    Ok(count >= i64::from(MOST))
}

async fn insert(tx: &mut SqliteConnection, name: &str, now: DateTime<Utc>) -> Result<CollectionId, sqlx::Error> {
    let (id, key, now) = (CollectionId::new(), name_key(name), now.timestamp_millis());
    let id_text = id.as_str();
    sqlx::query!(
        "insert into collection (id, name, name_key, position, created_at)
         values (?, ?, ?, (select coalesce(max(position), 0) + 1 from collection), ?)",
        id_text,
        name,
        key,
        now
    )
    .execute(tx)
    .await?;
    Ok(id)
}

/// Notes all chats of a collection as changed.
async fn queue_chats(tx: &mut SqliteConnection, id: &str, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let now = now.timestamp_millis();
    sqlx::query!(
        "replace into outbox (entity, entity_id, operation, changed_at)
         select 'chat', id, 'upsert', ? from chat where collection = ?",
        now,
        id
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn refuse_taken(tx: &mut SqliteConnection, name: &str, own: &str) -> Result<(), StoreError> {
    let key = name_key(name);
    let taken = sqlx::query_scalar!("select name from collection where name_key = ? and id <> ?", key, own)
        .fetch_optional(tx)
        .await
        .doing("look for a collection of that name")?;
    match taken {
        Some(value) => Err(StoreError::Invalid(Invalid::Taken {
            field: "a collection",
            value,
        })),
        None => Ok(()),
    }
}
