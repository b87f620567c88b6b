//! Rules that values keep on their way in (seed 8.2, part 6). On the way out everything is tolerated.

use thiserror::Error;

/// A value that cannot be taken, in a sentence that says which and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Invalid {
    #[error("{field} is empty; write something there")]
    Empty { field: &'static str },
    #[error("{field} has {length} {unit}, and at most {limit} can be kept; shorten it")]
    TooLong {
        field: &'static str,
        length: usize,
        limit: usize,
        unit: &'static str,
    },
    #[error("{field} `{value}` is not a valid {expected}")]
    Malformed {
        field: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("there is {field} `{value}` already; choose another name")]
    Taken { field: &'static str, value: String },
    #[error("there may be at most {limit} {field}; take one away first")]
    TooMany { field: &'static str, limit: u32 },
}

/// Longest message, in UTF-16 code units: the stricter of the two readings of seed 8.2 (R8).
pub const MESSAGE_UTF16_LIMIT: usize = 100_000;
/// Longest chat title, in code points (seed 3.1).
pub const TITLE_LIMIT: usize = 500;
/// Longest query kept in the search cache, in code points (seed R21).
pub const CACHED_QUERY_LIMIT: usize = 500;

/// Holds `value` between `min` and `max` code points.
pub fn chars_between(field: &'static str, value: &str, min: usize, max: usize) -> Result<(), Invalid> {
    let length = value.chars().count();
    if length < min {
        return Err(Invalid::Empty { field });
    }
    if length > max {
        return Err(Invalid::TooLong {
            field,
            length,
            limit: max,
            unit: "characters",
        });
    }
    Ok(())
}

/// Message content that may be written: 1 to 100,000 UTF-16 units (seed R8), not only white space.
pub fn message_content(content: &str) -> Result<(), Invalid> {
    if content.trim().is_empty() {
        return Err(Invalid::Empty { field: "the message" });
    }
    let length = content.encode_utf16().count();
    if length > MESSAGE_UTF16_LIMIT {
        return Err(Invalid::TooLong {
            field: "the message",
            length,
            limit: MESSAGE_UTF16_LIMIT,
            unit: "UTF-16 units",
        });
    }
    Ok(())
}

/// An absolute URL of any scheme, as `z.string().url()` takes it (seed 8.2).
pub fn absolute_url(field: &'static str, value: &str) -> Result<(), Invalid> {
    match url::Url::parse(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(Invalid::Malformed {
            field,
            value: value.chars().take(200).collect(),
            expected: "URL",
        }),
    }
}
