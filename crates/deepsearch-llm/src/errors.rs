//! From what a provider says went wrong to a [`ModelError`] that says what can be done, without the key in it.

use std::time::Duration;

use chrono::DateTime;
use deepsearch_core::ModelError;
use genai::webc::Error as WebError;
use reqwest::header::HeaderMap;
use serde_json::Value;
use thiserror::Error;

use crate::provider::Provider;

/// What lay beneath, in words only: the errors of the HTTP client hold addresses, which can hold secrets.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Cause(pub(crate) String);

/// An error of one attempt.
pub(crate) fn classify(provider: &Provider, model: &str, error: genai::Error) -> ModelError {
    let error = match error {
        genai::Error::WebStream { error, cause, .. } => match error.downcast::<genai::Error>() {
            Ok(inner) => *inner,
            Err(other) => return transport(provider, other, &cause),
        },
        other => other,
    };
    let (status, headers) = (error.status().map(|status| status.as_u16()), error.headers().cloned());
    match error {
        genai::Error::HttpError { body, .. } => refusal(provider, model, status, headers.as_ref(), &body),
        genai::Error::WebModelCall {
            webc_error: WebError::ResponseFailedStatus { body, .. },
            ..
        } => refusal(provider, model, status, headers.as_ref(), &body),
        genai::Error::ChatResponse { body, .. } => {
            let code = body
                .get("code")
                .and_then(Value::as_u64)
                .and_then(|code| u16::try_from(code).ok());
            refusal(provider, model, code, None, &body.to_string())
        }
        other => ModelError::Provider {
            provider: provider.id.clone(),
            status,
            detail: shown(provider, &other.to_string()),
        },
    }
}

/// Whether no connection was made, so that nothing of the request was sent.
pub(crate) fn is_unsent(error: &genai::Error) -> bool {
    let genai::Error::WebStream { error, .. } = error else {
        return false;
    };
    error
        .downcast_ref::<reqwest::Error>()
        .is_some_and(reqwest::Error::is_connect)
}

fn transport(provider: &Provider, error: genai::BoxError, cause: &str) -> ModelError {
    let source: genai::BoxError = match error.downcast::<reqwest::Error>() {
        Ok(error) => Box::new(Cause(provider.redact(&chain(&error.without_url())))),
        Err(_) => Box::new(Cause(shown(provider, cause))),
    };
    ModelError::Unreachable {
        provider: provider.id.clone(),
        source,
    }
}

/// What a provider answered in place of an answer. Providers agree on few status codes, so the words count too.
pub(crate) fn refusal(
    provider: &Provider,
    model: &str,
    status: Option<u16>,
    headers: Option<&HeaderMap>,
    body: &str,
) -> ModelError {
    let id = provider.id.clone();
    let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let words = body.to_lowercase();
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    let retry_after = headers.and_then(retry_after).or_else(|| gemini_delay(&json));
    if says(CONTEXT) {
        return ModelError::ContextExceeded {
            model: format!("{id}/{model}"),
        };
    }
    if status == Some(402) || says(QUOTA) || (status == Some(429) && says(&["perday"])) {
        return ModelError::QuotaExceeded { provider: id };
    }
    if status == Some(429) || says(&["rate_limit_error", "rate_limit_exceeded"]) {
        return ModelError::RateLimited {
            provider: id,
            retry_after,
        };
    }
    let refused =
        status == Some(401) || (status == Some(403) && !says(&["moderation", "country", "region", "location"]));
    if refused || says(&["api_key_invalid", "invalid_api_key", "authentication_error"]) {
        return match provider.key {
            Some(_) => ModelError::KeyRefused { provider: id },
            None => ModelError::KeyMissing { provider: id },
        };
    }
    if status == Some(404) && says(&["model"]) {
        return ModelError::Unknown {
            model: format!("{id}/{model}"),
        };
    }
    let detail = message(&json).unwrap_or(body);
    let detail = match (status, shown(provider, detail)) {
        (Some(status), detail) if detail.is_empty() => format!("status {status}"),
        (None, detail) if detail.is_empty() => "without a reason".into(),
        (_, detail) => detail,
    };
    ModelError::Provider {
        provider: id,
        status: status.or_else(|| overloaded(&words)),
        detail,
    }
}

const CONTEXT: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context length",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "reduce the length of the messages",
    "request too large for model",
    "exceeds the available context",
    "context the overflows",
    "input length exceeds",
    "context length exceeded",
];

const QUOTA: &[&str] = &[
    "insufficient_quota",
    "credit balance is too low",
    "insufficient credits",
    "insufficient balance",
];

/// Errors inside a stream carry no status; these words are what the status 503 says elsewhere.
fn overloaded(words: &str) -> Option<u16> {
    [
        "overloaded",
        "server_error",
        "internal_error",
        "unavailable",
        "api_error",
    ]
    .iter()
    .any(|needle| words.contains(needle))
    .then_some(503)
}

/// Whether asking again soon can help.
pub(crate) fn is_passing(error: &ModelError) -> bool {
    match error {
        ModelError::RateLimited { .. } | ModelError::TimedOut { .. } | ModelError::Unreachable { .. } => true,
        ModelError::Provider { status, .. } => status.is_some_and(|status| status >= 500 || status == 408),
        _ => false,
    }
}

/// Whether an error says that the provider itself is ill, and not that this question or key is.
pub(crate) fn is_illness(error: &ModelError) -> bool {
    is_passing(error) && !matches!(error, ModelError::RateLimited { .. })
}

/// What the provider asks us to wait. A date is read against the provider's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(milliseconds) = text("retry-after-ms").and_then(|value| value.trim().parse::<u64>().ok()) {
        return Some(Duration::from_millis(milliseconds));
    }
    let value = text("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    let now = DateTime::parse_from_rfc2822(text("date")?).ok()?;
    (until - now).to_std().ok()
}

/// Gemini puts its wait into the body: `{"@type": "…RetryInfo", "retryDelay": "17s"}`.
fn gemini_delay(body: &Value) -> Option<Duration> {
    let body = body.get(0).unwrap_or(body);
    let details = body.pointer("/error/details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}

/// The sentence in an error body, wherever the provider puts it.
fn message(body: &Value) -> Option<&str> {
    let body = body.get(0).unwrap_or(body);
    [
        "/error/message",
        "/message",
        "/error",
        "/detail",
        "/error/error/message",
    ]
    .iter()
    .find_map(|path| body.pointer(path)?.as_str())
}

/// One line of at most 300 characters, without the key.
pub(crate) fn shown(provider: &Provider, text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = provider.redact(&line).chars().take(300).collect();
    while line.ends_with(['.', ' ']) {
        line.pop();
    }
    line
}

/// An error with all that lies beneath it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}
