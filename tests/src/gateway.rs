//! A gateway that follows the interface to the letter, holds its clients to it, and lies where a test asks for it.
//!
//! It is written from the standards (RFC 6749, 7636, 8414, 8628, 9207) and not from our client. Whoever opens its page is
//! taken to have signed in and agreed: a test plays the browser.

mod account;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};

/// Where this gateway departs from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lie {
    #[default]
    None,
    /// It says that it is another gateway.
    OtherIssuer,
    /// Its answers in the browser are of another gateway.
    OtherIssuerInBrowser,
    /// Its sessions are.
    OtherIssuerInToken,
    /// It sends codes to another server.
    ForeignTokenEndpoint,
    NoPkce,
    NewerProtocol,
    /// The session is for another device.
    OtherDevice,
    /// The database is to be reached without encryption.
    PlainDatabase,
    /// The session comes as a page of HTML.
    Html,
    Huge,
    /// The token endpoint sends elsewhere.
    Redirect,
    /// It answers nothing at all.
    Silent,
    ServerError,
    /// The page to type a code at is somebody else's.
    ForeignCodePage,
}

/// A gateway that was started. Dropping it ends it.
#[derive(Debug)]
pub struct Gateway {
    base: Url,
    state: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    issuer: String,
    held: Mutex<Held>,
}

/// What it knows, and what it was asked.
#[derive(Debug, Default)]
struct Held {
    lie: Lie,
    /// By code: what was asked for it. Taken by the first who redeems it.
    codes: HashMap<String, HashMap<String, String>>,
    /// Redeemed codes and the token that each gave.
    redeemed: HashMap<String, String>,
    /// By device code.
    grants: HashMap<String, Grant>,
    /// By token: the device.
    sessions: HashMap<String, String>,
    devices: Vec<Value>,
    authorized: Vec<HashMap<String, String>>,
    tokens: Vec<HashMap<String, String>>,
    accounts: Vec<String>,
    deny: bool,
    made: u32,
}

#[derive(Debug, Clone)]
struct Grant {
    device: String,
    name: String,
    code: String,
    /// What each further question is answered with; the last one stays.
    answers: Vec<&'static str>,
}

