//! SyncRemote: the shared database as sync sees it, and what it promises.
//!
//! Two implementations keep these promises: PostgreSQL, and the server in memory that the simulation runs against.
//! Leaves out what the device does with the answers (`deepsearch-sync`) and how a row is kept (each side's own).

mod rows;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::chat::ChatId;
use crate::error::{ErrorCode, Failure, sentence};

pub use rows::{
    ChatRow, EntityKind, FlagsRow, MessageEvidence, MessageExtras, MessageRow, PageBody, PageRef, Row, SETTING_KEYS,
    SettingRow,
};

/// The latest protocol that this code speaks; it speaks the earlier ones too.
pub const PROTOCOL: u32 = 2;
/// From this protocol on the flags of a chat hold its labels, and are written by whoever has seen those that are there.
pub const LABELS_SINCE: u32 = 2;
/// Most changes, rows or ids that one page holds.
pub const PULL_LIMIT: u32 = 5_000;
/// A feed that one transaction holds up for so long is worth a word; transactions that write take no longer, nearly ever.
pub const FEED_HELD_LONG: Duration = Duration::from_secs(60);
/// A transaction of a device that lasts longer is ended by the gateway, for it may hold up what everybody else sees.
pub const DEVICE_TRANSACTION_LIMIT: Duration = Duration::from_secs(20);
/// Most rows of one push.
pub const PUSH_LIMIT: usize = 500;
/// Most bytes of text of one message that travels.
pub const MESSAGE_LIMIT: usize = 4 << 20;
/// Most bytes of text and HTML of one saved page that travels.
pub const PAGE_LIMIT: usize = 2 << 20;
/// How far in the server's future a pushed time may lie; a later one is taken back to that.
pub const FUTURE_LIMIT: TimeDelta = TimeDelta::seconds(2);
/// How long the server remembers that something was deleted.
pub const TOMBSTONE_DAYS: i64 = 180;

/// How long a saved page that has been late so many times before waits until it is tried again: a minute, four minutes, a
/// quarter of an hour, … at most a day.
pub fn wait_of_late_page(tries: u32) -> TimeDelta {
    TimeDelta::minutes(4_i64.saturating_pow(tries).min(24 * 60))
}

/// The shared database, for one signed-in person on one device. Every method concerns that person's rows alone, is one
/// transaction of the server, may be repeated without harm, and ends within a deadline of the implementation's. What is
/// asked for or sent alone (one row, one saved page) may take longer, for as long as it comes forward.
///
/// # The feed
/// Every committed write to a chat, message, setting or flag, by whatever program, has one entry per entity:
/// the last one, `(xid, seq)` of the transaction that made it, as an upsert or as a deletion. Rows that were there
/// before the feed have an entry too. An entry of the feed is handed out only once every transaction that could still
/// commit a smaller `xid` has ended (`xid < pg_snapshot_xmin(pg_current_snapshot())`, the horizon), so a reader that
/// goes on from [`FeedPage::next`] misses nothing, however transactions overlap.
///
/// A message counts as changed when its extras change, a chat does not when its flags do: those have an entry of
/// their own.
///
/// # Extras
/// What the web app's tables have no column for is kept beside them. The extras of a message and the flags of a chat
/// outlive the deletion of their row for as long as its tombstone does, because a web app may delete and insert anew
/// in order to save. A row that some other program wrote has none.
///
/// # Times
/// A pushed time later than the server's now plus [`FUTURE_LIMIT`] is kept as that limit, and the answer says what was
/// kept. Several messages of one chat which are taken back in one push stay apart by a millisecond each, in the order
/// they were pushed.
#[async_trait]
pub trait SyncRemote: Send + Sync {
    /// The changes after a cursor, in the order of the feed, with the rows as they are now. One statement (one
    /// snapshot) reads horizon, entries and rows. An upsert whose row is gone meanwhile is left out: its deletion
    /// comes later. A page with nothing in it still moves the cursor to the horizon.
    ///
    /// # Errors
    /// [`RemoteError`].
    async fn pull(&self, after: FeedCursor, limit: u32) -> Result<FeedPage, RemoteError>;

