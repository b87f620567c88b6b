//! First: what a new device brings before anything else, the chats and the last month, newest first.

use chrono::TimeDelta;
use deepsearch_core::sync::{FeedCursor, Row};
use deepsearch_sqlite::{FirstPull, SyncPosition};

use crate::apply::Applier;
use crate::engine::SyncEngine;
use crate::error::SyncError;

const RECENT: TimeDelta = TimeDelta::days(30);

impl SyncEngine {
    /// Brings one page of what is recent, and says whether there was one to bring.
    pub(crate) async fn bring_recent(&self, position: &SyncPosition) -> Result<bool, SyncError> {
        let FirstPull::Recent(mark) = &position.first else {
            return Ok(false);
        };
        let (asked, rows) = (self.store.device_now(), self.pulls.rows());
        let since = asked + self.store.clock_offset() - RECENT;
        let page = self.remote.list_recent(since, mark.as_ref(), rows).await;
        let page = self.pulls.heed(rows, page)?;
        self.measure_clock(asked, &page.server).await?;
        if !self.meet(position, &page.server).await? {
            return Ok(true);
        }
        let mut next = position.clone();
        next.seen = page.server.reached.max(position.seen);
        next.pulled += page.rows.len() as u64;
        next.first = match page.next {
            Some(mark) => FirstPull::Recent(Some(mark)),
            None => {
                next.pulled = 0;
                next.expected = self.remote.count_changes(FeedCursor::default()).await?;
                FirstPull::Feed
            }
        };
        self.keep_rows(position, &next, page.rows).await?;
        Ok(true)
    }

    async fn keep_rows(&self, position: &SyncPosition, next: &SyncPosition, rows: Vec<Row>) -> Result<(), SyncError> {
        let mut tx = self.store.begin_sync().await?;
        if tx.position().await? != *position {
            return Ok(());
        }
        let mut applier = Applier::new(&mut tx, self.rules);
        applier.expect(rows.iter()).await?;
        for row in rows {
            applier.upsert(row).await?;
        }
        applier.finish().await?;
        tx.keep_position(next).await?;
        Ok(tx.commit().await?)
    }
}
