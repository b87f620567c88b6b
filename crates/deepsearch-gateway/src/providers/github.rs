//! GitHub, as its documentation of OAuth apps and of `/user` and `/user/emails` has it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use super::discord::beneath;
use super::oauth::OAuth;
use super::{Begun, Http, Identity, ProviderError, Returned};
use crate::config;

const SCOPES: &[&str] = &["read:user", "user:email"];

pub(super) struct GitHub {
    oauth: OAuth,
    api: Url,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    pub(super) fn new(config: &config::Provider, site: &Url, api: &Url, callback: &Url, http: &Http) -> Self {
        let authorize = beneath(site, "login/oauth/authorize");
        let token = beneath(site, "login/oauth/access_token");
        let (authorize, token) = (authorize.as_ref().unwrap_or(site), token.as_ref().unwrap_or(site));
        Self {
            oauth: OAuth::new(config, authorize, token, SCOPES, callback, http),
            api: api.clone(),
        }
    }

    pub(super) fn begin(&self, state: &str) -> Begun {
        self.oauth.begin(state)
    }

    pub(super) async fn finish(&self, returned: &Returned<'_>, now: DateTime<Utc>) -> Result<Identity, ProviderError> {
        let tokens = self.oauth.exchange(returned, now).await?;
        let resource = |path| beneath(&self.api, path).ok_or_else(|| self.oauth.untrusted("its address is not valid"));
        let user: User = self.oauth.resource(resource("user")?, &tokens).await?;
        // The address in the profile is what the person chose to show; only this list says what was verified.
        let emails: Vec<Email> = self.oauth.resource(resource("user/emails")?, &tokens).await?;
        let email = emails.into_iter().find(|email| email.primary);
        Ok(Identity {
            provider: "github".to_owned(),
            kind: "oauth".to_owned(),
            account_id: user.id.to_string(),
            name: Some(user.name.filter(|name| !name.is_empty()).unwrap_or(user.login)),
            image: user.avatar_url,
            email_verified: email.as_ref().is_some_and(|email| email.verified),
            email: email.map(|email| email.email),
            tokens,
        })
    }
}
