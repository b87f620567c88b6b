//! Signing in by a link: an address is asked for, a link sent there, and the mailbox proven when it comes back.
//!
//! The link works in the browser that asked for it and nowhere else: whoever begins a sign-in with a stranger's address
//! gains nothing from the stranger's opening it, and what looks into mails by machine does not use it up.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use deepsearch_core::VerificationToken;
use deepsearch_postgres::LinkLimit;
use serde::Deserialize;

use crate::app_request;
use crate::authorize::{browser_lang, flows};
use crate::callback::proven;
use crate::device::Caller;
use crate::flow::{Flow, Stage};
use crate::gateway::{Parts, chain};
use crate::limits::network;
use crate::pages::{Page, mail_sign, show};
use crate::people::{self, EMAIL};
use crate::providers::{Identity, Tokens};
use crate::tokens::{self, TokenKind};
use crate::trouble::Trouble;

/// How long a link works.
const LASTS: TimeDelta = TimeDelta::minutes(10);
/// Links to one mailbox, whoever asks for them.
const TO_A_MAILBOX: LinkLimit = LinkLimit { lately: 3, in_all: 10 };
/// Links that one network asks for, wherever to; a whole office may be one.
const FROM_A_NETWORK: LinkLimit = LinkLimit {
    lately: 20,
    in_all: 100,
};
/// What of them is lately, and how long they count in all.
const LATELY: TimeDelta = TimeDelta::minutes(15);
pub(crate) const COUNTED_FOR: TimeDelta = TimeDelta::days(1);

#[derive(Deserialize)]
pub(crate) struct AddressForm {
    flow: String,
    address: String,
}

/// `POST /email`
pub(crate) async fn send(
    State(parts): State<Arc<Parts>>,
    Extension(Caller(caller)): Extension<Caller>,
    headers: HeaderMap,
    Form(form): Form<AddressForm>,
) -> Response {
    let found = flows(&parts, &headers).lookup(&form.flow);
    let Some(mut flow) = found.filter(|flow| !matches!(flow.stage, Stage::Done)) else {
        return Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None);
    };
    let frame = parts.frame(flow.lang);
    let Some(address) = people::mailbox(&form.address) else {
        let typed = form.address.chars().take(254).collect();
        return Page::of(&show!(Email, &frame, { flow: flow.id, address: typed, bad: true })).into_response();
    };
    if let Err(trouble) = send_link(&parts, &flow, &address, caller).await {
        return trouble.page(&parts, &frame, Some(&flow.id));
    }
    let text = flow.lang.texts().mailed_text.with(&[("address", &address)]);
    flow.stage = Stage::Mailed {
        address: address.clone(),
    };
    let page = Page::of(&show!(Mailed, &frame, { flow: flow.id.clone(), address, text, sign: mail_sign() }));
    page.with(flows(&parts, &headers).keep(&flow).into_jar())
}

async fn send_link(parts: &Parts, flow: &Flow, address: &str, caller: IpAddr) -> Result<(), Trouble> {
    let (Some(mailer), Ok(to)) = (&parts.mailer, address.parse()) else {
        return Err(Trouble::NotFound);
    };
    let mailbox = parts.keyed_hash("mailbox", address);
    let asker = parts.keyed_hash("network", &network(caller).to_string());
    let now = parts.now();
    let counted = parts.database.count_link(
        (&mailbox, TO_A_MAILBOX),
        (&asker, FROM_A_NETWORK),
        now - LATELY,
        now - COUNTED_FOR,
    );
    let Some(counted) = counted.await? else {
        parts.metrics.mail("limited");
        return Err(Trouble::Limited(LATELY.num_seconds().unsigned_abs()));
    };
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
            parts.database.uncount_link(counted).await?;
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
