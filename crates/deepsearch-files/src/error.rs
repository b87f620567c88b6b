//! FilesError: what keeps the index or a folder from being used. A file that cannot be read is a [`FolderProblem`](crate::FolderProblem).

use std::path::PathBuf;

use thiserror::Error;

#[derive(Debug, Error)]
pub enum FilesError {
    #[error("could not {action} in the index of folders")]
    Index {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// Never seen outside: the index is made anew.
    #[error("the index of folders has version {version}")]
    Version { version: i64 },
    #[error("`{path}` cannot be used as a folder")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is no folder")]
    NoFolder { path: PathBuf },
    #[error("`{path}` lies within `{within}`, which is searched already")]
    Within { path: PathBuf, within: PathBuf },
    #[error("`{path}` is not among the folders")]
    Unknown { path: PathBuf },
    #[error("`{path}` has a name that is no Unicode text")]
    Name { path: PathBuf },
    #[error("the folders cannot be watched")]
    Watch(#[source] notify::Error),
}

/// Says what was being done when a query failed.
pub(crate) trait Doing<T> {
    fn doing(self, action: &'static str) -> Result<T, FilesError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, action: &'static str) -> Result<T, FilesError> {
        self.map_err(|source| FilesError::Index { action, source })
    }
}
