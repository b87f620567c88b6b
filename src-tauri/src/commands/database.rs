//! The team's database, for whoever looks after it: tables, rows, searches, sessions that can be ended.

use deepsearch_app::{App, RowKey, SearchStatistics, SessionCursor, SessionPage, TableRows, TableSummary};
use deepsearch_core::Failure;
use tauri::State;

use super::told;

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_tables(app: State<'_, App>) -> Result<Vec<TableSummary>, Failure> {
    told(async { app.database_view()?.tables().await }).await
}

/// A page of a table's rows; tokens are not among what is shown.
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_rows(
    app: State<'_, App>,
    table: String,
    after: Option<RowKey>,
    limit: u32,
) -> Result<TableRows, Failure> {
    told(async { app.database_view()?.rows(&table, after.as_ref(), limit).await }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn search_statistics(app: State<'_, App>, days: u32, most: u32) -> Result<SearchStatistics, Failure> {
    told(async { app.database_view()?.search_statistics(days, most).await }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_sessions(
    app: State<'_, App>,
    after: Option<SessionCursor>,
    limit: u32,
) -> Result<SessionPage, Failure> {
    told(async { app.database_view()?.sessions(after.as_ref(), limit).await }).await
}

/// Whoever it is has to sign in again.
#[tauri::command]
#[specta::specta]
pub(crate) async fn end_session(app: State<'_, App>, id: String) -> Result<(), Failure> {
    told(async { app.database_view()?.end_session(&id).await }).await
}
