//! Failover: engines in an order as one search that answers whenever any of them can.
//!
//! A cache lies in front, equal questions in flight share one request, and an engine that fails makes place for the
//! next. Nothing is hidden: the outcome tells who failed and why.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::search::Attempt;
use deepsearch_core::{
    Cache, Clock, EngineEvent, EngineId, Freshness, SearchEngine, SearchError, SearchOutcome, SearchQuery,
    SearchResults, Searcher,
};
use futures::future::{BoxFuture, FutureExt, Shared, WeakShared};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::cached;
use crate::health::{EngineHealth, Memory, Record};

/// How long a search may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One engine, its retry included.
    pub engine: Duration,
    /// All engines of one question together.
    pub overall: Duration,
    /// How long the others are waited for once one engine has answered, when several run side by side.
    pub patience: Duration,
    /// How long the cache is waited for.
    pub cache: Duration,
    /// How many engines are asked at the same time; their lists are the caller's to fuse.
    pub side_by_side: usize,
    /// The pause before the one retry of an engine that could not be reached or had an error of its own.
    pub retry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            engine: Duration::from_secs(8),
            overall: Duration::from_secs(20),
            patience: Duration::from_millis(1500),
            cache: Duration::from_secs(1),
            side_by_side: 1,
            retry: Duration::from_millis(250),
        }
    }
}

/// Engines in an order, with a cache in front.
pub struct Failover {
    engines: Arc<Engines>,
    flights: Mutex<HashMap<Flight, WeakShared<BoxFuture<'static, Arc<Outcome>>>>>,
}

/// What makes two questions in flight the same.
type Flight = (SearchQuery, usize);

struct Engines {
    slots: Vec<Slot>,
    cache: Option<Arc<dyn Cache>>,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

struct Slot {
    engine: Arc<dyn SearchEngine>,
    record: Record,
}

/// A [`SearchOutcome`] that several askers share.
#[derive(Default)]
struct Outcome {
    answers: Vec<SearchResults>,
    failures: Vec<(EngineId, SearchError)>,
    cached: bool,
    stale: bool,
}

impl Failover {
    /// Engines in the order they are asked. Without a `cache`, each question is asked anew.
    pub fn new(
        engines: Vec<Arc<dyn SearchEngine>>,
        cache: Option<Arc<dyn Cache>>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Self {
        let slot = |engine: Arc<dyn SearchEngine>| Slot {
            record: Record::new(engine.id(), clock.clone()),
            engine,
        };
        Self {
            engines: Arc::new(Engines {
                slots: engines.into_iter().map(slot).collect(),
                cache,
                clock: clock.clone(),
                limits,
            }),
            flights: Mutex::default(),
        }
    }

    /// How each engine is doing, in their order.
    pub fn health(&self) -> Vec<EngineHealth> {
        self.engines.slots.iter().map(|slot| slot.record.health()).collect()
    }

    /// What is to be remembered of each engine that was ever asked.
    pub fn memories(&self) -> Vec<Memory> {
        let memories = self.engines.slots.iter().map(|slot| slot.record.memory());
        memories.filter(Memory::holds_anything).collect()
    }

    /// What happened to each engine since this was asked for the last time, in the order it happened.
    pub fn take_events(&self) -> Vec<EngineEvent> {
        let slots = self.engines.slots.iter();
        let mut events: Vec<EngineEvent> = slots.flat_map(|slot| slot.record.take_events()).collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// Goes on from what was remembered of an engine: its rest, if it is not over, and how it had been doing.
    pub fn recall(&self, memory: &Memory) {
        let slot = self
            .engines
            .slots
            .iter()
            .find(|slot| slot.engine.id() == memory.health.engine);
        if let Some(slot) = slot {
            slot.record.recall(memory);
        }
    }

    /// Asks `width` engines at once, each failing one replaced by the next; what they find is the caller's to fuse.
    pub async fn search_all(&self, query: &SearchQuery, width: usize) -> SearchOutcome {
        self.joined(query, width.max(1)).await.told()
    }

    /// The same engines past the cache: for who wants to know how it is now.
    pub fn anew(&self) -> Anew {
        Anew(Arc::clone(&self.engines))
    }

    /// Joins an equal question that is in flight, or sets out with it. The flight ends when all who wait are gone.
    async fn joined(&self, query: &SearchQuery, width: usize) -> Arc<Outcome> {
        self.flight((tidied(query), width)).await
    }

    fn flight(&self, flight: Flight) -> Shared<BoxFuture<'static, Arc<Outcome>>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = flights.get(&flight).and_then(WeakShared::upgrade) {
            // One that has landed is history: the same question may be asked again.
            if shared.peek().is_none() {
                return shared;
            }
        }
        flights.retain(|_, flight| flight.upgrade().is_some());
        let engines = self.engines.clone();
        let (query, width) = flight.clone();
        let shared = async move { Arc::new(engines.outcome(&query, width).await) }
            .boxed()
            .shared();
        if let Some(weak) = shared.downgrade() {
            flights.insert(flight, weak);
        }
        shared
    }
}

#[async_trait]
impl Searcher for Failover {
    /// Asks as many engines at once as [`Limits::side_by_side`] says, and the next one for each that fails.
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        self.search_all(query, self.engines.limits.side_by_side).await
    }
}

