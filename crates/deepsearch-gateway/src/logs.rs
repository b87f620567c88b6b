//! Logs: one JSON object a line on standard output, and no secret in any of them.
//!
//! What we write holds none; this is the net below, for what libraries and errors may say. It leaves out the secrets of
//! the configuration and everything that looks like one of our tokens or like a parameter that holds one.

use std::io::{self, Write};
use std::sync::Arc;

use regex::bytes::{Captures, Regex};
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Our own words, and of others only what went wrong: SQL and mails are written at finer levels.
const USUAL: &str = "warn,deepsearch_gateway=info,deepsearch_postgres=info";
const INSTEAD: &[u8] = b"[left out]";
/// Shorter ones would tear words apart.
const SHORTEST: usize = 8;

/// Begins logging for the whole process. `filter` is in the form of `RUST_LOG`.
pub fn start(secrets: &[SecretString], filter: Option<&str>) {
    let filter = filter
        .and_then(|filter| filter.parse().ok())
        .unwrap_or_else(|| EnvFilter::new(USUAL));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(filter)
        .with_writer(Redacted::new(secrets, io::stdout))
        .try_init();
    if started.is_err() {
        // Whoever embeds the gateway logs in a way of their own.
        tracing::debug!("logging had begun already");
    }
}

/// A writer that leaves secrets out of what passes through it.
#[derive(Clone)]
pub struct Redacted<W> {
    secrets: Arc<Vec<Vec<u8>>>,
    patterns: Arc<[Regex; 4]>,
    inner: W,
}

impl<W> Redacted<W> {
    pub fn new(secrets: &[SecretString], inner: W) -> Self {
        let mut forms: Vec<Vec<u8>> = secrets
            .iter()
            .map(ExposeSecret::expose_secret)
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(|secret| {
                let in_address: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                let in_json = serde_json::to_string(secret).unwrap_or_default();
                [secret.to_owned(), in_address, in_json.trim_matches('"').to_owned()]
            })
            .map(String::into_bytes)
            .collect();
        // The longest first, or a part of it would be left.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self {
            secrets: Arc::new(forms),
            patterns: Arc::new(patterns()),
            inner,
        }
    }

    fn redact(&self, line: &[u8]) -> Vec<u8> {
        let mut line = line.to_vec();
        for secret in self.secrets.iter() {
            line = replace(&line, secret);
        }
        for pattern in self.patterns.iter() {
            let kept = |captures: &Captures<'_>| {
                let before = captures.get(1).map(|kept| kept.as_bytes()).unwrap_or_default();
                [before, INSTEAD].concat()
            };
            line = pattern.replace_all(&line, kept).into_owned();
        }
        line
    }
}

/// What comes before a secret is kept, in the first group.
fn patterns() -> [Regex; 4] {
    [
        // Our own tokens: how they begin is in `tokens.rs`.
        r"(ds[scdmtf]_)[A-Za-z0-9_-]{16,}",
        // Parameters of OAuth, in an address, a form or JSON.
        r#"(?i)((?:access_token|refresh_token|id_token|client_secret|code_verifier|device_code|scram_verifier|password)\\?["']?\s*[=:]\s*\\?["']?)[^&\s"'\\,}]+"#,
        r"(?i)([?&](?:code|state|token|nonce)=)[^&\s\x22'\\]+",
        r"(?i)((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}",
    ]
    .map(|pattern| Regex::new(pattern).expect("the patterns are part of the program, and tested"))
}

fn replace(line: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.windows(secret.len()).position(|window| window == secret) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(INSTEAD);
        rest = &rest[at + secret.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

impl<'a, W: MakeWriter<'a> + 'a> MakeWriter<'a> for Redacted<W> {
    type Writer = RedactedLine<'a, W>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactedLine {
            to: self.inner.make_writer(),
            redacted: self,
        }
    }
}

/// One event on its way out. The formatter hands it over in one piece.
pub struct RedactedLine<'a, W: MakeWriter<'a>> {
    to: W::Writer,
    redacted: &'a Redacted<W>,
}

impl<'a, W: MakeWriter<'a>> Write for RedactedLine<'a, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.to.write_all(&self.redacted.redact(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(line: &str) -> String {
        let secrets = ["pass word\"1".to_owned().into(), "short".to_owned().into()];
        String::from_utf8(Redacted::new(&secrets, io::sink).redact(line.as_bytes())).unwrap()
    }

    #[test]
    fn secrets_are_left_out_in_every_form_that_they_come_in() {
        assert_eq!(redact("a pass word\"1 b"), "a [left out] b");
        assert_eq!(redact(r#"{"m":"pass word\"1"}"#), r#"{"m":"[left out]"}"#);
        assert_eq!(redact("x=pass+word%221&y"), "x=[left out]&y");
        assert_eq!(redact("a short word stays"), "a short word stays");
    }

    #[test]
    fn tokens_are_left_out_wherever_they_stand() {
        let token = crate::tokens::new_token(crate::tokens::TokenKind::Session);
        assert_eq!(redact(&format!("for {token}!")), "for dss_[left out]!");
        assert_eq!(
            redact("GET /callback/x?code=abc123&state=s.t&iss=https://x"),
            "GET /callback/x?code=[left out]&state=[left out]&iss=https://x"
        );
        assert_eq!(
            redact(r#"{\"access_token\":\"eyJ.a.b\",\"expires_in\":5}"#),
            r#"{\"access_token\":\"[left out]\",\"expires_in\":5}"#
        );
        assert_eq!(
            redact("authorization: Bearer abc.def-123"),
            "authorization: Bearer [left out]"
        );
        assert_eq!(
            redact("client_secret=xyz&code_verifier=abc"),
            "client_secret=[left out]&code_verifier=[left out]"
        );
    }
}
