//! Schedules of rechecks: which answers are checked again by themselves, and which of them is next. A claim is one
//! transaction, so that of several programs with this store one alone begins.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::recheck::{Every, RecheckSchedule, ScheduledRecheck};
use deepsearch_core::validate::Invalid;
use deepsearch_core::{ChatId, MessageId};

use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::time::from_millis;

/// Schedules that there may be; at six an hour, some hours' work.
const MOST: u32 = 500;
/// When one is tried again that was taken up and never ended: whoever did was killed. None takes as long.
const TAKEN_FOR: TimeDelta = TimeDelta::hours(1);

/// A recheck that was taken up: whoever did says when the next one is due.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedRecheck {
    pub answer_id: MessageId,
    pub schedule: RecheckSchedule,
    /// When it was taken up before by somebody who never came to the end of it. What they found was told to nobody.
    pub abandoned_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Sets how often an answer is checked again, or that it is not. One that was due keeps nothing of that.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written or has no such answer, [`StoreError::Invalid`] when there are enough.
    pub async fn update_recheck_schedule(
        &self,
        answer_id: &MessageId,
        schedule: Option<&RecheckSchedule>,
    ) -> Result<(), StoreError> {
        const ACTION: &str = "keep when the answer is checked again";
        let id = answer_id.as_str();
        let mut tx = self.begin(ACTION).await?;
        match schedule {
            None => {
                sqlx::query!("delete from recheck_schedule where message_id = ?", id)
                    .execute(&mut *tx)
                    .await
            }
            Some(schedule) => {
                let others = sqlx::query_scalar!("select count(*) from recheck_schedule where message_id <> ?", id)
                    .fetch_one(&mut *tx)
                    .await
                    .doing(ACTION)?;
                if others >= i64::from(MOST) {
                    return Err(StoreError::Invalid(Invalid::TooMany {
                        field: "scheduled rechecks",
                        limit: MOST,
                    }));
                }
                let (every, next_at) = (schedule.every.as_str(), schedule.next_at.timestamp_millis());
                sqlx::query!(
                    "insert into recheck_schedule (message_id, every, next_at, failures) values (?1, ?2, ?3, ?4)
                     on conflict (message_id) do update set every = ?2, next_at = ?3, failures = ?4",
                    id,
                    every,
                    next_at,
                    schedule.failures
                )
                .execute(&mut *tx)
                .await
            }
        }
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_recheck_schedule(&self, answer_id: &MessageId) -> Result<Option<RecheckSchedule>, StoreError> {
        let id = answer_id.as_str();
        let row = sqlx::query!(
            r#"select every, next_at, failures as "failures: u32" from recheck_schedule where message_id = ?"#,
            id
        )
        .fetch_optional(self.readers())
        .await
        .doing("look up when the answer is checked again")?;
        Ok(row.and_then(|row| schedule(&row.every, row.next_at, row.failures)))
    }

    /// The answers that are checked again by themselves, the next one first. Those of chats in Trash wait there.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_recheck_schedules(&self) -> Result<Vec<ScheduledRecheck>, StoreError> {
        let rows = sqlx::query!(
            r#"select answer.id as "answer_id!", answer.chat_id as "chat_id!", question.content as "question?", every,
                   next_at, failures as "failures: u32",
                   (select checked_at from recheck where message_id = answer.id and failed = 0
                    order by checked_at desc limit 1) as "checked_at?: i64",
                   (select changed from recheck where message_id = answer.id and failed = 0
                    order by checked_at desc limit 1) as "changed?: u32"
               from recheck_schedule join message answer on answer.id = message_id
               join chat on chat.id = answer.chat_id left join message question on question.id = answer.parent
               where chat.deleted_at is null order by next_at limit ?"#,
            MOST
        )
        .fetch_all(self.readers())
        .await
        .doing("list what is checked again")?;
        let scheduled = rows.into_iter().filter_map(|row| {
            Some(ScheduledRecheck {
                schedule: schedule(&row.every, row.next_at, row.failures)?,
                answer_id: MessageId::from_stored(row.answer_id),
                chat_id: ChatId::from_stored(row.chat_id),
                question: row.question.unwrap_or_default(),
                checked_at: row.checked_at.map(from_millis),
                changed: row.changed.unwrap_or_default(),
            })
        });
        Ok(scheduled.collect())
    }

    /// Takes the answer whose time came first, if one's has and none was begun within `apart`. Whoever takes it says when it
    /// is due again ([`Store::put_off_recheck`]); should they be killed, it is in an hour.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn claim_recheck(
        &self,
        now: DateTime<Utc>,
        apart: TimeDelta,
    ) -> Result<Option<ClaimedRecheck>, StoreError> {
        const ACTION: &str = "take up what is to be checked again";
        let (at, since) = (now.timestamp_millis(), (now - apart).timestamp_millis());
        // Mostly none is due, and finding that out holds nobody up who writes.
        let first = sqlx::query_scalar!(r#"select min(next_at) as "next_at?: i64" from recheck_schedule"#)
            .fetch_one(self.readers())
            .await
            .doing(ACTION)?;
        if first.is_none_or(|first| first > at) {
            return Ok(None);
        }
        let mut tx = self.begin(ACTION).await?;
        let row = sqlx::query!(
            r#"select message_id as "message_id!", every, next_at, failures as "failures: u32", tried_at from recheck_schedule
               join message on message.id = message_id join chat on chat.id = message.chat_id
               where next_at <= ?1 and every in ('daily', 'weekly', 'monthly') and chat.deleted_at is null
                   and not exists (select 1 from recheck_schedule where tried_at > ?2 and tried_at <= ?1)
               order by next_at, message_id limit 1"#,
            at,
            since
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        let Some(row) = row else { return Ok(None) };
        // The statement takes none that this version does not know.
        let Some(schedule) = schedule(&row.every, row.next_at, row.failures) else {
            return Ok(None);
        };
        let abandoned_at = row
            .tried_at
            .map(from_millis)
            .filter(|at| *at + TAKEN_FOR == schedule.next_at);
        let next_at = (now + TAKEN_FOR).timestamp_millis();
        sqlx::query!(
            "update recheck_schedule set next_at = ?, tried_at = ? where message_id = ?",
            next_at,
            at,
            row.message_id
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(Some(ClaimedRecheck {
            answer_id: MessageId::from_stored(row.message_id),
            schedule,
            abandoned_at,
        }))
    }

    /// Says when a recheck is tried next, after one that was taken up. One whose schedule was taken away meanwhile, or made
    /// another, stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn put_off_recheck(
        &self,
        answer_id: &MessageId,
        every: Every,
        next_at: DateTime<Utc>,
        failures: u32,
    ) -> Result<(), StoreError> {
        const ACTION: &str = "put off the recheck";
        let (id, every, next_at) = (answer_id.as_str(), every.as_str(), next_at.timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "update recheck_schedule set next_at = ?, failures = ? where message_id = ? and every = ?",
            next_at,
            failures,
            id,
            every
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }
}

/// One that a newer version wrote in another form is none that this version keeps to.
fn schedule(every: &str, next_at: i64, failures: u32) -> Option<RecheckSchedule> {
    Some(RecheckSchedule {
        every: Every::from_stored(every)?,
        next_at: from_millis(next_at),
        failures,
    })
}
