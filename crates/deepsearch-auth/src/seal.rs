//! Sealing: how secrets lie in a file where there is no keychain.
//!
//! AES-256-GCM under a key made of this machine's id. That keeps a copy of the folder to itself: in a backup, on a
//! shared disk, in a folder that is synchronised, it is of no use without the machine. It is no match for a program that
//! runs as the same user on the same machine, which can make the key as we do; nothing kept in a file is. Where the
//! system tells no id, the key is in a file of its own beside it, and keeps no more than that file's permissions do.

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use crate::vault::write_private;

const VERSION: u8 = 1;
const SALT: usize = 32;
const PURPOSE: &[u8] = b"DeepSearch secrets, version 1";
const KEY_FILE: &str = "secrets.key";

/// Sealed text that was not sealed here, or not by us.
#[derive(Debug, thiserror::Error)]
#[error("it was sealed on another machine, or it is damaged")]
pub(crate) struct Foreign;

/// Seals bytes for one slot of a folder. Another slot does not open them.
pub(crate) fn seal(folder: &Path, slot: &str, bytes: &[u8]) -> std::io::Result<String> {
    let mut sealed = vec![VERSION];
    let mut salt = [0; SALT];
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut salt).map_err(std::io::Error::other)?;
    rand::fill(&mut nonce).map_err(std::io::Error::other)?;
    let mut text = bytes.to_vec();
    let material = material(folder)?;
    key(&material, &salt)
        .and_then(|key| {
            key.seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(slot.as_bytes()),
                &mut text,
            )
        })
        .map_err(std::io::Error::other)?;
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&text);
    Ok(BASE64.encode(sealed))
}

/// Opens what [`seal`] made in this folder on this machine.
pub(crate) fn open(folder: &Path, slot: &str, sealed: &str) -> Result<Vec<u8>, Foreign> {
    let sealed = BASE64.decode(sealed).map_err(|_| Foreign)?;
    let (version, rest) = sealed.split_first().ok_or(Foreign)?;
    let (salt, rest) = rest.split_at_checked(SALT).ok_or(Foreign)?;
    let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(Foreign)?;
    if *version != VERSION {
        return Err(Foreign);
    }
    let mut text = text.to_vec();
    let material = material(folder).map_err(|_| Foreign)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Foreign)?;
    let length = key(&material, salt)
        .and_then(|key| {
            key.open_in_place(nonce, Aad::from(slot.as_bytes()), &mut text)
                .map(|text| text.len())
        })
        .map_err(|_| Foreign)?;
    text.truncate(length);
    Ok(text)
}

fn key(material: &[u8], salt: &[u8]) -> Result<LessSafeKey, aws_lc_rs::error::Unspecified> {
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(material);
    let expanded = extracted.expand(&[PURPOSE], &AES_256_GCM)?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}

/// The machine's id, or where it has none the bytes of a file of our own.
fn material(folder: &Path) -> std::io::Result<Vec<u8>> {
    match machine_id() {
        Some(id) => Ok(id),
        None => key_file(&folder.join(KEY_FILE)),
    }
}

fn machine_id() -> Option<Vec<u8>> {
    let places = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
    let read = |path: &&str| std::fs::read_to_string(path).ok();
    let ids = places.iter().filter(|_| cfg!(target_os = "linux")).filter_map(read);
    ids.map(|id| id.trim().as_bytes().to_vec()).find(|id| id.len() >= 32)
}

fn key_file(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(key) if key.len() == 32 => return Ok(key),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut key = vec![0; 32];
    rand::fill(&mut key).map_err(std::io::Error::other)?;
    write_private(path, &key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_here_in_its_own_slot_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = seal(folder.path(), "session", b"canary").unwrap();
        assert_eq!(open(folder.path(), "session", &sealed).unwrap(), b"canary");
        assert!(open(folder.path(), "keys", &sealed).is_err());
        let again = seal(folder.path(), "session", b"canary").unwrap();
        assert_ne!(sealed, again, "each time another salt");
    }

    #[test]
    fn a_single_changed_bit_anywhere_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = BASE64.decode(seal(folder.path(), "keys", b"canary").unwrap()).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(
                open(folder.path(), "keys", &BASE64.encode(changed)).is_err(),
                "byte {at}"
            );
        }
        assert!(open(folder.path(), "keys", "").is_err());
        assert!(open(folder.path(), "keys", "AQ").is_err());
    }

    #[test]
    fn another_machine_makes_another_key() {
        let salt = [7; SALT];
        let nonce = || Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let mut text = b"canary".to_vec();
        let here = key(b"0123456789abcdef0123456789abcdef", &salt).unwrap();
        here.seal_in_place_append_tag(nonce(), Aad::empty(), &mut text).unwrap();
        let elsewhere = key(b"0123456789abcdef0123456789abcde0", &salt).unwrap();
        assert!(elsewhere.open_in_place(nonce(), Aad::empty(), &mut text).is_err());
    }

    #[test]
    fn the_key_of_a_system_without_an_id_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        let key = key_file(&path).unwrap();
        assert_eq!(key_file(&path).unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
