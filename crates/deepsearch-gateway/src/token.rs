//! `/token`: where an app brings its code, or a waiting device its device code, and gets a session and a way to the
//! database. The app's password never comes here, only its SCRAM verifier.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use deepsearch_postgres::{DatabaseError, DeviceError, DeviceKey, NewSession, Polled, Redeemed, RedeemedFor, SignedIn};
use serde_json::{Value, json};

use crate::app_request::{parameters, read_device_id};
use crate::config::CLIENT_ID;
use crate::gateway::{Parts, chain};
use crate::tokens::{self, TokenKind};

const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const SESSION_LASTS: TimeDelta = TimeDelta::days(90);

/// Why a request of an app is refused, as RFC 6749 (5.2) and RFC 8628 (3.5) name it.
#[derive(Debug)]
pub(crate) enum Refused {
    Because(&'static str, String),
    Unavailable,
    Failed(Box<dyn Error + Send + Sync>),
}

impl Refused {
    pub(crate) fn invalid(description: &str) -> Self {
        Self::Because("invalid_request", description.to_owned())
    }

    fn grant(description: &str) -> Self {
        Self::Because("invalid_grant", description.to_owned())
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Because(error, _) => error,
            Self::Unavailable | Self::Failed(_) => "temporarily_unavailable",
        }
    }
}

impl From<DatabaseError> for Refused {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<DeviceError> for Refused {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(reason) => Self::Because("invalid_grant", reason),
            DeviceError::Database(error) => Self::Failed(error.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Self::Failed(error) = &self {
            tracing::error!(error = chain(&**error), "a request of an app could not be answered");
        }
        let (status, description) = match &self {
            Self::Because("invalid_client", description) => (StatusCode::UNAUTHORIZED, description.clone()),
            Self::Because(_, description) => (StatusCode::BAD_REQUEST, description.clone()),
            Self::Unavailable | Self::Failed(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "try again in a moment".to_owned())
            }
        };
        let mut response = json_answer(&json!({ "error": self.name(), "error_description": description }));
        *response.status_mut() = status;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

pub(crate) fn json_answer(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        value.to_string(),
    )
        .into_response()
}

/// A form in which each parameter is at most once.
pub(crate) fn form(body: &str) -> Result<BTreeMap<String, String>, Refused> {
    parameters(body).map_err(Refused::invalid)
}

pub(crate) fn known_client(form: &BTreeMap<String, String>) -> Result<(), Refused> {
    if form.get("client_id").map(String::as_str) == Some(CLIENT_ID) {
        return Ok(());
    }
    Err(Refused::Because(
        "invalid_client",
        format!("client_id must be {CLIENT_ID}"),
    ))
}

/// `POST /token`
pub(crate) async fn token(State(parts): State<Arc<Parts>>, body: String) -> Response {
    match issue(&parts, &body).await {
        Ok(value) => {
            parts.metrics.token("issued");
            json_answer(&value)
        }
        Err(refused) => {
            parts.metrics.token(refused.name());
            refused.into_response()
        }
    }
}

async fn issue(parts: &Parts, body: &str) -> Result<Value, Refused> {
    let form = form(body)?;
    known_client(&form)?;
    match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => by_code(parts, &form).await,
        Some(DEVICE_CODE_GRANT) => by_device_code(parts, &form).await,
        Some(_) => Err(Refused::Because(
            "unsupported_grant_type",
            "this grant is not known".to_owned(),
        )),
        None => Err(Refused::invalid("grant_type is missing")),
    }
}

async fn by_code(parts: &Parts, form: &BTreeMap<String, String>) -> Result<Value, Refused> {
    let get = |name: &'static str| {
        let value = form.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refused::invalid(&format!("{name} is missing")))
    };
    // What is malformed is refused before the code is touched.
    let (code, redirect_uri, verifier) = (get("code")?, get("redirect_uri")?, get("code_verifier")?);
    let device_id = read_device_id(get("device_id")?).ok_or_else(|| Refused::invalid("device_id must be a UUID"))?;
    let (session_token, session) = new_session(get("scram_verifier")?)?;
    let redemption = match parts.database.redeem_sign_in_code(&tokens::hash(code)).await? {
        Redeemed::First(redemption) => redemption,
        Redeemed::Again(before) => return Err(replayed(parts, &before).await?),
        Redeemed::Unknown => return Err(Refused::grant("the code is not known")),
    };
    let kept = &redemption.code;
    let wrong = if kept.expires_at <= parts.now() {
        Some("the code has expired")
    } else if !tokens::proves(verifier, &kept.code_challenge) {
        Some("the code belongs to another app")
    } else if kept.redirect_uri != *redirect_uri || kept.device_id != device_id {
        Some("the code was given to another address or device")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        tracing::warn!(reason = wrong, "a code was refused, and is used up by it");
        redemption.discard().await?;
        return Err(Refused::grant(wrong));
    }
    let signed_in = redemption.mint(&session).await?;
    Ok(answer(parts, &session_token, &session, &signed_in).await)
}

