//! The ledger of an answer: written while it is made, kept with it, and completed when what it started has ended.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use deepsearch_core::{AnswerLedger, ChatId, Ledger, MessageId};
use deepsearch_net::Recorder;
use deepsearch_sqlite::Store;
use tokio::sync::Mutex;

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

/// The ledger of an answer that is being made. It is kept while that goes on, so that a kill loses no more of it than of
/// the answer.
pub(crate) struct OpenLedger {
    answer: MessageId,
    at: DateTime<Utc>,
    private: bool,
    /// What was kept of an answer that is gone on with.
    before: Ledger,
    recorder: Recorder,
    store: Store,
    /// One writes at a time, so that what is newer is not replaced by what is older.
    kept: Mutex<Written>,
}

/// What of this run is kept.
#[derive(Default)]
struct Written {
    begun: u64,
    ledger: Option<Ledger>,
}

impl OpenLedger {
    pub(crate) async fn open(app: &App, answer: &MessageId, recorder: &Recorder) -> Result<Arc<Self>, AppError> {
        let before = app.store().lookup_ledger(answer).await?;
        Ok(Arc::new(Self {
            answer: answer.clone(),
            at: app.inner.clock.now(),
            private: app.inner.network.is_private(),
            before: before.map(|before| before.ledger).unwrap_or_default(),
            recorder: recorder.clone(),
            store: app.store().clone(),
            kept: Mutex::default(),
        }))
    }

    /// Keeps what was written so far, where something has left since. What only came in meanwhile can wait: a model that
    /// writes for minutes would have the whole of it written for each word.
    pub(crate) async fn keep_begun(&self) {
        let mut kept = self.kept.lock().await;
        if kept.begun != self.recorder.begun() {
            self.write(&mut kept).await;
        }
    }

    /// Keeps what was written so far, also where that is nothing.
    pub(crate) async fn keep(&self) {
        let mut kept = self.kept.lock().await;
        self.write(&mut kept).await;
    }

    /// The same, and once more when all has ended that the answer started.
    pub(crate) async fn close(self: Arc<Self>, app: &App) {
        self.keep().await;
        let app = app.clone();
        let tasks = app.inner.tasks.clone();
        tasks.spawn(async move {
            until_quiet(&app, &self.recorder).await;
            self.keep().await;
        });
    }

    async fn write(&self, kept: &mut Written) {
        let (begun, written) = (self.recorder.begun(), self.recorder.ledger());
        if kept.ledger.as_ref() == Some(&written) {
            return;
        }
        let mut ledger = self.before.clone();
        ledger.add(written.clone());
        let all = AnswerLedger {
            message_id: self.answer.clone(),
            at: self.at,
            private: self.private,
            ledger,
        };
        // What failed is tried again when more has left, and at the end; not four times a second.
        kept.begun = begun;
        match self.store.keep_ledger(&all).await {
            Ok(()) => kept.ledger = Some(written),
            Err(error) => tracing::warn!(%error, "what the answer sent is not kept"),
        }
    }
}
