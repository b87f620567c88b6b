//! Cleaning what engines bring: plain text only, web addresses only, each page once.
//!
//! What a stranger wrote is data. Nothing here judges it; it is only made harmless to show.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use deepsearch_core::{SearchError, SearchHit, SearchQuery, SearchResults};
use scraper::{Html, Node};
use url::Url;

/// Longest title and snippet, in characters.
const TITLE_LIMIT: usize = 300;
const SNIPPET_LIMIT: usize = 2_000;
/// Longest address; longer ones are traps or tracking.
const URL_LIMIT: usize = 2_048;

/// The results of a query: cleaned, each page once, at most as many as were asked for.
///
/// # Errors
/// [`SearchError::NoResults`] when nothing is left.
pub(crate) fn collect(
    engine: &str,
    query: &SearchQuery,
    hits: impl IntoIterator<Item = SearchHit>,
) -> Result<SearchResults, SearchError> {
    let mut seen = HashSet::new();
    let hits: Vec<_> = hits
        .into_iter()
        .filter_map(clean)
        .filter(|hit| seen.insert(page_of(&hit.url)))
        .take(query.limit.clamp(1, 50))
        .collect();
    if hits.is_empty() {
        return Err(SearchError::NoResults { engine: engine.into() });
    }
    Ok(SearchResults {
        engine: engine.into(),
        query: query.text.clone(),
        hits,
    })
}

/// A hit that may be shown and read; `None` when it leads nowhere on the web.
pub(crate) fn clean(hit: SearchHit) -> Option<SearchHit> {
    let url = web_address(&hit.url)?;
    let title = tidy(&hit.title, TITLE_LIMIT);
    Some(SearchHit {
        title: if title.is_empty() {
            url.host_str()?.to_owned()
        } else {
            title
        },
        snippet: tidy(&hit.snippet, SNIPPET_LIMIT),
        favicon: hit.favicon.and_then(|favicon| web_address(&favicon)).map(String::from),
        published_at: hit.published_at,
        url: url.into(),
    })
}

fn web_address(address: &str) -> Option<Url> {
    let address = address.trim();
    let mut url = Url::parse(address).ok().filter(|_| address.len() <= URL_LIMIT)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    // A name and password in an address only serve to make it look like another one.
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// What two addresses of one page have in common: no scheme, `www.`, fragment, closing slash or tracking.
fn page_of(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return url.to_owned();
    };
    let host = url.host_str().unwrap_or_default();
    let is_tracking = |name: &str| name.starts_with("utm_") || matches!(name, "gclid" | "fbclid" | "srsltid");
    let mut page = format!(
        "{}{}",
        host.strip_prefix("www.").unwrap_or(host),
        url.path().trim_end_matches('/')
    );
    for (name, value) in url.query_pairs().filter(|(name, _)| !is_tracking(name)) {
        page.push_str(&format!("&{name}={value}"));
    }
    page
}

/// One line without control characters, and without those that turn the direction of writing to deceive.
fn tidy(text: &str, limit: usize) -> String {
    let is_trick = |c: char| matches!(c, '\u{200B}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !is_trick(*c)).take(limit).collect()
}

/// The text of HTML, without tags, scripts and styles, its entities decoded.
pub(crate) fn from_html(html: &str) -> String {
    let fragment = Html::parse_fragment(html);
    let mut text = String::new();
    for node in fragment.tree.root().descendants() {
        let Node::Text(piece) = node.value() else {
            // A tag that ends a line would otherwise glue two words together.
            if node
                .value()
                .as_element()
                .is_some_and(|tag| matches!(tag.name(), "br" | "p" | "div" | "li"))
            {
                text.push(' ');
            }
            continue;
        };
        let is_hidden = |name: &str| matches!(name, "script" | "style" | "noscript" | "template" | "iframe");
        let hidden = node
            .ancestors()
            .any(|up| up.value().as_element().is_some_and(|tag| is_hidden(tag.name())));
        if !hidden {
            text.push_str(piece);
        }
    }
    text
}

/// The text of an engine that promises plain text: `Vec<T>` stays, markup that slipped in goes.
pub(crate) fn from_text(text: &str) -> String {
    if has_markup(text) {
        from_html(text)
    } else {
        text.to_owned()
    }
}

fn has_markup(text: &str) -> bool {
    const TAGS: &[&str] = &[
        "a", "b", "br", "code", "div", "em", "font", "form", "h1", "h2", "h3", "i", "iframe", "img", "input", "li",
        "link", "mark", "meta", "object", "p", "script", "span", "strong", "style", "sub", "sup", "svg", "table", "td",
        "tr", "u", "ul",
    ];
    let opens_tag = text.split('<').skip(1).any(|rest| {
        let name = rest.trim_start_matches('/');
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        name[end..].starts_with(['>', ' ', '/', '\n', '\t'])
            && TAGS.contains(&name[..end].to_ascii_lowercase().as_str())
    });
    let has_entity = text.split('&').skip(1).any(|rest| {
        let end = rest.find(';').filter(|end| (2..=8).contains(end));
        end.is_some_and(|end| {
            rest[..end]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'#')
        })
    });
    opens_tag || has_entity
}

