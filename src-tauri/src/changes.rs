//! What changed, told to every window and to the tray.

use deepsearch_app::{App, Change};
use deepsearch_core::ChatId;
use tauri::AppHandle;
use tauri_specta::Event;
use tokio::sync::broadcast::error::RecvError;

use crate::commands::{AccountChanged, LibraryChanged, SettingsChanged, SyncChanged};
use crate::{tray, windows};

/// Passes on what the app tells of itself, for as long as it runs.
pub(crate) fn forward(handle: &AppHandle, app: &App) {
    let (handle, mut changes) = (handle.clone(), app.changes());
    tauri::async_runtime::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(Change::Library { chats }) => tell_library(&handle, chats),
                Ok(Change::Settings { keys }) => {
                    tell(SettingsChanged { keys }.emit(&handle));
                    tray::refresh(&handle);
                    windows::name_quick_ask(&handle);
                }
                Ok(Change::Sync) => tell(SyncChanged.emit(&handle)),
                Ok(Change::Account) => tell(AccountChanged.emit(&handle)),
                // Too many at once: everything may have changed.
                Err(RecvError::Lagged(_)) => {
                    tell_library(&handle, Vec::new());
                    tell(AccountChanged.emit(&handle));
                    tell(SyncChanged.emit(&handle));
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

/// Tells that these chats changed; none named is all.
pub(crate) fn tell_library(handle: &AppHandle, chats: Vec<ChatId>) {
    tell(LibraryChanged { chats }.emit(handle));
    tray::refresh(handle);
}

fn tell(told: tauri::Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "the windows were not told of a change");
    }
}
