//! Where a sign-in begins: the app's request is checked, the person chooses a way, and the browser goes there.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::app_request::{self, AppRequest, BadRequest};
use crate::flow::{Flow, Flows, Stage, Wish};
use crate::gateway::{Parts, chain};
use crate::markup::Markup;
use crate::pages::{Page, Way, letter_mark, mail_mark, show};
use crate::people::EMAIL;
use crate::texts::Lang;
use crate::tokens::{self, TokenKind};
use crate::trouble::Trouble;

pub(crate) fn browser_lang(headers: &HeaderMap) -> Lang {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Lang::choose(None, accepted)
}

pub(crate) fn flows(parts: &Parts, headers: &HeaderMap) -> Flows {
    Flows::of(headers, &parts.key, parts.now())
}

/// One parameter of a query.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    app_request::parameters(query.unwrap_or_default()).ok()?.remove(name)
}

/// `GET /authorize`
pub(crate) async fn authorize(
    State(parts): State<Arc<Parts>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let lang = browser_lang(&headers);
    let Ok(parameters) = app_request::parameters(query.as_deref().unwrap_or_default()) else {
        return Trouble::BadApp.page(&parts, &parts.frame(lang), None);
    };
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let lang = Lang::choose(parameters.get("ui_locales").map(String::as_str), accepted);
    let request = match AppRequest::check(&parameters) {
        Ok(request) => request,
        Err(BadRequest::Untrusted(parameter)) => {
            tracing::info!(parameter, "a request that is not the app's");
            return Trouble::BadApp.page(&parts, &parts.frame(lang), None);
        }
        Err(BadRequest::Told {
            redirect_uri,
            state,
            error,
            description,
        }) => {
            let answer = [("error", error), ("error_description", description)];
            return see_other(&app_request::answer(
                &redirect_uri,
                &answer,
                state.as_deref(),
                &parts.config.issuer(),
            ));
        }
    };
    let flow = Flow::begin(Wish::App(request), lang, parts.now());
    let wanted = parameters.get("provider").filter(|id| is_way(&parts, id)).cloned();
    match wanted.or_else(|| only_way(&parts)) {
        Some(way) => go(&parts, &headers, flow, &way).await,
        None => chooser(&parts, &headers, flow),
    }
}

/// `GET /choose`: the ways once more, for a flow under way.
pub(crate) async fn choose(State(parts): State<Arc<Parts>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    match flow_of(&parts, &headers, query.as_deref()) {
        Some(flow) => chooser(&parts, &headers, flow),
        None => Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None),
    }
}

/// `GET /sign-in/{way}`: the way that the person chose.
pub(crate) async fn start(
    State(parts): State<Arc<Parts>>,
    Path(way): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(flow) = flow_of(&parts, &headers, query.as_deref()) else {
        return Trouble::NoFlow.page(&parts, &parts.frame(browser_lang(&headers)), None);
    };
    if !is_way(&parts, &way) {
        return Trouble::NotFound.page(&parts, &parts.frame(flow.lang), None);
    }
    go(&parts, &headers, flow, &way).await
}

/// The flow that a query names, unless it is through already.
fn flow_of(parts: &Parts, headers: &HeaderMap, query: Option<&str>) -> Option<Flow> {
    let flow = flows(parts, headers).lookup(&parameter(query, "flow")?)?;
    (!matches!(flow.stage, Stage::Done)).then_some(flow)
}

pub(crate) fn chooser(parts: &Parts, headers: &HeaderMap, mut flow: Flow) -> Response {
    flow.stage = Stage::Choosing;
    let frame = parts.frame(flow.lang);
    let t = flow.lang.texts();
    let lead = match flow.device_name() {
        Some(device) => t.choose_lead.with(&[("device", device)]),
        None => t.choose_lead_device.with(&[]),
    };
    let way = |id: &str, label: Markup, mark: Markup| Way {
        address: format!("/sign-in/{id}?flow={}", flow.id),
        label,
        mark,
    };
    // One letter tells them apart, or else two do: Google and GitHub.
    let firsts: BTreeSet<_> = parts
        .providers
        .iter()
        .map(|provider| provider.name.chars().next())
        .collect();
    let letters = if firsts.len() == parts.providers.len() { 1 } else { 2 };
    let mut ways: Vec<Way> = parts
        .providers
        .iter()
        .map(|provider| {
            let label = t.continue_with.with(&[("provider", &provider.name)]);
            way(&provider.id, label, letter_mark(&provider.name, letters))
        })
        .collect();
    if parts.mailer.is_some() {
        ways.push(way(EMAIL, t.continue_email.with(&[]), mail_mark()));
    }
    let page = Page::of(&show!(Choose, &frame, { lead, ways }));
    page.with(flows(parts, headers).keep(&flow).into_jar())
}

/// Sends the browser to a provider, or asks for a mail address.
pub(crate) async fn go(parts: &Parts, headers: &HeaderMap, mut flow: Flow, way: &str) -> Response {
    let frame = parts.frame(flow.lang);
    let Some(provider) = parts.provider(way) else {
        flow.stage = Stage::Choosing;
        let page = Page::of(&show!(Email, &frame, { flow: flow.id.clone(), address: String::new(), bad: false }));
        return page.with(flows(parts, headers).keep(&flow).into_jar());
    };
    // The beginning finds the flow again; the rest is what only this browser's cookie and the provider know.
    let state = format!("{}.{}", flow.id, tokens::new_token(TokenKind::Form));
    let begun = match provider.begin(&state, parts.now()).await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(provider = way, error = chain(&error), "a provider could not be reached");
            parts.metrics.sign_in(way, "failed");
            let name = provider.name.clone();
            let jar = flows(parts, headers).keep(&flow).into_jar();
            return (jar, Trouble::Provider(name).page(parts, &frame, Some(&flow.id))).into_response();
        }
    };
    parts.metrics.sign_in(way, "begun");
    flow.stage = Stage::At {
        provider: way.to_owned(),
        state,
        nonce: begun.nonce,
        pkce_verifier: begun.pkce_verifier,
    };
    let jar = flows(parts, headers).keep(&flow).into_jar();
    (jar, Redirect::to(begun.address.as_str())).into_response()
}

fn is_way(parts: &Parts, id: &str) -> bool {
    parts.provider(id).is_some() || (id == EMAIL && parts.mailer.is_some())
}

/// Where there is nothing to choose, nobody is asked.
fn only_way(parts: &Parts) -> Option<String> {
    match (parts.providers.as_slice(), parts.mailer.is_some()) {
        ([], true) => Some(EMAIL.to_owned()),
        ([provider], false) => Some(provider.id.clone()),
        _ => None,
    }
}

/// A redirect to any address; of the framework's own only valid header values come through as well.
pub(crate) fn see_other(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address.to_owned())]).into_response()
}
