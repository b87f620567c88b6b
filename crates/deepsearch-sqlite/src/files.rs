//! Files: names beside the database, and moves that a power cut leaves done or undone.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

/// `deepsearch.sqlite` and `-ballast` give `deepsearch.sqlite-ballast`.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    database.with_file_name(name)
}

/// The write-ahead log and its index.
pub(crate) fn wal_files(database: &Path) -> [PathBuf; 2] {
    [beside(database, "-wal"), beside(database, "-shm")]
}

/// What people asked is nobody else's business: the file, and the log that takes its mode, are the user's alone.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Copies a file so that the copy is whole and on the disk, or not there.
pub(crate) fn copy_durably(from: &Path, to: &Path) -> io::Result<()> {
    let partial = beside(to, "-partial");
    std::fs::remove_file(&partial).ok();
    create_private(&partial)?;
    let copied = std::fs::copy(from, &partial).and_then(|_| {
        // A backup of which only reading is allowed is still to be written as a store.
        let mut permissions = std::fs::metadata(&partial)?.permissions();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        #[cfg(not(unix))]
        permissions.set_readonly(false);
        std::fs::set_permissions(&partial, permissions)?;
        OpenOptions::new().append(true).open(&partial)?.sync_all()
    });
    if let Err(error) = copied {
        std::fs::remove_file(&partial).ok();
        return Err(error);
    }
    rename_durably(&partial, to)
}

pub(crate) fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_folder(to.parent().unwrap_or(Path::new(".")))
}

/// A rename is on the disk when its folder is. Windows neither needs it nor can do it.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

/// Moves a database with its log out of the way, under a name that says when. It is never deleted.
pub(crate) fn set_aside(database: &Path, now: DateTime<Utc>) -> io::Result<PathBuf> {
    let mut number = 0;
    let aside = loop {
        let name = format!("-damaged-{}-{number}", now.format("%Y%m%dT%H%M%SZ"));
        let aside = beside(database, &name);
        if !aside.exists() {
            break aside;
        }
        number += 1;
    };
    // The log first: a crash in between leaves the database where a second try finds it.
    for (suffix, file) in ["-wal", "-shm"].into_iter().zip(wal_files(database)) {
        if file.exists() {
            std::fs::rename(file, beside(&aside, suffix))?;
        }
    }
    rename_durably(database, &aside)?;
    Ok(aside)
}
