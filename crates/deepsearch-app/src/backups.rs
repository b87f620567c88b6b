//! Backups, and the upkeep that nobody asks for: Trash emptied in time, a backup a day.

use std::path::Path;

use deepsearch_core::clock::to_the_minute;
use deepsearch_sqlite::{Backup, Recovery, Replaced, Store, StoreOptions};

use crate::app::{App, STORE_FILE};
use crate::config::Config;
use crate::error::AppError;

impl App {
    /// Makes a backup now, while everything goes on.
    ///
    /// # Errors
    /// [`AppError::Store`]; then there is no new backup.
    pub async fn create_backup(&self) -> Result<Backup, AppError> {
        Ok(self.store().create_backup().await?)
    }

    /// Empties Trash of what is past its time and makes today's backup, unless that is done. Called where nobody waits;
    /// what fails is logged and tried again the next time.
    pub async fn keep_up(&self) {
        if self.store().is_read_only() {
            return;
        }
        if let Err(error) = self.purge_trash().await {
            tracing::warn!(%error, "Trash was not emptied");
        }
        if let Err(error) = self.store().create_daily_backup().await {
            tracing::warn!(%error, "today's backup was not made");
        }
    }
}

/// The backups of a data folder, newest first, also when its store cannot be opened.
///
/// # Errors
/// [`AppError::Store`] when their folder cannot be read.
pub fn list_backups(config: &Config) -> Result<Vec<Backup>, AppError> {
    Ok(deepsearch_sqlite::list_backups(&config.home.join(STORE_FILE))?)
}

/// Puts a backup, by its file name, in the place of the store. What was there is backed up or put aside first.
///
/// # Errors
/// [`AppError::Unknown`] for a name that is not listed; [`AppError::Store`] when the backup is damaged or the store is
/// open elsewhere, and then nothing has changed.
pub async fn restore_backup(config: &Config, name: &str) -> Result<Replaced, AppError> {
    let backup = find(config, name)?;
    let path = config.home.join(STORE_FILE);
    let (store, replaced) = Store::restore_backup(&path, &backup.path, StoreOptions::default()).await?;
    store.close().await;
    Ok(replaced)
}

/// Whether a backup could take the place of the store.
///
/// # Errors
/// As [`restore_backup`], for a name that is not listed and a backup that is damaged.
pub async fn check_backup(config: &Config, name: &str) -> Result<(), AppError> {
    Ok(Store::check_backup(&find(config, name)?.path).await?)
}

fn find(config: &Config, name: &str) -> Result<Backup, AppError> {
    let is_meant =
        |backup: &Backup| backup.path.file_name().is_some_and(|file| file == name) || backup.path == Path::new(name);
    let backup = list_backups(config)?.into_iter().find(is_meant);
    backup.ok_or_else(|| AppError::Unknown {
        what: "backup",
        id: name.to_owned(),
    })
}

/// What was done about a damaged store, in words.
pub fn tell(recovery: &Recovery) -> String {
    let from = match &recovery.restored {
        Some(backup) => format!("the backup of {} took its place", to_the_minute(backup.created_at)),
        None => "there was no backup to take its place".to_owned(),
    };
    let saved = &recovery.salvaged;
    format!(
        "The store was damaged; {from}. {} rows more were read out of the damaged file, which is kept as {}, and at most {} \
         could not be.",
        saved.rows,
        recovery.damaged.display(),
        saved.lost
    )
}
