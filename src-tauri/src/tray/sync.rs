//! How sync stands, as one line of the tray's menu that leads to the account. Only its text is changed while it stands
//! there: a menu that is made anew would close under the pointer.

use std::sync::{Mutex, PoisonError};

use deepsearch_app::{App, SyncState};
use tauri::menu::MenuItem;
use tauri::{AppHandle, Manager, Wry};

use super::words;

pub(crate) const ID: &str = "sync";

/// The line that stands in the menu; none while nobody is signed in.
#[derive(Default)]
pub(crate) struct Line(Mutex<Option<MenuItem<Wry>>>);

impl Line {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<MenuItem<Wry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line for a new menu.
pub(super) fn line(app: &AppHandle) -> tauri::Result<Option<MenuItem<Wry>>> {
    let item = match words(app) {
        Some(text) => Some(MenuItem::with_id(app, ID, text, true, None::<&str>)?),
        None => None,
    };
    app.state::<Line>().lock().clone_from(&item);
    Ok(item)
}

/// Keeps the line up to date, for as long as the app runs.
pub(super) fn follow(app: &AppHandle) {
    let (app, mut watched) = (app.clone(), app.state::<App>().watch_sync());
    tauri::async_runtime::spawn(async move {
        let mut shown = words(&app);
        while watched.changed().await.is_ok() {
            let now = words(&app);
            if now == shown {
                continue;
            }
            let item = app.state::<Line>().lock().clone();
            let told = match (now, item) {
                (Some(text), Some(item)) => item.set_text(text),
                // The line comes, or goes.
                _ => {
                    super::refresh(&app);
                    Ok(())
                }
            };
            if let Err(error) = told {
                tracing::warn!(%error, "the tray does not show how sync stands");
            }
            shown = now;
        }
    });
}

fn words(app: &AppHandle) -> Option<&'static str> {
    let app = app.state::<App>();
    let words = words::of(&app).sync;
    match app.watch_sync().borrow().state {
        SyncState::SignedOut => None,
        SyncState::Waiting => Some(words.waiting),
        SyncState::Idle => Some(words.synced),
        SyncState::Running { .. } => Some(words.running),
        SyncState::Offline => Some(words.offline),
        SyncState::Private => Some(words.private),
        SyncState::Error { .. } => Some(words.stopped),
    }
}
