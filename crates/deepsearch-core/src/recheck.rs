//! Recheck: what has become of each sentence of an old answer, now that its question was asked again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An answer that was held against what its question brings now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Recheck {
    pub checked_at: DateTime<Utc>,
    /// How many sentences do not stand as they did.
    pub changed: u32,
    /// The old answer's sentences in order, then those that only the new one has.
    pub sentences: Vec<Compared>,
}

/// What has become of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A source that was read now says so too.
    Same,
    /// A source that was read now says otherwise.
    Changed,
    /// No source that was read now says so any more.
    Gone,
    /// Only the new answer says so.
    New,
}

/// One sentence, with what it rests on, then and now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Compared {
    pub standing: Standing,
    pub sentence: String,
    pub before: Option<Proof>,
    pub now: Option<Proof>,
}

/// A sentence of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Proof {
    pub quote: String,
    pub title: String,
    pub url: String,
}