/// Engines whose answers are never those of a cache, nor of a question that is in flight already. What they find is kept
/// for others, and how they do is known to the [`Failover`] they are of.
pub struct Anew(Arc<Engines>);

#[async_trait]
impl Searcher for Anew {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        let query = tidied(query);
        if query.text.is_empty() {
            return SearchOutcome::default();
        }
        let key = cached::key(&query);
        self.0
            .asked(key.as_deref(), &query, self.0.limits.side_by_side)
            .await
            .told()
    }
}

/// A question as it is asked and kept.
fn tidied(query: &SearchQuery) -> SearchQuery {
    SearchQuery {
        text: query.text.trim().to_owned(),
        limit: query.limit.clamp(1, 50),
        ..query.clone()
    }
}

impl Engines {
    /// Fresh from the cache, else from the engines, else stale from the cache.
    async fn outcome(&self, query: &SearchQuery, width: usize) -> Outcome {
        if query.text.is_empty() {
            return Outcome::default();
        }
        let key = cached::key(query);
        let kept = self.kept(key.as_deref()).await;
        let is_fresh = |entry: &SearchCache| entry.freshness(self.clock.now()) == Freshness::Fresh;
        if let Some(fresh) = kept.clone().filter(is_fresh) {
            let answers = cached::answers(fresh, query);
            if !answers.is_empty() {
                return Outcome {
                    answers,
                    cached: true,
                    ..Outcome::default()
                };
            }
        }
        let mut outcome = self.asked(key.as_deref(), query, width).await;
        if outcome.answers.is_empty()
            && let Some(old) = kept
        {
            outcome.answers = cached::answers(old, query);
            outcome.cached = !outcome.answers.is_empty();
            outcome.stale = outcome.cached;
        }
        outcome
    }

    /// From the engines, and kept.
    async fn asked(&self, key: Option<&str>, query: &SearchQuery, width: usize) -> Outcome {
        let outcome = self.ask(query, width).await;
        if !outcome.answers.is_empty() {
            self.keep(key, query, &outcome.answers).await;
        }
        outcome
    }

    /// Keeps `width` engines busy until as many have answered, the engines or the time are used up.
    async fn ask(&self, query: &SearchQuery, width: usize) -> Outcome {
        let end = Instant::now() + self.limits.overall;
        let mut patience = end;
        let mut next = 0..self.slots.len();
        let mut busy = FuturesUnordered::new();
        let mut answers: Vec<(usize, SearchResults)> = Vec::new();
        let mut failures = Vec::new();
        let set_out = |place: usize| {
            let Slot { engine, record } = &self.slots[place];
            let limit = self.limits.engine.min(end.saturating_duration_since(Instant::now()));
            let (query, retry) = (query.clone(), self.limits.retry);
            async move { (place, answer(engine.as_ref(), record, &query, limit, retry).await) }
        };
        busy.extend(next.by_ref().take(width).map(set_out));
        while let Ok(Some((place, answer))) = timeout_at(patience, busy.next()).await {
            match answer {
                Ok(results) => {
                    answers.push((place, results));
                    patience = patience.min(Instant::now() + self.limits.patience);
                }
                Err(error) => {
                    failures.push((self.slots[place].engine.id().to_owned(), error));
                    let more = usize::from(Instant::now() < patience);
                    busy.extend(next.by_ref().take(more).map(set_out));
                }
            }
            if answers.len() >= width {
                break;
            }
        }
        answers.sort_by_key(|(place, _)| *place);
        Outcome {
            answers: answers.into_iter().map(|(_, results)| results).collect(),
            failures,
            ..Outcome::default()
        }
    }

