//! Backups: whole copies of the store in `backups/` beside it, made while it is in use.
//!
//! One a day for a week, one before each migration and before each restore, and those made by hand, which are kept
//! until somebody deletes them.

use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::error::{Doing, StoreError};
use crate::files::{copy_durably, create_private, rename_durably, set_aside, sync_folder, wal_files};
use crate::owner::Others;
use crate::schema::Schema;
use crate::store::{Store, StoreOptions, connect_once, wait_for_opening};

/// Why a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    Daily,
    Manual,
    /// Before the tables changed.
    Migration,
    /// Before another backup took the store's place.
    Restore,
}

/// One whole copy of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Backup {
    pub path: PathBuf,
    pub kind: BackupKind,
    pub created_at: DateTime<Utc>,
    pub bytes: u64,
}

/// What became of the store that a backup replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replaced {
    /// There was none.
    Nothing,
    BackedUp(Backup),
    /// It could not be read, so its file was put aside as it was.
    SetAside(PathBuf),
}

const CREATE: &str = "make a backup";
const RESTORE: &str = "restore the backup";

impl Store {
    /// Makes a backup now. Nobody has to stop writing meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or the copy cannot be written; then there is no new backup.
    pub async fn create_backup(&self) -> Result<Backup, StoreError> {
        create(self.path(), BackupKind::Manual, self.now()).await
    }

    /// Makes the backup of the day, when the last one is a day old; else does nothing. For the app to call while it
    /// has nothing better to do.
    ///
    /// # Errors
    /// As [`Store::create_backup`].
    pub async fn create_daily_backup(&self) -> Result<Option<Backup>, StoreError> {
        let is_daily = |backup: &&Backup| backup.kind == BackupKind::Daily;
        let last = self
            .list_backups()?
            .iter()
            .find(is_daily)
            .map(|backup| backup.created_at);
        if last.is_some_and(|last| (self.now() - last).abs() < TimeDelta::days(1)) {
            return Ok(None);
        }
        create(self.path(), BackupKind::Daily, self.now()).await.map(Some)
    }

    /// All backups, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when their folder cannot be read.
    pub fn list_backups(&self) -> Result<Vec<Backup>, StoreError> {
        list_backups(self.path())
    }

    /// Whether a backup can be used: whole, and a store.
    ///
    /// # Errors
    /// [`StoreError::BadBackup`] when it is not.
    pub async fn check_backup(backup: &Path) -> Result<(), StoreError> {
        check_backup(backup).await.map(drop)
    }

    /// Puts a backup in the place of the store at `path`, which nobody may have open, and opens it. The backup is
    /// checked first, and the present state is backed up.
    ///
    /// # Errors
    /// [`StoreError::BadBackup`] for one that is damaged or none, [`StoreError::Busy`] while another program has the
    /// store open; then nothing has changed.
    pub async fn restore_backup(
        path: &Path,
        backup: &Path,
        options: StoreOptions,
    ) -> Result<(Self, Replaced), StoreError> {
        check_backup(backup).await?;
        let lock = wait_for_opening(path.to_owned()).await?;
        if !Others::look(path)?.alive.is_empty() {
            return Err(StoreError::Busy {
                action: RESTORE,
                source: "the store is open; close DeepSearch everywhere".into(),
            });
        }
        let now = options.clock.now();
        // Ready beside the store before the store is touched, so that a full disk changes nothing.
        let ready = crate::files::beside(path, "-restoring");
        copy_durably(backup, &ready).doing(RESTORE)?;
        let replaced = keep_present(path, now).await?;
        // A log left behind would be played into the backup.
        for file in wal_files(path) {
            if file.exists() {
                std::fs::remove_file(file).doing(RESTORE)?;
            }
        }
        rename_durably(&ready, path).doing(RESTORE)?;
        drop(lock);
        Ok((Self::open(path, options).await?, replaced))
    }
}

