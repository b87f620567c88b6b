//! The shared tier: Redis, when one is configured. A slow or dead one costs whoever waits at most 200 ms, once.
//!
//! Entries lie under the user's scope, because a cache shared between users would let one poison or watch another's
//! searches. What Redis holds was written by others too: it is read within a size limit and parsed with suspicion.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{AsyncCommands, IntoConnectionInfo, RedisError};
use async_trait::async_trait;
use chrono::TimeDelta;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError, Clock, Errand};
use deepsearch_net::{Entry, Place, Purpose, contact};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::rest::{Permit, Rest, Resting};
use crate::{ENTRY_LIMIT, KEPT, key_prefix};

/// Longest a caller waits for Redis, connecting included, unless another limit is set.
const ANSWER_LIMIT: Duration = Duration::from_millis(200);
/// Longest a connection attempt takes, out of the callers' way.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Where a device's entries lie, and as whom it reaches them.
#[derive(Clone, Copy)]
pub struct RedisPlace<'a> {
    pub url: &'a str,
    pub user: Option<&'a str>,
    pub password: Option<&'a str>,
    pub prefix: &'a str,
}

/// A Redis server as a cache tier.
pub struct RedisCache {
    connection: ConnectionManager,
    place: Place,
    prefix: String,
    limit: Duration,
    clock: Arc<dyn Clock>,
    rest: Arc<Rest>,
}

impl RedisCache {
    /// A tier on the server at `url` (`redis://` or `rediss://`), for the entries of one user. Connects with the first
    /// call, never here. Must be made within a Tokio runtime; `rediss://` uses the process's TLS provider, which is to be
    /// installed before.
    ///
    /// # Errors
    /// [`CacheError`] when the URL is none. The error does not repeat the URL, which may hold a password.
    pub fn new(url: &str, user: &str, clock: Arc<dyn Clock>) -> Result<Self, CacheError> {
        let place = RedisPlace {
            url,
            user: None,
            password: None,
            prefix: &key_prefix(user),
        };
        Self::at(&place, clock)
    }

    /// A tier where a sign-in said it is, as the user that it made for this device.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at(place: &RedisPlace<'_>, clock: Arc<dyn Clock>) -> Result<Self, CacheError> {
        let connection = connect(place.url, place.user, place.password, CONNECT_LIMIT)?;
        Ok(Self {
            connection,
            place: Place::of(place.url),
            prefix: place.prefix.to_owned(),
            limit: ANSWER_LIMIT,
            clock,
            rest: Arc::new(Rest::new(FIRST_REST, LONGEST_REST)),
        })
    }

    /// Waits for an answer up to `limit` instead of 200 ms.
    #[must_use]
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Keys say neither who asked nor what: both are hashed. Access rules can still match one user's keys.
    fn key(&self, query: &str) -> String {
        format!("{}{}", self.prefix, hash(query))
    }

    /// Runs one command, which says so many bytes, within the limit, or not at all while the server rests.
    async fn ask<T>(
        &self,
        action: &'static str,
        said: usize,
        command: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<(T, Entry), CacheError> {
        match self.rest.permit() {
            Permit::Ask => {}
            Permit::Probe => {
                tokio::spawn(probe(self.connection.clone(), self.rest.clone()));
                return Err(failure(action, Resting));
            }
            Permit::Leave => return Err(failure(action, Resting)),
        }
        let purpose = Purpose::new(Errand::SearchCache, "redis");
        let entry = contact(purpose, &self.place.host, self.place.local, said as u64);
        let failed = match timeout(self.limit, command).await {
            Ok(Ok(value)) => return Ok((value, entry)),
            Ok(Err(error)) => failure(action, error),
            Err(late) => failure(action, late),
        };
        self.rest.failed_call();
        Err(failed)
    }

    fn trusted(&self, json: &str, query: &str) -> Option<SearchCache> {
        let entry: SearchCache = serde_json::from_str(json).ok()?;
        let newest = self.clock.now() + TimeDelta::from_std(KEPT).ok()?;
        // An entry that claims to be fresh for ever would never be asked for again.
        (entry.query == query && entry.results.is_object() && entry.expires_at <= newest).then_some(entry)
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        let mut connection = self.connection.clone();
        let last = isize::try_from(ENTRY_LIMIT).unwrap_or(isize::MAX);
        // A range, not the whole value: someone else may have put half a gigabyte there.
        let key = self.key(query);
        let said = key.len();
        let read = async move {
            let value: Result<Vec<u8>, RedisError> = connection.getrange(key, 0, last).await;
            match value {
                Err(error) if error.code() == Some("WRONGTYPE") => Ok(Vec::new()),
                read => read,
            }
        };
        let (bytes, entry) = self.ask("answer", said, read).await?;
        entry.received(bytes.len());
        if bytes.len() > ENTRY_LIMIT {
            return Ok(None);
        }
        Ok(str::from_utf8(&bytes).ok().and_then(|json| self.trusted(json, query)))
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        let json = serde_json::to_string(&entry).map_err(|source| failure("take the entry", source))?;
        if json.len() > ENTRY_LIMIT {
            return Ok(());
        }
        let mut connection = self.connection.clone();
        let key = self.key(&entry.query);
        let said = key.len() + json.len();
        let write = async move { connection.set_ex::<_, _, ()>(key, json, KEPT.as_secs()).await };
        self.ask("take the entry", said, write).await.map(|((), _)| ())
    }
}

/// Finds out whether the server is back, while callers do without it.
async fn probe(mut connection: ConnectionManager, rest: Arc<Rest>) {
    // The first attempt may only meet the end of the old connection, which makes the manager open a new one.
    for _ in 0..3 {
        if let Ok(Ok(())) = timeout(CONNECT_LIMIT, connection.ping::<()>()).await {
            return rest.recovered();
        }
        tokio::time::sleep(ANSWER_LIMIT).await;
    }
    rest.failed();
}

/// Connects with the first call, never here.
pub(crate) fn connect(
    url: &str,
    user: Option<&str>,
    password: Option<&str>,
    limit: Duration,
) -> Result<ConnectionManager, CacheError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(limit))
        .set_response_timeout(Some(limit))
        .set_number_of_retries(0);
    url.into_connection_info()
        .map(|info| {
            // Not its library's name: that wants a right of its own.
            let mut settings = info.redis_settings().clone().set_skip_set_lib_name();
            if let Some(user) = user {
                settings = settings.set_username(user);
            }
            if let Some(password) = password {
                settings = settings.set_password(password);
            }
            info.set_redis_settings(settings)
        })
        .and_then(::redis::Client::open)
        .and_then(|client| ConnectionManager::new_lazy_with_config(client, config))
        .map_err(|source| failure("take its address", source))
}

pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

pub(crate) fn failure(action: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> CacheError {
    CacheError {
        tier: "Redis",
        action,
        source: Box::new(source),
    }
}
