//! The consent page: the one place where a person says yes, knowing to which device and as whom. Only here is anything
//! written about them that stays.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Form, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use deepsearch_core::User;
use deepsearch_postgres::{DeviceRequest, SignInCode};
use serde::Deserialize;

use crate::app_request::{self, AppRequest};
use crate::authorize::{browser_lang, flows, parameter, see_other};
use crate::flow::{Flow, Stage, Wish};
use crate::gateway::Parts;
use crate::pages::{Asked, Frame, Page, letter_mark, show};
use crate::people::{self, Found};
use crate::providers::Identity;
use crate::tokens::{self, TokenKind};
use crate::trouble::{Trouble, notice, success};

/// How long the app has to bring its code back.
const CODE_LASTS: TimeDelta = TimeDelta::seconds(60);

/// `GET /consent`
pub(crate) async fn ask(State(parts): State<Arc<Parts>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let flow = parameter(query.as_deref(), "flow").and_then(|id| flows(&parts, &headers).lookup(&id));
    let Some(flow) = flow else {
        return Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None);
    };
    let frame = parts.frame(flow.lang);
    let shown = match &flow.stage {
        Stage::Consent { ticket, form } => show_question(&parts, &frame, &flow, ticket, form).await,
        Stage::Done => return done(&frame).into_response(),
        _ => Err(Trouble::NoFlow),
    };
    shown.unwrap_or_else(|trouble| trouble.page(&parts, &frame, Some(&flow.id)))
}

async fn show_question(
    parts: &Parts,
    frame: &Frame,
    flow: &Flow,
    ticket: &str,
    form: &str,
) -> Result<Response, Trouble> {
    let kept = parts.database.lookup_identity(&tokens::hash(ticket)).await?;
    let identity = kept
        .and_then(|kept| serde_json::from_value::<Identity>(kept).ok())
        .ok_or(Trouble::NoFlow)?;
    let (user, new) = match find(parts, flow, &identity).await? {
        Found::New(user) => (user, true),
        Found::Known(user) | Found::Link(user) => (user, false),
    };
    let t = flow.lang.texts();
    let (device, request, target) = match &flow.wish {
        Wish::App(request) => (
            request.device_name.clone(),
            None,
            Some(app_request::form_target(&request.redirect_uri)),
        ),
        Wish::Device { user_code } => {
            let Some(request) = parts.database.lookup_device_request(user_code).await? else {
                return Ok(notice(frame, (&t.code_title, &t.code_text), &[]).into_response());
            };
            (request.device_name.clone(), Some(asked(&request, t)), None)
        }
    };
    let name = user.name.clone().unwrap_or_else(|| user.email.clone());
    let values = [("device", device.as_str()), ("name", name.as_str())];
    let page = Page::of(&show!(Consent, frame, {
        plain_title: t.consent_title.plain(&values),
        title: t.consent_title.with(&values),
        lead: t.consent_lead.with(&values),
        mark: letter_mark(&name, 1),
        name: user.name.clone().filter(|name| *name != user.email),
        email: user.email.clone(),
        way: parts.way_name(&identity.provider, flow.lang),
        request,
        new,
        flow: flow.id.clone(),
        form: form.to_owned(),
    }));
    Ok(match target {
        Some(target) => page.form_target(target).into_response(),
        None => page.into_response(),
    })
}

fn asked(request: &DeviceRequest, t: &crate::texts::Texts) -> Asked {
    let when = request.asked_at.format("%H:%M UTC").to_string();
    let address: Option<IpAddr> = request.asked_from.parse().ok();
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    Asked {
        asked: t.asked_from.with(&[("when", &when), ("address", &address)]),
        code: request.user_code.clone(),
    }
}

async fn find(parts: &Parts, flow: &Flow, identity: &Identity) -> Result<Found, Trouble> {
    let provider = parts.provider(&identity.provider);
    let link = provider.is_some_and(|provider| provider.link_verified_email);
    let found = people::find(&parts.database, identity, link, parts.now()).await?;
    found.map_err(|refusal| Trouble::Refused(refusal, parts.way_name(&identity.provider, flow.lang)))
}

