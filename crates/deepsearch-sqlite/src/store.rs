//! Store: opens the database, hands out readers and the one writer.
//!
//! Leaves out what is in the tables; each has a file of its own, with its queries beside its rows.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use deepsearch_core::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{broadcast, watch};

use crate::error::{Doing, StoreError};
use crate::files::create_private;
use crate::owner::{OpeningLock, Others, Owner};
use crate::recovery::{self, Recovery};
use crate::schema::{self, Schema};
use crate::sync::Brought;
use crate::{backups, ballast, history, journal};

/// Transactions of sync that one who listens may be behind by.
const BROUGHT: usize = 256;

/// Whoever waits longer for another program's opening is told that this is what takes the time.
const WAITING: Duration = Duration::from_millis(100);

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    pub clock: Arc<dyn Clock>,
    /// How many queries may read at the same time.
    pub readers: u32,
    /// Told what is being done until the store is open.
    pub opening: watch::Sender<OpeningStep>,
}

/// What is being done to open a store; with a large history each but the first may take minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum OpeningStep {
    #[default]
    Opening,
    /// Another program is opening it.
    Waiting,
    /// Before the tables change.
    BackingUp,
    /// The tables are brought up to date.
    Upgrading,
    /// It is damaged, and built anew from what can be read.
    Repairing,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            readers: 4,
            opening: watch::Sender::default(),
        }
    }
}

/// The local store. Cloning it gives another handle on the same connections.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    readers: SqlitePool,
    writer: SqlitePool,
    owner_id: String,
    /// Given up by `close`, or when the last handle goes.
    owner: Mutex<Option<Owner>>,
    read_only: bool,
    recovery: Option<Recovery>,
    /// What the shared server's clock is ahead of ours, in milliseconds; see `src/sync/position.rs`.
    clock_offset: AtomicI64,
    brought: broadcast::Sender<Brought>,
}

impl Store {
    /// Opens the store, making, migrating or recovering it as needed, and marks answers that a crash cut off as
    /// interrupted. One that a newer version of the app wrote is opened for reading only. Several programs may have one
    /// store open.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be used.
    pub async fn open(path: impl Into<PathBuf>, options: StoreOptions) -> Result<Self, StoreError> {
        let path = path.into();
        match Self::open_once(path.clone(), options.clone()).await {
            Err(error) if ballast::is_wanting(&path, &error) => {
                if !ballast::give(&path) {
                    return Err(StoreError::DiskFull {
                        action: "open",
                        source: error.into(),
                    });
                }
                Self::open_once(path, options).await
            }
            opened => opened,
        }
    }

    async fn open_once(path: PathBuf, options: StoreOptions) -> Result<Self, StoreError> {
        create_private(&path).doing("open")?;
        let opening = Self::wait_and_tell(&path, &options.opening).await?;
        options.opening.send_replace(OpeningStep::Opening);
        let others = Others::look(&path)?;
        let now = options.clock.now();
        let mut recovery = None;
        if recovery::is_damaged(&path, &others).await? {
            options.opening.send_replace(OpeningStep::Repairing);
            recovery = Some(recovery::recover(&path, &others, now).await?);
        }
        let writer = match prepare(&path, &others, &options).await {
            Err(StoreError::Corrupt { .. }) if recovery.is_none() => {
                options.opening.send_replace(OpeningStep::Repairing);
                recovery = Some(recovery::recover(&path, &others, now).await?);
                prepare(&path, &others, &options).await?
            }
            prepared => prepared?,
        };
        let owner = Owner::claim(&path)?;
        drop(opening);
        recovery::check_later(&path);

        let readers = connect_readers(&path, options.readers).await?;
        let clock_offset = clock_offset(&readers).await;
        Ok(Self {
            inner: Arc::new(Inner {
                read_only: writer.is_none(),
                writer: writer.unwrap_or_else(|| readers.clone()),
                readers,
                path,
                clock: options.clock,
                owner_id: owner.id().to_owned(),
                owner: Mutex::new(Some(owner)),
                recovery,
                clock_offset: AtomicI64::new(clock_offset),
                brought: broadcast::Sender::new(BROUGHT),
            }),
        })
    }

    async fn wait_and_tell(path: &Path, told: &watch::Sender<OpeningStep>) -> Result<OpeningLock, StoreError> {
        let mut lock = std::pin::pin!(wait_for_opening(path.to_owned()));
        match tokio::time::timeout(WAITING, &mut lock).await {
            Ok(lock) => lock,
            Err(_) => {
                told.send_replace(OpeningStep::Waiting);
                lock.await
            }
        }
    }

