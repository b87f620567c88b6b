//! Tokens: secrets made by chance, told apart by how they begin, and kept as hashes only.
//!
//! Because each begins in a way of its own, the logs can leave out every one of them (`logs.rs`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier};
use sha2::{Digest, Sha256};

/// As much chance as a key of 256 bits.
const BYTES: u32 = 32;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A signed-in device's.
    Session,
    /// On its way to the app.
    Code,
    /// A device's that waits for its person.
    DeviceCode,
    /// In the link of a mail.
    MailLink,
    /// In a cookie, for who was proven to a provider.
    Ticket,
    /// In a form or an address that only the page of this browser knows.
    Form,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "dss_",
            Self::Code => "dsc_",
            Self::DeviceCode => "dsd_",
            Self::MailLink => "dsm_",
            Self::Ticket => "dst_",
            Self::Form => "dsf_",
        }
    }
}

pub(crate) fn new_token(kind: TokenKind) -> String {
    // The system's randomness, in the alphabet of addresses.
    let random = CsrfToken::new_random_len(BYTES);
    format!("{}{}", kind.prefix(), random.secret())
}

/// What is kept of a token.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// As [`hash`], for columns of text. The beginning says how it was made, and that it is no token itself.
pub(crate) fn hash_text(token: &str) -> String {
    deepsearch_postgres::session_token_hash(token)
}

/// Whether two secrets are the same. Comparing hashes tells nobody where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    hash(one) == hash(other)
}

/// Whether `challenge` was made from `verifier` (RFC 7636, S256).
pub(crate) fn proves(verifier: &str, challenge: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    // The library refuses a malformed one by a panic.
    well_formed
        && same(
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.to_owned())).as_str(),
            challenge,
        )
}

/// Whether a text can be a challenge of S256: 32 bytes in base64.
pub(crate) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// A code that a person can read aloud: letters that are told apart easily and spell no words (RFC 8628, 6.1).
pub(crate) fn new_user_code() -> String {
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
    let random = CsrfToken::new_random_len(64);
    let bytes = Sha256::digest(random.secret().as_bytes());
    // 240 is a multiple of 20, so that no letter is likelier than another.
    let letters: String = bytes
        .iter()
        .filter(|byte| **byte < 240)
        .take(8)
        .map(|byte| char::from(LETTERS[usize::from(byte % 20)]))
        .collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// A user code as a person may have typed it: small letters, spaces, without the hyphen.
pub(crate) fn read_user_code(typed: &str) -> Option<String> {
    let letters: String = typed
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    (letters.len() == 8 && typed.len() <= 32).then(|| format!("{}-{}", &letters[..4], &letters[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_proves_itself_and_nothing_else() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge));
        assert!(proves(verifier, challenge));
        assert!(!proves(challenge, challenge), "the plain method is none of ours");
        assert!(!proves("short", challenge));
        assert!(!proves(&"x".repeat(200), challenge));
    }

    #[test]
    fn a_user_code_is_read_however_it_is_typed() {
        let code = new_user_code();
        assert_eq!(code.len(), 9);
        assert_eq!(read_user_code(&code.to_lowercase().replace('-', " ")), Some(code));
        assert_eq!(read_user_code("BCDF-GHJ"), None);
        assert_eq!(read_user_code("ÄÖÜß-BCDF"), None);
    }

    #[test]
    fn tokens_differ_and_are_long() {
        let one = new_token(TokenKind::Session);
        assert_ne!(one, new_token(TokenKind::Session));
        assert_eq!(one.len(), 4 + 43, "256 bits");
    }
}
