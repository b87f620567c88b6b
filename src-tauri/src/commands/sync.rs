//! Sync: how it stands, and what a person decides of it.

use deepsearch_app::{App, SyncConflict, SyncStatus};
use deepsearch_core::Failure;
use serde::{Deserialize, Serialize};
use tauri::State;
use tauri_specta::Event;

use super::told;

/// What sync does, or what waits for it, is another now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type, Event)]
pub(crate) struct SyncChanged;

/// More than a person reads.
const SHOWN: u32 = 200;

#[tauri::command]
#[specta::specta]
pub(crate) async fn sync_status(app: State<'_, App>) -> Result<SyncStatus, Failure> {
    told(app.sync_status()).await
}

/// Brings and sends now, what the server refused before once more, and says how it went.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sync_now(app: State<'_, App>) -> Result<SyncStatus, Failure> {
    told(async {
        app.retry_sync().await?;
        app.sync_now().await
    })
    .await
}

/// Changes that lost against another device's, newest first.
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_conflicts(app: State<'_, App>) -> Result<Vec<SyncConflict>, Failure> {
    told(app.list_sync_conflicts(SHOWN)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn forget_conflict(app: State<'_, App>, id: i32) -> Result<(), Failure> {
    told(app.delete_sync_conflict(id)).await
}

/// Hands all of them over, or keeps all of them here. Says how many.
#[tauri::command]
#[specta::specta]
pub(crate) async fn decide_chat_offers(app: State<'_, App>, accept: bool) -> Result<u32, Failure> {
    told(async {
        if accept {
            app.accept_chat_offers(None).await
        } else {
            app.decline_chat_offers(None).await
        }
    })
    .await
}
