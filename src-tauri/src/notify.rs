//! Notifications: a long answer that nobody waited for is ready.

use std::time::Duration;

use deepsearch_app::App;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

use crate::tray::words;
use crate::windows;

/// Who waited less is still looking.
const LONG: Duration = Duration::from_secs(10);

/// Says that the answer to `question` is ready, if it took long, nobody looks, and the person wants to be told.
pub(crate) fn answer_ready(handle: &AppHandle, app: &App, question: &str, took: Duration) {
    let is_wanted = app
        .setting("notifications.enabled")
        .is_ok_and(|setting| setting.value == true);
    if took < LONG || !is_wanted || windows::is_watched(handle) {
        return;
    }
    let line = deepsearch_core::chat::title_from_question(question);
    let shown = handle
        .notification()
        .builder()
        .title(words::of(app).answer_ready)
        .body(line)
        .show();
    if let Err(error) = shown {
        tracing::warn!(%error, "the notification was not shown");
    }
}
