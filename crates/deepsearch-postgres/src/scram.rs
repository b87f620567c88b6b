//! The SCRAM-SHA-256 verifier of a password, as PostgreSQL keeps it: with it the server can tell the password when it
//! comes, but nobody can make the password of it. So a device hands over this, and its password stays at home.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// What PostgreSQL itself uses. The password is random: more would only cost.
const ITERATIONS: u32 = 4096;

/// The verifier, with a salt that must be random. Passwords are those we make, of ASCII letters and digits: others would
/// have to be normalised first (SASLprep).
pub fn scram_verifier(password: &SecretString, salt: [u8; 16]) -> String {
    let salted = salted_password(password.expose_secret().as_bytes(), &salt);
    let stored_key = Sha256::digest(mac(&salted, b"Client Key"));
    let server_key = mac(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn salted_password(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut block = mac(password, &[salt, &1_u32.to_be_bytes()].concat());
    let mut result = block;
    for _ in 1..ITERATIONS {
        block = mac(password, &block);
        result.iter_mut().zip(block).for_each(|(all, one)| *all ^= one);
    }
    result
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, whose password is `pencil`.
    #[test]
    fn the_verifier_is_that_of_the_standards_example() {
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let salted = salted_password(b"pencil", &salt);
        let server_key = mac(&salted, b"Server Key");
        let said = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = STANDARD.encode(mac(&server_key, said.as_bytes()));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn the_verifier_does_not_hold_the_password() {
        let verifier = scram_verifier(&SecretString::from("correct-horse"), [7; 16]);
        assert!(verifier.starts_with("SCRAM-SHA-256$4096:BwcHBwcHBwcHBwcHBwcHBw==$"));
        assert!(!verifier.contains("correct"));
    }
}
