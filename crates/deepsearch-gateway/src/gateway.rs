//! Gateway: everything that requests share, built once from the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum_extra::extract::cookie::Key;
use chrono::{DateTime, Utc};
use deepsearch_core::Clock;
use deepsearch_postgres::{ConnectError, SharedDatabase};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;

use crate::config::Config;
use crate::limits::Limits;
use crate::mail::{MailError, Mailer};
use crate::metrics::Metrics;
use crate::pages::Frame;
use crate::providers::{Http, Provider, ProviderError};
use crate::search_cache::SearchCache;
use crate::texts::Lang;

/// Why the gateway cannot start.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the database")]
    Database(#[from] ConnectError),
    #[error("the mail server's settings")]
    Mail(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the search cache's address")]
    SearchCache(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("preparing for encrypted connections")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The sign-in server. Cloning it gives another handle on the same one.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) database: SharedDatabase,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key: Key,
    pub(crate) providers: Vec<Provider>,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) search_cache: Option<SearchCache>,
}

impl Gateway {
    /// Connects to the database and builds everything. Asks no provider yet.
    ///
    /// # Errors
    /// [`OpenError`] when something cannot be used.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        // Whoever embeds the gateway may have chosen a provider already; then that one stays.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = Http::new().map_err(OpenError::Tls)?;
        let mailer = config.email.as_ref().map(Mailer::new).transpose();
        let mailer = mailer.map_err(|error| OpenError::Mail(error.into()))?;
        let database = SharedDatabase::connect(config.database.url.expose_secret()).await?;
        let provider = |provider: &crate::config::Provider| {
            let callback = config.address(&format!("/callback/{}", provider.id));
            Provider::new(provider, &callback, &http)
        };
        let parts = Parts {
            providers: config.providers.iter().map(provider).collect(),
            key: cookie_key(&config),
            limits: Limits::new(&config.limits, &config.trusted_proxies),
            metrics: Metrics::new(),
            search_cache: SearchCache::new(&config)
                .transpose()
                .map_err(|error| OpenError::SearchCache(error.into()))?,
            database: database.with_clock(Arc::clone(&clock)),
            mailer,
            clock,
            config,
        };
        Ok(Self { parts: Arc::new(parts) })
    }

    /// Asks everything that a sign-in needs whether it can be reached: what, and what stands in the way.
    pub async fn check_connections(&self) -> BTreeMap<String, Option<String>> {
        let parts = &self.parts;
        let mut found = BTreeMap::new();
        let database = parts.database.ping().await;
        found.insert("database".to_owned(), database.err().map(|error| chain(&error)));
        for provider in &parts.providers {
            let probed: Result<(), ProviderError> = provider.probe(parts.clock.now()).await;
            found.insert(
                format!("providers.{}", provider.id),
                probed.err().map(|error| chain(&error)),
            );
        }
        if let Some(cache) = &parts.search_cache {
            let probed = cache.probe().await;
            found.insert("redis".to_owned(), probed.err().map(|error| chain(&error)));
        }
        if let Some(mailer) = &parts.mailer {
            let probed: Result<(), MailError> = mailer.probe().await;
            found.insert("email".to_owned(), probed.err().map(|error| chain(&error)));
        }
        found
    }
}

/// A key of the length that the cookies want. What it is made from holds enough chance, so that it need not be stretched.
fn cookie_key(config: &Config) -> Key {
    let mut hash = Sha512::new();
    hash.update(b"deepsearch-gateway cookies 1\0");
    hash.update(config.cookie_key.expose_secret().as_bytes());
    Key::from(&hash.finalize())
}

impl Parts {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What is kept of an address: whoever reads the database cannot try addresses against it.
    pub(crate) fn keyed_hash(&self, what: &str, text: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key.signing());
        hash.update(what.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.finalize().into()
    }

    pub(crate) fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// What a person calls a way to sign in.
    pub(crate) fn way_name(&self, id: &str, lang: Lang) -> String {
        match self.provider(id) {
            Some(provider) => provider.name.clone(),
            None => lang.texts().email_way.plain(&[]),
        }
    }

    pub(crate) fn frame(&self, lang: Lang) -> Frame {
        let host = self.config.public_url.host_str().unwrap_or_default().to_owned();
        Frame { lang, host }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
