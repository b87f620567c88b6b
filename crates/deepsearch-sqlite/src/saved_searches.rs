//! Saved searches: words and a filter under a name, to be asked again. They are this device's own.

use deepsearch_core::SavedSearchId;
use deepsearch_core::collection::{name_key, valid_name};
use deepsearch_core::validate::{Invalid, chars_between};
use serde::{Deserialize, Serialize};

use crate::error::{Doing, StoreError};
use crate::history::HistoryFilter;
use crate::messages::write_json;
use crate::store::Store;

const MOST: u32 = 100;
/// Longest text of one, in code points.
const TEXT_LIMIT: usize = 1_000;
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

/// What is asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SavedQuery {
    pub text: String,
    pub filter: HistoryFilter,
    /// Only the last so many days, today included, whenever it is asked; then the filter names no times.
    pub days: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SavedSearch {
    pub id: SavedSearchId,
    pub name: String,
    pub query: SavedQuery,
}

impl Store {
    /// All saved searches, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        let rows = sqlx::query!("select id, name, query from saved_search order by name_key")
            .fetch_all(self.readers())
            .await
            .doing("list the saved searches")?;
        // One that a newer version wrote in another form is none that this version can ask.
        let searches = rows.into_iter().filter_map(|row| {
            Some(SavedSearch {
                id: SavedSearchId::from_stored(row.id),
                name: row.name,
                query: serde_json::from_str(&row.query).ok()?,
            })
        });
        Ok(searches.collect())
    }

    /// The saved search with this id or this name, in whatever case it is written.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn find_saved_search(&self, id_or_name: &str) -> Result<Option<SavedSearch>, StoreError> {
        let key = name_key(id_or_name);
        let mut all = self.list_saved_searches().await?;
        let by_id = all.iter().position(|each| each.id.as_str() == id_or_name);
        let place = by_id.or_else(|| all.iter().position(|each| name_key(&each.name) == key));
        Ok(place.map(|place| all.swap_remove(place)))
    }

    /// Keeps a search under a name, in place of the one that had it.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name or words that cannot be kept, and when there are enough.
    pub async fn save_search(&self, name: &str, query: &SavedQuery) -> Result<SavedSearch, StoreError> {
        const ACTION: &str = "keep the search";
        let name = valid_name("the search's name", name)?;
        let query = SavedQuery {
            text: query.text.trim().to_owned(),
            days: query.days.map(|days| days.clamp(1, MOST_DAYS)),
            ..query.clone()
        };
        chars_between("the search", &query.text, 1, TEXT_LIMIT)?;
        let (json, key, now) = (
            write_json(&query).doing(ACTION)?,
            name_key(&name),
            self.now().timestamp_millis(),
        );
        let mut tx = self.begin(ACTION).await?;
        let others = sqlx::query_scalar!("select count(*) from saved_search where name_key <> ?", key)
            .fetch_one(&mut *tx)
            .await
            .doing(ACTION)?;
        if others >= i64::from(MOST) {
            return Err(StoreError::Invalid(Invalid::TooMany {
                field: "saved searches",
                limit: MOST,
            }));
        }
        let new = SavedSearchId::new();
        let new = new.as_str();
        let id = sqlx::query_scalar!(
            r#"insert into saved_search (id, name, name_key, query, created_at) values (?, ?, ?, ?, ?)
            on conflict (name_key) do update set name = excluded.name, query = excluded.query returning id as "id!""#,
            new,
            name,
            key,
            json,
            now
        )
        .fetch_one(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(SavedSearch {
            id: SavedSearchId::from_stored(id),
            name,
            query,
        })
    }

    /// # Errors
    /// [`StoreError::NotFound`] for an unknown search.
    pub async fn delete_saved_search(&self, id: &SavedSearchId) -> Result<(), StoreError> {
        const ACTION: &str = "forget the search";
        let key = id.as_str();
        let mut tx = self.begin(ACTION).await?;
        let deleted = sqlx::query!("delete from saved_search where id = ?", key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        if deleted.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: "saved search",
                id: id.to_string(),
            });
        }
        tx.commit().await.doing(ACTION)
    }
}
