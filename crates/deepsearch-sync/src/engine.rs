//! SyncEngine: one run of sync, from the first question to the server to the last page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::sync::{FeedCursor, LABELS_SINCE, ServerInfo};
use deepsearch_core::{Failure, RemoteError, SyncRemote};
use deepsearch_sqlite::{FirstPull, Store, SyncAccount, SyncPosition};
use tokio::sync::{Mutex, Notify, watch};

use crate::error::SyncError;
use crate::pages::LatePages;
use crate::plan::{Contact, may_write, meet};
#[cfg(feature = "simulation")]
use crate::rules::Mutant;
use crate::rules::Rules;
use crate::status::{SyncProgress, SyncState, SyncStatus};
use crate::width::Width;

/// How an engine works.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Whether saved pages and citations travel.
    pub pages: bool,
    /// Entries of the feed, or rows, asked for at a time.
    pub pull_limit: u32,
    /// Rows sent at a time.
    pub push_limit: usize,
    /// A rule that a test leaves out.
    #[cfg(feature = "simulation")]
    pub mutant: Option<Mutant>,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            pages: true,
            pull_limit: 2_000,
            push_limit: 200,
            #[cfg(feature = "simulation")]
            mutant: None,
        }
    }
}

/// Keeps a store and the shared database of one account the same. It holds nothing that is not in the store, but for how
/// much the line has borne, so it may be dropped at any moment and made anew.
pub struct SyncEngine {
    pub(crate) store: Store,
    pub(crate) remote: Arc<dyn SyncRemote>,
    pub(crate) account: SyncAccount,
    pub(crate) options: SyncOptions,
    pub(crate) rules: Rules,
    pub(crate) nudged: Notify,
    pub(crate) is_focused: AtomicBool,
    /// Whether rows came or went since that was last asked.
    pub(crate) has_moved: AtomicBool,
    status: watch::Sender<SyncStatus>,
    pushed: AtomicU32,
    /// Rows that a page is asked to have now.
    pub(crate) pulls: Width,
    /// Rows that a push has now, and its share of the bytes.
    pub(crate) pushes: Width,
    /// Saved pages that did not go through in time, and when each is tried again.
    pub(crate) late_pages: std::sync::Mutex<LatePages>,
    one_run: Mutex<()>,
}

/// Messages that the server deleted are kept this long.
const HIDDEN_FOR: TimeDelta = TimeDelta::days(30);
/// More rounds than any sync needs that comes forward.
const ROUNDS: u32 = 100_000;

impl SyncEngine {
    pub fn new(store: Store, remote: Arc<dyn SyncRemote>, account: SyncAccount, options: SyncOptions) -> Self {
        Self {
            rules: Rules {
                pages: options.pages,
                labels: true,
                #[cfg(feature = "simulation")]
                mutant: options.mutant,
            },
            store,
            remote,
            account,
            pulls: Width::new(options.pull_limit),
            pushes: Width::new(u32::try_from(options.push_limit).unwrap_or(u32::MAX)),
            late_pages: std::sync::Mutex::default(),
            options,
            nudged: Notify::new(),
            is_focused: AtomicBool::new(true),
            has_moved: AtomicBool::new(false),
            status: watch::Sender::default(),
            pushed: AtomicU32::new(0),
            one_run: Mutex::new(()),
        }
    }

    /// What sync does and what waits; each change of it wakes the receiver.
    pub fn watch(&self) -> watch::Receiver<SyncStatus> {
        self.status.subscribe()
    }

    /// Brings everything that is new and sends everything that waits. A second call waits for the first.
    ///
    /// # Errors
    /// [`SyncError`] at the first failure; what was done before is kept.
    pub async fn run_once(&self) -> Result<(), SyncError> {
        let _alone = self.one_run.lock().await;
        self.pushed.store(0, Ordering::Relaxed);
        let result = self.run_through().await;
        let state = match &result {
            Ok(None) => SyncState::Idle,
            Ok(Some(failure)) => SyncState::Error {
                failure: failure.clone(),
            },
            Err(error) if error.is_offline() => SyncState::Offline,
            Err(error) => SyncState::Error { failure: error.into() },
        };
        self.publish(state).await;
        result.map(drop)
    }

    /// Returns what keeps the server from taking anything, when all the rest went well.
    async fn run_through(&self) -> Result<Option<Failure>, SyncError> {
        if self.store.bind_sync_account(&self.account).await? {
            tracing::info!("the store now belongs to an account; what it held is offered for upload");
        }
        let mut refused = None;
        for _ in 0..ROUNDS {
            let position = self.position().await?;
            self.progress(&position);
            if self.bring_recent(&position).await? {
                continue;
            }
            let Some(pulled) = self.pull(&position).await? else {
                continue;
            };
            let (min, max) = pulled.server.protocol;
            refused = (!may_write(&pulled.server)).then_some(RemoteError::Protocol { min, max });
            // New words of ours do not wait for a long first pull.
            let has_pushed = refused.is_none() && self.push(&pulled).await?;
            if pulled.has_more || has_pushed {
                continue;
            }
            break;
        }
        if self.options.pages {
            if refused.is_none() {
                self.send_pages().await?;
            }
            self.bring_pages().await?;
        }
        self.purge_hidden().await?;
        let position = self.position().await?;
        self.finish_first_pull(position).await?;
        Ok(refused.as_ref().map(Failure::from))
    }

