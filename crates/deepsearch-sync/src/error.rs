//! SyncError: which side failed, and what a person may do.

use deepsearch_core::{ErrorCode, Failure, RemoteError};
use deepsearch_sqlite::StoreError;
use thiserror::Error;

/// Why sync stopped. What was done before is kept, and the next run goes on from there.
#[derive(Debug, Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

impl SyncError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Store(error) => error.code(),
            Self::Remote(error) => error.code(),
        }
    }

    /// Whether there is simply no network.
    pub fn is_offline(&self) -> bool {
        matches!(
            self,
            Self::Remote(RemoteError::Offline { .. } | RemoteError::TimedOut { .. })
        )
    }
}

impl From<&SyncError> for Failure {
    fn from(error: &SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            SyncError::Remote(error) => error.into(),
        }
    }
}
