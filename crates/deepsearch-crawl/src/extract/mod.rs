//! Turns the HTML of a page into what a person came to read, and who wrote it when.
//!
//! Knows nothing of the network or of other formats: a decoded document comes in, readable text goes out.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// The readable part of one page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    /// The page's own title, without the name of its site; empty when it has none.
    pub title: String,
    /// Who wrote it, as the page says.
    pub author: Option<String>,
    /// The name of the site.
    pub site_name: Option<String>,
    /// When it was published (or last changed, where only that is told).
    pub published_at: Option<DateTime<Utc>>,
    /// Absolute address of the site's small icon.
    pub favicon: Option<Url>,
    /// BCP 47 tag, as the page declares it.
    pub language: Option<String>,
    /// The main content: one block per line; cells of a table row are joined by ` | `.
    pub text: String,
    /// The same content as sanitised HTML, for the reader view.
    pub html: Option<String>,
}

/// Why a document gave no readable page.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// Scripts draw the page, or it holds nothing but navigation.
    #[error("found no readable text in `{url}`; it may need a browser to show itself")]
    NoText {
        /// The page.
        url: Url,
    },
}

/// Finds the main content of `html`, which was fetched from `url`.
///
/// # Errors
/// [`ExtractError::NoText`] when no text is left once navigation and other furniture is gone.
pub fn extract_html(html: &str, url: &Url) -> Result<Extracted, ExtractError> {
    let no_text = || ExtractError::NoText { url: url.clone() };
    let config = dom_smoothie::Config {
        text_mode: dom_smoothie::TextMode::Formatted,
        ..Default::default()
    };
    let mut reader = dom_smoothie::Readability::new(html, Some(url.as_str()), Some(config)).map_err(|_| no_text())?;
    let article = reader.parse().map_err(|_| no_text())?;
    let text = article
        .text_content
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>();
    if text.is_empty() {
        return Err(no_text());
    }
    Ok(Extracted {
        title: article.title.trim().to_owned(),
        author: article.byline,
        site_name: article.site_name,
        published_at: article.published_time.as_deref().and_then(date),
        favicon: article.favicon.and_then(|icon| url.join(&icon).ok()),
        language: article.lang,
        text: text.join("\n"),
        html: Some(ammonia::clean(&article.content)),
    })
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let exact = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    exact.ok().or_else(|| {
        Some(
            text.get(..10)?
                .parse::<NaiveDate>()
                .ok()?
                .and_time(NaiveTime::MIN)
                .and_utc(),
        )
    })
}