    pub(crate) async fn position(&self) -> Result<SyncPosition, SyncError> {
        let mut tx = self.store.begin_sync_reading().await?;
        Ok(tx.position().await?)
    }

    /// Holds what the server says of itself against what is known. Says whether what came with it may be used.
    pub(crate) async fn meet(&self, position: &SyncPosition, server: &ServerInfo) -> Result<bool, SyncError> {
        match meet(position, server, self.rules) {
            Contact::Same => Ok(true),
            Contact::Again {
                position: next,
                is_new_past,
            } => {
                let has_labels_now = !known_labels(position) && known_labels(&next);
                let mut tx = self.store.begin_sync().await?;
                // Another program with this store may have gone on meanwhile.
                if tx.position().await? == *position {
                    if is_new_past {
                        tracing::warn!("the server's past has changed; everything is compared with it again");
                        tx.forget_server().await?;
                    }
                    if has_labels_now {
                        tx.queue_labels().await?;
                    }
                    tx.keep_position(&next).await?;
                    tx.commit().await?;
                }
                Ok(false)
            }
        }
    }

    /// The rules as they are with a server.
    pub(crate) fn rules_with(&self, server: &ServerInfo) -> Rules {
        Rules {
            labels: server.has_labels(),
            ..self.rules
        }
    }

    /// Measures the server's clock by an answer that was asked for at `asked`.
    pub(crate) async fn measure_clock(&self, asked: DateTime<Utc>, server: &ServerInfo) -> Result<(), SyncError> {
        let answered = self.store.device_now();
        let round_trip = (answered - asked).max(TimeDelta::zero());
        let offset = server.now - (asked + round_trip / 2);
        // Less than this is the network's doing, or does not matter.
        let noise = (round_trip / 2).max(TimeDelta::milliseconds(250));
        if (offset - self.store.clock_offset()).abs() > noise {
            self.store.keep_clock_offset(offset).await?;
        }
        Ok(())
    }

    async fn finish_first_pull(&self, mut position: SyncPosition) -> Result<(), SyncError> {
        if position.first != FirstPull::Feed || position.cursor == FeedCursor::default() {
            return Ok(());
        }
        position.first = FirstPull::Done;
        let mut tx = self.store.begin_sync().await?;
        tx.keep_position(&position).await?;
        Ok(tx.commit().await?)
    }

    async fn purge_hidden(&self) -> Result<(), SyncError> {
        if self.store.count_sync().await?.hidden == 0 {
            return Ok(());
        }
        let mut tx = self.store.begin_sync().await?;
        let before = tx.now() - HIDDEN_FOR;
        tx.purge_hidden(before, 1_000).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) fn count_pushed(&self, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.pushed.fetch_add(rows, Ordering::Relaxed);
        self.has_moved.fetch_or(rows > 0, Ordering::Relaxed);
    }

    fn progress(&self, position: &SyncPosition) {
        let is_first = position.first != FirstPull::Done;
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let progress = SyncProgress {
            pulled: count(position.pulled),
            expected: (is_first && position.expected > 0).then(|| count(position.expected)),
            pushed: self.pushed.load(Ordering::Relaxed),
        };
        self.status.send_if_modified(|status| {
            let state = SyncState::Running { progress };
            let is_new = status.state != state;
            status.state = state;
            is_new
        });
    }

    async fn publish(&self, state: SyncState) {
        // What cannot be counted is shown as it was.
        let counts = self.store.count_sync().await.ok();
        let behind = self.store.clock_offset().num_seconds();
        let now = self.store.device_now();
        let is_idle = state == SyncState::Idle;
        let synced_at = is_idle.then_some(now);
        let held_since = match is_idle {
            true => self.position().await.ok().and_then(|position| position.held_long(now)),
            false => None,
        };
        self.status.send_if_modified(|status| {
            let next = SyncStatus {
                state,
                counts: counts.unwrap_or(status.counts),
                synced_at: synced_at.or(status.synced_at),
                clock_behind: i32::try_from(behind).unwrap_or(if behind < 0 { i32::MIN } else { i32::MAX }),
                held_since,
            };
            let is_new = *status != next;
            *status = next;
            is_new
        });
    }
}

/// Whether the server kept the labels of chats when it was met last.
fn known_labels(position: &SyncPosition) -> bool {
    position.protocol >= LABELS_SINCE
}