impl Gateway {
    /// # Errors
    /// When no port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("a port for the gateway")?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Shared {
            issuer: issuer.clone(),
            held: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/authorize", get(authorize))
            .route("/token", post(token::redeem))
            .route("/device_authorization", post(token::grant))
            .route("/account", get(account::show).delete(account::delete))
            .route("/account/devices/{id}", delete(account::revoke))
            .route("/account/sign-out", post(account::sign_out))
            .route("/account/sign-out-everywhere", post(account::sign_out_everywhere))
            .route("/account/export", get(account::export))
            .with_state(state.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            base: issuer.parse()?,
            state,
            task,
        })
    }

    /// Its address, as a person is told it.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    pub fn lie(&self, lie: Lie) {
        self.held().lie = lie;
    }

    /// From now on the person says no.
    pub fn deny(&self) {
        self.held().deny = true;
    }

    /// The parameters of each time its page was opened.
    pub fn authorized(&self) -> Vec<HashMap<String, String>> {
        self.held().authorized.clone()
    }

    /// The parameters of each question for a session.
    pub fn asked_for_tokens(&self) -> Vec<HashMap<String, String>> {
        self.held().tokens.clone()
    }

    /// What was asked about accounts, as `GET /account`.
    pub fn asked_about_accounts(&self) -> Vec<String> {
        self.held().accounts.clone()
    }

    /// Every token that is good.
    pub fn tokens(&self) -> Vec<String> {
        self.held().sessions.keys().cloned().collect()
    }

    /// Ends every session, as from another device.
    pub fn end_sessions(&self) {
        self.held().sessions.clear();
    }

    /// The person types this code, and the device is given a session at its next question.
    pub fn type_code(&self, code: &str) -> bool {
        self.answer_code(code, vec!["approved"])
    }

    /// What questions about this code are answered with, one after the other.
    pub fn answer_code(&self, code: &str, answers: Vec<&'static str>) -> bool {
        let mut held = self.held();
        let grant = held.grants.values_mut().find(|grant| grant.code == code);
        grant.map(|grant| grant.answers = answers).is_some()
    }

    /// Opens an address as a browser does where the person signs in and agrees, and gives where it is sent.
    ///
    /// # Errors
    /// When the gateway refuses, with what its page says.
    pub async fn browse(address: &str) -> Result<String> {
        // A bare request: what a browser would follow is what the test wants to see.
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let url: Url = address.parse()?;
        let place = format!(
            "{}:{}",
            url.host_str().context("a host")?,
            url.port().context("a port")?
        );
        let mut stream = tokio::net::TcpStream::connect(&place).await?;
        let target = &url[url::Position::BeforePath..];
        let request = format!("GET {target} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
        location
            .map(str::to_owned)
            .with_context(|| format!("no redirect: {answer}"))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.state.held()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Something that was never made before, as long as a token is.
    fn fresh(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{:0>48}", self.made)
    }
}

type Gate = State<Arc<Shared>>;

async fn metadata(State(gate): Gate) -> Response {
    let lie = gate.held().lie;
    if lie == Lie::Silent {
        std::future::pending::<()>().await;
    }
    let issuer = &gate.issuer;
    let elsewhere = "http://127.0.0.1:1";
    let token = if lie == Lie::ForeignTokenEndpoint {
        elsewhere
    } else {
        issuer
    };
    let told = if lie == Lie::OtherIssuer {
        "https://gateway.example"
    } else {
        issuer
    };
    let methods: &[&str] = if lie == Lie::NoPkce { &["plain"] } else { &["S256"] };
    let (min, max) = if lie == Lie::NewerProtocol { (2, 3) } else { (1, 1) };
    let document = json!({
        "issuer": told,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{token}/token"),
        "device_authorization_endpoint": format!("{issuer}/device_authorization"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": methods,
        "authorization_response_iss_parameter_supported": true,
        "deepsearch_protocol": { "min": min, "max": max },
        "deepsearch_providers": [
            { "id": "discord", "name": "Discord", "kind": "oauth" },
            { "id": "email", "name": "E-mail", "kind": "email" },
        ],
    });
    axum::Json(document).into_response()
}

/// The page of a person who signs in and agrees at once.
async fn authorize(State(gate): Gate, RawQuery(query): RawQuery) -> Response {
    let asked = parameters(query.unwrap_or_default().as_bytes());
    let given = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let redirect = given("redirect_uri");
    let is_ours = redirect == "deepsearch://auth/callback" || is_loopback(&redirect);
    let is_whole = given("response_type") == "code"
        && given("client_id") == "deepsearch-desktop"
        && given("code_challenge_method") == "S256"
        && given("code_challenge").len() == 43
        && given("state").len() >= 22
        && given("device_id").len() == 36
        && !given("device_name").is_empty();
    let mut held = gate.held();
    held.authorized.push(asked.clone());
    if !is_ours || !is_whole {
        return (StatusCode::BAD_REQUEST, format!("not as agreed: {asked:?}")).into_response();
    }
    let issuer = match held.lie {
        Lie::OtherIssuerInBrowser => "https://gateway.example",
        _ => &gate.issuer,
    };
    let mut back = form_urlencoded::Serializer::new(String::new());
    if held.deny {
        back.append_pair("error", "access_denied");
    } else {
        let code = held.fresh("code");
        back.append_pair("code", &code);
        held.codes.insert(code, asked.clone());
    }
    let back = back
        .append_pair("state", &given("state"))
        .append_pair("iss", issuer)
        .finish();
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, format!("{redirect}?{back}"))],
    )
        .into_response()
}

fn is_loopback(redirect: &str) -> bool {
    let port = redirect
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/auth/callback"));
    port.is_some_and(|port| port.parse::<u16>().is_ok())
}

/// A form's parameters. One that is given twice is none.
fn parameters(form: &[u8]) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for (name, value) in form_urlencoded::parse(form).into_owned() {
        if all.insert(name.clone(), value).is_some() {
            all.insert(name, "(given twice)".into());
        }
    }
    all
}

fn refuse(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": error }))).into_response()
}
