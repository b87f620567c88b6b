//! The plan of a research: looking at it, and changing it while it is worked on.

use deepsearch_app::App;
use deepsearch_core::research::{PlanEdit, ResearchProgress};
use deepsearch_core::{Failure, MessageId};
use tauri::State;

use super::told;

/// `None` where the answer is no research.
#[tauri::command]
#[specta::specta]
pub(crate) async fn find_research(app: State<'_, App>, answer: MessageId) -> Result<Option<ResearchProgress>, Failure> {
    told(app.find_research(&answer)).await
}

/// Changes the plan of a research that is under way or stopped; it takes effect after the step it is at.
#[tauri::command]
#[specta::specta]
pub(crate) async fn edit_plan(
    app: State<'_, App>,
    answer: MessageId,
    edit: PlanEdit,
) -> Result<ResearchProgress, Failure> {
    told(app.edit_plan(&answer, edit)).await
}
