//! Discord, as its documentation of OAuth2 and of `/users/@me` has it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use super::oauth::OAuth;
use super::{Begun, Http, Identity, ProviderError, Returned};
use crate::config;

const SCOPES: &[&str] = &["identify", "email"];

pub(super) struct Discord {
    oauth: OAuth,
    me: Option<Url>,
}

#[derive(Deserialize)]
struct Me {
    id: String,
    username: String,
    global_name: Option<String>,
    avatar: Option<String>,
    email: Option<String>,
    /// Whether Discord has verified the address.
    #[serde(default)]
    verified: bool,
}

impl Discord {
    pub(super) fn new(config: &config::Provider, authorize: &Url, api: &Url, callback: &Url, http: &Http) -> Self {
        let token = beneath(api, "oauth2/token");
        Self {
            oauth: OAuth::new(config, authorize, token.as_ref().unwrap_or(api), SCOPES, callback, http),
            me: beneath(api, "users/@me"),
        }
    }

    pub(super) fn begin(&self, state: &str) -> Begun {
        self.oauth.begin(state)
    }

    pub(super) async fn finish(&self, returned: &Returned<'_>, now: DateTime<Utc>) -> Result<Identity, ProviderError> {
        let tokens = self.oauth.exchange(returned, now).await?;
        let me = self
            .me
            .clone()
            .ok_or_else(|| self.oauth.untrusted("its address is not valid"))?;
        let me: Me = self.oauth.resource(me, &tokens).await?;
        if me.id.is_empty() {
            return Err(self.oauth.untrusted("it names nobody"));
        }
        Ok(Identity {
            provider: "discord".to_owned(),
            kind: "oauth".to_owned(),
            image: me.avatar.as_ref().map(|avatar| picture(&me.id, avatar)),
            name: Some(me.global_name.unwrap_or(me.username)),
            account_id: me.id,
            email: me.email,
            email_verified: me.verified,
            tokens,
        })
    }
}

/// Animated pictures are told by the beginning of their hash.
fn picture(id: &str, avatar: &str) -> String {
    let format = if avatar.starts_with("a_") { "gif" } else { "png" };
    format!("https://cdn.discordapp.com/avatars/{id}/{avatar}.{format}")
}

/// An address beneath another, whether or not that ends with a slash.
pub(super) fn beneath(base: &Url, path: &str) -> Option<Url> {
    let mut base = base.clone();
    if !base.path().ends_with('/') {
        let with_slash = format!("{}/", base.path());
        base.set_path(&with_slash);
    }
    base.join(path).ok()
}
