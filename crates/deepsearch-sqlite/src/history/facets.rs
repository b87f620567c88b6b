//! Facets: tokens beside a document's text that filters look for, so that a filter narrows a search inside the index
//! instead of discarding, one by one, a million matches of a common word.
//!
//! They begin with `_`, which no token of a text does.

use chrono::{DateTime, Datelike, Utc};
use deepsearch_core::ChatId;

/// A range longer than this many years is left to the rows' own times.
const MOST_YEARS: i32 = 60;

pub(super) fn chat(id: &ChatId) -> String {
    format!("_c{:016x}", digest(id.as_str()))
}

/// One for the host and each domain above it: `wikipedia.org` finds `en.wikipedia.org`.
pub(super) fn hosts(host: &str) -> impl Iterator<Item = String> {
    let host = host.to_ascii_lowercase();
    let mut starts = vec![0];
    starts.extend(host.match_indices('.').map(|(at, _)| at + 1));
    // The top-level domain alone says nothing, except where it is all there is (`guide`, `localhost`).
    if starts.len() > 1 {
        starts.pop();
    }
    starts
        .into_iter()
        .map(move |start| format!("_h{:016x}", digest(&host[start..])))
}

pub(super) fn host(host: &str) -> String {
    let host = host.trim().trim_start_matches("www.").to_ascii_lowercase();
    format!("_h{:016x}", digest(&host))
}

pub(super) fn month(at: DateTime<Utc>) -> String {
    format!("_m{:04}{:02}", at.year(), at.month())
}

pub(super) fn year(at: DateTime<Utc>) -> String {
    format!("_y{:04}", at.year())
}

/// An expression for the months and years that a time range touches; `None` where it is too long to name them.
pub(super) fn time_range(from: DateTime<Utc>, until: DateTime<Utc>) -> Option<String> {
    if from > until || until.year() - from.year() > MOST_YEARS {
        return None;
    }
    let mut names = Vec::new();
    for year in from.year()..=until.year() {
        let first = if year == from.year() { from.month() } else { 1 };
        let last = if year == until.year() { until.month() } else { 12 };
        if (first, last) == (1, 12) {
            names.push(format!("_y{year:04}"));
        } else {
            names.extend((first..=last).map(|month| format!("_m{year:04}{month:02}")));
        }
    }
    Some(names.join(" OR "))
}

/// FNV-1a, 64 bits. Ids and hosts hold characters that the index splits at; two that meet are told apart by the rows.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
