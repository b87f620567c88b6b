//! Queries to hits: every searcher is asked side by side, and the lists are fused.

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{ErrorCode, Failure, SearchError, SearchHit, SearchOutcome, SearchQuery, Searcher};
use futures::future::join_all;

use crate::pipeline::Steps;

/// What a search brought, and whether it was stopped by the lack of a network.
#[derive(Debug, Default)]
pub struct Retrieved {
    /// Best first, one address once.
    pub hits: Vec<SearchHit>,
    /// No engine that was asked could be reached.
    pub offline: bool,
    /// Why there are no hits, where that is an engine's failure.
    pub failure: Option<Failure>,
}

/// Asks each searcher each query at the same time. Deadlines are the searchers' own.
pub async fn retrieve(searchers: &[std::sync::Arc<dyn Searcher>], queries: &[SearchQuery], steps: &Steps) -> Retrieved {
    let asked = searchers
        .iter()
        .flat_map(|searcher| queries.iter().map(move |query| (searcher, query)));
    let outcomes = join_all(asked.map(|(searcher, query)| async move {
        let outcome = searcher.search(query).await;
        tell(query, &outcome, steps).await;
        outcome
    }))
    .await;
    let failures: Vec<ErrorCode> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.attempts)
        .map(|a| a.error.code())
        .collect();
    let failure = outcomes
        .iter()
        .flat_map(|outcome| &outcome.attempts)
        .find(|attempt| !matches!(attempt.error, SearchError::NoResults { .. }));
    let failure = failure.map(|attempt| Failure::from(&attempt.error));
    let lists: Vec<Vec<SearchHit>> = outcomes
        .into_iter()
        .flat_map(|outcome| outcome.results)
        .map(|results| results.hits)
        .collect();
    let hits = deepsearch_rank::fuse(&lists);
    Retrieved {
        failure: failure.filter(|_| hits.is_empty()),
        offline: lists.is_empty()
            && failures.contains(&ErrorCode::Offline)
            && failures
                .iter()
                .all(|code| matches!(code, ErrorCode::Offline | ErrorCode::TimedOut)),
        hits,
    }
}

async fn tell(query: &SearchQuery, outcome: &SearchOutcome, steps: &Steps) {
    // What comes from the cache is not the next engine's.
    let fresh = outcome.results.last().filter(|_| !outcome.cached);
    let after = fresh.map(|results| results.engine.clone());
    for (at, attempt) in outcome.attempts.iter().enumerate() {
        let next = outcome
            .attempts
            .get(at + 1)
            .map(|next| next.engine.clone())
            .or_else(|| after.clone());
        let failure = Failure::from(&attempt.error);
        steps
            .event(AnswerEvent::SearchFailed {
                engine: attempt.engine.clone(),
                query: query.text.clone(),
                failure,
                next,
            })
            .await;
    }
    for results in &outcome.results {
        let (cached, stale) = (outcome.cached, outcome.stale);
        let (engine, hits) = (results.engine.clone(), results.hits.clone());
        steps
            .event(AnswerEvent::Searched {
                engine,
                query: query.text.clone(),
                hits,
                cached,
                stale,
            })
            .await;
    }
}
