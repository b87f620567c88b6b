//! The local store: what the app reads and writes, on the user's own machine, with or without a network.
//!
//! One file per table, its queries beside its rows and checked at compile time. Leaves out what the rows mean, which
//! is `deepsearch-core`'s, and what sync decides, which is `deepsearch-sync`'s.

mod store;

mod chats;
mod journal;
mod messages;
mod turns;

mod citations;
mod imports;
mod ledgers;
mod pages;
mod pictures;
mod recheck_schedules;
mod rechecks;
mod research;

mod history;

mod bulk;
mod collections;
mod labels;
mod saved_searches;
mod tags;

mod backups;
mod ballast;
mod files;
mod recovery;
mod salvage;
mod schema;

mod engine_events;
mod model_use;
mod outbox;
mod search_cache;
mod settings;
mod sync;

mod error;
mod owner;
mod packing;
mod time;

pub use backups::{Backup, BackupKind, Replaced, list_backups};
pub use bulk::{Before, BulkChange, BulkDone, MOST_AT_ONCE, Was};
pub use chats::{ChatFilter, ChatView};
pub use citations::{AnswerEvidence, SourcePage};
pub use collections::Collection;
pub use deepsearch_core::ChatCursor;
pub use engine_events::EVENTS_KEPT;
pub use error::StoreError;
pub use history::{HistoryCursor, HistoryFilter, HistoryHit, HistoryQuery, HistoryResults, HitKind};
pub use imports::{Imported, ImportedMessage};
pub use model_use::{ChatUse, ModelUse, MonthUse};
pub use outbox::{Entity, Operation, OutboxEntry};
pub use recheck_schedules::ClaimedRecheck;
pub use rechecks::NewRecheck;
pub use recovery::Recovery;
pub use salvage::Salvaged;
pub use saved_searches::{SavedQuery, SavedSearch};
pub use search_cache::SearchCacheTable;
pub use store::{OpeningStep, Store, StoreOptions};
pub use sync::{
    Brought, ChatOffer, Conflict, ConflictKind, DeadChange, FirstPull, LocalChat, LocalMessage, PlainChats,
    QueuedChange, Sweep, SweepReason, SyncAccount, SyncCounts, SyncPosition, SyncTx, WaitingEvidence,
};
pub use tags::{ChatLabels, Tag};
pub use turns::{FinishedAnswer, NewTurn, Turn};
