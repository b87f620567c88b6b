//! Chats in and out: archives that are imported, files that are exported. A window names no path: what is imported is
//! known by address, as other files are, and where an export goes is said in the system's dialog, which also asks before
//! another file is replaced.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deepsearch_app::{App, AttachedFile, ExportChoice, ExportProgress, Format, ImportReport};
use deepsearch_core::{ErrorCode, Failure};
use serde::Serialize;
use tauri::ipc::Channel;
use tauri::{AppHandle, State, WebviewWindow};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::folders::file_of;
use super::told;
use crate::windows::shell_failure;

/// How often a window is told how far it is.
const EVERY: Duration = Duration::from_millis(100);

/// What each window carries, so that it can be stopped, and where its last export went.
#[derive(Debug, Default)]
pub(crate) struct Carrying {
    stops: Mutex<HashMap<String, CancellationToken>>,
    exported: Mutex<HashMap<String, PathBuf>>,
}

impl Carrying {
    /// A window carries one thing at a time: what it began before is stopped.
    fn begin(&self, window: &WebviewWindow) -> CancellationToken {
        let stop = CancellationToken::new();
        let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = stops.insert(window.label().to_owned(), stop.clone()) {
            before.cancel();
        }
        stop
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Serialize, specta::Type)]
pub(crate) struct ImportProgress {
    chats: u32,
    messages: u32,
}

/// What an export wrote.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub(crate) struct Exported {
    path: String,
    chats: u32,
}

/// Asks which archive. `None` when the person called it off.
#[tauri::command]
#[specta::specta]
pub(crate) async fn choose_archive(window: AppHandle, app: State<'_, App>) -> Result<Option<AttachedFile>, Failure> {
    told(async {
        let (answer, chosen) = oneshot::channel();
        window
            .dialog()
            .file()
            .add_filter(
                "ChatGPT, Claude, Open WebUI, …",
                &["zip", "json", "md", "markdown", "txt"],
            )
            .pick_file(move |file| {
                let _ = answer.send(file);
            });
        match chosen.await.ok().flatten().and_then(|file| file.into_path().ok()) {
            Some(path) => Ok::<_, Failure>(Some(app.attach_file(&path).await?)),
            None => Ok(None),
        }
    })
    .await
}

/// What an archive holds, and what of it is here already.
#[tauri::command]
#[specta::specta]
pub(crate) async fn preview_import(
    window: WebviewWindow,
    app: State<'_, App>,
    carrying: State<'_, Carrying>,
    file: String,
    progress: Channel<ImportProgress>,
) -> Result<ImportReport, Failure> {
    let (path, stop) = begin(&window, &app, &carrying, &file).await?;
    let report = told(app.preview_import(&path, &stop, follow(progress))).await;
    report.map_err(|failure| named(failure, &path))
}

/// Imports an archive; stopped, what came until then is told and kept.
#[tauri::command]
#[specta::specta]
pub(crate) async fn import_chats(
    window: WebviewWindow,
    app: State<'_, App>,
    carrying: State<'_, Carrying>,
    file: String,
    progress: Channel<ImportProgress>,
) -> Result<ImportReport, Failure> {
    let (path, stop) = begin(&window, &app, &carrying, &file).await?;
    let report = told(app.import_archive(&path, &stop, follow(progress))).await;
    report.map_err(|failure| named(failure, &path))
}

async fn begin(
    window: &WebviewWindow,
    app: &App,
    carrying: &Carrying,
    file: &str,
) -> Result<(PathBuf, CancellationToken), Failure> {
    Ok((told(file_of(app, file)).await?, carrying.begin(window)))
}

/// Asks where to, and writes chats there. `None` when the person called it off, or stopped it; then nothing is left of it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn export_chats(
    window: WebviewWindow,
    app: State<'_, App>,
    carrying: State<'_, Carrying>,
    choice: ExportChoice,
    format: Format,
    progress: Channel<ExportProgress>,
) -> Result<Option<Exported>, Failure> {
    told(async {
        let (name, ending) = app.export_name(&choice, format).await?;
        let (answer, chosen) = oneshot::channel();
        let dialog = window.dialog().file().set_parent(&window).set_file_name(name);
        dialog.add_filter(ending.to_uppercase(), &[ending]).save_file(|path| {
            let _ = answer.send(path);
        });
        let Some(path) = chosen.await.ok().flatten().and_then(|path| path.into_path().ok()) else {
            return Ok(None);
        };
        let stop = carrying.begin(&window);
        let mut told = None;
        let exporting = app.export_to(&path, &choice, format, |far| {
            if far.done == far.total || is_time(&mut told) {
                let _ = progress.send(far);
            }
        });
        let Some(chats) = stop.run_until_cancelled(exporting).await else {
            return Ok(None);
        };
        let exported = Exported {
            chats: chats?,
            path: path.to_string_lossy().into_owned(),
        };
        let mut places = carrying.exported.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(window.label().to_owned(), path);
        Ok::<_, Failure>(Some(exported))
    })
    .await
}

/// Stops what this window carries.
#[tauri::command]
#[specta::specta]
pub(crate) fn stop_carrying(window: WebviewWindow, carrying: State<'_, Carrying>) {
    let stops = carrying.stops.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stop) = stops.get(window.label()) {
        stop.cancel();
    }
}

/// Shows this window's last export where it lies.
#[tauri::command]
#[specta::specta]
pub(crate) async fn show_exported(window: WebviewWindow, carrying: State<'_, Carrying>) -> Result<(), Failure> {
    told(async {
        let places = carrying.exported.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = places.get(window.label()) else {
            return Err(Failure::new(
                ErrorCode::NotFound,
                "Nothing was exported from this window.",
            ));
        };
        let shown = window.opener().reveal_item_in_dir(path);
        shown.map_err(|error| shell_failure(&error))
    })
    .await
}

/// An archive that is refused is called by its name, which says enough where the file was just chosen.
fn named(mut failure: Failure, path: &Path) -> Failure {
    if let (Some(path), Some(name)) = (path.to_str(), path.file_name().and_then(|name| name.to_str())) {
        failure.message = failure.message.replace(path, name);
    }
    failure
}

fn follow(progress: Channel<ImportProgress>) -> impl FnMut(&ImportReport) {
    let mut told = None;
    move |report| {
        if is_time(&mut told) {
            let _ = progress.send(ImportProgress {
                chats: report.chats.values().sum(),
                messages: report.messages,
            });
        }
    }
}

/// Whether enough time has gone since the last time that it had.
fn is_time(told: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let is_time = told.is_none_or(|told| now - told >= EVERY);
    if is_time {
        *told = Some(now);
    }
    is_time
}