    /// What was done about a damaged file when this store was opened.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.inner.recovery.as_ref()
    }

    /// Finishes what runs, folds the write-ahead log into the file and gives up the claim on it.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
        self.inner.owner.lock().map(|mut owner| owner.take()).ok();
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Whether a newer version of the app wrote this store, so that this one only reads it.
    pub fn is_read_only(&self) -> bool {
        self.inner.read_only
    }

    pub(crate) fn brought(&self) -> &broadcast::Sender<Brought> {
        &self.inner.brought
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }

    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.inner.writer
    }

    pub(crate) fn owner_id(&self) -> &str {
        &self.inner.owner_id
    }

    /// The time, in the whole milliseconds that the tables keep; the shared server's, once it was asked.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.device_now() + self.clock_offset()
    }

    /// The time by this device's clock alone.
    pub fn device_now(&self) -> DateTime<Utc> {
        self.inner.clock.now().trunc_subsecs(3)
    }

    /// What the server's clock is ahead of this device's; zero before it was asked.
    pub fn clock_offset(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.inner.clock_offset.load(Ordering::Relaxed))
    }

    pub(crate) fn set_clock_offset(&self, offset: TimeDelta) {
        self.inner
            .clock_offset
            .store(offset.num_milliseconds(), Ordering::Relaxed);
    }

    /// Begins to write. The lock is taken at once: a transaction that read first and then had to wait for another
    /// program would be refused, because what it read had changed.
    pub(crate) async fn begin(&self, action: &'static str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        if self.inner.read_only {
            return Err(StoreError::ReadOnly { action });
        }
        self.inner.writer.begin_with("BEGIN IMMEDIATE").await.doing(action)
    }
}

/// What was last known of the server's clock. A newer app's store may keep it elsewhere, and is not written to anyway.
async fn clock_offset(readers: &SqlitePool) -> i64 {
    let known: Result<Option<i64>, _> = sqlx::query_scalar("select clock_offset from sync_account where id = 1")
        .fetch_optional(readers)
        .await;
    known.ok().flatten().unwrap_or_default()
}

/// Brings the tables up to date and ends what a crash cut off. `None` when a newer version of the app has written the
/// store, which is then only read.
async fn prepare(path: &Path, others: &Others, options: &StoreOptions) -> Result<Option<SqlitePool>, StoreError> {
    let schema = Schema::of_file(path).await?;
    if schema == Schema::Newer {
        tracing::warn!("the store was written by a newer version of DeepSearch, so it is only read");
        return Ok(None);
    }
    let writer = connect_writer(path).await?;
    schema::migrate(&writer, path, schema, options).await?;
    history::make_up(&writer).await?;
    journal::interrupt_orphans(&writer, &others.alive, options.clock.now()).await?;
    if others.alive.is_empty() {
        backups::sweep(path)?;
    }
    ballast::lay(path);
    Ok(Some(writer))
}

pub(crate) async fn wait_for_opening(path: PathBuf) -> Result<OpeningLock, StoreError> {
    tokio::task::spawn_blocking(move || OpeningLock::wait(&path))
        .await
        .map_err(|error| StoreError::Internal {
            action: "open",
            source: error.into(),
        })?
}

pub(crate) async fn connect_writer(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = connection(path).optimize_on_close(true, Some(400));
    pool(1)
        // On a full disk SQLite rolls back by itself, and sqlx goes on counting the transaction as open: every later
        // one would fail. Such a connection is replaced. The ping waits for a rollback that is still on its way.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options)
        .await
        .doing("open")
}

async fn connect_readers(path: &Path, count: u32) -> Result<SqlitePool, StoreError> {
    // Reading through the page cache of the operating system saves a copy of each page; writing does not use it.
    let options = connection(path).pragma("mmap_size", "268435456");
    pool(count.max(1))
        .after_connect(|connection, _| {
            Box::pin(async move {
                history::prepare(connection).await?;
                sqlx::query("pragma query_only = on").execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .doing("open")
}

fn pool(connections: u32) -> SqlitePoolOptions {
    // A connection to a file does not go stale, so none is closed or probed before its time.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn connection(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL, NORMAL would lose the last commits in a power cut; FULL costs 1.4 ms a commit.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", "67108864")
}

/// A connection for one thing, outside the pools.
pub(crate) async fn connect_once(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    connection(path).connect().await
}
