//! The keys of engines and providers, as settings: in the vault, or where a person wrote them by hand into its file.

use deepsearch_auth::{Slot, Vault};
use serde_json::Value;

use crate::config::{Layer, flatten};
use crate::error::AppError;

/// The keys of a data folder. Those in a keychain that cannot be used now are missing.
///
/// # Errors
/// [`AppError`] when the file is there and cannot be read.
pub(crate) async fn read(vault: &Vault) -> Result<Layer, AppError> {
    let kept = vault.read(Slot::Keys).await?;
    if let Some(why) = kept.missing {
        tracing::warn!(%why, "keys that lie there are missing");
    }
    let kept = kept
        .secrets
        .into_iter()
        .map(|(key, secret)| (key, Value::String(secret)));
    // Whoever writes into the file means what stands there.
    Ok(kept.chain(by_hand(vault)?).collect())
}

/// Sets or, with `None`, removes one key. What was written by hand goes where all lie.
///
/// # Errors
/// [`AppError`] when it cannot be written, or those in a keychain cannot be brought from there.
pub(crate) async fn update(vault: &Vault, key: &str, secret: Option<&str>, in_keychain: bool) -> Result<(), AppError> {
    if !by_hand(vault)?.is_empty() {
        add(vault, &[], in_keychain).await?;
    }
    Ok(vault.update(Slot::Keys, key, secret, in_keychain).await?)
}

/// Sets keys that are of use only together: after a crash there are all of them, or none. What was written by hand goes
/// where they lie.
///
/// # Errors
/// As [`update`].
pub(crate) async fn add(vault: &Vault, keys: &[(&str, &str)], in_keychain: bool) -> Result<(), AppError> {
    let by_hand = by_hand(vault)?;
    let is_by_hand = !by_hand.is_empty();
    let texts = by_hand
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
    let keys = keys
        .iter()
        .map(|(key, secret)| ((*key).to_owned(), (*secret).to_owned()));
    vault
        .change(Slot::Keys, in_keychain, |secrets| secrets.extend(texts.chain(keys)))
        .await?;
    if is_by_hand {
        vault.forget_by_hand().await?;
    }
    Ok(())
}

fn by_hand(vault: &Vault) -> Result<Layer, AppError> {
    let mut layer = Layer::new();
    for (name, value) in vault.by_hand()? {
        if let Ok(value) = serde_json::to_value(value) {
            flatten(name, value, &mut layer);
        }
    }
    Ok(layer)
}
