//! Deep research as a use case: what it may cost, where it is kept, and how its plan is changed.

use std::sync::Arc;

use async_trait::async_trait;
use deepsearch_answer::Pipeline;
use deepsearch_answer::research::{Kept, Notebook, NotebookError, Research, ResearchLimits, apply_edit};
use deepsearch_core::research::{ResearchBudget, ResearchProgress};
use deepsearch_core::{ErrorCode, Failure, MessageId, MessageState, ModelInfo, Page, PlanEdit, ResearchState};
use deepsearch_llm::ExtractiveWriter;
use deepsearch_sqlite::Store;
use serde::{Deserialize, Serialize};

use crate::app::{App, Wired};
use crate::ask::{AskRequest, Turn};
use crate::error::AppError;
use crate::ledger::OpenLedger;
use crate::usage::prices;

/// How much is done for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// One search, some pages, one answer.
    #[default]
    Quick,
    /// A plan, many searches, a report.
    Deep,
}

/// What a research may cost where that is not left to the defaults, and whether its plan is to be seen first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(default)]
pub struct ResearchOptions {
    pub steps: Option<u32>,
    pub pages: Option<u32>,
    pub minutes: Option<u32>,
    pub tokens: Option<u32>,
    /// In US dollars, as the prices of models are.
    pub money: Option<f64>,
    /// The plan waits until the person agrees to it.
    pub plan_first: bool,
}

