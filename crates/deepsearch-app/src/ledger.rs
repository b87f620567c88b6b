//! The ledger of an answer: written while it is made, kept with it, and completed when what it started has ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use deepsearch_core::{AnswerLedger, ChatId, Ledger, MessageId};
use deepsearch_net::Recorder;

use crate::app::App;
use crate::error::AppError;

/// A site's icon may still come when the answer is there: how often, and how many times, that is looked for.
const LATE_EVERY: Duration = Duration::from_millis(250);
const LATE_LOOKS: usize = 40;

impl App {
    /// What an answer sent to whom; `None` where that was not written down, as for answers of another device.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a message that is not there.
    pub async fn ledger(&self, message: &MessageId) -> Result<Option<AnswerLedger>, AppError> {
        let ledger = self.store().lookup_ledger(message).await?;
        if ledger.is_none() {
            self.message(message).await?;
        }
        Ok(ledger)
    }

    /// What the answers of a chat sent, oldest first, of those that are known.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chat that is not there.
    pub async fn ledgers_of(&self, chat: &ChatId) -> Result<Vec<AnswerLedger>, AppError> {
        self.chat(chat).await?;
        Ok(self.store().list_ledgers(chat).await?)
    }
}

/// Waits until all has ended that was started on the way, or for as long as that is worth it.
pub(crate) async fn until_quiet(app: &App, recorder: &Recorder) {
    let closing = app.inner.runs.closing().clone();
    for _ in 0..LATE_LOOKS {
        let pause = tokio::time::sleep(LATE_EVERY);
        if recorder.is_quiet() || closing.run_until_cancelled(pause).await.is_none() {
            break;
        }
    }
}

/// The ledger of an answer that is being made.
pub(crate) struct OpenLedger {
    answer: MessageId,
    at: DateTime<Utc>,
    private: bool,
    /// What was kept of an answer that is gone on with.
    before: Ledger,
    recorder: Recorder,
}

impl OpenLedger {
    pub(crate) async fn open(app: &App, answer: &MessageId, recorder: &Recorder) -> Result<Self, AppError> {
        let before = app.store().lookup_ledger(answer).await?;
        Ok(Self {
            answer: answer.clone(),
            at: app.inner.clock.now(),
            private: app.inner.network.is_private(),
            before: before.map(|before| before.ledger).unwrap_or_default(),
            recorder: recorder.clone(),
        })
    }

    /// Keeps what was written so far, and once more when all has ended that the answer started.
    pub(crate) async fn keep(self, app: &App) {
        let kept = self.write(app).await;
        let app = app.clone();
        let tasks = app.inner.tasks.clone();
        tasks.spawn(async move {
            until_quiet(&app, &self.recorder).await;
            if kept.as_ref() != Some(&self.recorder.ledger()) {
                self.write(&app).await;
            }
        });
    }

    /// Gives what was written of this run, where it could be kept.
    async fn write(&self, app: &App) -> Option<Ledger> {
        let written = self.recorder.ledger();
        let mut ledger = self.before.clone();
        ledger.add(written.clone());
        let kept = AnswerLedger {
            message_id: self.answer.clone(),
            at: self.at,
            private: self.private,
            ledger,
        };
        match app.store().keep_ledger(&kept).await {
            Ok(()) => Some(written),
            Err(error) => {
                tracing::warn!(%error, "what the answer sent is not kept");
                None
            }
        }
    }
}
