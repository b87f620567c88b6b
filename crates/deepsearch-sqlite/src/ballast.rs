//! Ballast: a file that takes up room for nothing, so that there is some to give when the disk is full.
//!
//! On a full disk SQLite can commit nothing, not even a deletion. Giving the ballast up lets the answer that is being
//! written be kept, while the person is told to make room.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use crate::error::StoreError;
use crate::files::beside;
use crate::store::Store;

const BYTES: usize = 4 << 20;

/// Puts the ballast there, where there is room for it again.
pub(crate) fn lay(database: &Path) {
    let path = beside(database, "-ballast");
    let is_there = std::fs::metadata(&path).is_ok_and(|file| file.len() >= BYTES as u64);
    if is_there {
        return;
    }
    if let Err(error) = write(&path) {
        tracing::debug!(%error, "there is no room for ballast");
        std::fs::remove_file(&path).ok();
    }
}

/// Bytes that no file system stores as nothing.
fn write(path: &Path) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..BYTES / size_of::<u64>() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    file.flush()
}

/// Whether opening failed for want of room. Even reading needs a little, for the index of the write-ahead log, and
/// SQLite tells its absence as a file that cannot be opened.
pub(crate) fn is_wanting(database: &Path, error: &StoreError) -> bool {
    static NEEDED: [u8; 64 << 10] = [1; 64 << 10];
    let may_be = matches!(error, StoreError::DiskFull { .. } | StoreError::Unusable { .. });
    let probe = beside(database, "-probe");
    let is_full = may_be
        && std::fs::write(&probe, NEEDED)
            .is_err_and(|error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded));
    std::fs::remove_file(&probe).ok();
    is_full
}

/// Gives the ballast up, and says whether there was any.
pub(crate) fn give(database: &Path) -> bool {
    let gave = std::fs::remove_file(beside(database, "-ballast")).is_ok();
    if gave {
        tracing::warn!("the disk is full; the store gives up its reserve");
    }
    gave
}

impl Store {
    /// Whether a write that failed may be tried once more, because the disk was full and there was ballast to give.
    pub(crate) fn made_room(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::DiskFull { .. }) && give(self.path())
    }
}
