//! Metrics: what an administrator's Prometheus reads, on an address of its own. Nothing in them names a person.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<Request, Counter>,
    pub(crate) seconds: Family<Route, Histogram>,
    pub(crate) sign_ins: Family<SignIn, Counter>,
    pub(crate) mails: Family<Outcome, Counter>,
    pub(crate) tokens: Family<Outcome, Counter>,
    pub(crate) replays: Counter,
    pub(crate) limited: Counter,
    pub(crate) revoked: Counter,
    pub(crate) connections: Gauge<i64>,
    pub(crate) database_up: Gauge<i64>,
    pub(crate) forgotten: Counter,
    pub(crate) feed_held_seconds: Gauge<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) route: String,
    pub(crate) status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Route {
    pub(crate) route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct SignIn {
    pub(crate) provider: String,
    pub(crate) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) outcome: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let seconds = || Histogram::new([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let mut metrics = Self {
            registry: Registry::with_prefix("deepsearch_gateway"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            sign_ins: Family::default(),
            mails: Family::default(),
            tokens: Family::default(),
            replays: Counter::<u64, AtomicU64>::default(),
            limited: Counter::default(),
            revoked: Counter::default(),
            connections: Gauge::default(),
            database_up: Gauge::default(),
            forgotten: Counter::default(),
            feed_held_seconds: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register("request_seconds", "How long answers took", metrics.seconds.clone());
        registry.register(
            "sign_ins",
            "Sign-ins by provider and how they ended",
            metrics.sign_ins.clone(),
        );
        registry.register("mails", "Sign-in links by mail", metrics.mails.clone());
        registry.register("token_requests", "Requests for a session", metrics.tokens.clone());
        registry.register("replays", "Codes that came a second time", metrics.replays.clone());
        registry.register("limited", "Requests refused as too many", metrics.limited.clone());
        registry.register("devices_revoked", "Devices signed out", metrics.revoked.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "database_up",
            "Whether the database answered last",
            metrics.database_up.clone(),
        );
        registry.register(
            "deletions_forgotten",
            "Deletions that every device has seen and that this server forgot",
            metrics.forgotten.clone(),
        );
        registry.register(
            "feed_held_seconds",
            "How long changes have waited for a transaction that does not end",
            metrics.feed_held_seconds.clone(),
        );
        metrics
    }

    pub(crate) fn sign_in(&self, provider: &str, outcome: &'static str) {
        let provider = provider.to_owned();
        self.sign_ins.get_or_create(&SignIn { provider, outcome }).inc();
    }

    pub(crate) fn mail(&self, outcome: &'static str) {
        self.mails.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn token(&self, outcome: &'static str) {
        self.tokens.get_or_create(&Outcome { outcome }).inc();
    }

    /// Everything in the text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        match text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
