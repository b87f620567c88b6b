//! Health: how each engine has been doing, for the eyes of a person and for deciding whom to leave alone for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{Clock, EngineEvent, EngineId, ErrorCode, Failure, SearchError};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Events that wait to be taken away; older ones are forgotten.
const EVENTS_WAITING: usize = 64;

/// How many answers the median is taken over.
const TIMES_KEPT: usize = 32;

/// No rest is longer; one that was remembered with another clock may look so.
const LONGEST_REST: Duration = Duration::from_secs(12 * 60 * 60);

/// How an engine is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct EngineHealth {
    pub engine: EngineId,
    pub state: EngineState,
    pub last_success: Option<DateTime<Utc>>,
    pub last_failure: Option<LastFailure>,
    pub successes: u32,
    pub failures: u32,
    /// Half of its last answers came faster than this, in milliseconds.
    pub median_ms: Option<u32>,
}

/// Whether an engine would be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EngineState {
    Ready,
    /// It is left alone until then, after its last failures.
    Resting {
        until: DateTime<Utc>,
    },
    /// It needs a key and has none.
    NoKey,
    /// Its key was refused; it is tried again then.
    KeyRefused {
        until: DateTime<Utc>,
    },
}

/// When and why an engine failed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct LastFailure {
    pub at: DateTime<Utc>,
    pub failure: Failure,
}

impl EngineHealth {
    /// An engine that was not asked yet.
    pub fn unknown(engine: impl Into<EngineId>, state: EngineState) -> Self {
        Self {
            engine: engine.into(),
            state,
            last_success: None,
            last_failure: None,
            successes: 0,
            failures: 0,
            median_ms: None,
        }
    }
}

/// How an engine was doing, for when the app is started again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    pub health: EngineHealth,
    /// Failures since the last success that lengthen the next rest.
    pub streak: u32,
}

impl Memory {
    /// Whether the engine was ever asked.
    pub(crate) fn holds_anything(&self) -> bool {
        self.health.successes > 0 || self.health.failures > 0
    }
}

/// What is known of one engine.
pub(crate) struct Record {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    health: EngineHealth,
    /// Failures since the last success that lengthen the rest.
    streak: u32,
    /// Monotonic, so that a changed wall clock neither wakes nor silences an engine.
    resting_until: Option<Instant>,
    times: VecDeque<Duration>,
    events: VecDeque<EngineEvent>,
}

