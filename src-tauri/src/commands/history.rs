//! Search over everything that was asked, answered and read.

use deepsearch_app::{App, HistoryQuery, HistoryResults};
use deepsearch_core::Failure;
use tauri::State;

use super::told;

#[tauri::command]
#[specta::specta]
pub(crate) async fn search_history(app: State<'_, App>, query: HistoryQuery) -> Result<HistoryResults, Failure> {
    told(app.store().search_history(&query)).await
}
