//! The gateway: its address, and what it says of itself (RFC 8414). What it says is held against what was asked.

use std::sync::Arc;

use deepsearch_core::Clock;
use deepsearch_net::host_of;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::AuthError;
use crate::http::{Http, is_here};

/// The version of our protocol that this app speaks.
pub const PROTOCOL: u32 = 1;

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
const MOST_PROVIDERS: usize = 20;
const LONGEST_NAME: usize = 60;

/// The address of a gateway: https, or http on this machine. It is also its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayUrl(Url);

impl GatewayUrl {
    /// # Errors
    /// [`AuthError::NotAGateway`] for any other address, and for one with a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, AuthError> {
        let bad = || AuthError::NotAGateway { text: text.to_owned() };
        let mut url = Url::parse(text.trim()).map_err(|_| bad())?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here(&url));
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.has_host();
        if !is_safe || !is_plain {
            return Err(bad());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// What a person knows it by.
    pub fn host(&self) -> String {
        host_of(&self.0)
    }

    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// The address with the well-known part before its path (RFC 8414, 3.1).
    fn metadata(&self) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{WELL_KNOWN}{}", self.0.path().trim_end_matches('/')));
        url
    }
}

impl std::fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Who proves to the gateway who a person is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Provider {
    pub id: String,
    pub name: String,
    /// `oauth`, `oidc` or `email`.
    pub kind: String,
}

/// A gateway that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    pub url: GatewayUrl,
    /// As it writes itself; `iss` is compared with exactly this.
    pub issuer: String,
    pub providers: Vec<Provider>,
    pub(crate) authorize: Url,
    pub(crate) token: Url,
    pub(crate) device: Option<Url>,
}

impl Gateway {
    /// Whether a person can sign in with a code, without a browser on this machine.
    pub fn takes_codes(&self) -> bool {
        self.device.is_some()
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    device_authorization_endpoint: Option<Url>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    deepsearch_protocol: Option<Protocol>,
    #[serde(default)]
    deepsearch_providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Protocol {
    min: u32,
    max: u32,
}

/// Asks a gateway what it is.
pub(crate) async fn discover(http: &Http, url: &GatewayUrl) -> Result<Gateway, AuthError> {
    let host = url.host();
    let request = http.request(Method::GET, url.metadata());
    let told: Result<Metadata, _> = http.json(&host, "what it is", request).await;
    match told {
        Ok(metadata) => hold(url, metadata),
        // A server that is none of ours, or a page of somebody's.
        Err(AuthError::Status { status: 300..=499, .. } | AuthError::Unusable { .. }) => {
            Err(AuthError::NoGatewayThere { host })
        }
        Err(error) => Err(error),
    }
}

/// Holds what a gateway says of itself against its address, and against what a sign-in cannot do without.
fn hold(url: &GatewayUrl, metadata: Metadata) -> Result<Gateway, AuthError> {
    let unusable = |detail: &str| AuthError::Unusable {
        host: url.host(),
        doing: "what it is",
        detail: detail.to_owned(),
    };
    if GatewayUrl::parse(&metadata.issuer).ok().as_ref() != Some(url) {
        return Err(unusable("it says that it is another one"));
    }
    let Some(Protocol { min, max }) = metadata.deepsearch_protocol else {
        return Err(AuthError::NoGatewayThere { host: url.host() });
    };
    if !(min..=max).contains(&PROTOCOL) {
        return Err(AuthError::OtherProtocol { min, max });
    }
    if !metadata
        .code_challenge_methods_supported
        .iter()
        .any(|method| method == "S256")
    {
        return Err(AuthError::Lacks { what: "PKCE" });
    }
    if !metadata.authorization_response_iss_parameter_supported {
        return Err(AuthError::Lacks {
            what: "issuer in its answers",
        });
    }
    // A gateway is one server: an address elsewhere would be handed codes and passwords.
    let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint];
    let endpoints = endpoints.into_iter().chain(&metadata.device_authorization_endpoint);
    if !endpoints.map(Url::origin).all(|origin| origin == url.0.origin()) {
        return Err(unusable("it sends sign-ins to another server"));
    }
    let providers = metadata.deepsearch_providers.into_iter().filter_map(presentable);
    Ok(Gateway {
        url: url.clone(),
        issuer: metadata.issuer,
        providers: providers.take(MOST_PROVIDERS).collect(),
        authorize: metadata.authorization_endpoint,
        token: metadata.token_endpoint,
        device: metadata.device_authorization_endpoint,
    })
}

/// A provider as it may stand on a button.
fn presentable(mut provider: Provider) -> Option<Provider> {
    provider.name = presentable_text(&provider.name, LONGEST_NAME);
    let is_id = |id: &str| {
        (1..=LONGEST_NAME).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (is_id(&provider.id) && !provider.name.is_empty()).then_some(provider)
}

/// A stranger's text on one line, of at most so many characters.
pub(crate) fn presentable_text(text: &str, longest: usize) -> String {
    let is_layout =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let plain: String = text
        .chars()
        .filter(|c| !c.is_control() && !is_layout(*c))
        .take(longest)
        .collect();
    plain.trim().to_owned()
}

/// What was found out about a gateway, for a while.
pub(crate) struct Known {
    clock: Arc<dyn Clock>,
    last: tokio::sync::Mutex<Option<(chrono::DateTime<chrono::Utc>, Gateway)>>,
}

impl Known {
    const FRESH: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            last: tokio::sync::Mutex::default(),
        }
    }

    /// What a gateway is: asked, unless that was done a moment ago. Several who ask at once wait for one answer.
    pub(crate) async fn look_at(&self, http: &Http, url: &GatewayUrl) -> Result<Gateway, AuthError> {
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        if let Some((at, gateway)) = &*last
            && gateway.url == *url
            && now.signed_duration_since(*at).abs() < Self::FRESH
        {
            return Ok(gateway.clone());
        }
        let gateway = discover(http, url).await?;
        *last = Some((now, gateway.clone()));
        Ok(gateway)
    }

    pub(crate) async fn forget(&self) {
        *self.last.lock().await = None;
    }
}
