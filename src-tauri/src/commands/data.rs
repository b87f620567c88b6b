//! The data folder: what is in it, backups, whether all is well.

use deepsearch_app::{App, Backup, DataFolder, Finding};
use deepsearch_core::Failure;
use tauri::{AppHandle, State};
use tauri_plugin_opener::OpenerExt;

use super::told;
use crate::start;
use crate::windows::shell_failure;

/// Looks at everything that answering needs.
#[tauri::command]
#[specta::specta]
pub(crate) async fn examine(app: State<'_, App>) -> Result<Vec<Finding>, Failure> {
    told(async { Ok::<_, Failure>(app.examine().await) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn data_folder(app: State<'_, App>) -> Result<DataFolder, Failure> {
    told(app.data_folder()).await
}

/// Shows the data folder in the system's file manager.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_data_folder(window: AppHandle, app: State<'_, App>) -> Result<(), Failure> {
    told(async {
        let folder = app.config().home.to_string_lossy().into_owned();
        let opened = window.opener().open_path(folder, None::<&str>);
        opened.map_err(|error| shell_failure(&error))
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_backups(app: State<'_, App>) -> Result<Vec<Backup>, Failure> {
    told(async { deepsearch_app::list_backups(app.config()) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn create_backup(app: State<'_, App>) -> Result<Backup, Failure> {
    told(app.create_backup()).await
}

/// Puts a backup in the place of the store; what was there is backed up first. The app starts again with it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn restore_backup(window: AppHandle, app: State<'_, App>, name: String) -> Result<(), Failure> {
    told(async {
        // Nothing is closed for a backup that is not there, or is none.
        deepsearch_app::check_backup(app.config(), &name).await?;
        app.close().await;
        let restored = deepsearch_app::restore_backup(app.config(), &name).await;
        if let Err(error) = &restored {
            tracing::error!(%error, "the backup was not restored");
        }
        // Restored or not, the store is closed now: only a new start opens it again.
        start::again(&window);
        restored.map(drop)
    })
    .await
}