    async fn kept(&self, key: Option<&str>) -> Option<SearchCache> {
        let lookup = self.cache.as_ref()?.lookup(key?);
        match timeout(self.limits.cache, lookup).await {
            Ok(Ok(entry)) => entry,
            Ok(Err(error)) => {
                tracing::debug!("{error}; asking the engines");
                None
            }
            Err(_) => {
                tracing::debug!("the search cache did not answer in time; asking the engines");
                None
            }
        }
    }

    async fn keep(&self, key: Option<&str>, query: &SearchQuery, answers: &[SearchResults]) {
        let (Some(cache), Some(key)) = (&self.cache, key) else {
            return;
        };
        let entry = cached::entry(key, query, answers, self.clock.now());
        match timeout(self.limits.cache, cache.add(entry)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("{error}; the answer is not cached"),
            Err(_) => tracing::debug!("the search cache took too long; the answer may not be cached"),
        }
    }
}

/// Asks one engine, unless it rests, and remembers how it did.
async fn answer(
    engine: &dyn SearchEngine,
    record: &Record,
    query: &SearchQuery,
    limit: Duration,
    retry: Duration,
) -> Result<SearchResults, SearchError> {
    let id = || engine.id().to_owned();
    if let Some(after) = record.is_resting() {
        return Err(SearchError::Resting { engine: id(), after });
    }
    let began = Instant::now();
    let answer = match timeout(limit, twice(engine, query, retry)).await {
        Ok(Ok(results)) if results.hits.is_empty() => Err(SearchError::NoResults { engine: id() }),
        Ok(answer) => answer,
        Err(_) => Err(SearchError::TimedOut { engine: id(), limit }),
    };
    match &answer {
        Ok(_) => record.succeeded(began.elapsed()),
        Err(error) => record.failed(error, began.elapsed()),
    }
    answer
}

/// Asks again once where chance may have been the cause; never where the engine said no.
async fn twice(engine: &dyn SearchEngine, query: &SearchQuery, pause: Duration) -> Result<SearchResults, SearchError> {
    match engine.search(query).await {
        Err(SearchError::Unreachable { .. } | SearchError::Status { status: 500.., .. }) => {
            sleep(pause).await;
            engine.search(query).await
        }
        answer => answer,
    }
}

impl Outcome {
    fn told(&self) -> SearchOutcome {
        SearchOutcome {
            results: self.answers.clone(),
            attempts: self.attempts(),
            cached: self.cached,
            stale: self.stale,
        }
    }

    fn attempts(&self) -> Vec<Attempt> {
        let attempt = |(engine, error): &(EngineId, SearchError)| Attempt {
            engine: engine.clone(),
            error: copy(error),
        };
        self.failures.iter().map(attempt).collect()
    }
}

/// The same error for another asker. Its cause, which cannot be shared, goes along in words.
fn copy(error: &SearchError) -> SearchError {
    use SearchError as E;
    match error {
        E::Captcha { engine } => E::Captcha { engine: engine.clone() },
        E::RateLimited { engine, retry_after } => E::RateLimited {
            engine: engine.clone(),
            retry_after: *retry_after,
        },
        E::QuotaExceeded { engine } => E::QuotaExceeded { engine: engine.clone() },
        E::KeyRefused { engine } => E::KeyRefused { engine: engine.clone() },
        E::KeyMissing { engine } => E::KeyMissing { engine: engine.clone() },
        E::TimedOut { engine, limit } => E::TimedOut {
            engine: engine.clone(),
            limit: *limit,
        },
        E::Unreachable { engine, source } => E::Unreachable {
            engine: engine.clone(),
            source: in_words(source.as_ref()).into(),
        },
        E::NoResults { engine } => E::NoResults { engine: engine.clone() },
        E::Status { engine, status } => E::Status {
            engine: engine.clone(),
            status: *status,
        },
        E::Unreadable { engine, detail } => E::Unreadable {
            engine: engine.clone(),
            detail: detail.clone(),
        },
        E::Resting { engine, after } => E::Resting {
            engine: engine.clone(),
            after: *after,
        },
        E::Private { engine } => E::Private { engine: engine.clone() },
    }
}

fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
