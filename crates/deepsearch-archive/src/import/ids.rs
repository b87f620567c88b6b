//! Ids that are the same each time a file is imported: UUIDs version 5 of where a thing came from.

use uuid::Uuid;

use super::Origin;

/// The namespace of everything that was imported; made once, and never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_2a54_98c7_4b5e_a3d0_17c2_5e8b_9f34);

pub(crate) fn stable_id(origin: Origin, kind: &str, key: &str) -> Uuid {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(NAMESPACE.as_bytes());
    hash.update(format!("{}/{kind}/{key}", origin.as_str()).as_bytes());
    let digest = hash.digest().bytes();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}
