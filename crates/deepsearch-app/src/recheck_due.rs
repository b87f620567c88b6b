//! Rechecks that nobody asks for: how often an answer is checked again, and the one whose time has come.
//!
//! One at a time, ten minutes apart, whoever begins them: after a long absence they come one after the other, each once.
//! None in private mode, and none while somebody waits for an answer. What the schedule holds is the store's, so any
//! program with the same store may take one up, and no two take up the same.

use std::time::Duration;

use chrono::TimeDelta;
use deepsearch_core::recheck::{Every, Recheck, RecheckSchedule, ScheduledRecheck};
use deepsearch_core::{ChatId, ErrorCode, Failure, MessageId};
use deepsearch_sqlite::ClaimedRecheck;
use serde::Serialize;

use crate::app::App;
use crate::changes::Change;
use crate::error::AppError;

/// At most six an hour.
const APART: TimeDelta = TimeDelta::minutes(10);
/// How often it is looked whether one is due. A clock that was set, or a machine that slept, is noticed then.
const LOOKS: Duration = Duration::from_secs(20);
/// How soon a check makes way for somebody who asks.
const MAKES_WAY: Duration = Duration::from_millis(500);

/// What came of a check that was due.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DueRecheck {
    pub chat_id: ChatId,
    pub answer_id: MessageId,
    pub question: String,
    /// How many sentences do not stand as they did.
    pub changed: u32,
    /// How many of them an earlier check had not found so.
    pub news: u32,
    /// Why it could not be done; it is tried again.
    pub failure: Option<Failure>,
}

impl App {
    /// Sets how often an answer is checked again by itself, or that it is not. The first time is one period from now.
    ///
    /// # Errors
    /// [`AppError`] where the message is no whole answer, or the store cannot be written.
    pub async fn schedule_recheck(
        &self,
        answer: &MessageId,
        every: Option<Every>,
    ) -> Result<Option<RecheckSchedule>, AppError> {
        let (old, question) = self.checkable(answer).await?;
        if every.is_some() {
            self.asked_where(answer, &question, &self.wired()).await?;
        }
        let schedule = every.map(|every| RecheckSchedule {
            every,
            next_at: every.after(self.inner.clock.now()),
            failures: 0,
        });
        self.store().update_recheck_schedule(answer, schedule.as_ref()).await?;
        self.tell_change(Change::Library {
            chats: vec![old.chat_id],
        });
        Ok(schedule)
    }

    /// The answers that are checked again by themselves, the next one first.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read.
    pub async fn scheduled_rechecks(&self) -> Result<Vec<ScheduledRecheck>, AppError> {
        Ok(self.store().list_recheck_schedules().await?)
    }

    /// Checks the answer again whose time came first. `None` where none has come, or it is no time for it now.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read or written. That a check failed is no error: it is told.
    pub async fn recheck_due(&self) -> Result<Option<DueRecheck>, AppError> {
        let is_no_time = self.inner.network.is_private()
            || self.inner.closing.is_cancelled()
            || self.store().is_read_only()
            || !self.running().is_empty();
        if is_no_time {
            return Ok(None);
        }
        let now = self.inner.clock.now();
        let Some(ClaimedRecheck {
            answer_id: answer,
            schedule: claimed,
            abandoned_at,
        }) = self.store().claim_recheck(now, APART).await?
        else {
            return Ok(None);
        };
        let (old, question) = match self.checkable(&answer).await {
            Ok(found) => found,
            Err(error) if Failure::from(&error).code == ErrorCode::Invalid => {
                tracing::warn!(%error, "what was to be checked again cannot be, and is not any more");
                self.store().update_recheck_schedule(&answer, None).await?;
                return Ok(None);
            }
            // Its question may still be on its way from another device.
            Err(error) => {
                tracing::warn!(%error, "what is to be checked again cannot be now");
                let failures = claimed.failures.saturating_add(1);
                let next = claimed.every.after_failure(now, failures);
                self.put_off(&answer, &claimed, next, failures).await?;
                return Ok(None);
            }
        };
        let earlier = self.store().list_rechecks(&answer).await?;
        // What was found by one that was killed before it told anybody is still news.
        let was_told = |recheck: &Recheck| abandoned_at.is_none_or(|at| recheck.checked_at < at);
        let earlier = earlier
            .into_iter()
            .find(|recheck| recheck.failure.is_none() && was_told(recheck));
        let checked = self.check_unless_asked(&answer).await;
        let mut due = DueRecheck {
            chat_id: old.chat_id,
            answer_id: answer.clone(),
            question: question.content,
            changed: 0,
            news: 0,
            failure: None,
        };
        match checked {
            Ok(recheck) => {
                due.changed = recheck.changed;
                due.news = recheck.news_since(earlier.as_ref());
                self.put_off(&answer, &claimed, claimed.every.after(now), 0).await?;
            }
            Err(error) => {
                let failure = Failure::from(&error);
                let now = self.inner.clock.now();
                if failure.code == ErrorCode::Cancelled {
                    self.put_off(&answer, &claimed, now + APART, claimed.failures).await?;
                } else {
                    let failures = claimed.failures.saturating_add(1);
                    let next = claimed.every.after_failure(now, failures);
                    self.put_off(&answer, &claimed, next, failures).await?;
                }
                due.failure = Some(failure);
            }
        }
        Ok(Some(due))
    }

    /// Checks what is due for as long as the app is open, and tells what came of each.
    pub fn start_rechecks(&self, tell: impl Fn(DueRecheck) + Send + Sync + 'static) {
        let app = self.clone();
        self.inner.tasks.spawn(async move {
            let closing = app.inner.closing.clone();
            while closing.run_until_cancelled(tokio::time::sleep(LOOKS)).await.is_some() {
                match app.recheck_due().await {
                    Ok(Some(due)) => tell(due),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "what is to be checked again is not known"),
                }
            }
        });
    }

    /// Checks an answer again, and makes way when somebody asks meanwhile. One that a person began is joined and left alone.
    async fn check_unless_asked(&self, answer: &MessageId) -> Result<Recheck, AppError> {
        if self.inner.rechecks.has(answer) {
            return self.check_again(answer, true, |_| {}).await;
        }
        let checking = self.check_again(answer, true, |_| {});
        let asked = async {
            while self.running().is_empty() {
                tokio::time::sleep(MAKES_WAY).await;
            }
        };
        tokio::pin!(checking);
        tokio::select! {
            biased;
            checked = &mut checking => return checked,
            () = asked => {}
        }
        self.stop_recheck(answer);
        checking.await
    }

    async fn put_off(
        &self,
        answer: &MessageId,
        claimed: &RecheckSchedule,
        next_at: chrono::DateTime<chrono::Utc>,
        failures: u32,
    ) -> Result<(), AppError> {
        self.store()
            .put_off_recheck(answer, claimed.every, next_at, failures)
            .await?;
        Ok(())
    }
}
