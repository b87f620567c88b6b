//! Clock: time is passed in, so that tests decide what time it is.

use chrono::{DateTime, SubsecRound, Utc};

/// A time as commands tell it to people: to the minute.
pub fn to_the_minute(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%Y-%m-%d %H:%M UTC")
}

/// What time it is, in whole milliseconds: the resolution both programs on the shared tables keep (seed R11).
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}
