//! How chats are sorted: collections, tags and saved searches, and one change to many chats with what undoes it.

use deepsearch_app::{
    App, Before, BulkChange, BulkDone, ChatCursor, ChatFilter, ChatLabels, Collection, SavedQuery, SavedSearch, Tag,
};
use deepsearch_core::{Chat, ChatId, CollectionId, Failure, SavedSearchId};
use serde::Serialize;
use tauri::{AppHandle, State};

use super::chats::{MOST, tell};
use super::told;

/// All that chats are sorted by.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub(crate) struct Sorting {
    collections: Vec<Collection>,
    tags: Vec<Tag>,
    searches: Vec<SavedSearch>,
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn sorting(app: State<'_, App>) -> Result<Sorting, Failure> {
    told(async {
        let store = app.store();
        Ok::<_, Failure>(Sorting {
            collections: store.list_collections().await?,
            tags: store.list_tags().await?,
            searches: store.list_saved_searches().await?,
        })
    })
    .await
}

/// The chats of a collection, or with a tag.
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_sorted_chats(
    app: State<'_, App>,
    filter: ChatFilter,
    after: Option<ChatCursor>,
    limit: u32,
) -> Result<Vec<Chat>, Failure> {
    told(app.store().list_chats(filter, after.as_ref(), limit.min(MOST))).await
}

/// How these chats are sorted; those that are not are left out. At most as many as a list gives at once.
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_labels(app: State<'_, App>, mut chats: Vec<ChatId>) -> Result<Vec<ChatLabels>, Failure> {
    chats.truncate(MOST as usize);
    told(app.store().list_labels(&chats)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn add_collection(
    window: AppHandle,
    app: State<'_, App>,
    name: String,
) -> Result<Collection, Failure> {
    told(app.store().add_collection(&name))
        .await
        .inspect(|_| tell(&window, Vec::new()))
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn rename_collection(
    window: AppHandle,
    app: State<'_, App>,
    collection: CollectionId,
    name: String,
) -> Result<(), Failure> {
    told(app.store().rename_collection(&collection, &name))
        .await
        .inspect(|()| tell(&window, Vec::new()))
}

/// Puts a collection at a place of the list, which counts from 0.
#[tauri::command]
#[specta::specta]
pub(crate) async fn order_collection(
    window: AppHandle,
    app: State<'_, App>,
    collection: CollectionId,
    place: u32,
) -> Result<(), Failure> {
    told(app.store().order_collection(&collection, place))
        .await
        .inspect(|()| tell(&window, Vec::new()))
}

/// Its chats stay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn delete_collection(
    window: AppHandle,
    app: State<'_, App>,
    collection: CollectionId,
) -> Result<(), Failure> {
    told(app.store().delete_collection(&collection))
        .await
        .inspect(|()| tell(&window, Vec::new()))
}

/// One change to many chats, all of it or nothing; what is given back undoes it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn change_chats(
    window: AppHandle,
    app: State<'_, App>,
    chats: Vec<ChatId>,
    change: BulkChange,
) -> Result<BulkDone, Failure> {
    told(app.store().change_chats(&chats, &change))
        .await
        .inspect(|done| tell_done(&window, done))
}

/// Makes chats what they were before a change.
#[tauri::command]
#[specta::specta]
pub(crate) async fn undo_change(
    window: AppHandle,
    app: State<'_, App>,
    undo: Vec<Before>,
) -> Result<BulkDone, Failure> {
    told(app.store().undo_bulk(undo))
        .await
        .inspect(|done| tell_done(&window, done))
}

/// Keeps a search under a name, in place of the one that had it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_search(
    window: AppHandle,
    app: State<'_, App>,
    name: String,
    query: SavedQuery,
) -> Result<SavedSearch, Failure> {
    told(app.store().save_search(&name, &query))
        .await
        .inspect(|_| tell(&window, Vec::new()))
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn delete_saved_search(
    window: AppHandle,
    app: State<'_, App>,
    search: SavedSearchId,
) -> Result<(), Failure> {
    told(app.store().delete_saved_search(&search))
        .await
        .inspect(|()| tell(&window, Vec::new()))
}

/// None named would be all of them, so where nothing changed nothing is told.
fn tell_done(window: &AppHandle, done: &BulkDone) {
    if !done.changed.is_empty() {
        tell(window, done.changed.iter().map(|chat| chat.id.clone()).collect());
    }
}