    /// How many entries the feed has after a cursor, about; for the progress of a first pull.
    ///
    /// # Errors
    /// [`RemoteError`].
    async fn count_changes(&self, after: FeedCursor) -> Result<u64, RemoteError>;

    /// Rows newest first, not from the feed: what a new device shows before it has pulled everything. First all
    /// settings, then chats with their flags by `(updated_at, id)` descending, then messages with `created_at >= since`
    /// by `(created_at, id)` descending.
    ///
    /// # Errors
    /// [`RemoteError`].
    async fn list_recent(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError>;

    /// The ids that exist, of chats or of messages, ascending by their bytes (`collate "C"`), after one.
    ///
    /// # Errors
    /// [`RemoteError`].
    async fn list_ids(&self, kind: EntityKind, after: Option<&str>, limit: u32) -> Result<IdPage, RemoteError>;

    /// Writes rows in the order given, and answers each in that order. All are committed when this returns; when it
    /// fails, nobody knows, and the same push is sent again. The rules:
    ///
    /// - **Chat**: absent and never deleted and not `known` → inserted. Absent otherwise → [`PushAnswer::Gone`].
    ///   Present: the greater `(updated_at, title)` wins; all fields equal → [`PushAnswer::Duplicate`].
    ///   Times compare after the limit on the future was applied, titles by their bytes.
    ///   A row which is the same only because its time was taken back is [`PushAnswer::Applied`], with that time: who
    ///   pushed it has to learn it. So it is with flags and settings.
    /// - **DeleteChat**: deletes with its messages; [`PushAnswer::Duplicate`] when there is none.
    /// - **Flags**: [`PushAnswer::Orphan`] without its chat. With labels: the same row is a duplicate; one that was stored
    ///   after `seen_at` is [`PushAnswer::Superseded`], so that its labels are merged and not overwritten; else it is
    ///   written, and is later than what it takes the place of. Without labels, as an earlier program sends them: the
    ///   greater `at` wins; with equal times what is stored stays, as a duplicate if it is the same; the labels that are
    ///   stored stay in any case. Labels of no sound name, or too many of them, are refused.
    /// - **Message**: [`PushAnswer::Orphan`] without its chat, also when that is just deleted; the chat may lie in
    ///   Trash. Absent → inserted, whether or not it was deleted before. Present and equal → a duplicate. Present and
    ///   interrupted, and the pushed one is complete or longer → replaced. Present with the same text, but without extras
    ///   or evidence that the pushed one has → these are added, which is [`PushAnswer::Applied`]. Else what is stored
    ///   stays. A push without evidence never takes evidence away.
    /// - **Setting**: the greater `(at, value)` wins, values by the bytes of their JSON.
    /// - An id which is another person's → [`PushAnswer::IdConflict`]. A message which is in another chat of the same
    ///   person stays there: superseded, with its row. (A device that saved it from a chat that was deleted meets it
    ///   again in a restored backup.)
    /// - A value that the tables refuse, or a message above [`MESSAGE_LIMIT`] → [`PushAnswer::Refused`]; the others are
    ///   written all the same.
    ///
    /// # Errors
    /// [`RemoteError::EpochChanged`] when [`Push::epoch`] is not the server's, or it stands before [`Push::seen`];
    /// [`RemoteError::Protocol`] when [`Push::protocol`] is out of its range; then nothing was written.
    async fn push(&self, push: &Push) -> Result<Pushed, RemoteError>;

    /// Which of these pages (by content hash, at most [`PULL_LIMIT`]) the server does not have for this person.
    ///
    /// # Errors
    /// [`RemoteError`].
    async fn list_missing_pages(&self, hashes: &[String]) -> Result<Vec<String>, RemoteError>;

    /// Keeps a page's text. One that is there already stays.
    ///
    /// # Errors
    /// [`RemoteError::Refused`] for a page above [`PAGE_LIMIT`] or above the person's allowance.
    async fn put_page(&self, page: &PageBody) -> Result<(), RemoteError>;

    /// A page's text; `None` when the server does not have it.
    ///
    /// # Errors
    /// [`RemoteError`].
    async fn lookup_page(&self, hash: &str) -> Result<Option<PageBody>, RemoteError>;

    /// The machine was asleep, or the network is another: no connection from before is used again.
    fn forget_connections(&self);
}

/// A place in the feed: everything up to and with it was seen. `xid` is PostgreSQL's 64-bit transaction id, `seq` rises
/// from 1 within the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedCursor {
    pub xid: u64,
    pub seq: i64,
}

