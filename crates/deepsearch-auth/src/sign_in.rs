//! Signing in: what is asked, and what is made of the answer (RFC 6749, 7636, 8252, 9207).

use std::borrow::Cow;
use std::sync::Arc;

use chrono::TimeDelta;
use deepsearch_core::Clock;
use deepsearch_net::Network;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, CsrfToken, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::callback::{Callback, REDIRECT, Told};
use crate::error::AuthError;
use crate::gateway::{Gateway, GatewayUrl, Known, presentable_text};
use crate::http::{Http, Transport, is_here};
use crate::loopback::Loopback;
use crate::password::{random, scram_verifier};
use crate::pending::{Browser, Pending, PendingSignIns, Way};
use crate::session::{DatabaseAddress, RedisAddress, Session, SessionAbout, SessionUser};
use crate::vault::Vault;

pub(crate) const CLIENT_ID: &str = "deepsearch-desktop";

const LONGEST_DEVICE_NAME: usize = 60;
/// A gateway may say less, and not much more.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(400);

pub(crate) type OauthClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<Issued, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// What a device calls itself where a person chooses among theirs, and how the gateway's pages are to speak.
#[derive(Debug, Clone, Default)]
pub struct DeviceInfo {
    pub name: String,
    /// A language tag.
    pub locale: Option<String>,
}

/// Signs in at gateways, for one data folder.
pub struct SignIns {
    pub(crate) http: Http,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    known: Known,
}

/// What a gateway issues beside the token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Issued {
    iss: String,
    device_id: Uuid,
    user: SessionUser,
    database: DatabaseAddress,
    redis: Option<IssuedRedis>,
}

#[derive(Debug, Serialize, Deserialize)]
struct IssuedRedis {
    #[serde(flatten)]
    address: RedisAddress,
    password: Option<Hidden>,
}

/// A password that `Debug`, which the `oauth2` crate asks for, does not show.
#[derive(Serialize, Deserialize)]
struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl ExtraTokenFields for Issued {}

impl SignIns {
    /// # Errors
    /// [`AuthError::Client`] when the TLS provider cannot be used.
    pub fn new(vault: Vault, network: &Network, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        Ok(Self {
            http: Http::new(network)?,
            vault,
            known: Known::new(clock.clone()),
            clock,
        })
    }

    /// What a gateway is and whom it lets prove who a person is.
    ///
    /// # Errors
    /// [`AuthError`] when it cannot be reached, is none, or is one that we cannot sign in at.
    pub async fn look_at(&self, url: &GatewayUrl) -> Result<Gateway, AuthError> {
        self.known.look_at(&self.http, url).await
    }

