//! Pull: one page of the feed, applied with its cursor in one transaction.

use std::sync::atomic::Ordering;

use deepsearch_core::sync::{Change, FeedPage, ServerInfo};
use deepsearch_sqlite::SyncPosition;

use crate::apply::Applier;
use crate::engine::SyncEngine;
use crate::error::SyncError;
use crate::rules::Mutant;

/// What a page of the feed said beside its rows.
pub(crate) struct Pulled {
    pub(crate) server: ServerInfo,
    pub(crate) has_more: bool,
}

impl SyncEngine {
    /// Brings one page. `None` when something else came first, so that the page has to be asked for again.
    pub(crate) async fn pull(&self, position: &SyncPosition) -> Result<Option<Pulled>, SyncError> {
        if position.sweep.is_some() {
            self.sweep(position).await?;
            return Ok(None);
        }
        let (asked, rows) = (self.store.device_now(), self.pulls.rows());
        let page = self.remote.pull(position.cursor, rows).await;
        let page = self.pulls.heed(rows, page)?;
        self.measure_clock(asked, &page.server).await?;
        if !self.meet(position, &page.server).await? {
            return Ok(None);
        }
        let pulled = Pulled {
            server: page.server.clone(),
            has_more: page.has_more,
        };
        Ok(self.keep_page(position, page).await?.then_some(pulled))
    }

    async fn keep_page(&self, position: &SyncPosition, page: FeedPage) -> Result<bool, SyncError> {
        let mut next = position.clone();
        next.cursor = page.next;
        next.seen = page.server.reached.max(position.seen);
        // Beyond a page that ends where it may not go on lies what somebody has written meanwhile.
        let is_held = !page.has_more && page.next.xid < page.server.reached;
        let since = position.held_since.filter(|_| page.next.xid == position.cursor.xid);
        next.held_since = is_held.then(|| since.unwrap_or_else(|| self.store.device_now()));
        if page.changes.is_empty() && next == *position {
            return Ok(true);
        }
        next.pulled += page.changes.len() as u64;
        self.has_moved.fetch_or(!page.changes.is_empty(), Ordering::Relaxed);
        let mut tx = self.store.begin_sync().await?;
        // Another program with this store may have gone on meanwhile; then this page may be older than its.
        if tx.position().await? != *position {
            return Ok(false);
        }
        tx.keep_position(&next).await?;
        if self.rules.are_without(Mutant::CursorBeforeRows) {
            tx.commit().await?;
            // Here a program may end.
            self.remote.count_changes(page.next).await?;
            tx = self.store.begin_sync().await?;
        }
        let mut applier = Applier::new(&mut tx, self.rules);
        let rows = page.changes.iter().filter_map(|change| match change {
            Change::Upsert(row) => Some(row),
            _ => None,
        });
        applier.expect(rows).await?;
        for change in page.changes {
            match change {
                Change::Upsert(row) => applier.upsert(row).await?,
                Change::Delete { kind, id } => applier.delete(kind, &id).await?,
                Change::Unknown => {}
            }
        }
        applier.finish().await?;
        if !page.has_more {
            tx.settle_dangling().await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
