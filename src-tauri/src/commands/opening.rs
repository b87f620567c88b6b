//! The window of a start that takes its time or came to nothing. There is no app yet to ask anything of.

use deepsearch_core::{ErrorCode, Failure};
use tauri::AppHandle;
use tauri_plugin_opener::OpenerExt;

use super::told;
use crate::opening::{self, Opening};
use crate::start;
use crate::windows::shell_failure;

/// How far it is; what becomes of it is told as it comes.
#[tauri::command]
#[specta::specta]
pub(crate) async fn current_opening(window: AppHandle) -> Result<Opening, Failure> {
    told(async { Ok::<_, Failure>(opening::current(&window)) }).await
}

/// Opens the store once more, where that has failed.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_again(window: AppHandle) -> Result<(), Failure> {
    told(async {
        start::on_main_thread(&window, opening::try_again);
        Ok::<_, Failure>(())
    })
    .await
}

/// Shows the data folder in the system's file manager.
#[tauri::command]
#[specta::specta]
pub(crate) async fn show_data_folder(window: AppHandle) -> Result<(), Failure> {
    told(async {
        let folder = opening::folder()
            .ok_or_else(|| Failure::new(ErrorCode::NotFound, "The data folder is not there any more."))?;
        let opened = window.opener().open_path(folder.to_string_lossy(), None::<&str>);
        opened.map_err(|error| shell_failure(&error))
    })
    .await
}
