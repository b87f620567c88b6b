//! Settings as text, exactly as on the command line: one row, one rule, one place.

use deepsearch_app::{App, SettingValue};
use deepsearch_core::Failure;
use tauri::State;

use super::told;

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_settings(app: State<'_, App>) -> Result<Vec<SettingValue>, Failure> {
    told(async { Ok::<_, Failure>(app.settings()) }).await
}

/// `None` puts it back to its default.
#[tauri::command]
#[specta::specta]
pub(crate) async fn update_setting(
    app: State<'_, App>,
    key: String,
    text: Option<String>,
) -> Result<SettingValue, Failure> {
    told(app.update_setting(&key, text.as_deref())).await
}
