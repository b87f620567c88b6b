//! The person's own folders, and files that they hand over. A window names no path of its own: folders and files are chosen
//! in the system's dialog or dropped, and are known to the window by address from then on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use deepsearch_app::{App, AttachedFile, FolderList, FolderProblem, FolderStanding, OfferedFolder};
use deepsearch_core::{ErrorCode, Failure};
use serde::Serialize;
use tauri::{AppHandle, DragDropEvent, Manager, State, WebviewWindow, WindowEvent};
use tauri_plugin_dialog::{DialogExt, FilePath};
use tauri_plugin_opener::OpenerExt;
use tauri_specta::Event;
use tokio::sync::oneshot;
use url::Url;

use super::told;
use crate::windows::shell_failure;

/// Files that one question may bring, and folders that are offered at once.
const MOST: usize = 8;

/// Files were dropped on the window.
#[derive(Debug, Clone, Serialize, serde::Deserialize, specta::Type, Event)]
pub(crate) struct FilesDropped {
    files: Vec<AttachedFile>,
}

/// Folders were dropped on the window; nothing is done with them yet.
#[derive(Debug, Clone, Serialize, serde::Deserialize, specta::Type, Event)]
pub(crate) struct FoldersDropped {
    folders: Vec<OfferedFolder>,
}

/// The folders that were dropped on each window last and can be added.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<HashMap<String, Vec<PathBuf>>>);

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_folders(app: State<'_, App>) -> Result<FolderList, Failure> {
    told(app.folders()).await
}

/// Asks which folder, and searches in it from now on. `None` when the person called it off.
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_folder(window: AppHandle, app: State<'_, App>) -> Result<Option<FolderList>, Failure> {
    told(async {
        let (answer, chosen) = oneshot::channel();
        window.dialog().file().pick_folder(move |folder| {
            let _ = answer.send(folder);
        });
        match chosen.await.ok().flatten().and_then(|folder| folder.into_path().ok()) {
            Some(folder) => Ok::<_, Failure>(Some(app.add_folder(&folder).await?)),
            None => Ok(None),
        }
    })
    .await
}

/// Searches from now on in the folders that were dropped on this window last.
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_dropped_folders(
    window: WebviewWindow,
    app: State<'_, App>,
    offered: State<'_, Offered>,
) -> Result<FolderList, Failure> {
    let paths = {
        let offered = offered.0.lock().unwrap_or_else(PoisonError::into_inner);
        offered.get(window.label()).cloned().unwrap_or_default()
    };
    told(async {
        for path in &paths {
            // One of them may lie in another that was dropped with it.
            if matches!(app.offered_folder(path).await?.standing, FolderStanding::New { .. }) {
                app.add_folder(path).await?;
            }
        }
        // Once added they are offered no more; what failed can be tried again.
        offered
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(window.label());
        app.folders().await
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_folder(app: State<'_, App>, path: String) -> Result<FolderList, Failure> {
    told(app.remove_folder(Path::new(&path))).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pause_folders(app: State<'_, App>, paused: bool) -> Result<FolderList, Failure> {
    told(app.pause_folders(paused)).await
}

/// Files that could not be read, by path, after one.
#[tauri::command]
#[specta::specta]
pub(crate) async fn folder_problems(
    app: State<'_, App>,
    after: String,
    limit: u32,
) -> Result<Vec<FolderProblem>, Failure> {
    told(app.folder_problems(&after, limit)).await
}

/// Asks which files a question is to rest on. None when the person called it off.
#[tauri::command]
#[specta::specta]
pub(crate) async fn choose_files(window: AppHandle, app: State<'_, App>) -> Result<Vec<AttachedFile>, Failure> {
    told(async {
        let (answer, chosen) = oneshot::channel();
        window.dialog().file().pick_files(move |files| {
            let _ = answer.send(files);
        });
        let chosen = chosen.await.ok().flatten().unwrap_or_default();
        let paths = chosen.into_iter().filter_map(|file: FilePath| file.into_path().ok());
        Ok::<_, Failure>(attach(&app, paths).await)
    })
    .await
}

/// Opens the file that a page was read from, in the program that the system has for it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_file(window: AppHandle, app: State<'_, App>, url: String) -> Result<(), Failure> {
    told(async {
        let path = file_of(&app, &url).await?;
        let opener = window.opener();
        // A program or a script must not be started by a click on a citation: it is shown where it lies.
        let opened = if is_document(&path) {
            opener.open_path(path.to_string_lossy(), None::<&str>)
        } else {
            opener.reveal_item_in_dir(&path)
        };
        opened.map_err(|error| shell_failure(&error))
    })
    .await
}

/// Where a file lies that a window knows by its address.
pub(super) async fn file_of(app: &App, url: &str) -> Result<PathBuf, Failure> {
    let unknown = |_| Failure::new(ErrorCode::NotFound, "This is no file that DeepSearch knows.");
    Ok(app.file_of(&Url::parse(url).map_err(unknown)?).await?)
}

/// Whether opening a file only shows it, on every system.
fn is_document(path: &Path) -> bool {
    const SHOWN: &[&str] = &[
        "md", "markdown", "txt", "pdf", "docx", "odt", "pptx", "odp", "xlsx", "ods", "csv", "rst", "tex", "log",
    ];
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| SHOWN.contains(&ending.to_ascii_lowercase().as_str())) && !is_executable(path)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    false
}

/// Tells a window of the files and folders that are dropped on it.
pub(crate) fn take_drops(window: &WebviewWindow) {
    let dropped_on = window.clone();
    window.on_window_event(move |event| {
        let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event else {
            return;
        };
        let (window, paths) = (dropped_on.clone(), paths.clone());
        tauri::async_runtime::spawn(async move {
            let app = window.state::<App>().inner().clone();
            let folders: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
            offer(&window, &app, folders).await;
            let files = attach(&app, paths.into_iter()).await;
            if !files.is_empty()
                && let Err(error) = (FilesDropped { files }).emit_to(&window, window.label())
            {
                tracing::warn!(%error, "the window was not told of dropped files");
            }
        });
    });
}

async fn offer(window: &WebviewWindow, app: &App, dropped: Vec<PathBuf>) {
    let (mut folders, mut fresh) = (Vec::new(), Vec::new());
    for path in dropped.into_iter().take(MOST) {
        match app.offered_folder(&path).await {
            Ok(folder) => {
                if matches!(folder.standing, FolderStanding::New { .. }) {
                    fresh.push(path);
                }
                folders.push(folder);
            }
            Err(error) => tracing::warn!(%error, "a folder cannot be offered"),
        }
    }
    if folders.is_empty() {
        return;
    }
    let offered = window.state::<Offered>();
    let mut offered = offered.0.lock().unwrap_or_else(PoisonError::into_inner);
    offered.insert(window.label().to_owned(), fresh);
    drop(offered);
    if let Err(error) = (FoldersDropped { folders }).emit_to(window, window.label()) {
        tracing::warn!(%error, "the window was not told of dropped folders");
    }
}

async fn attach(app: &App, paths: impl Iterator<Item = PathBuf>) -> Vec<AttachedFile> {
    let mut files = Vec::new();
    for path in paths.filter(|path| path.is_file()).take(MOST) {
        match app.attach_file(&path).await {
            Ok(file) => files.push(file),
            Err(error) => tracing::warn!(%error, "a file cannot be handed over"),
        }
    }
    files
}
