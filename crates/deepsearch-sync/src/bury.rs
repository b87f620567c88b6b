//! Bury: a chat that is gone on the server goes here too, and what it had not sent lives on in a new one.

use deepsearch_core::ChatId;
use deepsearch_sqlite::{ConflictKind, SyncTx};

use crate::error::SyncError;
use crate::rules::{Mutant, Rules};

/// Takes a chat away, with everything that refers to it. There is nothing left to do a second time, so it forks once.
pub(crate) async fn bury(tx: &mut SyncTx, rules: Rules, id: &ChatId) -> Result<(), SyncError> {
    let local = tx.lookup_chat(id).await?;
    if local.as_ref().is_some_and(|local| local.offered) {
        // Whatever bears this id on the server, this one was never handed over.
        return Ok(());
    }
    if let Some(local) = &local
        && !rules.are_without(Mutant::NothingForked)
        && let Some(recovered) = tx.fork_pending(&local.chat).await?
    {
        let title = &local.chat.title;
        tx.add_conflict(ConflictKind::Recovered, id.as_str(), recovered.as_str(), title)
            .await?;
    }
    if !rules.are_without(Mutant::LeftoversKept) {
        tx.clear_leftovers(id).await?;
    }
    if local.is_some() {
        tx.remove_chat(id).await?;
    }
    Ok(())
}
