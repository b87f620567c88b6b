//! Signing in by a link: an address is asked for, a link sent there, and the mailbox proven when it comes back.
//!
//! The link works in the browser that asked for it and nowhere else: whoever begins a sign-in with a stranger's address
//! gains nothing from the stranger's opening it, and what looks into mails by machine does not use it up.

use std::sync::Arc;

use axum::extract::{Form, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use deepsearch_core::VerificationToken;
use serde::Deserialize;

use crate::app_request;
use crate::authorize::{browser_lang, flows};
use crate::callback::proven;
use crate::flow::{Flow, Stage};
use crate::gateway::{Parts, chain};
use crate::pages::{Page, mail_sign, show};
use crate::people::{self, EMAIL};
use crate::providers::{Identity, Tokens};
use crate::tokens::{self, TokenKind};
use crate::trouble::Trouble;

/// How long a link works.
const LASTS: TimeDelta = TimeDelta::minutes(10);
/// Links that work at once for one address, whoever asks for them.
const LINKS_AT_ONCE: i64 = 3;
/// How long to wait then.
const WAIT_SECONDS: u64 = 600;

#[derive(Deserialize)]
pub(crate) struct AddressForm {
    flow: String,
    address: String,
}

/// `POST /email`
pub(crate) async fn send(
    State(parts): State<Arc<Parts>>,
    headers: HeaderMap,
    Form(form): Form<AddressForm>,
) -> Response {
    let found = flows(&parts, &headers).lookup(&form.flow);
    let Some(mut flow) = found.filter(|flow| !matches!(flow.stage, Stage::Done)) else {
        return Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None);
    };
    let frame = parts.frame(flow.lang);
    let address = form.address.trim().to_owned();
    if !people::is_address(&address) {
        let typed = address.chars().take(254).collect();
        return Page::of(&show!(Email, &frame, { flow: flow.id, address: typed, bad: true })).into_response();
    }
    if let Err(trouble) = send_link(&parts, &flow, &address).await {
        return trouble.page(&parts, &frame, Some(&flow.id));
    }
    let text = flow.lang.texts().mailed_text.with(&[("address", &address)]);
    flow.stage = Stage::Mailed {
        address: address.clone(),
    };
    let page = Page::of(&show!(Mailed, &frame, { flow: flow.id.clone(), address, text, sign: mail_sign() }));
    page.with(flows(&parts, &headers).keep(&flow).into_jar())
}

async fn send_link(parts: &Parts, flow: &Flow, address: &str) -> Result<(), Trouble> {
    let (Some(mailer), Ok(to)) = (&parts.mailer, address.parse()) else {
        return Err(Trouble::NotFound);
    };
    if parts.database.count_verification_tokens(address).await? >= LINKS_AT_ONCE {
        return Err(Trouble::Limited(WAIT_SECONDS));
    }
    let token = tokens::new_token(TokenKind::MailLink);
    let kept = VerificationToken {
        identifier: address.to_owned(),
        token: tokens::hash_text(&bound(&token, flow)),
        expires: parts.now() + LASTS,
    };
    parts.database.add_verification_token(&kept).await?;
    let mut link = parts.config.address("/callback/email");
    link.query_pairs_mut()
        .append_pair("flow", &flow.id)
        .append_pair("token", &token);
    match mailer.send_link(to, link.as_str(), flow.device_name(), flow.lang).await {
        Ok(()) => {
            parts.metrics.mail("sent");
            Ok(())
        }
        Err(error) => {
            parts.metrics.mail("failed");
            tracing::error!(error = chain(&error), "a mail could not be sent");
            // A link that nobody got must not count.
            parts
                .database
                .use_verification_token(&kept.identifier, &kept.token)
                .await?;
            Err(Trouble::MailFailed)
        }
    }
}

/// `GET /callback/email`
pub(crate) async fn callback(
    State(parts): State<Arc<Parts>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = app_request::parameters(query.as_deref().unwrap_or_default()).unwrap_or_default();
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let flow = flows(&parts, &headers).lookup(get("flow"));
    let bad = || Trouble::BadLink.page(&parts, &parts.frame(browser_lang(&headers)), None);
    let Some(flow) = flow else { return bad() };
    let Stage::Mailed { address } = flow.stage.clone() else {
        return bad();
    };
    let hash = tokens::hash_text(&bound(get("token"), &flow));
    match parts.database.use_verification_token(&address, &hash).await {
        Ok(Some(_)) => {}
        Ok(None) => return bad(),
        Err(error) => return Trouble::from(error).page(&parts, &parts.frame(flow.lang), Some(&flow.id)),
    }
    let identity = Identity {
        provider: EMAIL.to_owned(),
        kind: EMAIL.to_owned(),
        account_id: address.clone(),
        name: None,
        email: Some(address),
        email_verified: true,
        image: None,
        tokens: Tokens::default(),
    };
    proven(&parts, &headers, flow, &identity, false).await
}

/// What is kept of a link is good for its flow only.
fn bound(token: &str, flow: &Flow) -> String {
    format!("{token}.{}", flow.id)
}
