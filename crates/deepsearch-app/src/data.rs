//! The data folder as a whole: how large it is, and taking everything out of it.

use std::path::Path;

use crate::app::{App, STORE_FILE};
use crate::backups::list_backups;
use crate::error::AppError;
use deepsearch_archive::Format;
use serde::Serialize;

/// What the data folder holds.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct DataFolder {
    pub path: String,
    /// The store with what it has not folded in yet.
    pub store_bytes: u64,
    pub backups_bytes: u64,
}

impl App {
    /// # Errors
    /// [`AppError::Store`] when the folder of backups cannot be read.
    pub async fn data_folder(&self) -> Result<DataFolder, AppError> {
        let home = &self.config().home;
        let mut store_bytes = 0;
        for suffix in ["", "-wal", "-shm"] {
            let file = tokio::fs::metadata(home.join(format!("{STORE_FILE}{suffix}"))).await;
            store_bytes += file.map_or(0, |file| file.len());
        }
        Ok(DataFolder {
            path: home.to_string_lossy().into_owned(),
            store_bytes,
            backups_bytes: list_backups(self.config())?.iter().map(|backup| backup.bytes).sum(),
        })
    }

    /// Writes every chat outside Trash, with all branches, sources, saved pages and citations, to a JSON file.
    /// Returns how many chats that were. A file that was there is replaced only when all is written.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read or the file cannot be written.
    pub async fn export_chats(&self, path: &Path) -> Result<u64, AppError> {
        self.export_to(path, &[], Format::Json).await
    }
}
