//! Folders that a person drops on a window: how each stands to those that are searched, told before anything is done.
//!
//! Adding them is [`App::add_folder`], as for one that was chosen in a dialog.

use std::path::Path;

use deepsearch_core::Failure;
use deepsearch_files::FilesError;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::AppError;

/// A folder that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct OfferedFolder {
    pub name: String,
    /// Where it lies, to be shown.
    pub path: String,
    pub standing: FolderStanding,
}

/// How a folder stands to those that are searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FolderStanding {
    /// It can be added. So many of those that are searched lie in it, and are part of it then.
    New { contains: u32 },
    /// It is searched already.
    Known,
    /// It lies in one that is searched.
    Within { path: String },
    /// It cannot be searched.
    Refused { failure: Failure },
}

impl App {
    /// How a folder stands to those that are searched; nothing is changed.
    ///
    /// # Errors
    /// [`AppError::Network`] when the system has no thread left to look at it.
    pub async fn offered_folder(&self, path: &Path) -> Result<OfferedFolder, AppError> {
        let (files, asked) = (self.inner.files.clone(), path.to_owned());
        let looking = tokio::task::spawn_blocking(move || {
            let checked = files.check(&asked);
            (checked, files.folders())
        });
        let (checked, known) = looking.await.map_err(|panic| AppError::Network(panic.into()))?;
        let (whole, standing) = match checked {
            Ok(whole) if known.contains(&whole) => (whole, FolderStanding::Known),
            Ok(whole) => {
                let inside = known.iter().filter(|known| known.starts_with(&whole)).count();
                let contains = u32::try_from(inside).unwrap_or(u32::MAX);
                (whole, FolderStanding::New { contains })
            }
            Err(FilesError::Within { path, within }) => {
                let within = shown(&within);
                (path, FolderStanding::Within { path: within })
            }
            Err(error) => {
                let failure = Failure::from(AppError::from(error));
                (path.to_owned(), FolderStanding::Refused { failure })
            }
        };
        Ok(OfferedFolder {
            name: name_of(&whole),
            path: shown(&whole),
            standing,
        })
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The root of a disk has no name.
fn name_of(path: &Path) -> String {
    match path.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => shown(path),
    }
}
