//! The data folder as a whole: where it is and how large.

use crate::app::{App, STORE_FILE};
use crate::backups::list_backups;
use crate::error::AppError;
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
}
