//! Search: over everything that was asked, answered and read, and over the web without an answer.

use deepsearch_app::{App, HistoryQuery, HistoryResults, WebResults};
use deepsearch_core::Failure;
use tauri::State;

use super::told;

#[tauri::command]
#[specta::specta]
pub(crate) async fn search_history(app: State<'_, App>, query: HistoryQuery) -> Result<HistoryResults, Failure> {
    told(app.store().search_history(&query)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn search_web(app: State<'_, App>, text: String) -> Result<WebResults, Failure> {
    told(app.search_web(&text)).await
}
