//! Doubles of Discord and GitHub, from their documentation: addresses, parameters, answers and errors on the wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) const CLIENT_ID: &str = "1122334455667788990";
pub(crate) const CLIENT_SECRET: &str = "secret-of-the-provider-0815";

#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) port: u16,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// What the profile says next.
    profile: Value,
    emails: Value,
    denies: bool,
    /// Added to the answer, as an attacker in between would.
    extra: Vec<(String, String)>,
    codes: BTreeMap<String, Asked>,
    tokens: Vec<String>,
    redeemed: u32,
}

struct Asked {
    redirect_uri: String,
    challenge: String,
}

type Shared = State<Arc<Mutex<Inner>>>;
type Parameters = BTreeMap<String, String>;

impl Double {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(Inner {
            profile: discord_ada(),
            emails: json!([{ "email": "ada@example.org", "primary": true, "verified": true, "visibility": "private" }]),
            ..Inner::default()
        }));
        let router = Router::new()
            // Discord
            .route("/oauth2/authorize", get(authorize))
            .route("/api/oauth2/token", post(discord_token))
            .route("/api/users/@me", get(profile))
            // GitHub
            .route("/login/oauth/authorize", get(authorize))
            .route("/login/oauth/access_token", post(github_token))
            .route("/user", get(profile))
            .route("/user/emails", get(emails))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a port").port();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn profile(&self, profile: Value) {
        self.state.lock().expect("the state").profile = profile;
    }

    pub(crate) fn emails(&self, emails: Value) {
        self.state.lock().expect("the state").emails = emails;
    }

    pub(crate) fn denies(&self, denies: bool) {
        self.state.lock().expect("the state").denies = denies;
    }

    pub(crate) fn adds(&self, name: &str, value: &str) {
        self.state
            .lock()
            .expect("the state")
            .extra
            .push((name.to_owned(), value.to_owned()));
    }

    /// How many codes were brought here.
    pub(crate) fn redeemed(&self) -> u32 {
        self.state.lock().expect("the state").redeemed
    }
}

pub(crate) fn discord_ada() -> Value {
    json!({
        "id": "80351110224678912", "username": "ada", "discriminator": "0", "global_name": "Ada Lovelace",
        "avatar": "8342729096ea3675442027381ff50dfe", "verified": true, "email": "ada@example.org", "flags": 64,
        "banner": null, "accent_color": 16711680, "premium_type": 1, "public_flags": 64, "mfa_enabled": false, "locale": "en-US",
    })
}

pub(crate) fn github_ada() -> Value {
    json!({
        "login": "ada", "id": 583231, "node_id": "MDQ6VXNlcjU4MzIzMQ==", "type": "User", "site_admin": false,
        "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4", "name": "Ada Lovelace", "email": null,
    })
}

async fn authorize(State(state): Shared, Query(query): Query<Parameters>) -> Response {
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    if get("client_id") != CLIENT_ID || get("response_type") != "code" || get("state").is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    assert_eq!(get("code_challenge_method"), "S256");
    let mut state = state.lock().expect("the state");
    let mut back = url::Url::parse(&get("redirect_uri")).expect("an address");
    if state.denies {
        back.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair(
                "error_description",
                "The resource owner or authorization server denied the request",
            )
            .append_pair("state", &get("state"));
        return Redirect::to(back.as_str()).into_response();
    }
    let code = Uuid::new_v4().simple().to_string();
    let asked = Asked {
        redirect_uri: get("redirect_uri"),
        challenge: get("code_challenge"),
    };
    state.codes.insert(code.clone(), asked);
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &get("state"));
    back.query_pairs_mut().extend_pairs(&state.extra);
    Redirect::to(back.as_str()).into_response()
}

/// The access token, or the name of what is wrong.
fn redeem(state: &Mutex<Inner>, form: &Parameters) -> Result<String, &'static str> {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let mut state = state.lock().expect("the state");
    state.redeemed += 1;
    if get("client_id") != CLIENT_ID || get("client_secret") != CLIENT_SECRET {
        return Err("invalid_client");
    }
    let asked = state.codes.remove(get("code")).ok_or("invalid_grant")?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier").as_bytes()));
    if asked.redirect_uri != get("redirect_uri") || asked.challenge != challenge {
        return Err("invalid_grant");
    }
    let token = format!("gho_{}", Uuid::new_v4().simple());
    state.tokens.push(token.clone());
    Ok(token)
}

async fn discord_token(State(state): Shared, Form(form): Form<Parameters>) -> Response {
    match redeem(&state, &form) {
        Ok(token) => Json(json!({
            "token_type": "Bearer", "access_token": token, "expires_in": 604_800,
            "refresh_token": format!("refresh-{token}"), "scope": "identify email",
        }))
        .into_response(),
        Err(error) => {
            let description = "Invalid \"code\" in request.";
            (
                StatusCode::BAD_REQUEST,
                Json(json!({ "error": error, "error_description": description })),
            )
                .into_response()
        }
    }
}

/// GitHub answers in a form unless JSON is asked for, and says errors with status 200.
async fn github_token(State(state): Shared, headers: HeaderMap, Form(form): Form<Parameters>) -> Response {
    let json_wanted = headers.get("accept").is_some_and(|accept| accept == "application/json");
    match redeem(&state, &form) {
        Ok(token) if json_wanted => {
            Json(json!({ "access_token": token, "scope": "read:user,user:email", "token_type": "bearer" })).into_response()
        }
        Ok(token) => format!("access_token={token}&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer").into_response(),
        Err(_) => Json(json!({
            "error": "bad_verification_code",
            "error_description": "The code passed is incorrect or expired.",
            "error_uri": "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#bad-verification-code",
        }))
        .into_response(),
    }
}

fn known(state: &Mutex<Inner>, headers: &HeaderMap) -> bool {
    let state = state.lock().expect("the state");
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // GitHub refuses requests without one.
    headers.contains_key("user-agent") && token.is_some_and(|token| state.tokens.iter().any(|known| known == token))
}

async fn profile(State(state): Shared, headers: HeaderMap) -> Response {
    if !known(&state, &headers) {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": "401: Unauthorized", "code": 0 })),
        )
            .into_response();
    }
    Json(state.lock().expect("the state").profile.clone()).into_response()
}

async fn emails(State(state): Shared, headers: HeaderMap) -> Response {
    if !known(&state, &headers) {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": "Requires authentication" })),
        )
            .into_response();
    }
    Json(state.lock().expect("the state").emails.clone()).into_response()
}
