//! Rechecks: what came of holding an answer against what its question brings now, the latest few of each, with the pages
//! they rest on and what they sent to whom.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use deepsearch_core::recheck::{Recheck, RecheckNote};
use deepsearch_core::{AnswerLedger, MessageId, MessageMetadata, Page, PageId};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::messages::write_json;
use crate::model_use;
use crate::pages::{self, PackedPage};
use crate::store::Store;
use crate::time::from_millis;

/// As many as show how an answer has fared; older ones go.
const KEPT: i64 = 10;

/// A recheck as it is to be kept.
#[derive(Debug, Clone)]
pub struct NewRecheck {
    pub recheck: Recheck,
    /// The pages that were read for it. Those that no sentence is held against are not kept.
    pub pages: Vec<Page>,
    pub ledger: AnswerLedger,
    /// What it cost.
    pub metadata: Option<MessageMetadata>,
}

impl Store {
    /// Keeps what a recheck found, and gives it as it is kept: a page that was saved before has the id it had. One that
    /// failed takes the place of an earlier one that failed, so that it pushes out nothing that was found.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written, or has no such answer.
    pub async fn add_recheck(&self, answer_id: &MessageId, new: NewRecheck) -> Result<Recheck, StoreError> {
        const ACTION: &str = "keep the recheck";
        let mut recheck = new.recheck;
        let used: HashSet<PageId> = recheck
            .sentences
            .iter()
            .filter_map(|compared| compared.now.as_ref()?.page_id.clone())
            .collect();
        let used: Vec<Page> = new.pages.into_iter().filter(|page| used.contains(&page.id)).collect();
        let packed = PackedPage::pack_all(&used).await?;
        let ledger = write_json(&new.ledger).doing(ACTION)?;
        let (id, at, failed) = (
            answer_id.as_str(),
            recheck.checked_at.timestamp_millis(),
            recheck.failure.is_some(),
        );
        let mut tx = self.begin(ACTION).await?;
        let saved = pages::save_all(&mut tx, &packed).await.doing(ACTION)?;
        let names: HashMap<PageId, PageId> = used
            .into_iter()
            .map(|page| page.id)
            .zip(saved.iter().cloned())
            .collect();
        rename(&mut recheck, &names);
        let (json, changed) = (write_json(&recheck).doing(ACTION)?, recheck.changed);
        sqlx::query!(
            "insert into recheck (message_id, checked_at, changed, result, ledger, failed) values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (message_id, checked_at) do update set changed = ?3, result = ?4, ledger = ?5, failed = ?6",
            id,
            at,
            changed,
            json,
            ledger,
            failed
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        for page_id in &saved {
            let page_id = page_id.as_str();
            sqlx::query!(
                "insert or ignore into recheck_page (message_id, checked_at, page_id) values (?, ?, ?)",
                id,
                at,
                page_id
            )
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        }
        delete_old(&mut tx, id, at).await.doing(ACTION)?;
        model_use::count(&mut tx, None, new.metadata.as_ref(), self.device_now())
            .await
            .doing(ACTION)?;
        crate::history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(recheck)
    }

    /// Replaces what a recheck sent by what is known of it now.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn update_recheck_ledger(&self, at: DateTime<Utc>, ledger: &AnswerLedger) -> Result<(), StoreError> {
        const ACTION: &str = "keep what the recheck sent";
        let json = write_json(ledger).doing(ACTION)?;
        let (id, at) = (ledger.message_id.as_str(), at.timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "update recheck set ledger = ? where message_id = ? and checked_at = ?",
            json,
            id,
            at
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// The rechecks of an answer, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_rechecks(&self, answer_id: &MessageId) -> Result<Vec<Recheck>, StoreError> {
        let id = answer_id.as_str();
        let rows = sqlx::query_scalar!(
            "select result from recheck where message_id = ? order by checked_at desc",
            id
        )
        .fetch_all(self.readers())
        .await
        .doing("list the rechecks")?;
        // One that a newer version wrote in another form is none that this version can show.
        Ok(rows.iter().filter_map(|json| serde_json::from_str(json).ok()).collect())
    }

    /// What a recheck sent to whom; `None` where nobody wrote it down.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_recheck_ledger(
        &self,
        answer_id: &MessageId,
        at: DateTime<Utc>,
    ) -> Result<Option<AnswerLedger>, StoreError> {
        let (id, at) = (answer_id.as_str(), at.timestamp_millis());
        let row = sqlx::query_scalar!(
            "select ledger from recheck where message_id = ? and checked_at = ?",
            id,
            at
        )
        .fetch_optional(self.readers())
        .await
        .doing("look up what the recheck sent")?;
        Ok(row.flatten().and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// What an answer says of its rechecks; `None` where it was never checked again and is not to be.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_recheck_note(&self, answer_id: &MessageId) -> Result<Option<RecheckNote>, StoreError> {
        const ACTION: &str = "look up the recheck";
        let id = answer_id.as_str();
        let last = sqlx::query!(
            r#"select checked_at, changed as "changed: u32" from recheck
               where message_id = ? and failed = 0 order by checked_at desc limit 1"#,
            id
        )
        .fetch_optional(self.readers())
        .await
        .doing(ACTION)?;
        let every = self
            .lookup_recheck_schedule(answer_id)
            .await?
            .map(|schedule| schedule.every);
        if last.is_none() && every.is_none() {
            return Ok(None);
        }
        Ok(Some(RecheckNote {
            changed: last.as_ref().map_or(0, |last| last.changed),
            checked_at: last.map(|last| from_millis(last.checked_at)),
            every,
            running: false,
        }))
    }
}

fn rename(recheck: &mut Recheck, names: &HashMap<PageId, PageId>) {
    let proofs = recheck
        .sentences
        .iter_mut()
        .filter_map(|compared| compared.now.as_mut());
    for id in proofs.filter_map(|proof| proof.page_id.as_mut()) {
        if let Some(saved) = names.get(id) {
            *id = saved.clone();
        }
    }
}

/// Lets go of the oldest rechecks, of all but the newest that failed, and of pages that nothing else rests on.
async fn delete_old(tx: &mut SqliteConnection, id: &str, newest: i64) -> Result<(), sqlx::Error> {
    let released = sqlx::query_scalar!("select distinct page_id from recheck_page where message_id = ?", id)
        .fetch_all(&mut *tx)
        .await?;
    sqlx::query!(
        "delete from recheck where message_id = ?1 and failed and checked_at <> ?2",
        id,
        newest
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "delete from recheck where message_id = ?1 and not failed and checked_at not in
            (select checked_at from recheck where message_id = ?1 and not failed order by checked_at desc limit ?2)",
        id,
        KEPT
    )
    .execute(&mut *tx)
    .await?;
    pages::delete_unused(tx, &released).await
}
