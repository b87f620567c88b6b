//! What this server can do, in the form that clients look for (RFC 8414).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use crate::gateway::Parts;
use crate::people::EMAIL;
use crate::texts::Lang;
use crate::token::json_answer;

/// The versions of what app and gateway say to each other.
const PROTOCOL_MIN: u32 = 1;
const PROTOCOL_MAX: u32 = 1;

/// `GET /.well-known/oauth-authorization-server`
pub(crate) async fn describe(State(parts): State<Arc<Parts>>) -> Response {
    let address = |path| parts.config.address(path);
    let mut providers: Vec<Value> = parts
        .providers
        .iter()
        .map(|provider| json!({ "id": provider.id, "name": provider.name, "kind": provider.kind() }))
        .collect();
    if parts.mailer.is_some() {
        let name = parts.way_name(EMAIL, Lang::En);
        providers.push(json!({ "id": EMAIL, "name": name, "kind": "email" }));
    }
    json_answer(&json!({
        "issuer": parts.config.issuer(),
        "authorization_endpoint": address("/authorize"),
        "token_endpoint": address("/token"),
        "device_authorization_endpoint": address("/device_authorization"),
        "revocation_endpoint": address("/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "ui_locales_supported": ["en", "de", "es", "fr", "ja", "zh-Hans", "ar"],
        "deepsearch_protocol": { "min": PROTOCOL_MIN, "max": PROTOCOL_MAX },
        "deepsearch_providers": providers,
    }))
}
