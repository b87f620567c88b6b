//! Providers: whoever tells us who a person is. One file each for those that have a way of their own; everybody else
//! speaks OpenID Connect.
//!
//! Each flow has its own `state`, nonce and PKCE verifier towards the provider, and each provider its own address to come
//! back to, so that an answer of one is never taken for another's (RFC 9700, 4.4).

mod discord;
mod github;
mod http;
mod oauth;
mod openid;

use chrono::{DateTime, Utc};
use deepsearch_core::{Account, UserId};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::config::{self, ProviderKind};
pub(crate) use http::Http;

/// What a provider proved.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The id of the provider in our configuration, or `email`.
    pub(crate) provider: String,
    /// As Auth.js calls it: `oauth`, `oidc`, `email`.
    pub(crate) kind: String,
    pub(crate) account_id: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) image: Option<String>,
    pub(crate) tokens: Tokens,
}

/// What the provider gave for its own services. The web app may use it; we do not.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
    pub(crate) token_type: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) expires_at: Option<i32>,
    pub(crate) session_state: Option<String>,
}

impl Identity {
    /// The account as Auth.js writes it.
    pub(crate) fn account(&self, user_id: UserId) -> Account {
        let tokens = self.tokens.clone();
        Account {
            user_id,
            kind: self.kind.clone(),
            provider: self.provider.clone(),
            provider_account_id: self.account_id.clone(),
            refresh_token: tokens.refresh_token,
            access_token: tokens.access_token,
            expires_at: tokens.expires_at,
            token_type: tokens.token_type,
            scope: tokens.scope,
            id_token: tokens.id_token,
            session_state: tokens.session_state,
        }
    }
}

/// A sign-in at a provider that was begun.
pub(crate) struct Begun {
    pub(crate) address: Url,
    pub(crate) nonce: String,
    pub(crate) pkce_verifier: String,
}

/// What the browser brought back from a provider.
pub(crate) struct Returned<'a> {
    pub(crate) code: &'a str,
    /// Who says that it answers (RFC 9207).
    pub(crate) iss: Option<&'a str>,
    pub(crate) session_state: Option<&'a str>,
    pub(crate) nonce: &'a str,
    pub(crate) pkce_verifier: &'a str,
}

/// Why a provider did not prove anything.
#[derive(Debug, Error)]
pub(crate) enum ProviderError {
    #[error("asking `{provider}` to {action}")]
    Ask {
        provider: String,
        action: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the answer of `{provider}` is not to be trusted: {reason}")]
    Untrusted { provider: String, reason: &'static str },
}

pub(crate) struct Provider {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) link_verified_email: bool,
    wire: Wire,
}

enum Wire {
    Discord(discord::Discord),
    GitHub(github::GitHub),
    OpenId(Box<openid::OpenId>),
}

impl Provider {
    pub(crate) fn new(config: &config::Provider, callback: &Url, http: &Http) -> Self {
        let wire = match &config.kind {
            ProviderKind::Discord { authorize, api } => {
                Wire::Discord(discord::Discord::new(config, authorize, api, callback, http))
            }
            ProviderKind::GitHub { site, api } => Wire::GitHub(github::GitHub::new(config, site, api, callback, http)),
            ProviderKind::OpenId { issuer, scopes } => {
                Wire::OpenId(Box::new(openid::OpenId::new(config, issuer, scopes, callback, http)))
            }
        };
        Self {
            id: config.id.clone(),
            name: config.name.clone(),
            link_verified_email: config.link_verified_email,
            wire,
        }
    }

    /// `oauth` or `oidc`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.wire {
            Wire::Discord(_) | Wire::GitHub(_) => "oauth",
            Wire::OpenId(_) => "oidc",
        }
    }

    /// Where to send the browser, with a `state` that the answer must bring back.
    pub(crate) fn begin<'a>(
        &'a self,
        state: &'a str,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Begun, ProviderError>> {
        match &self.wire {
            Wire::Discord(discord) => ready(Ok(discord.begin(state))).boxed(),
            Wire::GitHub(github) => ready(Ok(github.begin(state))).boxed(),
            Wire::OpenId(openid) => openid.begin(state, now).boxed(),
        }
    }

    /// Who came back. The `state` was compared by then.
    pub(crate) fn finish<'a>(
        &'a self,
        returned: &'a Returned<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        match &self.wire {
            Wire::Discord(discord) => discord.finish(returned, now).boxed(),
            Wire::GitHub(github) => github.finish(returned, now).boxed(),
            Wire::OpenId(openid) => openid.finish(returned, now).boxed(),
        }
    }

    /// Whether the provider can be reached at all, for `--check-connections`.
    pub(crate) async fn probe(&self, now: DateTime<Utc>) -> Result<(), ProviderError> {
        self.begin("probe", now).await.map(drop)
    }
}
