//! Client: sends a request that private mode lets through, and writes down what went out and what came in.

use std::ops::Deref;

use reqwest::header::HeaderMap;
use reqwest::{Method, Request, RequestBuilder, StatusCode};
use thiserror::Error;
use url::Url;

use crate::network::{Leaves, Network, host_of, is_local, leaves};
use crate::recorder::{Entry, Purpose, contact};

/// An HTTP client that keeps the rules of its [`Network`]. Cloning it shares its connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    network: Network,
}

/// Why nothing came back.
#[derive(Debug, Error)]
pub enum SendError {
    #[error(transparent)]
    Leaves(#[from] Leaves),
    #[error(transparent)]
    Http(reqwest::Error),
}

/// An answer, whose body is counted as it is read.
#[derive(Debug)]
pub struct Response {
    response: reqwest::Response,
    entry: Entry,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, network: Network) -> Self {
        Self { http, network }
    }

    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    pub fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(url)
    }

    pub fn post(&self, url: Url) -> RequestBuilder {
        self.http.post(url)
    }

    /// Sends a request; whatever its status, the answer is given.
    ///
    /// # Errors
    /// [`SendError::Leaves`] when private mode is on, else what kept the answer.
    pub async fn send(&self, purpose: Purpose<'_>, request: RequestBuilder) -> Result<Response, SendError> {
        // With the client it was made with, which may have other deadlines than this one.
        let (http, request) = request.build_split();
        self.execute_with(&http, purpose, request?).await
    }

    /// As [`Client::send`], for a request that is complete.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn execute(&self, purpose: Purpose<'_>, request: Request) -> Result<Response, SendError> {
        self.execute_with(&self.http, purpose, request).await
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place where requests are sent")]
    async fn execute_with(
        &self,
        http: &reqwest::Client,
        purpose: Purpose<'_>,
        request: Request,
    ) -> Result<Response, SendError> {
        let url = request.url().clone();
        self.network.check(&url)?;
        let bytes = content(&request);
        let entry = contact(purpose, &host_of(&url), is_local(&url), bytes);
        let sent = self.network.through(&url, http.execute(request)).await?;
        let response = sent.inspect_err(|error| {
            if error.is_connect() {
                entry.not_sent(bytes);
            }
        })?;
        Ok(Response { response, entry })
    }
}

/// What a request says, in bytes: the path and query of its address, and its body.
fn content(request: &Request) -> u64 {
    let url = request.url();
    let query = url.query().map_or(0, |query| query.len() + 1);
    let body = request.body().and_then(|body| body.as_bytes()).map_or(0, <[u8]>::len);
    (url.path().len() + query + body) as u64
}

impl Response {
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece of the body, as it came over the wire; `None` at its end.
    ///
    /// # Errors
    /// When the connection broke or the client's time is up.
    pub async fn chunk(&mut self) -> reqwest::Result<Option<impl Deref<Target = [u8]> + use<>>> {
        let chunk = self.response.chunk().await?;
        if let Some(chunk) = &chunk {
            self.entry.received(chunk.len());
        }
        Ok(chunk)
    }
}

impl SendError {
    /// Without the address, which may hold what was asked.
    #[must_use]
    pub fn without_url(self) -> Self {
        match self {
            Self::Http(error) => Self::Http(error.without_url()),
            leaves @ Self::Leaves(_) => leaves,
        }
    }

    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_timeout())
    }
}

/// A name that private mode did not look up comes as an error of the connection.
impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        match leaves(&error) {
            Some(held) => Self::Leaves(held.clone()),
            None => Self::Http(error),
        }
    }
}
