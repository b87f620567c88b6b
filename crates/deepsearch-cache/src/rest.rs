//! Rest: after a failure a tier is left alone for a while, and tried again out of the way of whoever waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

/// The tier was not asked, because it failed a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it rests after a failure")]
pub struct Resting;

/// Whether a tier may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    Ask,
    /// Leave the tier alone, but try it once in the background: its rest is over.
    Probe,
    Leave,
}

/// The rest of one tier. Times are monotonic, so a changed wall clock neither wakes nor silences it.
#[derive(Debug)]
pub(crate) struct Rest {
    first: Duration,
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Awake,
    Resting { until: Instant, length: Duration },
}

impl Rest {
    /// The first rest lasts `first`; each failed probe doubles it, up to `longest`.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            state: Mutex::new(State::Awake),
        }
    }

    /// Only one caller per rest is told to probe.
    pub(crate) fn permit(&self) -> Permit {
        match &mut *self.state() {
            State::Awake => Permit::Ask,
            State::Resting { until, length } if *until <= Instant::now() => {
                // The probe's result replaces this; should it get lost, the next rest has begun already.
                *until = Instant::now() + *length;
                Permit::Probe
            }
            State::Resting { .. } => Permit::Leave,
        }
    }

    pub(crate) fn failed(&self) {
        let mut state = self.state();
        let length = match &*state {
            State::Awake => self.first,
            State::Resting { length, .. } => (*length * 2).min(self.longest),
        };
        *state = State::Resting {
            until: Instant::now() + length,
            length,
        };
    }

    /// A call that was under way when the tier failed does not lengthen the rest.
    pub(crate) fn failed_call(&self) {
        if matches!(*self.state(), State::Awake) {
            self.failed();
        }
    }

    pub(crate) fn recovered(&self) {
        *self.state() = State::Awake;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn one_caller_probes_when_the_rest_is_over_and_each_failure_doubles_it() {
        let rest = Rest::new(FIRST, Duration::from_secs(3));
        assert_eq!(rest.permit(), Permit::Ask);
        rest.failed_call();
        rest.failed_call();
        assert_eq!(rest.permit(), Permit::Leave);
        tokio::time::advance(FIRST).await;
        assert_eq!([rest.permit(), rest.permit()], [Permit::Probe, Permit::Leave]);
        rest.failed();
        tokio::time::advance(FIRST).await;
        assert_eq!(rest.permit(), Permit::Leave);
        tokio::time::advance(FIRST).await;
        assert_eq!(rest.permit(), Permit::Probe);
        rest.recovered();
        assert_eq!(rest.permit(), Permit::Ask);
    }
}