    /// Begins to sign in with a browser on this machine. Everything the answer needs is kept before this returns, so the
    /// browser may be opened then.
    ///
    /// # Errors
    /// [`AuthError`] when the gateway cannot be used or nothing can be kept.
    pub async fn begin(
        &self,
        url: &GatewayUrl,
        device: &DeviceInfo,
        provider: Option<&str>,
        loopback: Option<&Loopback>,
        in_keychain: bool,
    ) -> Result<Pending, AuthError> {
        let gateway = self.look_at(url).await?;
        let (redirect, way) = match loopback {
            Some(loopback) => (loopback.redirect(), Way::Loopback),
            None => (REDIRECT.to_owned(), Way::DeepLink),
        };
        let redirect: Url = redirect.parse().map_err(|_| AuthError::NotACallback)?;
        let mut pending = self.prepare(&gateway, device, way)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = pending.state.clone();
        let client = OauthClient::new(ClientId::new(CLIENT_ID.to_owned()))
            .set_auth_uri(AuthUrl::from_url(gateway.authorize.clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
        let mut request = client
            .authorize_url(|| CsrfToken::new(state))
            .set_pkce_challenge(challenge)
            .add_extra_param("device_id", pending.device_id.to_string())
            .add_extra_param("device_name", pending.device_name.clone());
        if let Some(provider) = provider {
            request = request.add_extra_param("provider", provider.to_owned());
        }
        if let Some(locale) = &device.locale {
            request = request.add_extra_param("ui_locales", locale.clone());
        }
        let (open, _) = request.url();
        pending.browser = Some(Browser {
            verifier: verifier.into_secret(),
            redirect,
            open,
        });
        self.pending(in_keychain).add(&pending).await?;
        Ok(pending)
    }

    /// Takes an answer. Whatever comes of it, the sign-in it belongs to waits no longer; one that belongs to none changes
    /// nothing.
    ///
    /// # Errors
    /// [`AuthError`] when no sign-in waits for it, it comes from elsewhere, or the gateway does not redeem it.
    pub async fn finish(&self, callback: Callback, in_keychain: bool) -> Result<Session, AuthError> {
        let taken = self.pending(in_keychain).take(callback.state.expose_secret()).await?;
        let pending = taken.ok_or(AuthError::NothingWaits)?;
        let Some(browser) = &pending.browser else {
            return Err(AuthError::NothingWaits);
        };
        // Mix-up: another gateway's answer must not be redeemed here, nor ours there (RFC 9207).
        if callback.issuer != pending.issuer {
            return Err(AuthError::OtherIssuer);
        }
        let code = match callback.told {
            Told::Code(code) => code,
            Told::Error(error) => return Err(refusal(&BasicErrorResponseType::Extension(error))),
        };
        let client = OauthClient::new(ClientId::new(CLIENT_ID.to_owned()))
            .set_token_uri(TokenUrl::from_url(pending.token.clone()));
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(browser.verifier.clone()))
            // As it was written when it was asked for, which is what the gateway compares.
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(browser.redirect.clone())))
            .add_extra_param("device_id", pending.device_id.to_string())
            .add_extra_param("device_name", pending.device_name.clone())
            .add_extra_param("scram_verifier", pending.scram_verifier.clone());
        let answer = request.request_async(&self.http).await;
        let answer = answer
            .map_err(|error| token_failure(&pending, error, |told: &BasicErrorResponse| refusal(told.error())))?;
        self.settle(pending, &answer, in_keychain).await
    }

    /// The sign-ins that still wait, latest first: also those of a start before this one.
    ///
    /// # Errors
    /// [`AuthError::Vault`] when they cannot be read.
    pub async fn list_pending(&self) -> Result<Vec<Pending>, AuthError> {
        // Where they are to lie matters only for writing.
        self.pending(true).list().await
    }

    /// Lets no sign-in wait any longer.
    ///
    /// # Errors
    /// [`AuthError::Vault`] when they cannot be taken out.
    pub async fn cancel(&self, in_keychain: bool) -> Result<(), AuthError> {
        self.pending(in_keychain).clear().await
    }

    /// Forgets what was found out about gateways.
    pub async fn look_anew(&self) {
        self.known.forget().await;
    }

    pub(crate) fn pending(&self, in_keychain: bool) -> PendingSignIns<'_> {
        PendingSignIns {
            vault: &self.vault,
            clock: &*self.clock,
            in_keychain,
        }
    }

    /// A sign-in with all its secrets, for a way still to be chosen.
    pub(crate) fn prepare(&self, gateway: &Gateway, device: &DeviceInfo, way: Way) -> Result<Pending, AuthError> {
        let failed = AuthError::Listening;
        let password = random(32).map_err(failed)?;
        let name = presentable_text(&device.name, LONGEST_DEVICE_NAME);
        Ok(Pending {
            state: random(32).map_err(failed)?,
            way,
            device_id: Uuid::new_v4(),
            device_name: if name.is_empty() { "DeepSearch".to_owned() } else { name },
            scram_verifier: scram_verifier(&password).map_err(failed)?,
            password,
            gateway: gateway.url.to_string(),
            issuer: gateway.issuer.clone(),
            token: gateway.token.clone(),
            created_at: self.clock.now(),
            browser: None,
            granted: None,
        })
    }

    /// Holds what was issued against what was asked for, and keeps the session.
    pub(crate) async fn settle(
        &self,
        pending: Pending,
        answer: &StandardTokenResponse<Issued, BasicTokenType>,
        in_keychain: bool,
    ) -> Result<Session, AuthError> {
        let issued = answer.extra_fields();
        let unusable = |detail: &str| AuthError::Unusable {
            host: pending.gateway.clone(),
            doing: "for a session",
            detail: detail.to_owned(),
        };
        if issued.iss != pending.issuer {
            return Err(AuthError::OtherIssuer);
        }
        if issued.device_id != pending.device_id {
            return Err(unusable("it is for another device"));
        }
        if *answer.token_type() != BasicTokenType::Bearer || answer.access_token().secret().len() < 32 {
            return Err(unusable("its token is none"));
        }
        if !is_safe(&issued.database) {
            return Err(unusable("it has us reach the database without encryption"));
        }
        let now = self.clock.now();
        let lifetime = answer
            .expires_in()
            .and_then(|lifetime| TimeDelta::from_std(lifetime).ok());
        let lifetime = lifetime.unwrap_or(TimeDelta::days(90)).min(LONGEST_SESSION);
        let redis = issued.redis.as_ref();
        let user = &issued.user;
        let session = Session {
            about: SessionAbout {
                gateway: pending.gateway,
                user: SessionUser {
                    id: user.id.clone(),
                    name: user
                        .name
                        .as_deref()
                        .map(|name| presentable_text(name, 255))
                        .filter(|name| !name.is_empty()),
                    email: presentable_text(&user.email, 255),
                    image: user.image.clone().filter(|image| image.len() <= 255),
                    is_admin: user.is_admin,
                },
                device_id: pending.device_id,
                device_name: pending.device_name,
                database: issued.database.clone(),
                redis: redis.map(|redis| redis.address.clone()),
                signed_in_at: now,
                expires_at: now + lifetime,
            },
            token: answer.access_token().secret().as_str().into(),
            database_password: pending.password.into(),
            redis_password: redis
                .and_then(|redis| redis.password.as_ref())
                .map(|password| password.0.as_str().into()),
        };
        session.keep(&self.vault, in_keychain).await?;
        // Another way that was tried beside this one is not needed any more.
        if let Err(error) = self.cancel(in_keychain).await {
            tracing::warn!(%error, "sign-ins that are not needed any more still wait");
        }
        Ok(session)
    }
}