/// When a page was published, in any of the ways engines write it: full dates with or without zone or time,
/// `Mar 3, 2024`, `3 days ago`. A date in the future is none.
pub(crate) fn published(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let date = with_zone(text)
        .or_else(|| without_zone(text))
        .or_else(|| day(text))
        .or_else(|| ago(text, now))?;
    (date <= now + Days::new(1)).then_some(date)
}

fn with_zone(text: &str) -> Option<DateTime<Utc>> {
    let parsed = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    parsed.ok().map(|date| date.with_timezone(&Utc))
}

fn without_zone(text: &str) -> Option<DateTime<Utc>> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let parse = |format| NaiveDateTime::parse_from_str(text, format).ok();
    formats.into_iter().find_map(parse).map(|date| date.and_utc())
}

fn day(text: &str) -> Option<DateTime<Utc>> {
    let formats = ["%Y-%m-%d", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d.%m.%Y"];
    let parse = |format| NaiveDate::parse_from_str(text, format).ok();
    Some(formats.into_iter().find_map(parse)?.and_hms_opt(0, 0, 0)?.and_utc())
}

fn ago(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut words = text.strip_suffix("ago")?.split_whitespace();
    let number: i64 = words
        .next()?
        .parse()
        .ok()
        .filter(|number| (0..10_000).contains(number))?;
    let unit = match words.next()?.trim_end_matches('s') {
        "second" | "sec" => TimeDelta::seconds(1),
        "minute" | "min" => TimeDelta::minutes(1),
        "hour" => TimeDelta::hours(1),
        "day" => TimeDelta::days(1),
        "week" => TimeDelta::weeks(1),
        "month" => TimeDelta::days(30),
        "year" => TimeDelta::days(365),
        _ => return None,
    };
    now.checked_sub_signed(unit * i32::try_from(number).ok()?)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn hit(url: &str) -> SearchHit {
        SearchHit {
            title: "Title".into(),
            url: url.into(),
            snippet: String::new(),
            favicon: None,
            published_at: None,
        }
    }

    fn query(limit: usize) -> SearchQuery {
        SearchQuery {
            text: "rust".into(),
            locale: None,
            time_range: None,
            limit,
        }
    }

    fn urls(addresses: &[&str], limit: usize) -> Vec<String> {
        let results = collect("any", &query(limit), addresses.iter().map(|url| hit(url))).unwrap();
        results.hits.into_iter().map(|hit| hit.url).collect()
    }

    #[test]
    fn only_web_addresses_are_hits() {
        let addresses = [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "ftp://example.org/",
            "//example.org/relative",
            "https://",
            "not an address",
            "https://example.org/good",
        ];
        assert_eq!(urls(&addresses, 10), ["https://example.org/good"]);
    }

    #[test]
    fn a_page_under_two_addresses_is_one_hit() {
        let addresses = [
            "https://www.example.org/page/",
            "http://example.org/page#part",
            "https://example.org/page?utm_source=x&gclid=1",
            "https://example.org/page?id=2",
        ];
        let found = ["https://www.example.org/page/", "https://example.org/page?id=2"];
        assert_eq!(urls(&addresses, 10), found);
    }

    #[test]
    fn no_more_hits_than_asked_for() {
        assert_eq!(urls(&["https://a.org", "https://b.org", "https://c.org"], 2).len(), 2);
    }

    #[test]
    fn nothing_is_left_of_markup_and_tricks() {
        assert_eq!(
            from_html("<b>Rust</b> &amp; <i>C++</i><script>x()</script>"),
            "Rust & C++"
        );
        assert_eq!(from_text("a &quot;quoted&quot; <em>word</em>"), "a \"quoted\" word");
        assert_eq!(from_text("Vec<T> is a < b && c > d"), "Vec<T> is a < b && c > d");
        assert_eq!(tidy("a\u{0}b\n c\u{202E}d", 10), "a b cd");
        let deceiving = clean(hit("https://bank.example@evil.example/")).unwrap();
        assert_eq!(deceiving.url, "https://evil.example/");
    }

    #[test]
    fn dates_are_read_however_an_engine_writes_them() {
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).single().unwrap();
        let read = |text| published(text, now).map(|date| date.format("%F %H:%M").to_string());
        for (text, date) in [
            ("2023-11-16T01:36:32.547Z", "2023-11-16 01:36"),
            ("2025-01-15T08:00:00", "2025-01-15 08:00"),
            ("2025-12-30T00:00:00.0000000", "2025-12-30 00:00"),
            ("2026-01-02 10:00:00", "2026-01-02 10:00"),
            ("Mon, 20 Jan 2025 10:00:00 GMT", "2025-01-20 10:00"),
            ("2025-01-15", "2025-01-15 00:00"),
            ("Mar 3, 2024", "2024-03-03 00:00"),
            ("2 days ago", "2026-11-21 12:00"),
            ("1 hour ago", "2026-11-23 11:00"),
        ] {
            assert_eq!(read(text).as_deref(), Some(date), "{text}");
        }
        for none in ["", "soon", "2031-01-01", "-5 days ago", "99999999999 years ago"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
