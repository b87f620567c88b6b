//! The account of the one person that this gateway knows.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Gate, Shared};

/// The device whose token comes with a request.
fn device(gate: &Shared, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<String, StatusCode> {
    let mut held = gate.held();
    held.accounts.push(format!("{method} {}", uri.path()));
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer "));
    let device = token.and_then(|token| held.sessions.get(token).cloned());
    device.ok_or(StatusCode::UNAUTHORIZED)
}

fn user() -> Value {
    json!({ "id": "u1", "name": "Ada Lovelace", "email": "ada@example.org", "image": null, "is_admin": false })
}

pub(super) async fn show(State(gate): Gate, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match device(&gate, &method, &uri, &headers) {
        Err(status) => status.into_response(),
        Ok(own) => {
            let mut devices = gate.held().devices.clone();
            for device in &mut devices {
                device["current"] = json!(device["id"] == json!(own));
            }
            axum::Json(json!({ "user": user(), "devices": devices })).into_response()
        }
    }
}

pub(super) async fn revoke(
    State(gate): Gate,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> StatusCode {
    if let Err(status) = device(&gate, &method, &uri, &headers) {
        return status;
    }
    let mut held = gate.held();
    let before = held.devices.len();
    held.devices.retain(|device| device["id"] != json!(id));
    held.sessions.retain(|_, device| *device != id);
    if held.devices.len() < before {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

pub(super) async fn sign_out(State(gate): Gate, method: Method, uri: Uri, headers: HeaderMap) -> StatusCode {
    match device(&gate, &method, &uri, &headers) {
        Err(status) => status,
        Ok(own) => {
            let mut held = gate.held();
            held.sessions.retain(|_, device| *device != own);
            held.devices.retain(|device| device["id"] != json!(own));
            StatusCode::NO_CONTENT
        }
    }
}

pub(super) async fn sign_out_everywhere(State(gate): Gate, method: Method, uri: Uri, headers: HeaderMap) -> StatusCode {
    match device(&gate, &method, &uri, &headers) {
        Err(status) => status,
        Ok(_) => {
            let mut held = gate.held();
            held.sessions.clear();
            held.devices.clear();
            StatusCode::NO_CONTENT
        }
    }
}

pub(super) async fn export(State(gate): Gate, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match device(&gate, &method, &uri, &headers) {
        Err(status) => status.into_response(),
        Ok(_) => axum::Json(json!({ "user": user(), "chats": [], "messages": [] })).into_response(),
    }
}

pub(super) async fn delete(State(gate): Gate, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Err(status) = device(&gate, &method, &uri, &headers) {
        return status;
    }
    let meant = serde_json::from_slice::<Value>(&body).is_ok_and(|body| body["confirm"] == "ada@example.org");
    if !meant {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    let mut held = gate.held();
    held.sessions.clear();
    held.devices.clear();
    StatusCode::NO_CONTENT
}
