//! The password of a device at the shared database. It never leaves the device: the gateway is given only what
//! PostgreSQL keeps of it, its SCRAM-SHA-256 verifier (RFC 5803).

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// PostgreSQL's own count. More would add nothing to a password of 256 random bits.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("more than none");

/// So many random bytes, as text that needs no escaping anywhere.
pub(crate) fn random(bytes: usize) -> Result<String, std::io::Error> {
    let mut random = vec![0; bytes];
    rand::fill(&mut random).map_err(std::io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

/// `SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER`, as in `pg_authid`.
pub(crate) fn scram_verifier(password: &str) -> Result<String, std::io::Error> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(std::io::Error::other)?;
    Ok(verifier(password, &salt))
}

// The password is plain ASCII, which SASLprep leaves as it is.
fn verifier(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client = hmac::sign(&key, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let server = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_that_a_real_postgresql_makes() {
        // PostgreSQL 15: `create role r password 'pencil'`, then its row of `pg_authid`.
        let kept = PENCIL;
        let salt = kept.split([':', '$']).nth(2).unwrap();
        assert_eq!(verifier("pencil", &STANDARD.decode(salt).unwrap()), kept);
    }

    const PENCIL: &str = "SCRAM-SHA-256$4096:RKXrwmum5o0decCMKDjHDA==$O6lCMEP6VS/TDj2espz1Cd3uqikcrBVwMMjmUSsVtfo=:6MbtQlvVxtMujrGjGtYCT22/wLyxMnJiNL/SdH8kPrs=";

    #[test]
    fn no_two_passwords_and_no_two_salts_are_alike() {
        assert_ne!(random(32).unwrap(), random(32).unwrap());
        assert_eq!(random(32).unwrap().len(), 43);
        assert_ne!(scram_verifier("pencil").unwrap(), scram_verifier("pencil").unwrap());
    }
}
