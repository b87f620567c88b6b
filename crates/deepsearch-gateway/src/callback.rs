//! Where a provider sends the browser back to. Everything is checked before the code is so much as looked at: the cookie
//! of this browser, the provider that the flow was begun at, the `state`, and who says that it answers.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::app_request;
use crate::authorize::{browser_lang, chooser, flows, see_other};
use crate::flow::{Flow, LASTS, Stage};
use crate::gateway::{Parts, chain};
use crate::people;
use crate::providers::{Identity, Returned};
use crate::tokens::{self, TokenKind};
use crate::trouble::Trouble;

/// `GET /callback/{provider}`
pub(crate) async fn callback(
    State(parts): State<Arc<Parts>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let lost = |why: &'static str| {
        tracing::info!(provider = id, why, "an answer that belongs to no flow of this browser");
        Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None)
    };
    let Some(provider) = parts.provider(&id) else {
        return Trouble::NotFound.page(&parts, &parts.frame(browser_lang(&headers)), None);
    };
    let Ok(parameters) = app_request::parameters(query.as_deref().unwrap_or_default()) else {
        return lost("a parameter is there twice");
    };
    let get = |name: &str| parameters.get(name).map(String::as_str);
    let Some((flow, state)) = get("state").and_then(|state| Some((flows(&parts, &headers).of_state(state)?, state)))
    else {
        return lost("no cookie");
    };
    let Stage::At {
        provider: begun_at,
        state: expected,
        nonce,
        pkce_verifier,
    } = flow.stage.clone()
    else {
        return lost("the flow is elsewhere");
    };
    if begun_at != id {
        return lost("another provider");
    }
    if !tokens::same(&expected, state) {
        return lost("another state");
    }
    let frame = parts.frame(flow.lang);
    let Some(code) = get("code").filter(|_| get("error").is_none()) else {
        // The person said no there: they may choose again.
        if get("error") == Some("access_denied") {
            parts.metrics.sign_in(&id, "denied");
            return chooser(&parts, &headers, flow);
        }
        tracing::warn!(
            provider = id,
            error = get("error").unwrap_or("no code"),
            "a provider refused"
        );
        parts.metrics.sign_in(&id, "failed");
        return Trouble::Provider(provider.name.clone()).page(&parts, &frame, Some(&flow.id));
    };
    let returned = Returned {
        code,
        iss: get("iss"),
        session_state: get("session_state"),
        nonce: &nonce,
        pkce_verifier: &pkce_verifier,
    };
    match provider.finish(&returned, parts.now()).await {
        Ok(identity) => proven(&parts, &headers, flow, &identity, provider.link_verified_email).await,
        Err(error) => {
            tracing::warn!(
                provider = id,
                error = chain(&error),
                "a provider did not prove who came"
            );
            parts.metrics.sign_in(&id, "failed");
            Trouble::Provider(provider.name.clone()).page(&parts, &frame, Some(&flow.id))
        }
    }
}

/// Somebody was proven. Nothing is written about them but for the minutes until they agree.
pub(crate) async fn proven(
    parts: &Parts,
    headers: &HeaderMap,
    mut flow: Flow,
    identity: &Identity,
    link_verified_email: bool,
) -> Response {
    let frame = parts.frame(flow.lang);
    let way = &identity.provider;
    let kept = keep(parts, identity, link_verified_email).await;
    let trouble = match kept {
        Ok(Ok(ticket)) => {
            parts.metrics.sign_in(way, "proven");
            let form = tokens::new_token(TokenKind::Form);
            flow.stage = Stage::Consent { ticket, form };
            let jar = flows(parts, headers).keep(&flow).into_jar();
            // On, so that neither the address bar nor the history keeps the provider's code.
            return (jar, see_other(&format!("/consent?flow={}", flow.id))).into_response();
        }
        Ok(Err(refusal)) => {
            parts.metrics.sign_in(way, "refused");
            tracing::info!(provider = way, "somebody may not sign in this way");
            Trouble::Refused(refusal, parts.way_name(way, flow.lang))
        }
        Err(error) => error.into(),
    };
    trouble.page(parts, &frame, Some(&flow.id))
}

async fn keep(
    parts: &Parts,
    identity: &Identity,
    link_verified_email: bool,
) -> Result<Result<String, people::Refusal>, deepsearch_postgres::DatabaseError> {
    let now = parts.now();
    if let Err(refusal) = people::find(&parts.database, identity, link_verified_email, now).await? {
        return Ok(Err(refusal));
    }
    let ticket = tokens::new_token(TokenKind::Ticket);
    let value = serde_json::to_value(identity).unwrap_or_default();
    parts
        .database
        .add_identity(&tokens::hash(&ticket), &value, now + LASTS)
        .await?;
    Ok(Ok(ticket))
}
