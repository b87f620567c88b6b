//! Asking a provider one plain question: a request with its key in the right place, and JSON back, bounded.

use deepsearch_core::{Errand, ModelError};
use deepsearch_net::{ACCEPTED, Body, BodyLimits, Client, Purpose, SendError};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use crate::errors::{Cause, chain, refusal, shown};
use crate::provider::{Listing, Provider};

/// What is asked for, and how much may come back.
pub(crate) struct Question<'a> {
    pub(crate) errand: Errand,
    /// The model it is about, where it is about one.
    pub(crate) model: &'a str,
    pub(crate) request: RequestBuilder,
    /// In bytes, as it came over the wire and unpacked.
    pub(crate) longest: usize,
}

pub(crate) fn address(provider: &Provider, path: &str) -> reqwest::Url {
    provider.url.join(path).unwrap_or_else(|_| provider.url.clone())
}

/// What it answered, in the form that is expected of it.
pub(crate) async fn json_of<T: DeserializeOwned>(
    provider: &Provider,
    client: &Client,
    question: Question<'_>,
) -> Result<T, ModelError> {
    let unreachable = |error: SendError| ModelError::Unreachable {
        provider: provider.id.clone(),
        source: Box::new(Cause(provider.redact(&chain(&error.without_url())))),
    };
    let purpose = Purpose::new(question.errand, &provider.id);
    let request = with_key(provider, question.request).header(ACCEPT_ENCODING, ACCEPTED);
    let mut response = client.send(purpose, request).await.map_err(unreachable)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let encoding = headers
        .get(CONTENT_ENCODING)
        .and_then(|encoding| encoding.to_str().ok());
    let limits = BodyLimits {
        wire: question.longest,
        decoded: question.longest,
        ratio: usize::MAX,
    };
    let damaged = |error| unreadable(provider, &chain(&error));
    let mut body = Body::new(encoding.unwrap_or_default(), limits).map_err(damaged)?;
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(error.into()))? {
        body.push(&chunk).map_err(damaged)?;
    }
    let body = body.finish().map_err(damaged)?;
    if !status.is_success() {
        let (status, body) = (Some(status.as_u16()), String::from_utf8_lossy(&body));
        return Err(refusal(provider, question.model, status, Some(&headers), &body));
    }
    serde_json::from_slice(&body).map_err(|error| unreadable(provider, &error.to_string()))
}

fn with_key(provider: &Provider, request: RequestBuilder) -> RequestBuilder {
    let request = match provider.listing {
        Listing::Anthropic => request.header("anthropic-version", "2023-06-01"),
        _ => request,
    };
    let Some(key) = provider.key.as_ref().map(|key| key.expose_secret()) else {
        return request;
    };
    match provider.listing {
        Listing::OpenAi | Listing::Ollama => request.bearer_auth(key),
        Listing::Anthropic => request.header("x-api-key", key),
        Listing::Gemini => request.header("x-goog-api-key", key),
    }
}

/// An answer that is not what was to be expected.
pub(crate) fn unreadable(provider: &Provider, detail: &str) -> ModelError {
    ModelError::Provider {
        provider: provider.id.clone(),
        status: None,
        detail: shown(provider, detail),
    }
}
