//! The notebook: where a research is kept between its tasks.

use async_trait::async_trait;
use deepsearch_core::{Page, PlanEdit, ResearchState};

/// Why something could not be kept or read back.
pub type NotebookError = Box<dyn std::error::Error + Send + Sync>;

/// What is kept after a task.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub state: &'a ResearchState,
    /// The report as far as it is written.
    pub text: &'a str,
    /// The number of the last edit that the state holds.
    pub edited: i64,
}

/// Keeps one research. When a call returns, a kill loses nothing of what it kept.
#[async_trait]
pub trait Notebook: Send + Sync {
    /// Saves pages, and gives them back in order, under the ids they are saved under: one that was saved before keeps
    /// its id.
    async fn save(&self, pages: Vec<Page>) -> Result<Vec<Page>, NotebookError>;

    /// Keeps the state, and gives the edits of the plan that it does not hold yet, numbered, oldest first. An edit is
    /// given again until a state that holds it is kept.
    async fn keep(&self, kept: Kept<'_>) -> Result<Vec<(i64, PlanEdit)>, NotebookError>;

    /// Whether there are such edits. Writes nothing: whoever waits for one asks again and again.
    async fn has_edits(&self) -> Result<bool, NotebookError>;

    /// Every page that was saved. One that is damaged is left out.
    async fn pages(&self) -> Result<Vec<Page>, NotebookError>;
}
