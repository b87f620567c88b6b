//! Re-check: an old answer's question asked again, and its sentences held against what comes of it now. The old answer
//! stays as it is.

use deepsearch_answer::recheck::{Kept, compare, count_changed};
use deepsearch_answer::{Evidence, SearchMode, Step};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::Recheck;
use deepsearch_core::{ErrorCode, Failure, Message, MessageId, MessageState, Role};
use deepsearch_sqlite::Turn as SavedTurn;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::ask::{AskRequest, Turn, places};
use crate::error::AppError;

impl App {
    /// Asks an answer's question again, tells each step, and says what has become of each sentence. It is kept beside the
    /// answer. `stop` ends it, and then nothing is kept.
    ///
    /// # Errors
    /// [`AppError`] where the message is no whole answer, or nothing can be found now.
    pub async fn recheck(
        &self,
        answer: &MessageId,
        stop: &CancellationToken,
        mut on_event: impl FnMut(AnswerEvent) + Send,
    ) -> Result<Recheck, AppError> {
        let old = self.whole_answer(answer).await?;
        let question = match &old.parent {
            Some(parent) => self.message(parent).await?,
            None => return Err(not_to_be_checked()),
        };
        let wired = self.wired();
        let model = wired.models.default().await?;
        let turn = Turn::Regenerating(question.id.clone());
        // It is asked where the chat looks.
        let mut remembered = self.remembered_places(&turn).await?.into_iter();
        let request = AskRequest {
            turn,
            scope: remembered.next(),
            also: remembered.collect(),
            ..AskRequest::default()
        };
        let places = places(&request, &wired)?;
        let Some(chat) = self.store().lookup_chat(&old.chat_id).await? else {
            return Err(not_to_be_checked());
        };
        let saved = SavedTurn {
            chat,
            question,
            answer: old.clone(),
        };
        let mut asked = self.question(&request, &saved, &wired, &places).await?;
        asked.search = SearchMode::Always;
        let pipeline = self.pipeline(&wired, &places, model);
        let (sender, mut steps) = mpsc::channel(64);
        let answering = async { pipeline.answer(&asked, sender).await };
        let listening = async {
            let mut evidence = Evidence::default();
            while let Some(step) = steps.recv().await {
                match step {
                    Step::Evidence { pages, .. } => evidence = Evidence::of_pages(pages, Vec::new()),
                    Step::Event(event) => on_event(*event),
                }
            }
            evidence
        };
        let both = async { tokio::join!(answering, listening) };
        let (new, evidence) = stop.run_until_cancelled(both).await.ok_or(AppError::Cancelled)?;
        let new = new.map_err(|error| AppError::Answer(Failure::from(&error)))?;
        // Where nothing could be read, nothing was checked: that is no sign that the world has changed.
        if evidence.is_empty() {
            return Err(AppError::Answer(Failure::new(ErrorCode::NoResults, new.content)));
        }
        let kept = self.store().lookup_evidence(answer).await?.unwrap_or_default();
        let compared = tokio::task::spawn_blocking(move || {
            let old = Kept {
                content: &old.content,
                citations: &kept.citations,
                sources: &kept.sources,
            };
            let new = Kept {
                content: &new.content,
                citations: &new.citations,
                sources: &new.sources,
            };
            compare(old, new, &evidence)
        });
        let sentences = compared
            .await
            .map_err(|panic| AppError::Answer(Failure::new(ErrorCode::Internal, panic.to_string())))?;
        let recheck = Recheck {
            checked_at: self.inner.clock.now(),
            changed: count_changed(&sentences) as u32,
            sentences,
        };
        self.store().add_recheck(answer, &recheck).await?;
        Ok(recheck)
    }

    /// The rechecks of an answer, the latest first.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read.
    pub async fn rechecks(&self, answer: &MessageId) -> Result<Vec<Recheck>, AppError> {
        self.message(answer).await?;
        Ok(self.store().list_rechecks(answer).await?)
    }

    async fn whole_answer(&self, id: &MessageId) -> Result<Message, AppError> {
        let message = self.message(id).await?;
        let is_whole = message.role == Role::Assistant && message.state == MessageState::Complete;
        if !is_whole {
            return Err(not_to_be_checked());
        }
        Ok(message)
    }
}

fn not_to_be_checked() -> AppError {
    let failure = Failure::new(ErrorCode::Invalid, "Only a whole answer can be checked again.");
    AppError::Answer(failure.hint("Name the id of an answer; `deepsearch chats show CHAT` prints them."))
}
