//! StoreError: what the store was doing, what stopped it, and what a person may do.

use deepsearch_core::{ErrorCode, Failure, Invalid};
use thiserror::Error;

/// Why the store did not do what was asked. Nothing that was acknowledged before is touched by any of them.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("there is no {what} `{id}`")]
    NotFound { what: &'static str, id: String },
    #[error("the disk is full, so the store could not {action}")]
    DiskFull {
        action: &'static str,
        #[source]
        source: Source,
    },
    #[error("another program kept the store busy, so it could not {action}")]
    Busy {
        action: &'static str,
        #[source]
        source: Source,
    },
    #[error("the store is open for reading only, so it could not {action}")]
    ReadOnly { action: &'static str },
    #[error("the store's file is damaged, so it could not {action}")]
    Corrupt {
        action: &'static str,
        #[source]
        source: Source,
    },
    #[error("this backup is damaged or is none, so nothing was changed")]
    BadBackup {
        #[source]
        source: Source,
    },
    #[error("the store's file cannot be read or written, so it could not {action}")]
    Unusable {
        action: &'static str,
        #[source]
        source: Source,
    },
    #[error("the store could not {action}")]
    Internal {
        action: &'static str,
        #[source]
        source: Source,
    },
}

/// What lies beneath a `StoreError`: SQLite, the file system or a codec.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::Invalid,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::DiskFull { .. } | Self::Corrupt { .. } | Self::BadBackup { .. } | Self::Unusable { .. } => {
                ErrorCode::Storage
            }
            Self::Busy { .. } => ErrorCode::TimedOut,
            Self::ReadOnly { .. } => ErrorCode::ReadOnly,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// A file operation of the store that failed.
    pub(crate) fn from_io(action: &'static str, error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull {
                action,
                source: error.into(),
            },
            _ => Self::Unusable {
                action,
                source: error.into(),
            },
        }
    }

    fn from_sqlx(action: &'static str, error: sqlx::Error) -> Self {
        let source = |error: sqlx::Error| Box::new(error) as Source;
        match primary_code(&error) {
            Some(SQLITE_FULL) => Self::DiskFull {
                action,
                source: source(error),
            },
            Some(SQLITE_BUSY | SQLITE_LOCKED) => Self::Busy {
                action,
                source: source(error),
            },
            Some(SQLITE_READONLY) => Self::ReadOnly { action },
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Self::Corrupt {
                action,
                source: source(error),
            },
            Some(SQLITE_IOERR | SQLITE_CANTOPEN | SQLITE_PERM) => Self::Unusable {
                action,
                source: source(error),
            },
            // The pool hands a connection out within its own limit, so waiting longer means that others hold them.
            None if matches!(error, sqlx::Error::PoolTimedOut) => Self::Busy {
                action,
                source: source(error),
            },
            _ => Self::Internal {
                action,
                source: source(error),
            },
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        let failure = Self::new(error.code(), format!("{error}."));
        match error {
            StoreError::DiskFull { .. } => failure.hint("Free some space on the disk and try again; nothing was lost."),
            StoreError::Busy { .. } => failure.hint("Try again in a moment, or close the other program."),
            StoreError::ReadOnly { .. } => failure.hint(
                "It was written by a newer version of DeepSearch: update the app, or restore a backup made before.",
            ),
            StoreError::Corrupt { .. } => failure.hint("Run `deepsearch doctor`, which can restore a backup."),
            StoreError::BadBackup { .. } => failure.hint("Restore another one."),
            StoreError::Unusable { .. } => failure.hint("Check that the data folder exists and may be written."),
            StoreError::Invalid(_) | StoreError::NotFound { .. } | StoreError::Internal { .. } => failure,
        }
    }
}

/// Says what was being done when a query failed.
pub(crate) trait Doing<T> {
    fn doing(self, action: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::from_sqlx(action, error))
    }
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::from_io(action, error))
    }
}

// https://www.sqlite.org/rescode.html
const SQLITE_PERM: u32 = 3;
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_READONLY: u32 = 8;
const SQLITE_IOERR: u32 = 10;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_NOTADB: u32 = 26;

/// Whether SQLite failed for want of room or of a lock, and not for what it read.
pub(crate) fn is_about_room_or_locks(error: &sqlx::Error) -> bool {
    matches!(
        primary_code(error),
        Some(SQLITE_FULL | SQLITE_BUSY | SQLITE_LOCKED | SQLITE_READONLY)
    )
}

/// SQLite's primary result code; the extended ones carry it in their lowest byte.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}
