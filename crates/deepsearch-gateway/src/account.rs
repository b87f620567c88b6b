//! What a signed-in app asks about its own account: devices, signing out, everything of the person, and the end of it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use deepsearch_postgres::{DatabaseError, DeviceSession};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::gateway::{Parts, chain};
use crate::token::{SESSION_LASTS, form, json_answer};
use crate::tokens;

/// A session's end is moved on by use, but not with every request: each is a row written.
const MOVED_ON_AFTER: TimeDelta = TimeDelta::days(1);
const TOKEN_LIMIT: usize = 256;

/// A request with the token of a session that has not ended.
pub(crate) struct SignedIn(DeviceSession);

impl FromRequestParts<Arc<Parts>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(request: &mut RequestParts, parts: &Arc<Parts>) -> Result<Self, Response> {
        let token = request
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_LIMIT)
            .map(|(_, token)| token.trim());
        let Some(token) = token else {
            return Err(unauthorized(None));
        };
        let hash = tokens::hash_text(token);
        let session = parts.database.lookup_device_session(&hash).await.map_err(unavailable)?;
        let Some(session) = session else {
            return Err(unauthorized(Some("invalid_token")));
        };
        if SESSION_LASTS - session.lasts > MOVED_ON_AFTER {
            let prolonged = parts.database.prolong_device_session(&hash, SESSION_LASTS).await;
            prolonged.map_err(unavailable)?;
        }
        Ok(Self(session))
    }
}

/// RFC 6750, 3: a request without a token is told nothing but which kind is wanted.
fn unauthorized(error: Option<&'static str>) -> Response {
    let challenge = match error {
        Some(_) => HeaderValue::from_static("Bearer error=\"invalid_token\""),
        None => HeaderValue::from_static("Bearer"),
    };
    let mut response = json_answer(&json!({ "error": error.unwrap_or("unauthorized") }));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn unavailable(error: DatabaseError) -> Response {
    tracing::error!(
        error = chain(&error),
        "a request about an account could not be answered"
    );
    let mut response = json_answer(&json!({ "error": "temporarily_unavailable" }));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// `GET /account`
pub(crate) async fn show(State(parts): State<Arc<Parts>>, SignedIn(session): SignedIn) -> Response {
    let devices = match parts.database.list_devices_of(&session.user.id).await {
        Ok(devices) => devices,
        Err(error) => return unavailable(error),
    };
    let devices: Vec<_> = devices
        .into_iter()
        .map(|device| {
            json!({
                "id": device.id,
                "name": device.name,
                "created_at": device.created_at,
                "last_seen_at": device.last_seen_at,
                "current": device.id == session.device_id,
            })
        })
        .collect();
    let user = &session.user;
    json_answer(&json!({
        "user": {
            "id": user.id, "name": user.name, "email": user.email, "image": user.image, "is_admin": user.is_admin,
        },
        "devices": devices,
    }))
}

/// `DELETE /account/devices/{id}`
pub(crate) async fn revoke_device(
    State(parts): State<Arc<Parts>>,
    SignedIn(session): SignedIn,
    Path(id): Path<Uuid>,
) -> Response {
    revoke(&parts, &session, id).await
}

/// `POST /account/sign-out`
pub(crate) async fn sign_out(State(parts): State<Arc<Parts>>, SignedIn(session): SignedIn) -> Response {
    revoke(&parts, &session, session.device_id).await
}

async fn revoke(parts: &Parts, session: &DeviceSession, device: Uuid) -> Response {
    match parts.database.revoke_device_of(&session.user.id, device).await {
        Ok(true) => {
            parts.metrics.revoked.inc();
            parts.leave_search_cache(&[device]).await;
            tracing::info!(user = %session.user.id, %device, "a device was signed out");
            StatusCode::NO_CONTENT.into_response()
        }
        // Another's device is no more to be found than none.
        Ok(false) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => unavailable(error),
    }
}

/// `POST /account/sign-out-everywhere`
pub(crate) async fn sign_out_everywhere(State(parts): State<Arc<Parts>>, SignedIn(session): SignedIn) -> Response {
    match end_all(&parts, &session).await {
        Ok(devices) => {
            tracing::info!(user = %session.user.id, devices, "a person signed out everywhere");
            json_answer(&json!({ "devices": devices }))
        }
        Err(error) => unavailable(error),
    }
}

/// Ends every device of the person, and says how many those were.
async fn end_all(parts: &Parts, session: &DeviceSession) -> Result<u64, DatabaseError> {
    let in_cache = parts.devices_in_search_cache(&session.user.id).await?;
    let devices = parts.database.sign_out_everywhere(&session.user.id).await?;
    parts.metrics.revoked.inc_by(devices);
    parts.leave_search_cache(&in_cache).await;
    Ok(devices)
}

/// `POST /revoke` (RFC 7009): signs the device out whose token it is, and says the same whether there was one.
pub(crate) async fn revoke_token(State(parts): State<Arc<Parts>>, body: String) -> Response {
    let form = match form(&body) {
        Ok(form) => form,
        Err(refused) => return refused.into_response(),
    };
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    match parts.database.lookup_device_session(&tokens::hash_text(token)).await {
        Ok(Some(session)) => match revoke(&parts, &session, session.device_id).await.status() {
            StatusCode::SERVICE_UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => StatusCode::OK.into_response(),
        },
        Ok(None) => StatusCode::OK.into_response(),
        Err(error) => unavailable(error),
    }
}

/// `GET /account/export`: one JSON document, streamed, with a list for each kind of thing.
pub(crate) async fn export(State(parts): State<Arc<Parts>>, SignedIn(session): SignedIn) -> Response {
    let rows = parts.database.export(&session.user.id);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"deepsearch.json\""),
        ),
    ];
    let exported_at = json!(parts.now()).to_string();
    (headers, Body::from_stream(document(exported_at, rows))).into_response()
}

