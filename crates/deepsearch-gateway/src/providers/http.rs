//! Http: requests to providers. Bounded in time and size; redirects are not followed, because what is sent holds secrets.

#![expect(
    clippy::disallowed_methods,
    reason = "a server of its own, which has no private mode and answers no question"
)]

use std::error::Error;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use oauth2::{HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;

const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// Keys of a large provider are some tens of kilobytes.
const ANSWER_LIMIT: usize = 1024 * 1024;
const AGENT: &str = concat!("DeepSearch-Gateway/", env!("CARGO_PKG_VERSION"));

#[derive(Debug, Clone)]
pub(crate) struct Http(reqwest::Client);

#[derive(Debug, Error)]
pub(crate) enum HttpError {
    #[error("sending a request to `{host}`")]
    Send {
        host: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("`{host}` answered more than {ANSWER_LIMIT} bytes")]
    TooLarge { host: String },
    #[error("`{host}` answered with status {status}")]
    Status { host: String, status: u16 },
    #[error("`{host}` answered something else than expected")]
    Format {
        host: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("the answer cannot be passed on")]
    Answer(#[source] oauth2::http::Error),
}

impl Http {
    /// Trusts whom the system trusts. The process's TLS provider is to be installed before.
    pub(crate) fn new() -> Result<Self, Box<dyn Error + Send + Sync>> {
        use rustls_platform_verifier::ConfigVerifierExt;
        let tls = rustls::ClientConfig::with_platform_verifier()?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(AGENT)
            .timeout(ANSWERS_WITHIN)
            .connect_timeout(CONNECTS_WITHIN)
            // Sign-ins are rare: a connection would mostly be closed by the time it is wanted again, and a code is sent once.
            .pool_max_idle_per_host(0)
            .redirect(Policy::none())
            .build()?;
        Ok(Self(client))
    }

    /// What the OAuth libraries send their requests by. Owns what it needs: futures that borrow it could not be proven to
    /// be movable between threads.
    pub(super) fn client(
        &self,
    ) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, HttpError>> + Send + use<> {
        let http = self.clone();
        move |request| {
            let http = http.clone();
            async move { http.call(request).await }.boxed()
        }
    }

    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let host = parts.uri.host().unwrap_or_default().to_owned();
        let sent = self
            .0
            .request(parts.method, url)
            .headers(parts.headers)
            .body(body)
            .send();
        let response = sent.await.map_err(|source| without_address(&host, source))?;
        let mut answer = oauth2::http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.extend(response.headers().clone());
        }
        answer.body(bounded(response, &host).await?).map_err(HttpError::Answer)
    }

    /// Reads a resource with a provider's token.
    pub(crate) async fn resource<T: DeserializeOwned>(&self, url: Url, token: &str) -> Result<T, HttpError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = self.0.get(url).bearer_auth(token).header("accept", "application/json");
        let response = request.send().await.map_err(|source| without_address(&host, source))?;
        let status = response.status();
        let body = bounded(response, &host).await?;
        if !status.is_success() {
            let status = status.as_u16();
            return Err(HttpError::Status { host, status });
        }
        serde_json::from_slice(&body).map_err(|source| HttpError::Format { host, source })
    }
}

/// An address may hold a code; an error is logged.
fn without_address(host: &str, source: reqwest::Error) -> HttpError {
    HttpError::Send {
        host: host.to_owned(),
        source: source.without_url(),
    }
}

async fn bounded(mut response: reqwest::Response, host: &str) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|source| without_address(host, source))? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            let host = host.to_owned();
            return Err(HttpError::TooLarge { host });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
