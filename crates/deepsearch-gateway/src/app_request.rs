//! AppRequest: what an app asks for at `/authorize` (RFC 6749, 7636, 8252), once everything in it was checked.
//!
//! Where the answer may go is decided first: until the address of the app is known to be right, a mistake is shown and
//! never sent anywhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::config::CLIENT_ID;
use crate::tokens;

pub(crate) const SCHEME_REDIRECT: &str = "deepsearch://auth/callback";
const LOOPBACK_PATH: &str = "/auth/callback";
const STATE_LIMIT: usize = 512;
const NAME_LIMIT: usize = 80;
const QUERY_LIMIT: usize = 4096;

/// A checked request of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppRequest {
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) state: String,
    pub(crate) device_id: Uuid,
    pub(crate) device_name: String,
}

/// A request that is not right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadRequest {
    /// Nobody knows whether the sender is the app: shown to the person.
    Untrusted(&'static str),
    /// Told to the app.
    Told {
        redirect_uri: String,
        state: Option<String>,
        error: &'static str,
        description: &'static str,
    },
}

/// The parameters of a query, each at most once (RFC 6749, 3.1).
pub(crate) fn parameters(query: &str) -> Result<BTreeMap<String, String>, &'static str> {
    if query.len() > QUERY_LIMIT {
        return Err("the request is too long");
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err("a parameter is there twice");
        }
    }
    Ok(parameters)
}

impl AppRequest {
    pub(crate) fn check(parameters: &BTreeMap<String, String>) -> Result<Self, BadRequest> {
        let get = |name: &str| {
            parameters
                .get(name)
                .map(String::as_str)
                .filter(|value| !value.is_empty())
        };
        if get("client_id") != Some(CLIENT_ID) {
            return Err(BadRequest::Untrusted("client_id"));
        }
        let redirect_uri = get("redirect_uri")
            .filter(|uri| is_redirect(uri))
            .ok_or(BadRequest::Untrusted("redirect_uri"))?
            .to_owned();
        let state = get("state").filter(|state| is_state(state)).map(str::to_owned);
        let told = |error, description| BadRequest::Told {
            redirect_uri: redirect_uri.clone(),
            state: state.clone(),
            error,
            description,
        };
        let invalid = |description| told("invalid_request", description);
        if get("response_type") != Some("code") {
            return Err(told("unsupported_response_type", "response_type must be code"));
        }
        let given = state.clone().ok_or_else(|| invalid("state is missing or malformed"))?;
        if get("code_challenge_method") != Some("S256") {
            return Err(invalid("code_challenge_method must be S256"));
        }
        let code_challenge = get("code_challenge")
            .filter(|challenge| tokens::is_challenge(challenge))
            .ok_or_else(|| invalid("code_challenge is missing or malformed"))?
            .to_owned();
        let device_id = get("device_id").and_then(read_device_id);
        let device_name = get("device_name").and_then(read_device_name);
        Ok(Self {
            device_id: device_id.ok_or_else(|| invalid("device_id must be a UUID"))?,
            device_name: device_name.ok_or_else(|| invalid("device_name must be a name of at most 80 characters"))?,
            state: given,
            code_challenge,
            redirect_uri,
        })
    }
}

/// Exactly the app's own scheme, or its port on this machine (RFC 8252, 7.3); nothing that merely begins or parses so.
pub(crate) fn is_redirect(uri: &str) -> bool {
    if uri == SCHEME_REDIRECT {
        return true;
    }
    let port = uri
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix(LOOPBACK_PATH));
    port.is_some_and(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && !port.starts_with('0')
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn is_state(state: &str) -> bool {
    state.len() <= STATE_LIMIT && state.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Only as it is usually written, so that one device has one name in the database.
pub(crate) fn read_device_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil())?;
    (id.hyphenated().to_string() == text).then_some(id)
}

/// A name that a person can be shown: of some length, in one line, and without characters that hide or turn around what
/// stands beside them.
pub(crate) fn read_device_name(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=NAME_LIMIT).contains(&text.chars().count());
    (fits && !text.chars().any(is_deceptive)).then(|| text.to_owned())
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The app's address with an answer to it. Every answer says who gives it (RFC 9207).
pub(crate) fn answer(redirect_uri: &str, parameters: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    format!("{redirect_uri}?{}", query.finish())
}

/// What a page's form may lead to, for its content policy: this gateway, and the app that asked.
pub(crate) fn form_target(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.scheme() == "deepsearch" => "deepsearch:".to_owned(),
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "'none'".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_app_s_own_addresses_are_redirected_to() {
        assert!(is_redirect("deepsearch://auth/callback"));
        assert!(is_redirect("http://127.0.0.1:49152/auth/callback"));
        for uri in [
            "deepsearch://auth/callback/",
            "deepsearch://auth/callback?x=1",
            "deepsearch://auth/callback#x",
            "DEEPSEARCH://auth/callback",
            "deepsearch://evil/callback",
            "deepsearch://auth/callback/../x",
            "deepsearch://auth@evil/callback",
            "http://127.0.0.1/auth/callback",
            "http://127.0.0.1:0/auth/callback",
            "http://127.0.0.1:080/auth/callback",
            "http://127.0.0.1:70000/auth/callback",
            "http://127.0.0.1:1@evil.example/auth/callback",
            "http://127.0.0.1:1/auth/callback?x",
            "http://127.0.0.1:1/x/../auth/callback",
            "http://127.0.0.1.evil.example:1/auth/callback",
            "http://localhost:1/auth/callback",
            "http://[::1]:1/auth/callback",
            "https://127.0.0.1:1/auth/callback",
            "https://evil.example/auth/callback",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!is_redirect(uri), "{uri}");
        }
    }

    #[test]
    fn a_device_cannot_dress_up_its_name() {
        assert_eq!(read_device_name("  Ada’s laptop "), Some("Ada’s laptop".to_owned()));
        assert_eq!(read_device_name("جهاز آدا"), Some("جهاز آدا".to_owned()));
        for name in ["", "   ", "a\nb", "safe\u{202e}evil", "a\u{200b}b", &"x".repeat(81)] {
            assert_eq!(read_device_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn one_device_has_one_way_to_be_written() {
        assert!(read_device_id("0192f0c1-2345-7abc-8def-0123456789ab").is_some());
        for id in [
            "0192F0C1-2345-7ABC-8DEF-0123456789AB",
            "{0192f0c1-2345-7abc-8def-0123456789ab}",
            "0192f0c123457abc8def0123456789ab",
            "00000000-0000-0000-0000-000000000000",
            "x",
        ] {
            assert_eq!(read_device_id(id), None, "{id}");
        }
    }
}
