//! Secrets: keys in a file of their own that only its owner can read, never in the database, a log or a backup.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::{Layer, read_layer};
use crate::error::AppError;

pub(crate) const FILE: &str = "secrets.toml";

/// The secrets of a data folder.
///
/// # Errors
/// [`AppError`] when the file is there and cannot be read.
pub(crate) fn read(home: &Path) -> Result<Layer, AppError> {
    read_layer(&home.join(FILE))
}

/// Sets or, with `None`, removes one secret. The file is written anew beside the old one and put in its place, so that
/// a crash leaves either.
///
/// # Errors
/// [`AppError`] when it cannot be written.
pub(crate) fn update(home: &Path, key: &str, secret: Option<&str>) -> Result<(), AppError> {
    let mut layer = read(home)?;
    match secret {
        Some(secret) => layer.insert(key.to_owned(), Value::String(secret.to_owned())),
        None => layer.remove(key),
    };
    let mut text = String::new();
    for (key, value) in &layer {
        let value = toml::Value::String(value.as_str().unwrap_or_default().to_owned());
        text.push_str(&format!("{key} = {value}\n"));
    }
    let path = home.join(FILE);
    write_private(&path, &text).map_err(|source| AppError::Folder { path, source })
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let beside: PathBuf = path.with_extension("toml.new");
    // One that a crash left behind may be open to others, and would stay so.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
