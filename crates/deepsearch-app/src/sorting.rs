//! Collections and tags as a person names them; where there is none of a name, those that there are are told.

use deepsearch_core::collection::name_key;
use deepsearch_sqlite::{Collection, Tag};

use crate::app::App;
use crate::error::AppError;

impl App {
    /// The collection with this name or id.
    ///
    /// # Errors
    /// [`AppError::NotNamed`] where there is none, with the names of those that there are.
    pub async fn collection_named(&self, name: &str) -> Result<Collection, AppError> {
        match self.store().find_collection(name).await? {
            Some(found) => Ok(found),
            None => {
                let all = self.store().list_collections().await?;
                Err(not_named("collection", name, all.into_iter().map(|each| each.name)))
            }
        }
    }

    /// The tag of this name, as it is written.
    ///
    /// # Errors
    /// [`AppError::NotNamed`] where there is none, with the names of those that there are.
    pub async fn tag_named(&self, name: &str) -> Result<Tag, AppError> {
        let (mut all, key) = (self.store().list_tags().await?, name_key(name));
        match all.iter().position(|each| name_key(&each.name) == key) {
            Some(place) => Ok(all.swap_remove(place)),
            None => Err(not_named("tag", name, all.into_iter().map(|each| each.name))),
        }
    }
}

fn not_named(what: &'static str, name: &str, names: impl Iterator<Item = String>) -> AppError {
    AppError::NotNamed {
        what,
        name: name.chars().take(100).collect(),
        names: names.collect(),
    }
}
