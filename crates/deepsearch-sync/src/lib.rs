//! Sync: the local store and the shared database come to hold the same, and nothing acknowledged is lost.
//!
//! `plan/` decides and touches nothing; the files beside it read, send and write what was decided. Every step is a
//! transaction of the store that may be repeated, so that a crash, a lost answer or a second program with the same store
//! costs time at most. Leaves out how the server is reached, which is behind `SyncRemote`, and who signed in.

mod engine;
mod live;
mod status;

mod first;
mod pull;
mod push;
mod sweep;

mod apply;
mod bury;
mod deliver;
mod pages;

mod plan;
mod rules;
mod width;

mod error;

pub use engine::{SyncEngine, SyncOptions};
pub use error::SyncError;
#[doc(hidden)]
pub use rules::Mutant;
pub use status::{SyncProgress, SyncState, SyncStatus};