/// Rows of one kind come one after another. A failure breaks the document off, so that half of it is not taken for the
/// whole.
fn document(
    exported_at: String,
    rows: impl Stream<Item = Result<(String, String), DatabaseError>> + Send + 'static,
) -> impl Stream<Item = Result<String, DatabaseError>> + Send + 'static {
    let begin = stream::once(async move {
        Ok(format!(
            "{{\"format\":\"deepsearch-account-1\",\"exported_at\":{exported_at}"
        ))
    });
    let mut open: Option<String> = None;
    let lists = rows.map(move |row| {
        let (kind, body) = row.inspect_err(|error| tracing::error!(error = chain(error), "an export broke off"))?;
        let before = match open.replace(kind.clone()) {
            Some(last) if last == kind => ",".to_owned(),
            Some(_) => format!("],\"{kind}\":["),
            None => format!(",\"{kind}\":["),
        };
        Ok(format!("{before}{body}"))
    });
    // There is always the user, so a list is open at the end.
    begin.chain(lists).chain(stream::once(async { Ok("]}\n".to_owned()) }))
}

#[derive(Deserialize)]
pub(crate) struct Deletion {
    confirm: String,
}

/// `DELETE /account`: everything of the person, in the order that the tables allow (seed R4).
pub(crate) async fn delete(
    State(parts): State<Arc<Parts>>,
    SignedIn(session): SignedIn,
    Json(deletion): Json<Deletion>,
) -> Response {
    let user = &session.user;
    if !deletion.confirm.trim().eq_ignore_ascii_case(&user.email) {
        let mut response = json_answer(&json!({
            "error": "not_confirmed",
            "error_description": "confirm must be the e-mail address of the account",
        }));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    }
    // First the devices: their roles must not outlive the person.
    let deleted = match end_all(&parts, &session).await {
        Ok(_) => parts.database.delete_user(&user.id).await,
        Err(error) => Err(error),
    };
    match deleted {
        Ok(()) => {
            tracing::info!(user = %user.id, "a person deleted their account");
            // What is left of their devices goes with the next round of housekeeping otherwise.
            if let Err(error) = parts.database.drop_revoked_devices().await {
                tracing::warn!(error = chain(&error), "devices of a deleted account are dropped later");
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => unavailable(error),
    }
}
