//! The way back from the browser: a link that is exactly a callback, or nothing. It carries no setting and no action.

use secrecy::SecretString;
use url::Url;

use crate::error::AuthError;

/// Where the gateway sends a person back to.
pub const REDIRECT: &str = "deepsearch://auth/callback";

/// Longer links are not from us.
pub const LONGEST: usize = 2048;

const PATH: &str = "/auth/callback";
const KNOWN: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// What came back. It holds a code, so it is not shown and not logged.
pub struct Callback {
    pub(crate) state: SecretString,
    pub(crate) issuer: String,
    pub(crate) told: Told,
}

pub(crate) enum Told {
    Code(SecretString),
    /// The error's name (RFC 6749, 4.1.2.1). Its description is a stranger's, and is left out.
    Error(String),
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

impl Callback {
    /// Reads a deep link.
    ///
    /// # Errors
    /// [`AuthError::NotACallback`] for every other link, and for one with a parameter too many or too few.
    pub fn parse(link: &str) -> Result<Self, AuthError> {
        if link.len() > LONGEST {
            return Err(AuthError::NotACallback);
        }
        let url = Url::parse(link).map_err(|_| AuthError::NotACallback)?;
        // The parser forgives what a browser would: tabs, dots in the path, other spellings. We take only what we gave.
        let rest = link.strip_prefix(REDIRECT).ok_or(AuthError::NotACallback)?;
        let is_ours = rest.starts_with('?')
            && url.scheme() == "deepsearch"
            && url.host_str() == Some("auth")
            && url.path() == "/callback"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if !is_ours {
            return Err(AuthError::NotACallback);
        }
        Self::of_query(&url)
    }

    /// Reads the target of a request to the listener on this machine: `/auth/callback?…`.
    pub(crate) fn parse_target(target: &str) -> Result<Self, AuthError> {
        // Before it is parsed, which would make one of several spellings.
        let is_ours = target.strip_prefix(PATH).is_some_and(|rest| rest.starts_with('?'));
        if target.len() > LONGEST || !is_ours {
            return Err(AuthError::NotACallback);
        }
        let url = Url::parse(&format!("http://127.0.0.1{target}")).map_err(|_| AuthError::NotACallback)?;
        if url.path() != PATH || url.fragment().is_some() {
            return Err(AuthError::NotACallback);
        }
        Self::of_query(&url)
    }

    /// Each known parameter at most once, no other, and none that does not belong to the others.
    fn of_query(url: &Url) -> Result<Self, AuthError> {
        let mut found: [Option<String>; KNOWN.len()] = Default::default();
        for (name, value) in url.query_pairs() {
            let at = KNOWN
                .iter()
                .position(|known| *known == name)
                .ok_or(AuthError::NotACallback)?;
            if found[at].replace(value.into_owned()).is_some() {
                return Err(AuthError::NotACallback);
            }
        }
        let [code, state, issuer, error, description, address] = found.map(|text| text.filter(|text| !text.is_empty()));
        let told = match (code, error) {
            (Some(code), None) if description.is_none() && address.is_none() => Told::Code(code.into()),
            (None, Some(error)) => Told::Error(error),
            _ => return Err(AuthError::NotACallback),
        };
        Ok(Self {
            state: state.ok_or(AuthError::NotACallback)?.into(),
            issuer: issuer.ok_or(AuthError::NotACallback)?,
            told,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_takes_its_own_path_in_its_own_spelling() {
        let query = "?code=K&state=S&iss=I";
        assert!(Callback::parse_target(&format!("/auth/callback{query}")).is_ok());
        for path in [
            "/",
            "/auth/callback/",
            "/auth/callback/../callback",
            "/auth/./callback",
            "/auth/callbackx",
            "/auth/%63allback",
            "//auth/callback",
            "http://127.0.0.1/auth/callback",
            "@evil/auth/callback",
        ] {
            assert!(Callback::parse_target(&format!("{path}{query}")).is_err(), "{path}");
        }
        assert!(Callback::parse_target(&format!("/auth/callback{query}#x")).is_err());
        assert!(Callback::parse_target(&format!("/auth/callback{query}&run=rm")).is_err());
    }
}
