//! SearchEngine: one trait over the web's engines, the built-in guide and past chats.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::{ErrorCode, Failure, PRIVATE_HINT};

/// An engine's short name as settings and the command line write it: `brave`, `wikipedia`, `guide`, …
pub type EngineId = String;

/// Where an engine looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    Web,
    /// The built-in user guide: works offline.
    Guide,
    /// Past chats and their saved pages: works offline.
    Chats,
    /// The person's own folders: works offline.
    Files,
    /// Papers, with their year and DOI.
    Academic,
    /// What people say to each other: forums, questions with answers.
    Discussions,
    News,
}

/// How recent results must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum TimeRange {
    Day,
    Week,
    Month,
    Year,
}

/// What is asked of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SearchQuery {
    pub text: String,
    /// BCP 47 (`en`, `de-CH`); `None` leaves it to the engine.
    pub locale: Option<String>,
    pub time_range: Option<TimeRange>,
    /// How many hits are wanted, 1 to 50; an engine may bring fewer.
    pub limit: usize,
}

/// One result. Everything in it is what a stranger wrote: data, never instructions and never markup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct SearchHit {
    pub title: String,
    pub url: String,
    /// Plain text; may be empty.
    pub snippet: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub favicon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<DateTime<Utc>>,
}

/// What one engine found for one query, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchResults {
    pub engine: EngineId,
    pub query: String,
    pub hits: Vec<SearchHit>,
}

/// Why an engine found nothing. `NoResults` is a failure of the engine too: the next one is asked.
#[derive(Debug, Error)]
pub enum SearchError {
    #[error("{engine} asks to prove that we are human")]
    Captcha { engine: EngineId },
    #[error("{engine} says we ask too often")]
    RateLimited {
        engine: EngineId,
        retry_after: Option<Duration>,
    },
    #[error("{engine} says the key's allowance is used up")]
    QuotaExceeded { engine: EngineId },
    #[error("{engine} refused the key")]
    KeyRefused { engine: EngineId },
    #[error("{engine} has no key")]
    KeyMissing { engine: EngineId },
    #[error("{engine} did not answer within {limit:?}")]
    TimedOut { engine: EngineId, limit: Duration },
    #[error("{engine} cannot be reached")]
    Unreachable {
        engine: EngineId,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{engine} found nothing")]
    NoResults { engine: EngineId },
    #[error("{engine} answered with status {status}")]
    Status { engine: EngineId, status: u16 },
    #[error("{engine} answered with something we cannot read: {detail}")]
    Unreadable { engine: EngineId, detail: String },
    #[error("{engine} rests until it has recovered from its last failures")]
    Resting {
        engine: EngineId,
        /// What the last of them was.
        after: ErrorCode,
    },
    #[error("{engine} is not on this computer, and private mode is on")]
    Private { engine: EngineId },
}

impl SearchError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Captcha { .. } => ErrorCode::Captcha,
            // Who could not be reached and was left alone since is no less out of reach.
            Self::Resting {
                after: ErrorCode::Offline,
                ..
            } => ErrorCode::Offline,
            Self::RateLimited { .. } | Self::Resting { .. } => ErrorCode::RateLimited,
            Self::QuotaExceeded { .. } => ErrorCode::QuotaExceeded,
            Self::KeyRefused { .. } | Self::KeyMissing { .. } => ErrorCode::KeyRefused,
            Self::TimedOut { .. } => ErrorCode::TimedOut,
            Self::Unreachable { .. } => ErrorCode::Offline,
            Self::NoResults { .. } => ErrorCode::NoResults,
            Self::Status { .. } | Self::Unreadable { .. } => ErrorCode::Upstream,
            Self::Private { .. } => ErrorCode::Private,
        }
    }

    fn engine(&self) -> &str {
        match self {
            Self::Captcha { engine }
            | Self::RateLimited { engine, .. }
            | Self::QuotaExceeded { engine }
            | Self::KeyRefused { engine }
            | Self::KeyMissing { engine }
            | Self::TimedOut { engine, .. }
            | Self::Unreachable { engine, .. }
            | Self::NoResults { engine }
            | Self::Status { engine, .. }
            | Self::Unreadable { engine, .. }
            | Self::Resting { engine, .. }
            | Self::Private { engine } => engine,
        }
    }
}

impl From<&SearchError> for Failure {
    fn from(error: &SearchError) -> Self {
        let failure = Self::new(error.code(), format!("{error}.")).with(error.engine());
        match error {
            SearchError::KeyRefused { engine } | SearchError::KeyMissing { engine } => failure.hint(format!(
                "Set its key: `deepsearch settings set engines.{engine}.key KEY`."
            )),
            SearchError::QuotaExceeded { .. } => {
                failure.hint("Wait for the allowance to renew, or turn on another engine.")
            }
            SearchError::Private { .. } => failure.hint(PRIVATE_HINT),
            SearchError::Captcha { .. } => failure.hint("Use an engine with a key, or your own SearXNG."),
            SearchError::Unreachable { .. } => failure.hint("Check the network connection and the engine's address."),
            _ => failure,
        }
    }
}

/// A place that can be searched. Implemented by one file per engine, and by fakes in tests.
#[async_trait]
pub trait SearchEngine: Send + Sync {
    fn id(&self) -> &str;

    fn kind(&self) -> EngineKind {
        EngineKind::Web
    }

    /// Searches once, without retry; dropping the future stops it.
    ///
    /// # Errors
    /// [`SearchError`]; an empty list is [`SearchError::NoResults`].
    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError>;
}

/// One engine that was asked and failed.
#[derive(Debug)]
pub struct Attempt {
    pub engine: EngineId,
    pub error: SearchError,
}

/// One time that an engine was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct EngineEvent {
    pub engine: EngineId,
    pub at: DateTime<Utc>,
    /// How long it took, whether it answered or not.
    pub milliseconds: u32,
    /// Why it failed; `None` where it answered.
    pub failure: Option<Failure>,
}

/// What came of a search over several engines.
#[derive(Debug, Default)]
pub struct SearchOutcome {
    /// One for each engine that answered, in the engines' order; none when nothing did, and the attempts say why.
    pub results: Vec<SearchResults>,
    /// The engines that failed before, in the order they were asked.
    pub attempts: Vec<Attempt>,
    pub cached: bool,
    /// From a cache past its time, because no engine answered.
    pub stale: bool,
}

/// Engines in an order, with failover and cache: what the pipeline asks. It never fails; an outcome can be empty.
#[async_trait]
pub trait Searcher: Send + Sync {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome;
}