/// What the server says of itself with each page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Changes when the server's past changes: a restored backup, a failover to a replica that was behind. Cursors and
    /// acknowledgements of another epoch mean nothing.
    pub epoch: String,
    /// The protocols that may write, from and to.
    pub protocol: (u32, u32),
    /// When the page was read, by the server's clock.
    pub now: DateTime<Utc>,
    /// Deletions up to this `xid` may be forgotten; 0 before the first was.
    pub collected: u64,
    /// All that the answer tells of was done by transactions before this `xid` (`pg_snapshot_xmax`). It never goes back,
    /// unless the server was put back: to a snapshot of its disk, which bears the same epoch.
    pub reached: u64,
}

impl ServerInfo {
    /// The protocol that is spoken with this server.
    pub fn spoken(&self) -> u32 {
        self.protocol.1.min(PROTOCOL)
    }

    /// Whether it keeps the labels of chats.
    pub fn has_labels(&self) -> bool {
        self.spoken() >= LABELS_SINCE
    }
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    Upsert(Row),
    Delete {
        kind: EntityKind,
        id: String,
    },
    /// Something that a later protocol brought; passed over.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedPage {
    pub server: ServerInfo,
    pub changes: Vec<Change>,
    /// After a full page its last entry, after any other `(horizon, 0)`.
    pub next: FeedCursor,
    /// Whether the page was full, so that the next one may hold something now.
    pub has_more: bool,
}

/// Where a page of [`SyncRemote::list_recent`] ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentMark {
    pub kind: EntityKind,
    pub at: DateTime<Utc>,
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecentPage {
    pub server: ServerInfo,
    pub rows: Vec<Row>,
    /// `None` after the last page.
    pub next: Option<RecentMark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdPage {
    pub server: ServerInfo,
    pub ids: Vec<String>,
    /// `false` after the last page: every id after those given is none.
    pub has_more: bool,
}

/// Rows that a device wants written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Push {
    pub epoch: String,
    /// How far the device has seen the server come, see [`ServerInfo::reached`].
    pub seen: u64,
    pub protocol: u32,
    /// At most [`PUSH_LIMIT`].
    pub rows: Vec<PushRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PushRow {
    Chat {
        row: ChatRow,
        /// The device has seen it on this server before, so it is not to be made again when it is missing.
        known: bool,
    },
    DeleteChat(ChatId),
    Flags {
        #[serde(flatten)]
        row: FlagsRow,
        /// The clock of the server's row that this one was made from, to the millisecond; `None` when there was none.
        /// Only looked at where there are labels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_at: Option<DateTime<Utc>>,
    },
    Message(Box<MessageRow>),
    Setting(SettingRow),
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    /// One for each row, in their order.
    pub answers: Vec<PushAnswer>,
    /// How far the server has come with it, see [`ServerInfo::reached`].
    pub reached: u64,
}

/// What became of one pushed row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PushAnswer {
    /// Written. `at` is the time that was kept: a chat's `updated_at`, a message's `created_at`, the clock of a setting
    /// or of flags; for a deletion, now.
    Applied { at: DateTime<Utc> },
    /// It was there already, as pushed: an acknowledgement was lost.
    Duplicate,
    /// Another write won; this is its row.
    Superseded(Box<Row>),
    /// The chat was deleted for ever.
    Gone,
    /// The chat it belongs to is not there.
    Orphan,
    /// The id is in use for something else.
    IdConflict,
    /// The tables refuse the value; the words say why. Sending it again is of no use.
    Refused { reason: String },
}

