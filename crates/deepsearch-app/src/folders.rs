//! The person's own folders: which are searched, how far that is, and what of them could not be read.
//!
//! Which folders those are is a setting of this machine; what is in them is kept by `deepsearch-files` in a file of its own,
//! which is in no backup and is never synced.

use std::path::{Path, PathBuf};
use std::time::Duration;

use deepsearch_crawl::ParserOptions;
use deepsearch_files::{Files, Folder, FolderProblem, FolderProgress, Report, Rules, name_of};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;
use url::Url;

use crate::app::App;
use crate::changes::Change;
use crate::config::{Origin, Resolved};
use crate::error::AppError;

pub(crate) const INDEX_FILE: &str = "folders.sqlite";
const PATHS: &str = "folders.paths";
const PAUSED: &str = "folders.paused";
/// After this a watch that failed is tried again: a disk may have been full.
const AGAIN: Duration = Duration::from_secs(60);
/// Folders that are searched at most.
const MOST: usize = 100;

/// A file that a person handed over, as a face of the app knows it: where it lies is not said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct AttachedFile {
    /// For [`AskRequest::files`](crate::AskRequest::files).
    pub url: String,
    pub name: String,
}

impl AttachedFile {
    /// The file of an address; `None` where it is that of no file.
    pub(crate) fn of(url: String) -> Option<Self> {
        let name = name_of(&Url::parse(&url).ok()?)?;
        Some(Self { url, name })
    }
}

/// Every folder, and how far looking through them is.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct FolderList {
    pub folders: Vec<Folder>,
    pub progress: FolderProgress,
}

impl App {
    /// # Errors
    /// [`AppError::Files`] when the index cannot be read.
    pub async fn folders(&self) -> Result<FolderList, AppError> {
        let files = &self.inner.files;
        Ok(FolderList {
            folders: files.list().await?,
            progress: files.progress().borrow().clone(),
        })
    }

    /// Adds a folder, in which those that lie within it are contained from now on. It is looked through by
    /// [`App::scan_folders`] or [`App::watch_folders`].
    ///
    /// # Errors
    /// [`AppError::Files`] when it cannot be searched.
    pub async fn add_folder(&self, path: &Path) -> Result<FolderList, AppError> {
        let files = self.inner.files.clone();
        let path = path.to_owned();
        let checked = tokio::task::spawn_blocking(move || files.check(&path)).await;
        let added = checked.map_err(|panic| AppError::Network(panic.into()))??;
        let mut paths = self.inner.files.folders();
        paths.retain(|known| !known.starts_with(&added));
        if paths.len() >= MOST {
            let expected = format!("at most {MOST} folders are searched");
            return Err(bad(&added, expected));
        }
        paths.push(added);
        self.keep_folders(paths).await?;
        self.folders().await
    }

    /// Takes a folder away. What is known of it is forgotten; in it nothing changes.
    ///
    /// # Errors
    /// [`AppError::Files`] when it is not among the folders.
    pub async fn remove_folder(&self, path: &Path) -> Result<FolderList, AppError> {
        // It may be gone from the disk, so its name as it was kept will do.
        let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut paths = self.inner.files.folders();
        let before = paths.len();
        paths.retain(|known| *known != whole && known != path);
        if paths.len() == before {
            let path = path.to_owned();
            return Err(deepsearch_files::FilesError::Unknown { path }.into());
        }
        self.keep_folders(paths).await?;
        self.inner.files.forget().await?;
        self.folders().await
    }

    /// Looks through every folder now, whoever else watches them.
    ///
    /// # Errors
    /// [`AppError::Files`] when the index cannot be written.
    pub async fn scan_folders(&self) -> Result<Report, AppError> {
        Ok(self.inner.files.scan().await?)
    }

    /// Pauses looking through folders, also for the next starts. What is indexed is still searched.
    ///
    /// # Errors
    /// [`AppError`] when the setting cannot be kept.
    pub async fn pause_folders(&self, paused: bool) -> Result<FolderList, AppError> {
        self.update_setting(PAUSED, Some(if paused { "true" } else { "false" }))
            .await?;
        self.folders().await
    }

    /// Files that could not be read, by path, after one.
    ///
    /// # Errors
    /// [`AppError::Files`] when the index cannot be read.
    pub async fn folder_problems(&self, after: &str, limit: u32) -> Result<Vec<FolderProblem>, AppError> {
        Ok(self.inner.files.problems(after, limit).await?)
    }