/// Whether a database is reached as it should be: encrypted, unless it is on this machine.
fn is_safe(database: &DatabaseAddress) -> bool {
    let is_encrypted = matches!(database.sslmode.as_str(), "require" | "verify-ca" | "verify-full");
    let address = Url::parse(&format!("postgres://{}", database.host)).ok();
    let http = Url::parse(&format!("http://{}", database.host)).ok();
    address.is_some() && (is_encrypted || http.is_some_and(|address| is_here(&address)))
}

/// What an error of the gateway's means to a person.
pub(crate) fn refusal(error: &BasicErrorResponseType) -> AuthError {
    let name = presentable_text(error.as_ref(), 60);
    match name.as_str() {
        "access_denied" => AuthError::Denied,
        "expired_token" => AuthError::Expired,
        "invalid_grant" => AuthError::Refused {
            why: "the code was used already, or came too late".into(),
        },
        "server_error" | "temporarily_unavailable" => AuthError::Unavailable { why: name },
        _ => AuthError::Refused { why: name },
    }
}

/// What a failed request for a session means. What the gateway wrote is not repeated: it may hold secrets.
pub(crate) fn token_failure<T: oauth2::ErrorResponse + 'static>(
    pending: &Pending,
    error: RequestTokenError<Transport, T>,
    refusal: impl FnOnce(&T) -> AuthError,
) -> AuthError {
    match error {
        RequestTokenError::ServerResponse(told) => refusal(&told),
        RequestTokenError::Request(Transport(error)) => error,
        RequestTokenError::Parse(error, _) => AuthError::Unusable {
            host: pending.gateway.clone(),
            doing: "for a session",
            detail: format!("`{}` is not what was expected", error.path()),
        },
        RequestTokenError::Other(_) => AuthError::Unusable {
            host: pending.gateway.clone(),
            doing: "for a session",
            detail: "it is not JSON".into(),
        },
    }
}
