//! Searching without an answer, for a person who wants to choose what to read: one list of what all engines found.

use std::collections::HashSet;

use deepsearch_core::{Failure, SearchHit, SearchOutcome, SearchQuery, validate};
use serde::Serialize;

use crate::app::App;
use crate::error::AppError;

/// What the web engines found.
#[derive(Debug, Clone, Default, Serialize, specta::Type)]
pub struct WebResults {
    /// The best of each engine first; a page that several found stands once.
    pub hits: Vec<SearchHit>,
    /// Why engines that were asked found nothing.
    pub failures: Vec<Failure>,
}

impl App {
    /// Searches the web with the engines in use, as many results as the settings want, and answers nothing.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a question that is empty or too long. Engines that fail are told beside the results.
    pub async fn search_web(&self, text: &str) -> Result<WebResults, AppError> {
        let text = text.trim();
        validate::chars_between("the query", text, 1, 2_000)?;
        let limit = self.setting("max_search_results")?.value.as_u64().unwrap_or(10);
        let query = SearchQuery {
            text: text.to_owned(),
            locale: self.setting("language")?.value.as_str().map(str::to_owned),
            time_range: None,
            limit: usize::try_from(limit).unwrap_or(10).clamp(1, 50),
        };
        let mut results = WebResults::from(self.search(None, &query).await?);
        results.hits.truncate(query.limit);
        Ok(results)
    }
}

impl From<SearchOutcome> for WebResults {
    fn from(outcome: SearchOutcome) -> Self {
        let failures = outcome.attempts.iter().map(|attempt| Failure::from(&attempt.error));
        let longest = outcome.results.iter().map(|found| found.hits.len()).max();
        let mut seen = HashSet::new();
        let mut hits = Vec::new();
        for rank in 0..longest.unwrap_or(0) {
            let these = outcome.results.iter().filter_map(|found| found.hits.get(rank));
            hits.extend(these.filter(|hit| seen.insert(hit.url.clone())).cloned());
        }
        Self {
            failures: failures.collect(),
            hits,
        }
    }
}

#[cfg(test)]
mod tests {
    use deepsearch_core::{Attempt, SearchError, SearchResults};

    use super::*;

    fn found(engine: &str, urls: &[&str]) -> SearchResults {
        let hit = |url: &&str| SearchHit {
            title: format!("{engine}: {url}"),
            url: (*url).to_owned(),
            snippet: String::new(),
            favicon: None,
            published_at: None,
        };
        SearchResults {
            engine: engine.into(),
            query: "q".into(),
            hits: urls.iter().map(hit).collect(),
        }
    }

    #[test]
    fn the_best_of_each_engine_comes_first_and_no_page_comes_twice() {
        let outcome = SearchOutcome {
            results: vec![found("a", &["1", "2", "3"]), found("b", &["2", "4"])],
            ..SearchOutcome::default()
        };
        let urls: Vec<_> = WebResults::from(outcome).hits.into_iter().map(|hit| hit.url).collect();
        assert_eq!(urls, ["1", "2", "4", "3"]);
    }

    #[test]
    fn engines_that_failed_are_told_beside_what_others_found() {
        let outcome = SearchOutcome {
            results: vec![found("a", &["1"])],
            attempts: vec![Attempt {
                engine: "b".into(),
                error: SearchError::NoResults { engine: "b".into() },
            }],
            ..SearchOutcome::default()
        };
        let results = WebResults::from(outcome);
        assert_eq!((results.hits.len(), results.failures.len()), (1, 1));
    }
}
