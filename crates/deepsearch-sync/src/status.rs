//! Status: what a face of the app shows of sync, as a value that may be watched.

use chrono::{DateTime, Utc};
use deepsearch_core::Failure;
use deepsearch_sqlite::SyncCounts;
use serde::Serialize;

/// What sync is doing.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum SyncState {
    /// Everything is sent and brought, as of the last time we looked.
    #[default]
    Idle,
    Running {
        progress: SyncProgress,
    },
    /// The server cannot be reached. What is changed meanwhile is kept and sent later.
    Offline,
    /// Something has to be done, which the failure's hint says.
    Error {
        failure: Failure,
    },
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, specta::Type)]
pub struct SyncProgress {
    /// Entries brought in this run, or since the first pull began.
    pub pulled: u32,
    /// How many there will be, while a first pull is under way.
    pub expected: Option<u32>,
    /// Changes sent in this run.
    pub pushed: u32,
}

/// All that is to be said of sync.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SyncStatus {
    pub state: SyncState,
    pub counts: SyncCounts,
    /// When a run last ended well, by this device's clock.
    pub synced_at: Option<DateTime<Utc>>,
    /// Seconds that this device's clock is behind the server's; worth a word when it is more than minutes.
    pub clock_behind: i32,
    /// Since when the server has held changes back, because a transaction there does not end; only while it is idle.
    pub held_since: Option<DateTime<Utc>>,
}
