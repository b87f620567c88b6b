//! Flow: one sign-in under way in one browser, sealed in a cookie of that browser and nowhere else.
//!
//! So gateways share nothing, a callback that comes to another browser finds nothing, and what was begun at one provider
//! cannot be ended at another. A flow is found by the name of its cookie, which the `state` sent to the provider begins
//! with; several may be under way side by side.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar, SameSite};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::app_request::AppRequest;
use crate::texts::Lang;
use crate::tokens::{self, TokenKind};

/// How long a sign-in may take from its beginning to its end.
pub(crate) const LASTS: TimeDelta = TimeDelta::minutes(10);
/// `__Host-`: only over TLS, only for this very host, set by nobody else.
const COOKIE: &str = "__Host-deepsearch-";
/// Sign-ins side by side in one browser. More would only make its requests too long for a proxy.
const AT_ONCE: usize = 4;
const ID_LENGTH: usize = 12;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(crate) id: String,
    pub(crate) wish: Wish,
    pub(crate) stage: Stage,
    pub(crate) lang: Lang,
    pub(crate) ends_at: DateTime<Utc>,
}

/// What the sign-in is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Wish {
    /// An app that waits for a code.
    App(AppRequest),
    /// A device elsewhere whose user code was typed here.
    Device { user_code: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Stage {
    Choosing,
    /// At a provider, with what only this flow and the provider's answer share.
    At {
        provider: String,
        state: String,
        nonce: String,
        pkce_verifier: String,
    },
    /// A mail was sent to this address.
    Mailed {
        address: String,
    },
    /// Somebody was proven; the page asks whether they mean this device.
    Consent {
        ticket: String,
        form: String,
    },
    /// Answered. Kept so that a button pressed twice is no mistake.
    Done,
}

impl Flow {
    pub(crate) fn begin(wish: Wish, lang: Lang, now: DateTime<Utc>) -> Self {
        let id = tokens::new_token(TokenKind::Form)[4..].replace(['-', '_'], "x");
        Self {
            id: id[..ID_LENGTH].to_owned(),
            wish,
            stage: Stage::Choosing,
            lang,
            ends_at: now + LASTS,
        }
    }

    pub(crate) fn device_name(&self) -> Option<&str> {
        match &self.wish {
            Wish::App(request) => Some(&request.device_name),
            Wish::Device { .. } => None,
        }
    }
}

/// The flows of the browser that sent a request.
pub(crate) struct Flows {
    jar: PrivateCookieJar,
    now: DateTime<Utc>,
}

impl Flows {
    pub(crate) fn of(headers: &HeaderMap, key: &Key, now: DateTime<Utc>) -> Self {
        Self {
            jar: PrivateCookieJar::from_headers(headers, key.clone()),
            now,
        }
    }

    pub(crate) fn lookup(&self, id: &str) -> Option<Flow> {
        let plain = id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let cookie = self.jar.get(&format!("{COOKIE}{id}")).filter(|_| plain)?;
        let flow: Flow = serde_json::from_str(cookie.value()).ok()?;
        (flow.id == id && flow.ends_at > self.now).then_some(flow)
    }

    /// The flow that a `state` sent to a provider belongs to.
    pub(crate) fn of_state(&self, state: &str) -> Option<Flow> {
        self.lookup(state.split_once('.')?.0)
    }

    /// Keeps a flow, with the room that it needs.
    #[must_use]
    pub(crate) fn keep(mut self, flow: &Flow) -> Self {
        let Ok(sealed) = serde_json::to_string(flow) else {
            return self;
        };
        let own = format!("{COOKIE}{}", flow.id);
        let others: Vec<String> = self
            .jar
            .iter()
            .map(|cookie| cookie.name().to_owned())
            .filter(|name| name.starts_with(COOKIE) && *name != own)
            .collect();
        for name in others.into_iter().skip(AT_ONCE - 1) {
            self.jar = self.jar.remove(attributes(Cookie::new(name, "")));
        }
        // Without an age: it goes with the browser, and what is in it says until when it is good.
        self.jar = self.jar.add(attributes(Cookie::new(own, sealed)));
        self
    }

    pub(crate) fn into_jar(self) -> PrivateCookieJar {
        self.jar
    }
}

fn attributes(mut cookie: Cookie<'static>) -> Cookie<'static> {
    cookie.set_path("/");
    cookie.set_secure(true);
    cookie.set_http_only(true);
    // Lax and not Strict: the provider's answer comes from another site.
    cookie.set_same_site(SameSite::Lax);
    cookie
}