#[derive(Deserialize)]
pub(crate) struct Decision {
    flow: String,
    form: String,
    decision: String,
}

/// `POST /consent`
pub(crate) async fn decide(
    State(parts): State<Arc<Parts>>,
    headers: HeaderMap,
    Form(decision): Form<Decision>,
) -> Response {
    let lost = || Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None);
    // A browser that says where a form was sent from must say that it was here.
    let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin");
    let Some(mut flow) = flows(&parts, &headers).lookup(&decision.flow).filter(|_| !elsewhere) else {
        return lost();
    };
    let frame = parts.frame(flow.lang);
    let ticket = match &flow.stage {
        Stage::Consent { ticket, form } if tokens::same(form, &decision.form) => ticket.clone(),
        Stage::Done => return done(&frame).into_response(),
        _ => return lost(),
    };
    let answered = if decision.decision == "allow" {
        allow(&parts, &frame, &flow, &ticket).await
    } else {
        deny(&parts, &frame, &flow, &ticket).await
    };
    match answered {
        Ok(response) => {
            flow.stage = Stage::Done;
            (flows(&parts, &headers).keep(&flow).into_jar(), response).into_response()
        }
        Err(trouble) => trouble.page(&parts, &frame, Some(&flow.id)),
    }
}

async fn allow(parts: &Parts, frame: &Frame, flow: &Flow, ticket: &str) -> Result<Response, Trouble> {
    let t = flow.lang.texts();
    let kept = parts.database.use_identity(&tokens::hash(ticket)).await?;
    let identity = kept
        .and_then(|kept| serde_json::from_value::<Identity>(kept).ok())
        .ok_or(Trouble::NoFlow)?;
    let found = find(parts, flow, &identity).await?;
    let settled = people::settle(&parts.database, &identity, found, parts.now()).await?;
    let way = &identity.provider;
    let user = settled.map_err(|refusal| Trouble::Refused(refusal, parts.way_name(way, flow.lang)))?;
    let response = match &flow.wish {
        Wish::App(request) => give_code(parts, request, &user).await?,
        Wish::Device { user_code } => {
            let device = parts.database.lookup_device_request(user_code).await?;
            let allowed = parts.database.decide_device_request(user_code, Some(&user.id)).await?;
            match device.filter(|_| allowed) {
                Some(request) => {
                    let texts = (&t.device_done_title, &t.device_done_text);
                    success(frame, texts, &[("device", &request.device_name)]).into_response()
                }
                None => notice(frame, (&t.code_title, &t.code_text), &[]).into_response(),
            }
        }
    };
    parts.metrics.sign_in(way, "allowed");
    tracing::info!(user = %user.id, provider = way, "a person agreed to sign a device in");
    Ok(response)
}

async fn give_code(parts: &Parts, request: &AppRequest, user: &User) -> Result<Response, Trouble> {
    let code = tokens::new_token(TokenKind::Code);
    let kept = SignInCode {
        user_id: user.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        device_id: request.device_id,
        device_name: request.device_name.clone(),
        expires_at: parts.now() + CODE_LASTS,
    };
    parts.database.add_sign_in_code(&tokens::hash(&code), &kept).await?;
    Ok(answer(parts, request, &[("code", &code)]))
}

async fn deny(parts: &Parts, frame: &Frame, flow: &Flow, ticket: &str) -> Result<Response, Trouble> {
    parts.database.use_identity(&tokens::hash(ticket)).await?;
    match &flow.wish {
        Wish::App(request) => Ok(answer(parts, request, &[("error", "access_denied")])),
        Wish::Device { user_code } => {
            parts.database.decide_device_request(user_code, None).await?;
            let t = flow.lang.texts();
            Ok(notice(frame, (&t.denied_title, &t.denied_text), &[]).into_response())
        }
    }
}

fn answer(parts: &Parts, request: &AppRequest, parameters: &[(&str, &str)]) -> Response {
    let issuer = parts.config.issuer();
    see_other(&app_request::answer(
        &request.redirect_uri,
        parameters,
        Some(&request.state),
        &issuer,
    ))
}

fn done(frame: &Frame) -> Page {
    let t = frame.lang.texts();
    success(frame, (&t.done_title, &t.done_text), &[])
}
