//! Talking to a gateway: over https or on this machine, never redirected, within limits of time and size.

use std::time::Duration;

use deepsearch_core::Errand;
use deepsearch_net::{Client, Network, Purpose, Response, SendError, host_of};
use futures::FutureExt;
use futures::future::BoxFuture;
use oauth2::http::{HeaderMap, Response as HttpResponse, header};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse as OauthResponse};
use reqwest::{ClientBuilder, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::AuthError;

const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);
/// An export is streamed for as long as it goes on coming.
const IDLE: Duration = Duration::from_secs(30);
/// Far more than a session or a list of devices.
const LARGEST: usize = 256 * 1024;

#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    /// For a gateway on this machine, which no proxy reaches.
    direct: Client,
    streaming: [Client; 2],
}

impl Http {
    pub(crate) fn new(network: &Network) -> Result<Self, AuthError> {
        let client = |direct: bool, with: &dyn Fn(ClientBuilder) -> ClientBuilder| {
            let client = network.client(|builder| {
                let builder = builder
                    .user_agent(concat!("DeepSearch/", env!("CARGO_PKG_VERSION")))
                    .connect_timeout(CONNECT);
                with(if direct { builder.no_proxy() } else { builder })
            });
            client.map_err(AuthError::Client)
        };
        let whole = |direct| client(direct, &|builder| builder.timeout(TOTAL));
        let streamed = |direct| client(direct, &|builder| builder.read_timeout(IDLE));
        Ok(Self {
            client: whole(false)?,
            direct: whole(true)?,
            streaming: [streamed(false)?, streamed(true)?],
        })
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = if is_here(&url) { &self.direct } else { &self.client };
        client.request(method, url)
    }

    /// A request whose answer may take as long as it likes, as long as it goes on.
    pub(crate) fn stream(&self, url: Url) -> RequestBuilder {
        self.streaming[usize::from(is_here(&url))].get(url)
    }

    /// Sends a request; whatever its status, the answer is given.
    pub(crate) async fn send(&self, host: &str, request: RequestBuilder) -> Result<Response, AuthError> {
        let sent = self.client.send(Purpose::of(Errand::Gateway), request).await;
        sent.map_err(|error| failure(host, error))
    }

    /// Sends a request and reads an answer in JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        host: &str,
        doing: &'static str,
        request: RequestBuilder,
    ) -> Result<T, AuthError> {
        let response = self.send(host, request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(AuthError::Status {
                host: host.to_owned(),
                doing,
                status: status.as_u16(),
            });
        }
        let body = bounded(host, doing, response).await?;
        // Where it is wrong, not what stands there.
        serde_json::from_slice(&body).map_err(|error| AuthError::Unusable {
            host: host.to_owned(),
            doing,
            detail: format!(
                "it is not what was expected (line {}, column {})",
                error.line(),
                error.column()
            ),
        })
    }

    /// Sends a request of the `oauth2` crate.
    async fn oauth(&self, request: HttpRequest) -> Result<OauthResponse, Transport> {
        const DOING: &str = "for a session";
        let (parts, body) = request.into_parts();
        let url: Url = parts
            .uri
            .to_string()
            .parse()
            .map_err(|_| Transport(AuthError::NoGateway))?;
        let host = host_of(&url);
        let method = Method::from_bytes(parts.method.as_str().as_bytes()).unwrap_or(Method::POST);
        let request = self.request(method, url).headers(parts.headers).body(body);
        let response = self.send(&host, request).await.map_err(Transport)?;
        let status = response.status();
        // Only what a gateway says itself is read as its answer; what stands before it may stumble too.
        if status.is_redirection() || status.is_server_error() || status.as_u16() == 429 || status.as_u16() == 404 {
            return Err(Transport(AuthError::Status {
                host,
                doing: DOING,
                status: status.as_u16(),
            }));
        }
        let mut headers = HeaderMap::new();
        if let Some(kind) = response.headers().get(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, kind.clone());
        }
        let body = bounded(&host, DOING, response).await.map_err(Transport)?;
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Transport;
    type Future = BoxFuture<'c, Result<OauthResponse, Transport>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.oauth(request).boxed()
    }
}

/// What went wrong beneath OAuth.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Transport(pub(crate) AuthError);

/// Reads an answer as far as it is not too large.
pub(crate) async fn bounded(host: &str, doing: &'static str, mut response: Response) -> Result<Vec<u8>, AuthError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(host, error.into()))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(AuthError::Unusable {
                host: host.to_owned(),
                doing,
                detail: format!("it is larger than {LARGEST} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn failure(host: &str, error: SendError) -> AuthError {
    let host = host.to_owned();
    // Without the address, which may be long and is known.
    match error.without_url() {
        SendError::Leaves(_) => AuthError::Private { host },
        error if error.is_timeout() => AuthError::TimedOut { host, limit: TOTAL },
        error => AuthError::Unreachable {
            host,
            source: Box::new(error),
        },
    }
}

/// Whether an address is on this machine.
pub(crate) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
