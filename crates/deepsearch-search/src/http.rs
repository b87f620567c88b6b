//! Talking to an engine: within limits of time and size, and never led to another host, which would get the key.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use deepsearch_core::{Clock, Errand, SearchError};
use deepsearch_net::{Body, BodyLimits, Client, DecodeError, Network, Purpose, Response, SendError};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use url::Url;

/// What DeepSearch calls itself. Honest, so that an engine can tell us apart and reach a decision about us.
const USER_AGENT: &str = concat!(
    "Mozilla/5.0 (compatible; DeepSearch/",
    env!("CARGO_PKG_VERSION"),
    "; a person's own search app)"
);

/// Redirects that are followed.
const REDIRECTS: usize = 3;

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
    /// # Errors
    /// [`reqwest::Error`] when the TLS provider or the system's certificates cannot be used.
    pub fn new(limits: HttpLimits, network: &Network, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(deepsearch_net::ACCEPTED))]);
        let client = network.client(|builder| {
            builder
                .user_agent(USER_AGENT)
                .default_headers(headers)
                .connect_timeout(limits.connect)
                .timeout(limits.total)
        })?;
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

    /// Sends a request and reads the answer as text. Follows redirects that stay on the engine's host.
    pub(crate) async fn send(&self, engine: &str, request: RequestBuilder) -> Result<Answer, SearchError> {
        let purpose = Purpose::new(Errand::Search, engine);
        let failure = |error: SendError| self.failure(engine, error);
        let mut request = request.build().map_err(|error| failure(error.into()))?;
        for _ in 0..=REDIRECTS {
            let (first, again) = (request.url().clone(), request.try_clone());
            let response = self.client.execute(purpose, request).await.map_err(failure)?;
            if !response.status().is_redirection() {
                return self.answer(engine, response).await;
            }
            // What was posted is not posted again to where nobody meant it to go.
            let again = again.filter(|again| again.method() == Method::GET);
            match (stays_on_the_host(&first, &response), again) {
                (Some(next), Some(again)) => {
                    request = again;
                    *request.url_mut() = next;
                }
                _ => break,
            }
        }
        Err(unreadable(engine, "it sends us to another address"))
    }

    async fn answer(&self, engine: &str, mut response: Response) -> Result<Answer, SearchError> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let encoding = headers
            .get(CONTENT_ENCODING)
            .and_then(|encoding| encoding.to_str().ok());
        let limits = BodyLimits {
            wire: self.limits.body,
            decoded: self.limits.body,
            ratio: usize::MAX,
        };
        let undecodable = |error| match error {
            DecodeError::TooLarge { .. } => unreadable(engine, &format!("more than {} bytes", self.limits.body)),
            _ => unreadable(engine, "its compression is broken"),
        };
        let mut body = Body::new(encoding.unwrap_or_default(), limits).map_err(undecodable)?;
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.failure(engine, error.into()))?
        {
            body.push(&chunk).map_err(undecodable)?;
        }
        let body = body.finish().map_err(undecodable)?;
        Ok(Answer {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    fn failure(&self, engine: &str, error: SendError) -> SearchError {
        let engine = engine.to_owned();
        // Without the address, which holds what was asked.
        match error.without_url() {
            SendError::Leaves(_) => SearchError::Private { engine },
            error if error.is_timeout() => SearchError::TimedOut {
                engine,
                limit: self.limits.total,
            },
            error => SearchError::Unreachable {
                engine,
                source: Box::new(error),
            },
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

/// Where a redirect leads, if it is the same host, which may be had over https instead.
fn stays_on_the_host(first: &Url, response: &Response) -> Option<Url> {
    let next = first.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    let stays = first.origin() == next.origin() || (first.host() == next.host() && next.scheme() == "https");
    stays.then_some(next)
}
