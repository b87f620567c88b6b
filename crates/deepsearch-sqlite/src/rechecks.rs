//! Rechecks: what came of holding an answer against what its question brings now, the latest few of each.

use deepsearch_core::MessageId;
use deepsearch_core::recheck::Recheck;

use crate::error::{Doing, StoreError};
use crate::messages::write_json;
use crate::store::Store;

/// As many as show how an answer has fared; older ones go.
const KEPT: i64 = 10;

impl Store {
    /// Keeps what a recheck found.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written, or has no such answer.
    pub async fn add_recheck(&self, answer_id: &MessageId, recheck: &Recheck) -> Result<(), StoreError> {
        const ACTION: &str = "keep the recheck";
        let json = write_json(recheck).doing(ACTION)?;
        let (id, at, changed) = (
            answer_id.as_str(),
            recheck.checked_at.timestamp_millis(),
            recheck.changed,
        );
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "insert into recheck (message_id, checked_at, changed, result) values (?1, ?2, ?3, ?4)
             on conflict (message_id, checked_at) do update set changed = ?3, result = ?4",
            id,
            at,
            changed,
            json
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        sqlx::query!(
            "delete from recheck where message_id = ?1 and checked_at not in
                (select checked_at from recheck where message_id = ?1 order by checked_at desc limit ?2)",
            id,
            KEPT
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
}
