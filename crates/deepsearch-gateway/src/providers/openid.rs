//! OpenID Connect, for any issuer that can be discovered. Google is one of them.
//!
//! What the issuer says about itself, and its keys, are asked for when they are first needed and kept for an hour; keys
//! that have changed meanwhile are asked for once more.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreGrantType, CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, ClaimsVerificationError, IssuerUrl, Nonce, ProviderMetadata,
    SignatureVerificationError, TokenResponse as _,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::oauth::tokens_of;
use super::{Begun, Http, Identity, ProviderError, Returned};
use crate::config;

const METADATA_LASTS: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rfc9207 {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}
impl AdditionalProviderMetadata for Rfc9207 {}

type Metadata = ProviderMetadata<
    Rfc9207,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;
type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

pub(super) struct OpenId {
    provider: String,
    issuer: Url,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    scopes: Vec<String>,
    callback: Url,
    vouches_for_email: bool,
    http: Http,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    at: DateTime<Utc>,
}

impl OpenId {
    pub(super) fn new(config: &config::Provider, issuer: &Url, scopes: &[String], callback: &Url, http: &Http) -> Self {
        let secret = config.client_secret.as_ref();
        Self {
            provider: config.id.clone(),
            issuer: issuer.clone(),
            client_id: ClientId::new(config.client_id.clone()),
            client_secret: secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned())),
            scopes: scopes.to_vec(),
            callback: callback.clone(),
            vouches_for_email: config.vouches_for_email,
            http: http.clone(),
            known: Mutex::new(None),
        }
    }

    pub(super) async fn begin(&self, state: &str, now: DateTime<Utc>) -> Result<Begun, ProviderError> {
        let client = self.client(&*self.metadata(now).await?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = state.to_owned();
        let request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                Nonce::new_random,
            )
            // `openid` is there already.
            .add_scopes(
                self.scopes
                    .iter()
                    .filter(|scope| *scope != "openid")
                    .map(|scope| Scope::new(scope.clone())),
            )
            .set_pkce_challenge(challenge);
        let (address, _, nonce) = request.url();
        Ok(Begun {
            address,
            nonce: nonce.secret().clone(),
            pkce_verifier: verifier.into_secret(),
        })
    }

    pub(super) async fn finish(&self, returned: &Returned<'_>, now: DateTime<Utc>) -> Result<Identity, ProviderError> {
        let metadata = self.metadata(now).await?;
        let says_who = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        match returned.iss {
            Some(iss) if iss != metadata.issuer().as_str() => {
                return Err(self.untrusted("it comes from another issuer"));
            }
            None if says_who => return Err(self.untrusted("it does not say which issuer it comes from")),
            _ => {}
        }
        let client = self.client(&metadata);
        let call = self.http.client();
        let token: CoreTokenResponse = client
            .exchange_code(AuthorizationCode::new(returned.code.to_owned()))
            .map_err(|source| self.asking("redeem its code", source))?
            .set_pkce_verifier(PkceCodeVerifier::new(returned.pkce_verifier.to_owned()))
            .request_async(&call)
            .await
            .map_err(|source| self.asking("redeem its code", source))?;
        let nonce = Nonce::new(returned.nonce.to_owned());
        let claims = match self.claims(&client, &token, &nonce, now) {
            // Its keys have changed since they were asked for.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let fresh = self.client(&*self.discover(now).await?);
                self.claims(&fresh, &token, &nonce, now)
            }
            claims => claims,
        };
        let claims = claims.map_err(|source| self.asking("prove who came", source))?;
        let more = self.user_info(&client, &token, &claims).await?;
        let mut tokens = tokens_of(&token, now);
        tokens.id_token = token.id_token().map(ToString::to_string);
        tokens.session_state = returned.session_state.map(str::to_owned);
        Ok(Identity {
            tokens,
            ..self.identity(&claims, more.as_ref())
        })
    }

    fn claims(
        &self,
        client: &Client,
        token: &CoreTokenResponse,
        nonce: &Nonce,
        now: DateTime<Utc>,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let id_token = token
            .id_token()
            .ok_or_else(|| ClaimsVerificationError::Other("it gave no ID token".to_owned()))?;
        let verifier = client.id_token_verifier().set_time_fn(|| now);
        let claims = id_token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let refused = |error: &dyn std::fmt::Display| ClaimsVerificationError::Other(error.to_string());
            let algorithm = id_token.signing_alg().map_err(|error| refused(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| refused(&error))?;
            let actual =
                AccessTokenHash::from_token(token.access_token(), algorithm, key).map_err(|error| refused(&error))?;
            if actual != *expected {
                return Err(ClaimsVerificationError::Other(
                    "the access token is another's".to_owned(),
                ));
            }
        }
        Ok(claims.clone())
    }

    /// What the ID token left out, for issuers that keep profiles elsewhere. It must be about the same person.
    async fn user_info(
        &self,
        client: &Client,
        token: &CoreTokenResponse,
        claims: &CoreIdTokenClaims,
    ) -> Result<Option<CoreUserInfoClaims>, ProviderError> {
        if claims.email().is_some() && claims.name().is_some() {
            return Ok(None);
        }
        let Ok(request) = client.user_info(token.access_token().clone(), Some(claims.subject().clone())) else {
            return Ok(None);
        };
        let call = self.http.client();
        let info = request.request_async(&call).await;
        info.map(Some).map_err(|source| self.asking("say who came", source))
    }

    fn identity(&self, claims: &CoreIdTokenClaims, more: Option<&CoreUserInfoClaims>) -> Identity {
        let name = claims.name().or_else(|| more?.name()).and_then(|names| names.get(None));
        let image = claims
            .picture()
            .or_else(|| more?.picture())
            .and_then(|images| images.get(None));
        let user_name = claims.preferred_username().or_else(|| more?.preferred_username());
        // An address and whether it is verified come from one place.
        let (email, verified) = match claims.email() {
            Some(email) => (Some(email), claims.email_verified()),
            None => (
                more.and_then(|more| more.email()),
                more.and_then(|more| more.email_verified()),
            ),
        };
        Identity {
            provider: self.provider.clone(),
            kind: "oidc".to_owned(),
            account_id: claims.subject().to_string(),
            name: name
                .map(|name| name.to_string())
                .or_else(|| user_name.map(|name| name.to_string())),
            email: email.map(|email| email.to_string()),
            email_verified: verified.unwrap_or(self.vouches_for_email),
            image: image.map(|image| image.to_string()),
            tokens: super::Tokens::default(),
        }
    }

    async fn metadata(&self, now: DateTime<Utc>) -> Result<Arc<Metadata>, ProviderError> {
        let known = self.known.lock().await.clone();
        match known {
            Some(known) if now - known.at < METADATA_LASTS => Ok(known.metadata),
            // An issuer that cannot be asked now is still the one it was.
            Some(known) => Ok(self.discover(now).await.unwrap_or(known.metadata)),
            None => self.discover(now).await,
        }
    }

    async fn discover(&self, now: DateTime<Utc>) -> Result<Arc<Metadata>, ProviderError> {
        let call = self.http.client();
        // An issuer is compared letter by letter: with or without its slash at the end, as the issuer itself writes it.
        let written = self.issuer.as_str().to_owned();
        let bare = written.trim_end_matches('/').to_owned();
        let mut found = Metadata::discover_async(self.issuer_url(bare)?, &call).await;
        if found.is_err() && self.issuer.path() != "/" && self.issuer.path().ends_with('/') {
            found = Metadata::discover_async(self.issuer_url(written)?, &call).await;
        }
        let metadata = Arc::new(found.map_err(|source| self.asking("describe itself", source))?);
        *self.known.lock().await = Some(Known {
            metadata: Arc::clone(&metadata),
            at: now,
        });
        Ok(metadata)
    }

    fn issuer_url(&self, issuer: String) -> Result<IssuerUrl, ProviderError> {
        IssuerUrl::new(issuer).map_err(|source| self.asking("describe itself", source))
    }

    fn client(&self, metadata: &Metadata) -> Client {
        let client =
            CoreClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), self.client_secret.clone())
                .set_redirect_uri(RedirectUrl::from_url(self.callback.clone()));
        // Without a word of the issuer, the secret goes into the header (RFC 8414).
        let in_header = metadata
            .token_endpoint_auth_methods_supported()
            .is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        client.set_auth_type(if in_header {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        })
    }

    fn asking(&self, action: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> ProviderError {
        ProviderError::Ask {
            provider: self.provider.clone(),
            action,
            source: Box::new(source),
        }
    }

    fn untrusted(&self, reason: &'static str) -> ProviderError {
        ProviderError::Untrusted {
            provider: self.provider.clone(),
            reason,
        }
    }
}
