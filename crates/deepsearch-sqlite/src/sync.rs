//! The local side of sync: rows, outbox and cursor, read and written in one transaction.
//!
//! Says how things are kept and leaves out what is decided, which is `deepsearch-sync`'s.

mod brought;
mod chats;
mod early;
mod evidence;
mod labels;
mod many;
mod messages;
mod offers;
mod position;
mod queue;
mod records;
mod settings;

use chrono::{DateTime, Utc};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::broadcast;

use crate::error::{Doing, StoreError};
use crate::history;
use crate::store::Store;

pub use brought::Brought;
pub use chats::LocalChat;
pub use evidence::WaitingEvidence;
pub use many::PlainChats;
pub use messages::LocalMessage;
pub use offers::ChatOffer;
pub(crate) use position::offer_if_left;
pub use position::{FirstPull, Sweep, SweepReason, SyncAccount, SyncPosition};
pub use queue::QueuedChange;
pub(crate) use settings::note_changes;

pub use records::{Conflict, ConflictKind, DeadChange, SyncCounts};

/// One transaction of sync. Dropping it undoes all that was done in it.
pub struct SyncTx {
    tx: Transaction<'static, Sqlite>,
    now: DateTime<Utc>,
    /// Told once it is committed.
    brought: Brought,
    tell: broadcast::Sender<Brought>,
}

impl Store {
    /// Begins to write what sync brought or sent.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn begin_sync(&self) -> Result<SyncTx, StoreError> {
        Ok(SyncTx {
            tx: self.begin("sync").await?,
            now: self.now(),
            brought: Brought::default(),
            tell: self.brought().clone(),
        })
    }

    /// Begins to read what is to be sent; all that is read belongs to one moment.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn begin_sync_reading(&self) -> Result<SyncTx, StoreError> {
        Ok(SyncTx {
            tx: self.readers().begin().await.doing("read what is to be synced")?,
            now: self.now(),
            brought: Brought::default(),
            tell: self.brought().clone(),
        })
    }
}

impl SyncTx {
    /// # Errors
    /// [`StoreError`] when the store cannot be written; then nothing of the transaction was.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        history::follow(&mut self.tx).await.doing("index what was synced")?;
        self.tx.commit().await.doing("sync")?;
        self.brought.tell(&self.tell);
        Ok(())
    }

    /// The time, by the server's clock as far as it is known.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn tx(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}
