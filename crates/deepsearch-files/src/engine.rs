//! The folders as a search engine and as a reader of their own files. Works offline, and never makes an answer wait.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use deepsearch_core::{
    EngineKind, FetchError, Page, PageFetcher, SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults,
    TimeRange,
};
use url::Url;

use crate::files::{Files, address};
use crate::index::Match;
use crate::read;

/// The scheme of files: `files:KEY/NAME`. Where a file lies is known to the index alone.
pub const SCHEME: &str = "files";
pub const ID: &str = "files";

/// After this an answer goes on without.
const LIMIT: Duration = Duration::from_secs(3);

#[async_trait]
impl SearchEngine for Files {
    fn id(&self) -> &str {
        ID
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Files
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let limit = query.limit.clamp(1, 50);
        let since = query
            .time_range
            .map(|range| self.inner.options.clock.now() - days(range));
        // Of a moment that nanoseconds cannot tell, everything is since.
        let since = since.and_then(|since| since.timestamp_nanos_opt());
        let asked = self.inner.index.search(&query.text, since, 4 * limit);
        let timed_out = |_| SearchError::TimedOut {
            engine: ID.into(),
            limit: LIMIT,
        };
        let found = tokio::time::timeout(LIMIT, asked).await.map_err(timed_out)?;
        let found = found.map_err(|error| SearchError::Unreadable {
            engine: ID.into(),
            detail: error.to_string(),
        })?;
        let folders = self.folders();
        // A folder that was taken away is not searched from that moment on, whatever the index still holds.
        let is_wanted = |found: &Match| folders.iter().any(|folder| found.path.starts_with(folder));
        let hits: Vec<SearchHit> = found.into_iter().filter(is_wanted).take(limit).map(hit).collect();
        if hits.is_empty() {
            return Err(SearchError::NoResults { engine: ID.into() });
        }
        Ok(SearchResults {
            engine: ID.into(),
            query: query.text.clone(),
            hits,
        })
    }
}

fn days(range: TimeRange) -> chrono::TimeDelta {
    chrono::TimeDelta::days(match range {
        TimeRange::Day => 1,
        TimeRange::Week => 7,
        TimeRange::Month => 31,
        TimeRange::Year => 366,
    })
}

fn hit(found: Match) -> SearchHit {
    SearchHit {
        url: address(&found.key, &found.path).into(),
        title: titled(&found.title, &found.path),
        snippet: found.lead,
        favicon: None,
        published_at: (found.modified > 0).then(|| DateTime::from_timestamp_nanos(found.modified)),
    }
}

/// What a file says it is, and the name it has on the disk.
fn titled(title: &str, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match title.trim() {
        "" => name.into_owned(),
        title if title == name => title.to_owned(),
        title => format!("{title} ({name})"),
    }
}

#[async_trait]
impl PageFetcher for Files {
    /// Reads a file as it is now.
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        let unknown = || FetchError::Unknown { url: url.clone() };
        let path = self.path_of(url).await.map_err(|_| unknown())?.ok_or_else(unknown)?;
        let unparsable = |detail: String| FetchError::Unparsable {
            url: url.clone(),
            detail: detail.trim_end_matches('.').to_owned(),
        };
        let (file, rules) = (path.clone(), self.rules());
        let bytes = tokio::task::spawn_blocking(move || read::bytes(&file, rules)).await;
        let bytes = bytes.map_err(|_| unknown())?.map_err(unparsable)?;
        let options = &self.inner.options;
        let mut page = read::page(&path, url, bytes, &options.reader, &*options.clock)
            .await
            .map_err(|unread| unparsable(unread.reason))?;
        page.title = titled(&page.title, &path);
        page.site_name = None;
        page.favicon = None;
        Ok(page)
    }
}
