//! Models that can answer, and who provides them.

use deepsearch_app::{App, ProviderStatus, Reranking, Usage};
use deepsearch_core::{Failure, ModelInfo};
use tauri::State;

use super::told;

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_models(app: State<'_, App>) -> Result<Vec<ModelInfo>, Failure> {
    told(async { Ok::<_, Failure>(app.models().await) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn default_model(app: State<'_, App>) -> Result<ModelInfo, Failure> {
    told(app.default_model()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_providers(app: State<'_, App>) -> Result<Vec<ProviderStatus>, Failure> {
    told(async { Ok::<_, Failure>(app.providers()) }).await
}

/// Which embedding model puts passages in order, and whether it works.
#[tauri::command]
#[specta::specta]
pub(crate) async fn reranking(app: State<'_, App>) -> Result<Reranking, Failure> {
    told(async { Ok::<_, Failure>(app.reranking().await) }).await
}

/// What models were used for, by month and by chat.
#[tauri::command]
#[specta::specta]
pub(crate) async fn usage(app: State<'_, App>) -> Result<Usage, Failure> {
    told(app.usage(None)).await
}
