//! Sessions: for a code that comes with what it was asked with, or for one that a person typed.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Gate, Grant, Held, Lie, parameters, refuse};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) async fn redeem(State(gate): Gate, body: Bytes) -> Response {
    let asked = parameters(&body);
    let given = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let mut held = gate.held();
    held.tokens.push(asked.clone());
    match held.lie {
        Lie::Redirect => {
            return (
                StatusCode::TEMPORARY_REDIRECT,
                [(header::LOCATION, "http://127.0.0.1:1/token")],
            )
                .into_response();
        }
        Lie::ServerError => return (StatusCode::BAD_GATEWAY, "<h1>Bad gateway</h1>").into_response(),
        Lie::Html => return ([(header::CONTENT_TYPE, "text/html")], "<h1>Welcome</h1>").into_response(),
        Lie::Huge => return ([(header::CONTENT_TYPE, "application/json")], vec![b' '; 1 << 20]).into_response(),
        _ => {}
    }
    if given("client_id") != "deepsearch-desktop" {
        return refuse("invalid_client");
    }
    if !is_verifier(given("scram_verifier")) {
        return refuse("invalid_request");
    }
    match given("grant_type") {
        "authorization_code" => {
            let code = given("code").to_owned();
            if let Some(token) = held.redeemed.get(&code).cloned() {
                // Whoever comes second, one of the two stole it: what it gave is no longer good.
                held.sessions.remove(&token);
                return refuse("invalid_grant");
            }
            let Some(wanted) = held.codes.remove(&code) else {
                return refuse("invalid_grant");
            };
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier")));
            let is_theirs = challenge == wanted["code_challenge"]
                && given("redirect_uri") == wanted["redirect_uri"]
                && given("device_id") == wanted["device_id"];
            if !is_theirs {
                return refuse("invalid_grant");
            }
            let token = held.fresh("token");
            held.redeemed.insert(code, token.clone());
            issue(
                &mut held,
                &gate.issuer,
                &token,
                given("device_id"),
                given("device_name"),
            )
        }
        DEVICE_CODE => {
            let Some(grant) = held.grants.get_mut(given("device_code")) else {
                return refuse("invalid_grant");
            };
            let answer = if grant.answers.len() > 1 {
                grant.answers.remove(0)
            } else {
                grant.answers[0]
            };
            if answer != "approved" {
                return refuse(answer);
            }
            let Grant { device, name, .. } = grant.clone();
            if given("device_id") != device {
                return refuse("invalid_grant");
            }
            held.grants.remove(given("device_code"));
            let token = held.fresh("token");
            issue(&mut held, &gate.issuer, &token, &device, &name)
        }
        _ => refuse("unsupported_grant_type"),
    }
}

pub(super) async fn grant(State(gate): Gate, body: Bytes) -> Response {
    let asked = parameters(&body);
    let given = |name: &str| asked.get(name).cloned().unwrap_or_default();
    if given("client_id") != "deepsearch-desktop" || given("device_id").len() != 36 {
        return refuse("invalid_request");
    }
    let mut held = gate.held();
    let device_code = held.fresh("device");
    let code = format!("WDJB-{:04}", held.made);
    let page = match held.lie {
        Lie::ForeignCodePage => "https://elsewhere.example/device".to_owned(),
        _ => format!("{}/device", gate.issuer),
    };
    held.grants.insert(
        device_code.clone(),
        Grant {
            device: given("device_id"),
            name: given("device_name"),
            code: code.clone(),
            answers: vec!["authorization_pending"],
        },
    );
    axum::Json(json!({
        "device_code": device_code,
        "user_code": code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={code}"),
        "expires_in": 600,
        "interval": 1,
    }))
    .into_response()
}

fn issue(held: &mut Held, issuer: &str, token: &str, device: &str, name: &str) -> Response {
    held.sessions.insert(token.to_owned(), device.to_owned());
    let at = "2026-11-20T08:00:00Z";
    held.devices
        .push(json!({ "id": device, "name": name, "created_at": at, "last_seen_at": at }));
    let lie = held.lie;
    let device = if lie == Lie::OtherDevice {
        "00000000-0000-4000-8000-000000000000"
    } else {
        device
    };
    let issuer = if lie == Lie::OtherIssuerInToken {
        "https://gateway.example"
    } else {
        issuer
    };
    let (host, sslmode) = match lie {
        Lie::PlainDatabase => ("db.example.org", "prefer"),
        _ => ("db.example.org", "verify-full"),
    };
    let answer = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 7_776_000,
        "iss": issuer,
        "device_id": device,
        "user": { "id": "u1", "name": "Ada Lovelace", "email": "ada@example.org", "image": null, "is_admin": false },
        "database": {
            "host": host, "port": 5432, "name": "deepsearch", "role": "ds_device_1", "sslmode": sslmode,
            "sslrootcert": format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", "MIIB".repeat(800)),
        },
        "redis": {
            "url": "rediss://cache.example.org:6379/0", "user": "ds_u1", "password": "canary-redis-password",
            "prefix": "ds:u1:", "shared": false,
        },
    });
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response()
}

/// Whether it has the form in which PostgreSQL keeps a password, and is not the password itself.
fn is_verifier(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['$', ':']).collect();
    let is_of = |part: &str, bytes: usize| {
        let decoded = base64::engine::general_purpose::STANDARD.decode(part);
        decoded.is_ok_and(|decoded| decoded.len() == bytes)
    };
    matches!(parts[..], ["SCRAM-SHA-256", "4096", salt, stored, server]
        if is_of(salt, 16) && is_of(stored, 32) && is_of(server, 32))
}
