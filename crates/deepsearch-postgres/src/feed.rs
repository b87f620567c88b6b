//! The feed of changes as a gateway looks after it: old deletions are forgotten, and it is seen where it stands still.

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::sync::number;

/// How far the feed is handed out, and how far transactions have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedHorizon {
    /// The oldest transaction that still runs, or the next one.
    pub horizon: u64,
    pub reached: u64,
}

impl FeedHorizon {
    /// Whether something that was written waits for an older transaction to end.
    pub fn is_held(&self) -> bool {
        self.horizon < self.reached
    }
}

impl SharedDatabase {
    /// Forgets deletions which every device has seen by now, once a day however many gateways ask, and says how many.
    /// `None` where it was done within a day.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer, or is not through after ten minutes; then nothing is forgotten.
    pub async fn collect_daily(&self) -> Result<Option<u64>, DatabaseError> {
        const ACTION: &str = "forget old deletions";
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!("select set_config('statement_timeout', '10min', true)")
            .fetch_one(&mut *tx)
            .await
            .doing(ACTION)?;
        let forgotten = sqlx::query_scalar!("select deepsearch_sync.collect_daily()")
            .fetch_one(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(forgotten.map(i64::unsigned_abs))
    }

    /// Where the feed stands now.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn feed_horizon(&self) -> Result<FeedHorizon, DatabaseError> {
        const ACTION: &str = "look where the feed stands";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query!(
            r#"select pg_snapshot_xmin(snapshot)::text as "horizon!", pg_snapshot_xmax(snapshot)::text as "reached!"
            from pg_current_snapshot() as snapshot"#
        )
        .fetch_one(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(FeedHorizon {
            horizon: number(&row.horizon),
            reached: number(&row.reached),
        })
    }
}
