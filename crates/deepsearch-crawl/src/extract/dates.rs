//! Reads the ways in which pages write a date down for machines, and the commonest ways for people.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// The moment `text` names; a date alone is its first moment in UTC.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let plausible = |time: &DateTime<Utc>| (1990..2100).contains(&chrono::Datelike::year(time));
    zoned(text)
        .or_else(|| local(text))
        .or_else(|| day(text))
        .filter(plausible)
}

fn zoned(text: &str) -> Option<DateTime<Utc>> {
    const ZONED: &[&str] = &[
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%dT%H:%M%z",
        "%Y-%m-%d %H:%M:%S%.f %z",
        "%Y-%m-%d %H:%M:%S%z",
    ];
    let standard = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    let other = || {
        ZONED
            .iter()
            .find_map(|format| DateTime::parse_from_str(text, format).ok())
    };
    standard.ok().or_else(other).map(|time| time.to_utc())
}

fn local(text: &str) -> Option<DateTime<Utc>> {
    const LOCAL: &[&str] = &[
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ];
    let text = text.trim_end_matches(" UTC").trim_end_matches('Z');
    LOCAL
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc())
}

fn day(text: &str) -> Option<DateTime<Utc>> {
    const DAY: &[&str] = &[
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%Y%m%d",
        "%B %d, %Y",
        "%b %d, %Y",
        "%d %B %Y",
        "%d %b %Y",
    ];
    let date = |text: &str| {
        DAY.iter()
            .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
    };
    let date = date(text).or_else(|| date(text.get(..10)?))?;
    Some(date.and_time(NaiveTime::MIN).and_utc())
}
