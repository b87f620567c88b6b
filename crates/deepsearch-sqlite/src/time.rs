//! Times as the tables keep them: Unix milliseconds.

use chrono::{DateTime, Utc};

/// A time out of a row. One that no calendar knows, which only damage can bring about, reads as 1970.
pub(crate) fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
