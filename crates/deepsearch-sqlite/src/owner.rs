//! Owner: which process is writing which answer, and whether it still lives.
//!
//! Each open store holds a lock on a small file of its own beside the database. The operating system lets go of the
//! lock when the process ends, however it ends, so a crash is known at once and for certain; a heartbeat would have
//! to guess, and would guess wrong after the machine slept.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Doing, StoreError};
use crate::files::beside;

/// This process's claim on the answers it writes. Dropping it gives the claim up.
#[derive(Debug)]
pub(crate) struct Owner {
    id: String,
    path: PathBuf,
    _locked: File,
}

/// Held while a store opens, so that of two programs that start together one migrates and the other waits.
#[derive(Debug)]
pub(crate) struct OpeningLock {
    _locked: File,
}

/// Who else has the store open.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// Owners whose process lives.
    pub(crate) alive: Vec<String>,
    /// How many ended without closing the store: a crash or a power cut.
    pub(crate) crashed: usize,
}

impl OpeningLock {
    /// Waits for the lock, as long as another program's migration of a large store may take.
    pub(crate) fn wait(database: &Path) -> Result<Self, StoreError> {
        const LIMIT: Duration = Duration::from_secs(60);
        const ACTION: &str = "open";
        // Windows locks no file that is opened for appending alone.
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(beside(database, "-opening"))
            .doing(ACTION)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
                Err(TryLockError::WouldBlock) if started.elapsed() < LIMIT => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error @ TryLockError::WouldBlock) => {
                    return Err(StoreError::Busy {
                        action: ACTION,
                        source: error.into(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(StoreError::from_io(ACTION, error)),
            }
        }
    }
}

impl Owner {
    /// Claims a new owner's id. The caller holds the [`OpeningLock`], so nobody takes the file for a dead owner's
    /// before it is locked.
    pub(crate) fn claim(database: &Path) -> Result<Self, StoreError> {
        let id = uuid::Uuid::now_v7().to_string();
        let path = beside(database, &format!("{INFIX}{id}"));
        let file = File::create_new(&path).doing("open")?;
        file.try_lock().map_err(std::io::Error::from).doing("open")?;
        Ok(Self {
            id,
            path,
            _locked: file,
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "an owner's file was gone already");
        }
    }
}

impl Others {
    /// Looks at every owner's file, and clears away those whose process has ended. The caller holds the
    /// [`OpeningLock`].
    pub(crate) fn look(database: &Path) -> Result<Self, StoreError> {
        let mut others = Self::default();
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        let prefix = format!("{}{INFIX}", file_name(database));
        for entry in std::fs::read_dir(folder.unwrap_or(Path::new("."))).doing("open")? {
            let entry = entry.doing("open")?;
            let name = entry.file_name();
            if let Some(id) = name.to_str().and_then(|name| name.strip_prefix(&prefix)) {
                others.count(id, &entry.path());
            }
        }
        Ok(others)
    }

    fn count(&mut self, id: &str, path: &Path) {
        // An owner that closes meanwhile takes its file away: then it is neither alive nor crashed.
        let Ok(file) = File::open(path) else {
            return;
        };
        match file.try_lock() {
            Ok(()) => {
                // The file of an owner that closed between our two looks is gone by now, and was no crash.
                if std::fs::remove_file(path).is_ok() {
                    self.crashed += 1;
                }
            }
            Err(_) => self.alive.push(id.to_owned()),
        }
    }
}

const INFIX: &str = "-owner-";

fn file_name(database: &Path) -> String {
    database
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
