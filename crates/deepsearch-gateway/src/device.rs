//! The device flow (RFC 8628): for an app whose machine has no browser that reaches back to it.
//!
//! Whoever asks is a stranger until a person, with the device before their eyes, types or compares the code it shows.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use deepsearch_postgres::DeviceRequest;
use serde::Deserialize;
use serde_json::json;

use crate::app_request::{read_device_id, read_device_name};
use crate::authorize::{browser_lang, chooser, parameter};
use crate::flow::{Flow, Wish};
use crate::gateway::Parts;
use crate::pages::{Page, show};
use crate::token::{Refused, form, json_answer, known_client};
use crate::tokens::{self, TokenKind};
use crate::trouble::Trouble;

const LASTS: TimeDelta = TimeDelta::minutes(10);
const POLL_SECONDS: i32 = 5;
/// Of 25,600,000,000 codes two are the same once in a lifetime; a few tries are plenty.
const TRIES: usize = 4;

/// Who sent a request, behind all proxies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller(pub(crate) IpAddr);

/// `POST /device_authorization`
pub(crate) async fn begin(
    State(parts): State<Arc<Parts>>,
    Extension(Caller(caller)): Extension<Caller>,
    body: String,
) -> Response {
    match request_codes(&parts, caller, &body).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

async fn request_codes(parts: &Parts, caller: IpAddr, body: &str) -> Result<Response, Refused> {
    let form = form(body)?;
    known_client(&form)?;
    let get = |name: &str| form.get(name).map(String::as_str);
    let device_id = get("device_id").and_then(read_device_id);
    let device_name = get("device_name").and_then(read_device_name);
    let (Some(device_id), Some(device_name)) = (device_id, device_name) else {
        return Err(Refused::invalid("device_id or device_name is missing or malformed"));
    };
    let now = parts.now();
    for _ in 0..TRIES {
        let device_code = tokens::new_token(TokenKind::DeviceCode);
        let request = DeviceRequest {
            user_code: tokens::new_user_code(),
            device_id,
            device_name: device_name.clone(),
            asked_from: caller.to_string(),
            asked_at: now,
            expires_at: now + LASTS,
        };
        let hash = tokens::hash(&device_code);
        if parts.database.add_device_request(&hash, &request, POLL_SECONDS).await? {
            let verification_uri = parts.config.address("/device");
            let mut complete = verification_uri.clone();
            complete.query_pairs_mut().append_pair("user_code", &request.user_code);
            return Ok(json_answer(&json!({
                "device_code": device_code,
                "user_code": request.user_code,
                "verification_uri": verification_uri,
                "verification_uri_complete": complete,
                "expires_in": LASTS.num_seconds(),
                "interval": POLL_SECONDS,
            })));
        }
    }
    Err(Refused::Unavailable)
}

/// `GET /device`: the code may be in the address, and is still to be compared by the person.
pub(crate) async fn ask(State(parts): State<Arc<Parts>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let code = parameter(query.as_deref(), "user_code");
    let code = code.and_then(|code| tokens::read_user_code(&code)).unwrap_or_default();
    let frame = parts.frame(browser_lang(&headers));
    Page::of(&show!(Device, &frame, { code, bad: false })).into_response()
}

#[derive(Deserialize)]
pub(crate) struct CodeForm {
    user_code: String,
}

/// `POST /device`
pub(crate) async fn typed(State(parts): State<Arc<Parts>>, headers: HeaderMap, Form(form): Form<CodeForm>) -> Response {
    let lang = browser_lang(&headers);
    let frame = parts.frame(lang);
    let code = tokens::read_user_code(&form.user_code);
    let found = match &code {
        Some(code) => parts.database.lookup_device_request(code).await,
        None => Ok(None),
    };
    match found {
        Ok(Some(request)) => {
            let wish = Wish::Device {
                user_code: request.user_code,
            };
            chooser(&parts, &headers, Flow::begin(wish, lang, parts.now()))
        }
        Ok(None) => {
            let code: String = form.user_code.chars().take(32).collect();
            Page::of(&show!(Device, &frame, { code, bad: true })).into_response()
        }
        Err(error) => Trouble::from(error).page(&parts, &frame, None),
    }
}
