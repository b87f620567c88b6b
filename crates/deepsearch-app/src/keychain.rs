//! The system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! One entry for each data folder, with all its secrets: one look, and one question at most where it is locked.

use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};

use crate::config::Layer;

const SERVICE: &str = "DeepSearch";
/// A person may have to unlock it first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why the keychain is of no use now: there is none, it is locked, it takes too long.
#[derive(Debug, thiserror::Error)]
#[error("the keychain cannot be used: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

/// The secrets under this name; none where nothing was kept yet.
pub(crate) async fn read(name: &str) -> Result<Layer, Unavailable> {
    let text = with(name, |entry| match entry.get_password() {
        Err(Error::NoEntry) => Ok("{}".to_owned()),
        told => told,
    })
    .await?;
    // The parser's own message may quote a secret.
    serde_json::from_str(&text).map_err(|_| Unavailable("its entry was changed by somebody else".into()))
}

/// Keeps these and nothing else under the name.
pub(crate) async fn write(name: &str, secrets: &Layer) -> Result<(), Unavailable> {
    let text = serde_json::to_string(secrets).map_err(|error| Unavailable(error.to_string()))?;
    with(name, move |entry| entry.set_password(&text)).await
}

async fn with<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, Unavailable> {
    let name = name.to_owned();
    let work = tokio::task::spawn_blocking(move || work(&store()?.build(SERVICE, &name, None)?));
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
