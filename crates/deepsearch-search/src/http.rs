//! Talking to an engine: within limits of time and size, and never led to another host, which would get the key.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use deepsearch_core::{Clock, SearchError};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use url::Url;

/// What DeepSearch calls itself. Honest, so that an engine can tell us apart and reach a decision about us.
const USER_AGENT: &str = concat!(
    "Mozilla/5.0 (compatible; DeepSearch/",
    env!("CARGO_PKG_VERSION"),
    "; a person's own search app)"
);

/// How long and how much one request to an engine may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    pub connect: Duration,
    /// From the first byte sent to the last one received.
    pub total: Duration,
    /// Largest answer, in bytes after decompression.
    pub body: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(10),
            body: 2 * 1024 * 1024,
        }
    }
}

/// The client that all engines share.
#[derive(Clone)]
pub struct Http {
    client: Client,
    limits: HttpLimits,
    clock: Arc<dyn Clock>,
}

/// An engine's answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Http {
    /// `tls` says whom to trust; `None` asks the system anew, which reads all of its certificates.
    ///
    /// # Errors
    /// [`reqwest::Error`] when the TLS provider or the system's certificates cannot be used.
    pub fn new(
        limits: HttpLimits,
        tls: Option<rustls::ClientConfig>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        let builder = Client::builder();
        let builder = match tls {
            Some(tls) => builder.tls_backend_preconfigured(tls),
            None => builder,
        };
        let client = builder
            .user_agent(USER_AGENT)
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(Policy::custom(stay_on_the_host))
            .build()?;
        Ok(Self { client, limits, clock })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request and reads the answer as text.
    pub(crate) async fn send(&self, engine: &str, request: RequestBuilder) -> Result<Answer, SearchError> {
        let mut response = request.send().await.map_err(|error| self.failure(engine, error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if response.status().is_redirection() {
            return Err(unreadable(engine, "it sends us to another address"));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(engine, error))? {
            if body.len() + chunk.len() > self.limits.body {
                return Err(unreadable(engine, &format!("more than {} bytes", self.limits.body)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    fn failure(&self, engine: &str, error: reqwest::Error) -> SearchError {
        // Without the address, which holds what was asked.
        let error = error.without_url();
        if error.is_timeout() {
            return SearchError::TimedOut {
                engine: engine.into(),
                limit: self.limits.total,
            };
        }
        if error.is_decode() {
            return unreadable(engine, "its compression is broken");
        }
        SearchError::Unreachable {
            engine: engine.into(),
            source: Box::new(error),
        }
    }

    /// What an answer's `Retry-After` says, in seconds or as a date.
    pub(crate) fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(value).ok()?;
        (date.with_timezone(&Utc) - self.now()).to_std().ok()
    }

    /// What a status other than 200 means where the engine's own answer does not say more.
    pub(crate) fn refusal(&self, engine: &str, answer: &Answer) -> SearchError {
        let engine = engine.to_owned();
        match answer.status {
            401 | 403 => SearchError::KeyRefused { engine },
            402 => SearchError::QuotaExceeded { engine },
            429 => SearchError::RateLimited {
                engine,
                retry_after: self.retry_after(&answer.headers),
            },
            status => SearchError::Status { engine, status },
        }
    }
}

/// Reads a JSON answer.
pub(crate) fn json<T: DeserializeOwned>(engine: &str, body: &str) -> Result<T, SearchError> {
    serde_json::from_str(body).map_err(|error| unreadable(engine, &error.to_string()))
}

/// Those of `values` that are what they should be: one broken result does not cost the others.
pub(crate) fn items<T: DeserializeOwned>(values: Vec<serde_json::Value>) -> impl Iterator<Item = T> {
    values
        .into_iter()
        .filter_map(|value| serde_json::from_value(value).ok())
}

pub(crate) fn unreadable(engine: &str, detail: &str) -> SearchError {
    SearchError::Unreadable {
        engine: engine.into(),
        detail: detail.chars().take(300).collect(),
    }
}

fn stay_on_the_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let Some(first) = attempt.previous().first() else {
        return attempt.stop();
    };
    let next = attempt.url();
    let stays = first.origin() == next.origin() || (first.host() == next.host() && next.scheme() == "https");
    if stays && attempt.previous().len() <= 3 {
        attempt.follow()
    } else {
        attempt.stop()
    }
}
