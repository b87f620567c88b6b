//! Recovery: a damaged store is put aside, never deleted; the newest good backup takes its place, and what is newer
//! is read out of the damaged file, row by row where it must be.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, SqliteConnection};

use crate::backups::{self, Backup};
use crate::error::{Doing, Source, StoreError};
use crate::files::{beside, copy_durably, create_private, rename_durably, set_aside, wal_files};
use crate::owner::Others;
use crate::salvage::{self, Salvaged};
use crate::schema::{self, Schema};
use crate::store::{Store, connect_once, connect_writer};

/// A store up to this size is checked before it is opened after a crash, which takes well under a tenth of a second.
/// A larger one is checked behind the person's back: a million messages take seconds to read, and a crash of the app
/// damages nothing (SQLite rolls it back); only a failing disk or a stranger's hand does, and what they spoil is
/// met with the same recovery at the next opening, or at once when a query stumbles on it.
const CHECKED_AT_ONCE: u64 = 16 << 20;

/// That check reads the whole file: not while a person waits for their first window.
const CHECK_AFTER: Duration = Duration::from_secs(10);

const ACTION: &str = "recover the damaged store";

/// What was done about a damaged store, for the app to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    pub at: DateTime<Utc>,
    /// The damaged file, as it was found.
    pub damaged: PathBuf,
    /// The backup that took its place; `None` when there was no good one.
    pub restored: Option<Backup>,
    pub salvaged: Salvaged,
}

impl Store {
    /// Reads the whole store and says what is wrong with it, at most 20 things; nothing is good. What is found is
    /// mended when the store is opened next.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read at all.
    pub async fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let problems = quick_check(self.path()).await?;
        remember(self.path(), &problems).doing("check the store")?;
        Ok(problems)
    }
}

/// Whether the store has to be recovered before it can be opened.
pub(crate) async fn is_damaged(path: &Path, others: &Others) -> Result<bool, StoreError> {
    let size = std::fs::metadata(path).doing("open")?.len();
    if size == 0 {
        return Ok(false);
    }
    if beside(path, DAMAGED).exists() || !has_header(path).doing("open")? {
        return Ok(true);
    }
    if others.crashed == 0 {
        return Ok(false);
    }
    if size > CHECKED_AT_ONCE {
        create_private(&beside(path, UNCHECKED)).doing("open")?;
        return Ok(false);
    }
    match quick_check(path).await {
        Ok(problems) => Ok(!problems.is_empty()),
        Err(StoreError::Corrupt { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Checks a large store in the background after a crash, until one check has come to its end.
pub(crate) fn check_later(path: &Path) {
    if !beside(path, UNCHECKED).exists() {
        return;
    }
    let path = path.to_owned();
    // On a connection of its own: closing the store does not wait for it, and the end of the process ends it.
    tokio::spawn(async move {
        tokio::time::sleep(CHECK_AFTER).await;
        let remembered = match quick_check(&path).await {
            Ok(problems) => remember(&path, &problems),
            Err(StoreError::Corrupt { .. }) => remember(&path, &["it cannot be read".into()]),
            Err(error) => {
                tracing::warn!(%error, "the store could not be checked after a crash");
                return;
            }
        };
        if let Err(error) = remembered {
            tracing::warn!(%error, "what the check of the store found could not be noted");
        }
    });
}

/// Puts a damaged store aside and builds it anew. The caller holds the opening lock, and nobody else has it open.
pub(crate) async fn recover(path: &Path, others: &Others, now: DateTime<Utc>) -> Result<Recovery, StoreError> {
    if !others.alive.is_empty() {
        return Err(StoreError::Corrupt {
            action: "open, and another program still uses it: close that first",
            source: Source::from("recovery needs the store for itself"),
        });
    }
    // Built beside the damaged file, which keeps its place until all is saved: a kill in between starts over.
    let fresh = beside(path, "-recovering");
    for file in wal_files(&fresh).iter().chain([&fresh]) {
        std::fs::remove_file(file).ok();
    }
    let restored = backups::newest_good(path).await?;
    match &restored {
        Some(backup) => copy_durably(&backup.path, &fresh).doing(ACTION)?,
        None => create_private(&fresh).doing(ACTION)?,
    }
    let writer = connect_writer(&fresh).await?;
    schema::run(&writer).await?;
    writer.close().await;
    let salvaged = salvage_into(&fresh, path).await?;

    let damaged = set_aside(path, now).doing(ACTION)?;
    rename_durably(&fresh, path).doing(ACTION)?;
    std::fs::remove_file(beside(path, DAMAGED)).ok();
    std::fs::remove_file(beside(path, UNCHECKED)).ok();
    tracing::warn!(damaged = %damaged.display(), ?salvaged, "the store was damaged and has been recovered");
    Ok(Recovery {
        at: now,
        damaged,
        restored,
        salvaged,
    })
}

async fn salvage_into(fresh: &Path, damaged: &Path) -> Result<Salvaged, StoreError> {
    let mut connection = connect_once(fresh).await.doing(ACTION)?;
    // Nothing counts until all of it is on the disk, which the last line sees to.
    run(&mut connection, "pragma synchronous = off").await?;
    let salvaged = salvage::salvage(damaged, &mut connection).await?;
    run(&mut connection, "pragma synchronous = full").await?;
    run(&mut connection, "pragma main.wal_checkpoint(truncate)").await?;
    connection.close().await.doing(ACTION)?;
    File::open(fresh).and_then(|file| file.sync_all()).doing(ACTION)?;
    Ok(salvaged)
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), StoreError> {
    sqlx::query(statement).execute(connection).await.doing(ACTION).map(drop)
}

/// Beside a store that was found damaged, and beside one that crashed and is still to be checked.
const DAMAGED: &str = "-damaged";
const UNCHECKED: &str = "-unchecked";

fn has_header(path: &Path) -> std::io::Result<bool> {
    let mut header = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) => Ok(&header == b"SQLite format 3\0"),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

async fn quick_check(path: &Path) -> Result<Vec<String>, StoreError> {
    const CHECK: &str = "check the store";
    let mut connection = connect_once(path).await.doing(CHECK)?;
    let mut problems: Vec<String> = sqlx::query_scalar("pragma quick_check(20)")
        .fetch_all(&mut connection)
        .await
        .doing(CHECK)?;
    problems.retain(|problem| problem != "ok");
    // Only a schema that cannot be read is a damage; a newer one is not ours to judge.
    Schema::of(&mut connection).await.doing(CHECK)?;
    connection.close().await.doing(CHECK)?;
    Ok(problems)
}

fn remember(path: &Path, problems: &[String]) -> std::io::Result<()> {
    if !problems.is_empty() {
        tracing::error!(
            ?problems,
            "the store is damaged; it will be recovered when it is opened next"
        );
        create_private(&beside(path, DAMAGED))?;
    }
    match std::fs::remove_file(beside(path, UNCHECKED)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