impl Record {
    pub(crate) fn new(engine: &str, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            health: EngineHealth::unknown(engine, EngineState::Ready),
            streak: 0,
            resting_until: None,
            times: VecDeque::with_capacity(TIMES_KEPT),
            events: VecDeque::new(),
        };
        Self {
            clock,
            inner: Mutex::new(inner),
        }
    }

    /// After which kind of failure it is to be left alone now, if it is.
    pub(crate) fn is_resting(&self) -> Option<ErrorCode> {
        let inner = self.inner();
        inner.resting_until.filter(|until| Instant::now() < *until)?;
        let last = inner.health.last_failure.as_ref();
        Some(last.map_or(ErrorCode::RateLimited, |last| last.failure.code))
    }

    pub(crate) fn memory(&self) -> Memory {
        let health = self.health();
        let streak = self.inner().streak;
        Memory { health, streak }
    }

    pub(crate) fn recall(&self, memory: &Memory) {
        let now = self.clock.now();
        let left = |until: DateTime<Utc>| (until - now).to_std().ok().map(|left| left.min(LONGEST_REST));
        let until = |left: Duration| now + TimeDelta::from_std(left).unwrap_or(TimeDelta::MAX);
        let (rest, state) = match memory.health.state {
            EngineState::Resting { until: at } => {
                let rest = left(at);
                let state = rest.map_or(EngineState::Ready, |left| EngineState::Resting { until: until(left) });
                (rest, state)
            }
            EngineState::KeyRefused { until: at } => {
                let rest = left(at);
                let state = EngineState::KeyRefused {
                    until: rest.map_or(at, until),
                };
                (rest, state)
            }
            EngineState::Ready | EngineState::NoKey => (None, EngineState::Ready),
        };
        let mut inner = self.inner();
        inner.streak = memory.streak;
        inner.resting_until = rest.map(|left| Instant::now() + left);
        inner.times = memory
            .health
            .median_ms
            .map(|ms| Duration::from_millis(ms.into()))
            .into_iter()
            .collect();
        inner.health = EngineHealth {
            state,
            ..memory.health.clone()
        };
    }

    pub(crate) fn succeeded(&self, took: Duration) {
        let mut inner = self.inner();
        inner.streak = 0;
        inner.resting_until = None;
        inner.health.state = EngineState::Ready;
        inner.health.successes = inner.health.successes.saturating_add(1);
        inner.health.last_success = Some(self.clock.now());
        if inner.times.len() == TIMES_KEPT {
            inner.times.pop_front();
        }
        inner.times.push_back(took);
        self.note(&mut inner, took, None);
    }

    fn note(&self, inner: &mut Inner, took: Duration, failure: Option<Failure>) {
        if inner.events.len() == EVENTS_WAITING {
            inner.events.pop_front();
        }
        let event = EngineEvent {
            engine: inner.health.engine.clone(),
            at: self.clock.now(),
            milliseconds: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
            failure,
        };
        inner.events.push_back(event);
    }

    /// What happened since the last time this was asked for, oldest first.
    pub(crate) fn take_events(&self) -> impl Iterator<Item = EngineEvent> + use<> {
        std::mem::take(&mut self.inner().events).into_iter()
    }

    pub(crate) fn failed(&self, error: &SearchError, took: Duration) {
        let mut inner = self.inner();
        self.note(&mut inner, took, Some(error.into()));
        inner.health.failures = inner.health.failures.saturating_add(1);
        inner.health.last_failure = Some(LastFailure {
            at: self.clock.now(),
            failure: error.into(),
        });
        if matches!(error, SearchError::KeyMissing { .. }) {
            inner.health.state = EngineState::NoKey;
        }
        let Some(rest) = rest_after(error, inner.streak + 1) else {
            return;
        };
        inner.streak += 1;
        if rest.is_zero() {
            return;
        }
        inner.resting_until = Some(Instant::now() + rest);
        let until = self.clock.now() + TimeDelta::from_std(rest).unwrap_or(TimeDelta::MAX);
        inner.health.state = match error {
            SearchError::KeyRefused { .. } => EngineState::KeyRefused { until },
            _ => EngineState::Resting { until },
        };
    }

    pub(crate) fn health(&self) -> EngineHealth {
        let inner = self.inner();
        let mut health = inner.health.clone();
        let rest_is_over = inner.resting_until.is_some_and(|until| until <= Instant::now());
        if rest_is_over && matches!(health.state, EngineState::Resting { .. }) {
            health.state = EngineState::Ready;
        }
        let mut times: Vec<_> = inner.times.iter().collect();
        times.sort_unstable();
        health.median_ms = times
            .get(times.len() / 2)
            .map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
        health
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an engine is left alone after its `streak`-th failure in a row; `None` when the failure says nothing about
/// the next question, zero when it counts but once is nothing.
fn rest_after(error: &SearchError, streak: u32) -> Option<Duration> {
    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let growing = |first: Duration, longest: Duration, times: u32| {
        first
            .saturating_mul(2_u32.saturating_pow(times.saturating_sub(1)))
            .min(longest)
    };
    match error {
        SearchError::RateLimited {
            retry_after: Some(asked),
            ..
        } => Some((*asked).clamp(SECOND, HOUR)),
        SearchError::RateLimited { .. } => Some(growing(30 * SECOND, 15 * MINUTE, streak)),
        SearchError::Captcha { .. } => Some(growing(MINUTE, HOUR, streak)),
        SearchError::QuotaExceeded { .. } => Some(growing(HOUR, 12 * HOUR, streak)),
        SearchError::KeyRefused { .. } => Some(growing(10 * MINUTE, 6 * HOUR, streak)),
        // A laptop that wakes up without a network must not find all engines asleep once it has one.
        SearchError::Unreachable { .. } => Some(twice(streak, |times| growing(5 * SECOND, 30 * SECOND, times))),
        SearchError::TimedOut { .. } | SearchError::Unreadable { .. } => {
            Some(twice(streak, |times| growing(5 * SECOND, 5 * MINUTE, times)))
        }
        SearchError::Status { status, .. } if *status >= 500 => {
            Some(twice(streak, |times| growing(5 * SECOND, 5 * MINUTE, times)))
        }
        SearchError::Status { .. }
        | SearchError::NoResults { .. }
        | SearchError::KeyMissing { .. }
        | SearchError::Resting { .. }
        | SearchError::Private { .. } => None,
    }
}

/// Failures that happen to anybody once lead to a rest from the second in a row on.
fn twice(streak: u32, rest: impl Fn(u32) -> Duration) -> Duration {
    if streak < 2 { Duration::ZERO } else { rest(streak - 1) }
}
