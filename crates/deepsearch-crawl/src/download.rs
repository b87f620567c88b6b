//! One request and its answer, within limits of time and size, to checked addresses only.
//!
//! Follows no redirect by itself: the crawler does, so that each new address is checked, asked for politely and
//! counted like the first.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::{Errand, FetchError};
use deepsearch_net::{ACCEPTED, Body, BodyLimits, DecodeError, Lookup, Network, Purpose, Response, SendError};
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    LOCATION,
};
use tokio::time::timeout;
use url::Url;

use crate::address::{AddressRules, Forbidden, GuardedResolver};
use crate::options::{Limits, USER_AGENT};

const ACCEPTED_TYPES: &str = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,*/*;q=0.1";
/// All headers of an HTTP/2 answer together; HTTP/1 ones are bounded by the client itself.
const HEADER_BYTES: u32 = 128 << 10;

/// The HTTP client of the crawler.
pub(crate) struct Client {
    http: deepsearch_net::Client,
    rules: AddressRules,
    limits: Limits,
}

/// What a server said, before its body.
pub(crate) enum Reply {
    Redirect(Url),
    Document(Document),
}

/// A body that can be read.
pub(crate) struct Document {
    response: Response,
    url: Url,
}

impl Client {
    pub(crate) fn new(
        rules: AddressRules,
        limits: Limits,
        network: &Network,
        lookup: Arc<dyn Lookup>,
    ) -> reqwest::Result<Self> {
        let resolver = GuardedResolver {
            rules: rules.clone(),
            lookup,
        };
        let resolver = network.resolver(resolver);
        let http = network.client(|builder| {
            builder
                .user_agent(USER_AGENT)
                .default_headers(default_headers())
                // A proxy would resolve and connect for us, past every check.
                .no_proxy()
                .dns_resolver(resolver)
                .connect_timeout(limits.connect)
                .http2_max_header_list_size(HEADER_BYTES)
                .pool_idle_timeout(Duration::from_secs(30))
                .pool_max_idle_per_host(4)
                .referer(false)
        })?;
        Ok(Self { http, rules, limits })
    }

    /// Checks what can be known of an address before anything is sent.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Forbidden> {
        self.rules.check_url(url)
    }

    /// Sends one request and waits for the headers of its answer.
    ///
    /// # Errors
    /// [`FetchError`] when the address is refused, nobody answers in time, or the status is not a success.
    pub(crate) async fn ask(&self, url: &Url, errand: Errand) -> Result<Reply, FetchError> {
        self.check(url).map_err(|forbidden| refused(url, &forbidden))?;
        let asked = self.http.send(Purpose::of(errand), self.http.get(url.clone()));
        let answer = timeout(self.limits.first_byte, asked).await;
        let response = match answer {
            Err(_) => return Err(timed_out(url, self.limits.first_byte)),
            Ok(Err(error)) => return Err(self.failed(url, error)),
            Ok(Ok(response)) => response,
        };
        match location(url, &response) {
            Some(next) => Ok(Reply::Redirect(next)),
            None => accepted(url, response).map(Reply::Document),
        }
    }

    /// Reads a whole body, decompressed.
    ///
    /// # Errors
    /// [`FetchError`] when it is too large, too slow, damaged or cut off.
    pub(crate) async fn body(&self, document: Document) -> Result<Vec<u8>, FetchError> {
        let Document { mut response, url } = document;
        if response
            .content_length()
            .is_some_and(|length| length > self.limits.wire as u64)
        {
            return Err(FetchError::TooLarge {
                url,
                limit: self.limits.wire,
            });
        }
        let encoding = header(response.headers(), CONTENT_ENCODING);
        let mut body =
            Body::new(&encoding, BodyLimits::from(&self.limits)).map_err(|error| undecodable(&url, error))?;
        loop {
            match timeout(self.limits.idle, response.chunk()).await {
                Err(_) => return Err(timed_out(&url, self.limits.idle)),
                Ok(Err(error)) => return Err(self.failed(&url, error.into())),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(piece))) => body.push(&piece).map_err(|error| undecodable(&url, error))?,
            }
        }
        body.finish().map_err(|error| undecodable(&url, error))
    }

    fn failed(&self, url: &Url, error: SendError) -> FetchError {
        if matches!(error, SendError::Leaves(_)) {
            return FetchError::Private { url: url.clone() };
        }
        if let Some(forbidden) = cause::<Forbidden>(&error) {
            return refused(url, forbidden);
        }
        if error.is_timeout() {
            return timed_out(url, self.limits.connect);
        }
        FetchError::Unreachable {
            url: url.clone(),
            // The error would name the address a second time.
            source: Box::new(error.without_url()),
        }
    }
}

impl Document {
    pub(crate) fn content_type(&self) -> Option<String> {
        Some(header(self.response.headers(), CONTENT_TYPE)).filter(|value| !value.is_empty())
    }
}

fn default_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static(ACCEPTED_TYPES)),
        (ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED)),
        (ACCEPT_LANGUAGE, HeaderValue::from_static("en,*;q=0.5")),
    ])
}

/// Where a redirect leads; a redirect without a readable address is judged by its status.
fn location(url: &Url, response: &Response) -> Option<Url> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let target = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    let mut next = url.join(&String::from_utf8_lossy(target.as_bytes())).ok()?;
    next.set_fragment(None);
    Some(next)
}

fn accepted(url: &Url, response: Response) -> Result<Document, FetchError> {
    let status = response.status();
    let url = url.clone();
    match status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Err(FetchError::Empty { url }),
        _ if status.is_success() => Ok(Document { response, url }),
        StatusCode::UNAUTHORIZED => Err(FetchError::SignIn { url }),
        _ if is_challenge(response.headers()) => Err(FetchError::Captcha { url }),
        _ => Err(FetchError::Status {
            url,
            status: status.as_u16(),
        }),
    }
}

/// Whether the answer stands in for the page until we prove to be human, as the large shields mark it.
fn is_challenge(headers: &HeaderMap) -> bool {
    header(headers, HeaderName::from_static("cf-mitigated")) == "challenge"
        || header(headers, HeaderName::from_static("x-amzn-waf-action")) == "captcha"
        || headers.contains_key("x-datadome")
}

fn header(headers: &HeaderMap, name: HeaderName) -> String {
    let values = headers.get_all(name);
    values
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn refused(url: &Url, forbidden: &Forbidden) -> FetchError {
    FetchError::Refused {
        url: url.clone(),
        reason: forbidden.to_string(),
    }
}

pub(crate) fn timed_out(url: &Url, limit: Duration) -> FetchError {
    FetchError::TimedOut {
        url: url.clone(),
        limit,
    }
}

fn undecodable(url: &Url, error: DecodeError) -> FetchError {
    let url = url.clone();
    match error {
        DecodeError::TooLarge { limit } => FetchError::TooLarge { url, limit },
        other => FetchError::Unparsable {
            url,
            detail: other.to_string(),
        },
    }
}

/// The first error of this kind among an error's causes.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        current = error.source();
    }
    None
}