async fn by_device_code(parts: &Parts, form: &BTreeMap<String, String>) -> Result<Value, Refused> {
    let get = |name: &'static str| {
        let value = form.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refused::invalid(&format!("{name} is missing")))
    };
    let device_code = get("device_code")?;
    let device_id = read_device_id(get("device_id")?).ok_or_else(|| Refused::invalid("device_id must be a UUID"))?;
    let (session_token, session) = new_session(get("scram_verifier")?)?;
    let told = |error, description: &str| Err(Refused::Because(error, description.to_owned()));
    match parts.database.poll_device_request(&tokens::hash(device_code)).await? {
        Polled::Waiting => told("authorization_pending", "the person has not decided yet"),
        Polled::TooFast => told("slow_down", "wait five seconds longer between two requests"),
        Polled::Denied => told("access_denied", "the person said no"),
        Polled::Expired => told("expired_token", "the device code has expired or is not known"),
        Polled::Again(before) => Err(replayed(parts, &before).await?),
        Polled::Allowed(grant) if grant.device_id != device_id => told("invalid_grant", "the code is another device's"),
        Polled::Allowed(grant) => {
            let signed_in = grant.mint(&session).await?;
            Ok(answer(parts, &session_token, &session, &signed_in).await)
        }
    }
}

/// A code that comes twice was seen by somebody who should not have it: what it gave is taken back.
async fn replayed(parts: &Parts, before: &RedeemedFor) -> Result<Refused, Refused> {
    parts.metrics.replays.inc();
    let revoked = parts
        .database
        .revoke_device_of(&before.user_id, before.device_id)
        .await?;
    tracing::warn!(user = %before.user_id, device = %before.device_id, revoked, "a code came a second time");
    if revoked {
        parts.metrics.revoked.inc();
        parts.leave_search_cache(&[before.device_id]).await;
    }
    Ok(Refused::grant(
        "the code was used before; what it gave has been taken back",
    ))
}

fn new_session(scram_verifier: &str) -> Result<(String, NewSession), Refused> {
    if !is_scram_verifier(scram_verifier) {
        return Err(Refused::invalid("scram_verifier must be a verifier of SCRAM-SHA-256"));
    }
    let token = tokens::new_token(TokenKind::Session);
    let session = NewSession {
        scram_verifier: scram_verifier.to_owned(),
        token_hash: tokens::hash_text(&token),
        lasts: SESSION_LASTS,
    };
    Ok((token, session))
}

/// `SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY`, with enough of each.
fn is_scram_verifier(text: &str) -> bool {
    let parse = || {
        let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored, server) = keys.split_once(':')?;
        let bytes = |base64: &str| STANDARD.decode(base64).ok().map(|bytes| bytes.len());
        let enough = iterations.bytes().all(|byte| byte.is_ascii_digit())
            && (4096..=1_000_000).contains(&iterations.parse::<u32>().ok()?)
            && (12..=64).contains(&bytes(salt)?)
            && bytes(stored)? == 32
            && bytes(server)? == 32;
        Some(enough)
    };
    text.len() <= 256 && parse().unwrap_or(false)
}

async fn answer(parts: &Parts, token: &str, session: &NewSession, signed_in: &SignedIn) -> Value {
    let user = &signed_in.user;
    tracing::info!(user = %user.id, device = %signed_in.device_id, "a device was signed in");
    let way = &parts.config.database.devices;
    let mut answer = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": SESSION_LASTS.num_seconds(),
        "iss": parts.config.issuer(),
        "device_id": signed_in.device_id,
        "user": {
            "id": user.id, "name": user.name, "email": user.email, "image": user.image, "is_admin": user.is_admin,
        },
        "database": {
            "host": way.host, "port": way.port, "name": way.name, "role": signed_in.role, "sslmode": way.sslmode,
            "pooled": way.pooled,
        },
    });
    if let Some(pem) = &way.sslrootcert {
        answer["database"]["sslrootcert"] = json!(pem);
    }
    if let Some(cache) = &parts.search_cache {
        let device = DeviceKey {
            device_id: signed_in.device_id,
            user_id: user.id.clone(),
            token_hash: session.token_hash.clone(),
        };
        answer["redis"] = cache.let_in(&device).await;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_taken_for_its_verifier() {
        let key = STANDARD.encode([7; 32]);
        let salt = STANDARD.encode([1; 16]);
        assert!(is_scram_verifier(&format!("SCRAM-SHA-256$4096:{salt}${key}:{key}")));
        for text in [
            "hunter2hunter2".to_owned(),
            "md5d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            format!("SCRAM-SHA-256$1:{salt}${key}:{key}"),
            format!("SCRAM-SHA-256$+4096:{salt}${key}:{key}"),
            format!("SCRAM-SHA-256$4096:${key}:{key}"),
            format!("SCRAM-SHA-256$4096:{salt}${key}"),
            format!("SCRAM-SHA-256$4096:{salt}${key}:{}", STANDARD.encode([7; 31])),
            format!("SCRAM-SHA-256$4096:{salt}${key}:{key}'; drop role x; --"),
        ] {
            assert!(!is_scram_verifier(&text), "{text}");
        }
    }
}
