//! Store: opens the database, hands out readers and the one writer.
//!
//! Leaves out what is in the tables; each has a file of its own, with its queries beside its rows.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use deepsearch_core::{Clock, SystemClock};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::error::{Doing, StoreError};
use crate::{history, journal};
use crate::owner::{OpeningLock, Others, Owner};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    pub clock: Arc<dyn Clock>,
    /// How many queries may read at the same time.
    pub readers: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            readers: 4,
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
}

impl Store {
    /// Opens the store, making or migrating it as needed, and marks answers that a crash cut off as interrupted.
    /// Several programs may have one store open.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be used.
    pub async fn open(path: impl Into<PathBuf>, options: StoreOptions) -> Result<Self, StoreError> {
        let path = path.into();
        create_private(&path)?;
        let opening = wait_for_opening(path.clone()).await?;
        let others = Others::look(&path)?;
        let owner = Owner::claim(&path)?;

        let writer = connect_writer(&path).await?;
        migrate(&writer).await?;
        history::make_up(&writer).await?;
        journal::interrupt_orphans(&writer, &others.alive, options.clock.now()).await?;
        drop(opening);

        Ok(Self {
            inner: Arc::new(Inner {
                readers: connect_readers(&path, options.readers).await?,
                path,
                clock: options.clock,
                writer,
                owner_id: owner.id().to_owned(),
                owner: Mutex::new(Some(owner)),
                read_only: false,
            }),
        })
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

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }

    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.inner.writer
    }

    pub(crate) fn owner_id(&self) -> &str {
        &self.inner.owner_id
    }

    /// The time, in the whole milliseconds that the tables keep.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now().trunc_subsecs(3)
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

/// What people asked is nobody else's business: the file, and the log that takes its mode, are the user's alone.
fn create_private(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).doing("open")?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).doing("open").map(drop)
}

async fn wait_for_opening(path: PathBuf) -> Result<OpeningLock, StoreError> {
    tokio::task::spawn_blocking(move || OpeningLock::wait(&path))
        .await
        .map_err(|error| StoreError::Internal {
            action: "open",
            source: error.into(),
        })?
}

async fn connect_writer(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = connection(path).optimize_on_close(true, Some(400));
    pool(1).connect_with(options).await.doing("open")
}

async fn connect_readers(path: &Path, count: u32) -> Result<SqlitePool, StoreError> {
    // Reading through the page cache of the operating system saves a copy of each page; writing does not use it.
    let options = connection(path)
        .pragma("query_only", "on")
        .pragma("mmap_size", "268435456");
    pool(count.max(1)).connect_with(options).await.doing("open")
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

async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    sqlx::migrate!("../../migrations/sqlite")
        .run(writer)
        .await
        .map_err(sqlx::Error::from)
        .doing("bring its tables up to date")
}
