//! The system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! One entry for each slot of a data folder: one look, and one question at most where it is locked.

use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};

use crate::vault::Secrets;

const SERVICE: &str = "DeepSearch";
/// A person may have to unlock it first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Windows takes 2,560 bytes for an entry, so longer texts are cut into several.
const LONGEST: usize = 2_400;
/// What a session and a few sign-ins need, many times over.
const MOST_PARTS: usize = 64;

/// Why the keychain is of no use now: there is none, it is locked, it takes too long.
#[derive(Debug, thiserror::Error)]
#[error("the keychain cannot be used: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

/// The secrets under this name; none where nothing was kept yet.
pub(crate) async fn read(name: &str) -> Result<Secrets, Unavailable> {
    let bytes = with(name, read_parts).await?;
    if bytes.is_empty() {
        return Ok(Secrets::new());
    }
    // The parser's own message may quote a secret.
    serde_json::from_slice(&bytes).map_err(|_| Unavailable("its entry was changed by somebody else".into()))
}

/// Keeps these and nothing else under the name. None at all leave no entry behind.
pub(crate) async fn write(name: &str, secrets: &Secrets) -> Result<(), Unavailable> {
    let bytes = if secrets.is_empty() {
        Vec::new()
    } else {
        serde_json::to_vec(secrets).map_err(|error| Unavailable(error.to_string()))?
    };
    with(name, move |entry| write_parts(entry, &bytes)).await
}

type Entries<'a> = &'a dyn Fn(usize) -> keyring_core::Result<Entry>;

fn read_parts(entry: Entries<'_>) -> keyring_core::Result<Vec<u8>> {
    let mut whole = Vec::new();
    for number in 0..MOST_PARTS {
        let part = match entry(number)?.get_secret() {
            Err(Error::NoEntry) => break,
            part => part?,
        };
        whole.extend_from_slice(&part);
        // A shorter one is the last, so that what a longer text left behind is not taken for more of this one.
        if part.len() < LONGEST {
            break;
        }
    }
    Ok(whole)
}

fn write_parts(entry: Entries<'_>, bytes: &[u8]) -> keyring_core::Result<()> {
    let parts: Vec<&[u8]> = bytes.chunks(LONGEST).collect();
    if parts.len() >= MOST_PARTS {
        return Err(Error::TooLong("secret".into(), 0));
    }
    for (number, part) in parts.iter().enumerate() {
        entry(number)?.set_secret(part)?;
    }
    // What a longer text needed more, down to the first that is not there.
    for number in parts.len()..MOST_PARTS {
        match entry(number)?.delete_credential() {
            Err(Error::NoEntry) => break,
            told => told?,
        }
    }
    Ok(())
}

async fn with<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(Entries<'_>) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, Unavailable> {
    let name = name.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let store = store()?;
        work(&|number| match number {
            0 => store.build(SERVICE, &name, None),
            _ => store.build(SERVICE, &format!("{name}#{number}"), None),
        })
    });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(told)) => told.map_err(|error| Unavailable(error.to_string())),
        Ok(Err(panic)) => Err(Unavailable(panic.to_string())),
        Err(_) => Err(Unavailable(format!("it did not answer in {} s", PATIENCE.as_secs()))),
    }
}

#[cfg(target_os = "linux")]
fn store() -> keyring_core::Result<Arc<zbus_secret_service_keyring_store::Store>> {
    zbus_secret_service_keyring_store::Store::new()
}

#[cfg(target_os = "macos")]
fn store() -> keyring_core::Result<Arc<apple_native_keyring_store::keychain::Store>> {
    apple_native_keyring_store::keychain::Store::new()
}

#[cfg(target_os = "windows")]
fn store() -> keyring_core::Result<Arc<windows_native_keyring_store::Store>> {
    windows_native_keyring_store::Store::new()
}