/// Why the server did not do what was asked.
#[derive(Debug, Error)]
pub enum RemoteError {
    #[error("the server could not be reached to {action}")]
    Offline {
        action: &'static str,
        #[source]
        source: RemoteSource,
    },
    #[error("the server took too long to {action}")]
    TimedOut { action: &'static str },
    #[error("the server does not know this session any more")]
    SignedOut,
    #[error("the server was restored from a backup, or another has taken its place")]
    EpochChanged,
    #[error("the server speaks versions {min} to {max} of the sync protocol, and this app up to {PROTOCOL}")]
    Protocol { min: u32, max: u32 },
    #[error("the server refused to {action}: {reason}")]
    Refused { action: &'static str, reason: String },
    #[error("the server could not {action}, because {hindrance}")]
    Hindered {
        action: &'static str,
        hindrance: Hindrance,
        #[source]
        source: RemoteSource,
    },
    #[error("the server failed to {action}")]
    Failed {
        action: &'static str,
        #[source]
        source: RemoteSource,
    },
}

/// What whoever looks after the server has to mend; nothing is wrong with what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Hindrance {
    #[error("it takes no changes now")]
    ReadOnly,
    #[error("its disk is full")]
    DiskFull,
    #[error("it has too many connections")]
    Crowded,
}

/// What lies beneath a [`RemoteError`].
pub type RemoteSource = Box<dyn std::error::Error + Send + Sync>;

impl RemoteError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Offline { .. } => ErrorCode::Offline,
            Self::TimedOut { .. } => ErrorCode::TimedOut,
            Self::SignedOut => ErrorCode::KeyRefused,
            Self::Protocol { .. } => ErrorCode::ReadOnly,
            Self::Refused { .. } => ErrorCode::Refused,
            Self::Hindered { hindrance, .. } => match hindrance {
                Hindrance::ReadOnly => ErrorCode::ReadOnly,
                Hindrance::DiskFull => ErrorCode::Storage,
                Hindrance::Crowded => ErrorCode::RateLimited,
            },
            Self::EpochChanged | Self::Failed { .. } => ErrorCode::Upstream,
        }
    }
}

impl From<&RemoteError> for Failure {
    fn from(error: &RemoteError) -> Self {
        let failure = Self::new(error.code(), sentence(&error.to_string()));
        match error {
            RemoteError::Offline { .. } | RemoteError::TimedOut { .. } => {
                failure.hint("What you change is kept and sent when the server answers again.")
            }
            RemoteError::Hindered { .. } => failure.hint(
                "What is on this device is kept and sent later; tell whoever looks after the server if it lasts.",
            ),
            RemoteError::SignedOut => failure.hint("Sign in again; nothing on this device is lost."),
            RemoteError::Protocol { min, .. } if *min > PROTOCOL => {
                failure.hint("Update DeepSearch; until then what you change is kept on this device.")
            }
            RemoteError::Protocol { .. } => {
                failure.hint("Ask whoever runs the server to update it; until then what you change is kept here.")
            }
            RemoteError::EpochChanged => failure.hint("Everything on this device is compared with it again by itself."),
            RemoteError::Refused { .. } | RemoteError::Failed { .. } => {
                failure.hint("It is tried again by itself; if it stays, ask whoever runs the server.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_page_waits_longer_each_time_and_at_most_a_day() {
        let minutes = |tries| wait_of_late_page(tries).num_minutes();
        assert_eq!([0, 1, 2, 5, 6, u32::MAX].map(minutes), [1, 4, 16, 1024, 1440, 1440]);
    }
}
