//! Search engines: which are asked, and how they are doing.

use deepsearch_app::{App, EngineStatus};
use deepsearch_core::{EngineEvent, EngineId, Failure};
use serde::Serialize;
use tauri::State;

use super::told;

/// What one engine did with a harmless question.
#[derive(Debug, Serialize, specta::Type)]
pub(crate) struct EngineTrial {
    engine: EngineId,
    hits: Option<u32>,
    failure: Option<Failure>,
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_engines(app: State<'_, App>) -> Result<Vec<EngineStatus>, Failure> {
    told(async { Ok::<_, Failure>(app.engines()) }).await
}

/// When engines were asked, the newest first: one of them, or all.
#[tauri::command]
#[specta::specta]
pub(crate) async fn engine_history(
    app: State<'_, App>,
    engine: Option<EngineId>,
    limit: u32,
) -> Result<Vec<EngineEvent>, Failure> {
    told(app.engine_history(engine.as_deref(), limit)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn try_engines(app: State<'_, App>) -> Result<Vec<EngineTrial>, Failure> {
    told(async {
        let tried = app
            .try_engines()
            .await
            .into_iter()
            .map(|(engine, outcome)| match outcome {
                Ok(hits) => EngineTrial {
                    engine,
                    hits: u32::try_from(hits).ok(),
                    failure: None,
                },
                Err(failure) => EngineTrial {
                    engine,
                    hits: None,
                    failure: Some(failure),
                },
            });
        Ok::<_, Failure>(tried.collect())
    })
    .await
}
