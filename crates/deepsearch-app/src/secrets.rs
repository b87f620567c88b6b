//! Secrets: in the system's keychain, or where that cannot be used in a file of their own that only its owner can read;
//! never in the database, a log or a backup.
//!
//! The file also says whether the keychain has any, and under which name: who keeps no secrets never waits for it.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::{Layer, read_layer};
use crate::error::AppError;
use crate::keychain::{self, Unavailable};

pub(crate) const FILE: &str = "secrets.toml";
/// Under this key the file names the keychain's entry.
const KEYCHAIN: &str = "keychain";

/// The secrets of a data folder. Those in a keychain that cannot be used now are missing.
///
/// # Errors
/// [`AppError`] when the file is there and cannot be read.
pub(crate) async fn read(home: &Path) -> Result<Layer, AppError> {
    let mut file = read_layer(&home.join(FILE))?;
    let Some(Value::String(entry)) = file.remove(KEYCHAIN) else {
        return Ok(file);
    };
    let mut secrets = match keychain::read(&entry).await {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::warn!(%error, "keys that lie there are missing");
            Layer::new()
        }
    };
    // What could not be put into the keychain is newer than what is in it.
    secrets.extend(file);
    Ok(secrets)
}

/// Sets or, with `None`, removes one secret. `in_keychain` says where all of them are to lie from now on; where the
/// keychain cannot be used, the file keeps the new one.
///
/// # Errors
/// [`AppError`] when it cannot be written, or one that lies in a keychain cannot be reached there now.
pub(crate) async fn update(home: &Path, key: &str, secret: Option<&str>, in_keychain: bool) -> Result<(), AppError> {
    let mut file = read_layer(&home.join(FILE))?;
    let named = match file.remove(KEYCHAIN) {
        Some(Value::String(entry)) => Some(entry),
        _ => None,
    };
    match secret {
        Some(secret) => file.insert(key.to_owned(), Value::String(secret.to_owned())),
        None => file.remove(key),
    };
    if in_keychain && (named.is_some() || secret.is_some()) {
        let entry = named.clone().unwrap_or_else(|| home.to_string_lossy().into_owned());
        match move_to_keychain(&entry, key, &file).await {
            Ok(()) => file = Layer::from_iter([(KEYCHAIN.to_owned(), Value::String(entry))]),
            Err(error) if secret.is_none() => return Err(error.into()),
            Err(error) => {
                tracing::info!(%error, "the key is kept in `{FILE}`");
                file.extend(named.map(|entry| (KEYCHAIN.to_owned(), Value::String(entry))));
            }
        }
    } else if let Some(entry) = named {
        let mut kept = keychain::read(&entry).await?;
        keychain::write(&entry, &Layer::new()).await?;
        kept.remove(key);
        kept.extend(file);
        file = kept;
    }
    let path = home.join(FILE);
    write_private(&path, &toml(&file)).map_err(|source| AppError::Folder { path, source })
}

async fn move_to_keychain(entry: &str, key: &str, file: &Layer) -> Result<(), Unavailable> {
    let mut kept = keychain::read(entry).await?;
    kept.remove(key);
    kept.extend(file.clone());
    keychain::write(entry, &kept).await
}

fn toml(layer: &Layer) -> String {
    let line = |(key, value): (&String, &Value)| {
        let value = toml::Value::String(value.as_str().unwrap_or_default().to_owned());
        format!("{key} = {value}\n")
    };
    layer.iter().map(line).collect()
}

/// The file is written anew beside the old one and put in its place, so that a crash leaves either.
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
