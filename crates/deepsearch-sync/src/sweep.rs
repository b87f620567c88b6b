//! Sweep: holds the ids that the server has against those it had, when its feed cannot tell what is gone.

use deepsearch_core::MessageId;
use deepsearch_core::sync::EntityKind;
use deepsearch_sqlite::{Entity, Sweep, SweepReason, SyncPosition, SyncTx};

use crate::apply::deleted_message;
use crate::bury::bury;
use crate::engine::SyncEngine;
use crate::error::SyncError;
use crate::rules::Rules;

/// Ids of this device that are looked at in one go.
const STRIDE: u32 = 5_000;

impl SyncEngine {
    /// Compares one page of ids; the position moves with it.
    pub(crate) async fn sweep(&self, position: &SyncPosition) -> Result<(), SyncError> {
        let Some(sweep) = &position.sweep else {
            return Ok(());
        };
        let (asked, after) = (self.store.device_now(), sweep.after.as_deref());
        let page = self.remote.list_ids(sweep.kind, after, self.options.pull_limit).await?;
        self.measure_clock(asked, &page.server).await?;
        if !self.meet(position, &page.server).await? {
            return Ok(());
        }
        let until = page.ids.last().filter(|_| page.has_more).cloned();
        let mut tx = self.store.begin_sync().await?;
        if tx.position().await? != *position {
            return Ok(());
        }
        // Ids come in the order of their bytes, on both sides.
        let is_there = |id: &str| page.ids.binary_search_by(|known| known.as_str().cmp(id)).is_ok();
        compare(&mut tx, self.rules, sweep, until.as_deref(), is_there).await?;
        let mut next = position.clone();
        next.seen = page.server.reached.max(position.seen);
        match until {
            Some(until) => {
                next.sweep = Some(Sweep {
                    after: Some(until),
                    ..sweep.clone()
                });
            }
            None => next_kind(&mut next, sweep),
        }
        tx.keep_position(&next).await?;
        Ok(tx.commit().await?)
    }
}

fn next_kind(position: &mut SyncPosition, sweep: &Sweep) {
    position.sweep = match (sweep.reason, sweep.kind) {
        (SweepReason::Collected(_), EntityKind::Chat) => Some(Sweep {
            reason: sweep.reason,
            kind: EntityKind::Message,
            after: None,
        }),
        (SweepReason::Collected(mark), _) => {
            position.swept = mark;
            None
        }
        (SweepReason::Epoch, _) => None,
    };
}

async fn compare(
    tx: &mut SyncTx,
    rules: Rules,
    sweep: &Sweep,
    until: Option<&str>,
    is_there: impl Fn(&str) -> bool,
) -> Result<(), SyncError> {
    let mut after = sweep.after.clone().unwrap_or_default();
    if sweep.kind == EntityKind::Chat {
        for id in tx.list_known_chats(&after, until).await? {
            if !is_there(id.as_str()) {
                bury(tx, rules, &id).await?;
            }
        }
        // Its chat was gone before it was ever seen here, and so is the word of it.
        for id in tx.list_early_chats(&after, until).await? {
            if !is_there(id.as_str()) {
                bury(tx, rules, &id).await?;
            }
        }
        return Ok(());
    }
    for id in tx.list_early_messages(&after, until).await? {
        if !is_there(&id) {
            tx.delete_early(EntityKind::Message, &id).await?;
        }
    }
    loop {
        let ids = tx.list_known_messages(&after, until, STRIDE).await?;
        for id in ids.iter().filter(|id| !is_there(id.as_str())) {
            missing_message(tx, rules, sweep.reason, id).await?;
        }
        match ids.last() {
            Some(last) if ids.len() as u32 == STRIDE => after = last.to_string(),
            _ => return Ok(()),
        }
    }
}

async fn missing_message(tx: &mut SyncTx, rules: Rules, reason: SweepReason, id: &MessageId) -> Result<(), SyncError> {
    match reason {
        SweepReason::Collected(_) => deleted_message(tx, rules, id).await,
        SweepReason::Epoch => {
            tx.mark_synced(id, false).await?;
            Ok(tx.queue(Entity::Message, id.as_str()).await?)
        }
    }
}
