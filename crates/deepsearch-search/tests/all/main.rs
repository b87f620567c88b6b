//! The engines' promises: what goes over the wire, what comes of every answer, and how several make one search.

mod failover;
mod guide;
mod http;
mod keyed;
mod keyless;
mod scripted;
mod special;
mod wire;

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use deepsearch_core::{Clock, SearchEngine, SearchError, SearchQuery, SearchResults};
use deepsearch_net::Network;
use deepsearch_search::{EngineConfig, Http, HttpLimits, engine};
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A clock that stands where a test put it.
#[derive(Debug)]
struct Stopped(Mutex<DateTime<Utc>>);

impl Stopped {
    fn at_noon() -> Arc<Self> {
        let noon = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).single().unwrap();
        Arc::new(Self(Mutex::new(noon)))
    }

    fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// An engine that talks to a server which gives every request the same answer.
struct Fake {
    server: MockServer,
    engine: Arc<dyn SearchEngine>,
}

impl Fake {
    async fn new(id: &str, answer: ResponseTemplate) -> Self {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let engine = at(id, &server.uri(), HttpLimits::default());
        Self { server, engine }
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        self.engine.search(query).await
    }

    /// The one request that the server received.
    async fn request(&self) -> Request {
        let mut requests = self.server.received_requests().await.unwrap();
        assert_eq!(requests.len(), 1, "one search is one request");
        requests.remove(0)
    }
}

/// The engine `id` at another address than its own, with the key `k3y-of-a-test`.
fn at(id: &str, address: &str, limits: HttpLimits) -> Arc<dyn SearchEngine> {
    let config = EngineConfig {
        key: (id != "searxng").then(|| "k3y-of-a-test".into()),
        base_url: Some(Url::parse(address).unwrap()),
    };
    engine(id, config, &http(limits)).expect("the engine exists")
}

fn http(limits: HttpLimits) -> Http {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Http::new(limits, &Network::default(), Stopped::at_noon()).unwrap()
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.into(),
        locale: None,
        time_range: None,
        limit: 10,
    }
}

/// A field of the request's address.
fn field(request: &Request, name: &str) -> Option<String> {
    request
        .url
        .query_pairs()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.into_owned())
}

fn header(request: &Request, name: &str) -> String {
    request
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

/// What kind of error it is, without its details.
fn kind(result: &Result<SearchResults, SearchError>) -> &'static str {
    match result {
        Ok(_) => "results",
        Err(SearchError::Captcha { .. }) => "captcha",
        Err(SearchError::RateLimited { .. }) => "rate limited",
        Err(SearchError::QuotaExceeded { .. }) => "quota",
        Err(SearchError::KeyRefused { .. }) => "key refused",
        Err(SearchError::KeyMissing { .. }) => "key missing",
        Err(SearchError::TimedOut { .. }) => "timed out",
        Err(SearchError::Unreachable { .. }) => "unreachable",
        Err(SearchError::NoResults { .. }) => "no results",
        Err(SearchError::Status { .. }) => "status",
        Err(SearchError::Unreadable { .. }) => "unreadable",
        Err(SearchError::Resting { .. }) => "resting",
        Err(SearchError::Private { .. }) => "private",
    }
}