impl ResearchOptions {
    /// `budget` with what is said here in its place.
    pub fn over(self, budget: ResearchBudget) -> ResearchBudget {
        let chosen = ResearchBudget {
            steps: self.steps.unwrap_or(budget.steps),
            pages: self.pages.unwrap_or(budget.pages),
            seconds: self
                .minutes
                .map_or(budget.seconds, |minutes| minutes.saturating_mul(60)),
            tokens: self.tokens.unwrap_or(budget.tokens),
            money: self.money.or(budget.money),
        };
        chosen.bounded()
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A research in a list of them.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct ResearchSummary {
    pub answer_id: MessageId,
    pub question: String,
    pub running: bool,
    /// Its report is written; what is not can be continued.
    pub complete: bool,
    pub progress: ResearchProgress,
}

impl App {
    /// A research as it stands, with the changes of its plan that are still to be taken.
    ///
    /// # Errors
    /// [`AppError`] where the answer is no research.
    pub async fn research(&self, answer: &MessageId) -> Result<ResearchProgress, AppError> {
        Ok(self.planned(answer).await?.progress(None))
    }

    /// As [`App::research`], or `None` where the answer is no research.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read.
    pub async fn find_research(&self, answer: &MessageId) -> Result<Option<ResearchProgress>, AppError> {
        match self.planned(answer).await {
            Ok(state) => Ok(Some(state.progress(None))),
            Err(AppError::Unknown { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The researches, the latest first.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read.
    pub async fn researches(&self, limit: u32) -> Result<Vec<ResearchSummary>, AppError> {
        let mut list = Vec::new();
        for answer in self.store().list_researches(limit.clamp(1, 500)).await? {
            let state = self.planned(&answer).await?;
            let Some(message) = self.store().lookup_message(&answer).await? else {
                continue;
            };
            list.push(ResearchSummary {
                question: state.question.clone(),
                running: message.state == MessageState::Streaming,
                complete: message.state == MessageState::Complete,
                progress: state.progress(None),
                answer_id: answer,
            });
        }
        Ok(list)
    }

    /// Changes the plan of a research that is under way or interrupted. It takes effect after the step it is at, or when
    /// it is continued; it is kept either way.
    ///
    /// # Errors
    /// [`AppError`] where there is no such research, or its report is written.
    pub async fn edit_plan(&self, answer: &MessageId, edit: PlanEdit) -> Result<ResearchProgress, AppError> {
        let message = self.message(answer).await?;
        if message.state == MessageState::Complete {
            let failure = Failure::new(ErrorCode::Invalid, "The report of this research is written.");
            return Err(AppError::Answer(failure.hint("Ask again to research anew.")));
        }
        let mut state = self.planned(answer).await?;
        if let PlanEdit::Budget { budget } = &edit
            && let Some(model) = self.inner.runs.model_of(answer)
        {
            let wired = self.wired();
            priced(*budget, &wired, wired.models.model(&model).await?.info())?;
        }
        self.store().edit_research(answer, &edit).await?;
        apply_edit(&mut state, edit);
        Ok(state.progress(None))
    }

    /// Refuses a budget of money that could not be kept to, before anything is asked or saved.
    ///
    /// # Errors
    /// [`AppError::Unpriced`]; also where a kept research has such a budget and is gone on with by such a model.
    pub(crate) async fn can_afford(
        &self,
        request: &AskRequest,
        wired: &Wired,
        model: &ModelInfo,
    ) -> Result<(), AppError> {
        let kept = match &request.turn {
            Turn::Continuing(answer) => self.planned(answer).await.ok().map(|state| state.budget),
            _ => None,
        };
        if kept.is_none() && request.depth == Depth::Quick {
            return Ok(());
        }
        priced(request.research.over(kept.unwrap_or_default()), wired, model)
    }

    async fn planned(&self, answer: &MessageId) -> Result<ResearchState, AppError> {
        let unknown = || AppError::Unknown {
            what: "research",
            id: answer.to_string(),
        };
        let mut state = self.store().lookup_research(answer).await?.ok_or_else(unknown)?;
        for (_, edit) in self.store().list_research_edits(answer).await? {
            apply_edit(&mut state, edit);
        }
        Ok(state)
    }

    pub(crate) fn research_of(
        &self,
        pipeline: Pipeline,
        wired: &Wired,
        answer: &MessageId,
        ledger: Arc<OpenLedger>,
    ) -> Research {
        Research {
            prices: prices(&wired.settings).remove(&pipeline.model.info().id),
            extractive: Arc::new(ExtractiveWriter::default()),
            notebook: Arc::new(StoreNotebook {
                store: self.store().clone(),
                answer: answer.clone(),
                ledger,
            }),
            limits: ResearchLimits::default(),
            pipeline,
        }
    }
}

/// What a model of this computer writes costs nothing; of any other it has to be known what it costs.
fn priced(budget: ResearchBudget, wired: &Wired, model: &ModelInfo) -> Result<(), AppError> {
    if budget.money.is_none() || model.local || prices(&wired.settings).contains_key(&model.id) {
        return Ok(());
    }
    Err(AppError::Unpriced {
        model: model.id.clone(),
    })
}

/// A research is kept in the local store, beside the answer that it becomes.
struct StoreNotebook {
    store: Store,
    answer: MessageId,
    ledger: Arc<OpenLedger>,
}

#[async_trait]
impl Notebook for StoreNotebook {
    async fn save(&self, mut pages: Vec<Page>) -> Result<Vec<Page>, NotebookError> {
        let ids = self.store.add_research_pages(&self.answer, &pages).await?;
        for (page, id) in pages.iter_mut().zip(ids) {
            page.id = id;
        }
        Ok(pages)
    }

    async fn keep(&self, kept: Kept<'_>) -> Result<Vec<(i64, PlanEdit)>, NotebookError> {
        // First: a step that counts as done is not done again, and what it sent would never be told.
        self.ledger.keep().await;
        let edits = self
            .store
            .keep_research(&self.answer, kept.state, kept.text, kept.edited)
            .await?;
        Ok(edits)
    }

    async fn has_edits(&self) -> Result<bool, NotebookError> {
        Ok(self.store.has_research_edits(&self.answer).await?)
    }

    async fn pages(&self) -> Result<Vec<Page>, NotebookError> {
        Ok(self.store.list_research_pages(&self.answer).await?)
    }
}
