//! What providers of plain OAuth 2.0 have in common: the way to the provider and back, up to the access token.

use chrono::{DateTime, Utc};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use secrecy::ExposeSecret;
use url::Url;

use super::{Begun, Http, ProviderError, Returned, Tokens};
use crate::config;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

pub(super) struct OAuth {
    provider: String,
    client: Client,
    scopes: &'static [&'static str],
    /// The host that people sign in at; an answer that names an issuer must name one there.
    host: Option<String>,
    http: Http,
}

impl OAuth {
    pub(super) fn new(
        config: &config::Provider,
        authorize: &Url,
        token: &Url,
        scopes: &'static [&'static str],
        callback: &Url,
        http: &Http,
    ) -> Self {
        let mut client = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(authorize.clone()))
            .set_token_uri(TokenUrl::from_url(token.clone()))
            .set_redirect_uri(RedirectUrl::from_url(callback.clone()))
            // Both providers document the secret in the body.
            .set_auth_type(AuthType::RequestBody);
        if let Some(secret) = &config.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Self {
            provider: config.id.clone(),
            client,
            scopes,
            host: authorize.host_str().map(str::to_owned),
            http: http.clone(),
        }
    }

    pub(super) fn begin(&self, state: &str) -> Begun {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = state.to_owned();
        let (address, _) = self
            .client
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(self.scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Begun {
            address,
            nonce: String::new(),
            pkce_verifier: verifier.into_secret(),
        }
    }

    pub(super) async fn exchange(&self, returned: &Returned<'_>, now: DateTime<Utc>) -> Result<Tokens, ProviderError> {
        let issuer = returned
            .iss
            .map(|iss| Url::parse(iss).ok().and_then(|url| url.host_str().map(str::to_owned)));
        if issuer.is_some_and(|host| host != self.host) {
            return Err(self.untrusted("it comes from another issuer"));
        }
        let call = self.http.client();
        let token = self
            .client
            .exchange_code(AuthorizationCode::new(returned.code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(returned.pkce_verifier.to_owned()))
            .request_async(&call)
            .await
            .map_err(|source| self.asking("redeem its code", source))?;
        Ok(tokens_of(&token, now))
    }

    pub(super) async fn resource<T: serde::de::DeserializeOwned>(
        &self,
        url: Url,
        tokens: &Tokens,
    ) -> Result<T, ProviderError> {
        let token = tokens.access_token.as_deref().unwrap_or_default();
        let found = self.http.resource(url, token).await;
        found.map_err(|source| self.asking("say who came", source))
    }

    fn asking(&self, action: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> ProviderError {
        ProviderError::Ask {
            provider: self.provider.clone(),
            action,
            source: Box::new(source),
        }
    }

    pub(super) fn untrusted(&self, reason: &'static str) -> ProviderError {
        ProviderError::Untrusted {
            provider: self.provider.clone(),
            reason,
        }
    }
}

/// A token answer in the form that Auth.js keeps.
pub(super) fn tokens_of<T>(token: &T, now: DateTime<Utc>) -> Tokens
where
    T: TokenResponse,
    T::TokenType: AsRef<str>,
{
    let expires_at = token.expires_in().and_then(|lasts| {
        let seconds = now.timestamp().checked_add(i64::try_from(lasts.as_secs()).ok()?)?;
        i32::try_from(seconds).ok()
    });
    let scopes = token.scopes().map(|scopes| {
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        scopes.join(" ")
    });
    Tokens {
        access_token: Some(token.access_token().secret().clone()),
        refresh_token: token.refresh_token().map(|token| token.secret().clone()),
        id_token: None,
        token_type: Some(token.token_type().as_ref().to_ascii_lowercase()),
        scope: scopes,
        expires_at,
        session_state: None,
    }
}