impl Store {
    /// Removes the store at `path` with its backups and everything else it keeps beside itself.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when it is open anywhere, and then nothing is gone; others when a file cannot be removed.
    pub async fn remove(path: &Path) -> Result<(), StoreError> {
        const REMOVE: &str = "remove what is saved";
        let lock = wait_for_opening(path.to_owned()).await?;
        if !Others::look(path)?.alive.is_empty() {
            return Err(StoreError::Busy {
                action: REMOVE,
                source: "the store is open; close DeepSearch everywhere".into(),
            });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = std::fs::read_dir(path.parent().unwrap_or(Path::new("."))).doing(REMOVE)?;
        for entry in beside {
            let file = entry.doing(REMOVE)?;
            let other = file.file_name().to_string_lossy().into_owned();
            // The logs, the ballast and damaged files that were set aside all begin with the store's name. The lock that
            // is held stays, since another program may be waiting for it.
            if other.starts_with(&name) && !other.ends_with("-opening") && file.path().is_file() {
                std::fs::remove_file(file.path()).doing(REMOVE)?;
            }
        }
        let backups = folder(path);
        if backups.exists() {
            std::fs::remove_dir_all(backups).doing(REMOVE)?;
        }
        drop(lock);
        Ok(())
    }
}

/// All backups of the store at `path`, newest first; also for a store that cannot be opened.
///
/// # Errors
/// [`StoreError`] when their folder cannot be read.
pub fn list_backups(path: &Path) -> Result<Vec<Backup>, StoreError> {
    const ACTION: &str = "list the backups";
    let folder = folder(path);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut backups = Vec::new();
    for entry in std::fs::read_dir(folder).doing(ACTION)? {
        let entry = entry.doing(ACTION)?;
        if let Some((created_at, kind)) = entry.file_name().to_str().and_then(parse_name) {
            backups.push(Backup {
                path: entry.path(),
                kind,
                created_at,
                bytes: entry.metadata().doing(ACTION)?.len(),
            });
        }
    }
    backups.sort_by(|left, right| (right.created_at, &right.path).cmp(&(left.created_at, &left.path)));
    Ok(backups)
}

pub(crate) async fn create(path: &Path, kind: BackupKind, now: DateTime<Utc>) -> Result<Backup, StoreError> {
    let folder = folder(path);
    std::fs::create_dir_all(&folder).doing(CREATE)?;
    let mut created_at = now;
    while folder.join(name(created_at, kind)).exists() {
        created_at += TimeDelta::milliseconds(1);
    }
    let target = folder.join(name(created_at, kind));
    // A name that is not listed, until the copy is whole. Two programs never write into one file.
    let partial = target.with_extension(format!("{}.partial", std::process::id()));
    let copied = copy_into(path, &partial).await;
    if copied.is_err() {
        std::fs::remove_file(&partial).ok();
    }
    copied?;
    rename_durably(&partial, &target).doing(CREATE)?;
    prune(path, kind)?;
    Ok(Backup {
        bytes: std::fs::metadata(&target).doing(CREATE)?.len(),
        path: target,
        kind,
        created_at,
    })
}

async fn copy_into(path: &Path, partial: &Path) -> Result<(), StoreError> {
    create_private(partial).doing(CREATE)?;
    let mut connection = connect_once(path).await.doing(CREATE)?;
    let target = partial.to_string_lossy().into_owned();
    sqlx::query("vacuum into ?")
        .bind(target)
        .execute(&mut connection)
        .await
        .doing(CREATE)?;
    connection.close().await.doing(CREATE)?;
    File::open(partial).and_then(|file| file.sync_all()).doing(CREATE)
}

/// As [`Store::check_backup`]. Says how its tables stand to ours.
async fn check_backup(backup: &Path) -> Result<Schema, StoreError> {
    look_into(backup).await.map_err(|error| match error {
        StoreError::Corrupt { source, .. } => StoreError::BadBackup { source },
        error => error,
    })
}

async fn look_into(backup: &Path) -> Result<Schema, StoreError> {
    const ACTION: &str = "check the backup";
    let damaged = |source: crate::error::Source| StoreError::Corrupt { action: ACTION, source };
    let options = SqliteConnectOptions::new()
        .filename(backup)
        .read_only(true)
        .immutable(true);
    let mut connection = options.connect().await.doing(ACTION)?;
    let problem: String = sqlx::query_scalar("pragma quick_check(1)")
        .fetch_one(&mut connection)
        .await
        .doing(ACTION)?;
    if problem != "ok" {
        return Err(damaged(problem.into()));
    }
    let schema = Schema::of(&mut connection).await.doing(ACTION)?;
    connection.close().await.doing(ACTION)?;
    if schema == Schema::None {
        return Err(damaged("it is not a store of DeepSearch".into()));
    }
    Ok(schema)
}

/// The newest backup that can be used here.
pub(crate) async fn newest_good(path: &Path) -> Result<Option<Backup>, StoreError> {
    for backup in list_backups(path)? {
        match check_backup(&backup.path).await {
            Ok(Schema::Newer) => {}
            Ok(_) => return Ok(Some(backup)),
            Err(error) => tracing::warn!(%error, backup = %backup.path.display(), "a backup cannot be used"),
        }
    }
    Ok(None)
}

async fn keep_present(path: &Path, now: DateTime<Utc>) -> Result<Replaced, StoreError> {
    let is_empty = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
    if is_empty {
        return Ok(Replaced::Nothing);
    }
    match create(path, BackupKind::Restore, now).await {
        Ok(backup) => Ok(Replaced::BackedUp(backup)),
        Err(error @ StoreError::DiskFull { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the store cannot be backed up, so its file is put aside");
            set_aside(path, now).doing(RESTORE).map(Replaced::SetAside)
        }
    }
}

fn prune(path: &Path, kind: BackupKind) -> Result<(), StoreError> {
    let keep = match kind {
        BackupKind::Daily => 7,
        BackupKind::Migration | BackupKind::Restore => 5,
        BackupKind::Manual => return Ok(()),
    };
    let backups = list_backups(path)?;
    for old in backups.iter().filter(|backup| backup.kind == kind).skip(keep) {
        std::fs::remove_file(&old.path).doing("delete an old backup")?;
    }
    sync_folder(&folder(path)).doing("delete an old backup")
}

/// Deletes copies that were cut off. Called while nobody else has the store open.
pub(crate) fn sweep(path: &Path) -> Result<(), StoreError> {
    const ACTION: &str = "delete an unfinished backup";
    let Ok(entries) = std::fs::read_dir(folder(path)) else {
        return Ok(());
    };
    for entry in entries {
        let file = entry.doing(ACTION)?.path();
        if file.extension().is_some_and(|extension| extension == "partial") {
            std::fs::remove_file(file).doing(ACTION)?;
        }
    }
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    path.with_file_name("backups")
}

const TIME: &str = "%Y%m%dT%H%M%S%3fZ";

fn name(at: DateTime<Utc>, kind: BackupKind) -> String {
    let kind = match kind {
        BackupKind::Daily => "daily",
        BackupKind::Manual => "manual",
        BackupKind::Migration => "migration",
        BackupKind::Restore => "restore",
    };
    format!("deepsearch-{}-{kind}.sqlite", at.format(TIME))
}

fn parse_name(name: &str) -> Option<(DateTime<Utc>, BackupKind)> {
    let (time, kind) = name
        .strip_prefix("deepsearch-")?
        .strip_suffix(".sqlite")?
        .split_once('-')?;
    let kind = match kind {
        "daily" => BackupKind::Daily,
        "manual" => BackupKind::Manual,
        "migration" => BackupKind::Migration,
        "restore" => BackupKind::Restore,
        _ => return None,
    };
    // Chrono does not read a fraction that no dot sets apart.
    let (seconds, millis) = time.strip_suffix('Z')?.split_at_checked(15)?;
    let seconds = NaiveDateTime::parse_from_str(seconds, "%Y%m%dT%H%M%S").ok()?.and_utc();
    Some((seconds + TimeDelta::milliseconds(millis.parse().ok()?), kind))
}
