//! Looking into JSON of strangers: a member that is missing or of another type than it was once is nothing, not an error.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use deepsearch_core::Source;
use serde_json::Value;
use url::Url;

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// A time as a number of seconds (milliseconds, nanoseconds: told apart by their size) or as text with or without a zone.
pub(crate) fn time(value: &Value, key: &str) -> Option<DateTime<Utc>> {
    let time = match value.get(key)? {
        Value::String(text) => DateTime::parse_from_rfc3339(text)
            .map(|time| time.to_utc())
            .ok()
            .or_else(|| {
                let naive = text.parse::<NaiveDateTime>().ok()?;
                Some(naive.and_utc())
            }),
        number => {
            let number = number.as_f64().filter(|number| number.is_finite() && *number > 0.0)?;
            let seconds = match number {
                _ if number > 1e17 => number / 1e9,
                _ if number > 1e11 => number / 1e3,
                _ => number,
            };
            DateTime::from_timestamp_millis((seconds * 1e3) as i64)
        }
    };
    time.map(|time| time.trunc_subsecs(3))
}

/// Of one message. Each is looked for among those before it, and in the text: beyond this a message is made to cost time.
pub(crate) const SOURCES: usize = 500;

/// Adds a source where it has an address of the web, and says which number cites it. One address is one source.
pub(crate) fn cite(sources: &mut Vec<Source>, title: &str, url: &str, snippet: &str) -> Option<usize> {
    let address = Url::parse(url).ok()?;
    if !matches!(address.scheme(), "http" | "https") {
        return None;
    }
    if let Some(at) = sources.iter().position(|source| source.url == url) {
        return Some(at + 1);
    }
    if sources.len() >= SOURCES {
        return None;
    }
    let title = if title.trim().is_empty() {
        address.host_str().unwrap_or(url)
    } else {
        title.trim()
    };
    sources.push(Source {
        title: title.chars().take(500).collect(),
        url: url.to_owned(),
        snippet: snippet.chars().take(2_000).collect(),
        favicon: None,
    });
    Some(sources.len())
}