    /// How far looking through the folders is, now and from now on.
    pub fn folder_progress(&self) -> watch::Receiver<FolderProgress> {
        self.inner.files.progress()
    }

    /// Keeps the index at what is in the folders for as long as the app runs. For a face that stays.
    pub fn watch_folders(&self) {
        let (app, mut changes) = (self.clone(), self.changes());
        let closing = self.inner.closing.clone();
        let watching = async move {
            loop {
                let files = &app.inner.files;
                let watched = async {
                    let done = if files.folders().is_empty() {
                        files.forget().await
                    } else {
                        files.watch().await
                    };
                    match done {
                        Ok(()) if files.folders().is_empty() => return std::future::pending().await,
                        Ok(()) => {}
                        Err(error) => tracing::warn!(%error, "the folders are not watched for a while"),
                    }
                    tokio::time::sleep(AGAIN).await;
                };
                let reconfigured = async {
                    loop {
                        match changes.recv().await {
                            Ok(Change::Settings { keys }) if keys.iter().any(|key| is_about_what(key)) => return,
                            Ok(_) => {}
                            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => return,
                            Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
                        }
                    }
                };
                tokio::select! {
                    () = watched => {}
                    () = reconfigured => {}
                }
            }
        };
        self.inner.tasks.spawn(async move {
            closing.run_until_cancelled(watching).await;
        });
    }

    /// Takes a file that a person hands over, wherever it lies.
    ///
    /// # Errors
    /// [`AppError::Files`] when there is no such file.
    pub async fn attach_file(&self, path: &Path) -> Result<AttachedFile, AppError> {
        let url = self.inner.files.attach(path).await?;
        let name = name_of(&url).unwrap_or_default();
        Ok(AttachedFile { url: url.into(), name })
    }

    /// Where the file of a cited page lies on this machine.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a page that is of no file here, and for a file that has gone.
    pub async fn file_of(&self, url: &Url) -> Result<PathBuf, AppError> {
        let unknown = || AppError::Unknown {
            what: "file",
            id: url.to_string(),
        };
        let path = self.inner.files.path_of(url).await?.ok_or_else(unknown)?;
        if path.is_file() { Ok(path) } else { Err(unknown()) }
    }

    /// The address of a file that a question is asked with. What is no file that was handed over is none: whoever asks may
    /// name no path.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for what is no such address, and for a file that has gone.
    pub(crate) async fn attached_file(&self, address: &str) -> Result<Url, AppError> {
        let url = Url::parse(address).map_err(|_| AppError::Unknown {
            what: "file",
            id: address.to_owned(),
        })?;
        self.file_of(&url).await?;
        Ok(url)
    }

    async fn keep_folders(&self, paths: Vec<PathBuf>) -> Result<(), AppError> {
        if let Some((_, origin)) = self.config().over(PATHS) {
            let origin = if origin == Origin::File {
                "the configuration file"
            } else {
                "the environment"
            };
            return Err(AppError::Overridden {
                key: PATHS.into(),
                origin: origin.into(),
            });
        }
        self.store().update_setting(PATHS, &json!(paths)).await?;
        self.rewire().await?;
        self.tell_change(Change::Settings {
            keys: vec![PATHS.into()],
        });
        Ok(())
    }
}

/// Whether a setting says what is looked at; being paused does not.
fn is_about_what(key: &str) -> bool {
    key.starts_with("folders.") && key != PAUSED
}

fn bad(path: &Path, expected: String) -> AppError {
    AppError::BadSetting {
        key: PATHS.into(),
        value: path.to_string_lossy().into_owned(),
        expected,
    }
}

/// The index takes half of the parsers that an answer may have.
pub(crate) fn in_the_background(parser: &ParserOptions) -> ParserOptions {
    ParserOptions {
        children: (parser.children / 2).max(1),
        ..parser.clone()
    }
}

/// Tells the folders what the settings say.
pub(crate) fn configure(files: &Files, settings: &Resolved) {
    let paths = settings.list(PATHS).into_iter().map(PathBuf::from).take(MOST).collect();
    let rules = Rules {
        hidden: settings.flag("folders.hidden", false),
        ignore_files: settings.flag("folders.ignore_files", true),
        largest: (settings.number("folders.largest_mb", 20).clamp(1, 200) as u64) << 20,
    };
    files.configure(paths, rules);
    if settings.flag(PAUSED, false) {
        files.pause();
    } else {
        files.resume();
    }
}
