//! Schedule: when to look again.

use std::time::Duration;

/// While somebody is looking.
const FOCUSED: Duration = Duration::from_secs(3);
/// While they look at what is just being written elsewhere.
const LIVELY: Duration = Duration::from_secs(1);
/// Looks that bring nothing, until it is quiet again: two minutes.
const QUIET_AFTER: u32 = 120;
const BACKGROUND: Duration = Duration::from_secs(30);
/// After failures, at most; and while somebody looks, who may have mended the network a moment ago.
const LONGEST: Duration = Duration::from_secs(5 * 60);
const LONGEST_FOCUSED: Duration = Duration::from_secs(15);
/// So that devices which woke together do not stay together.
const JITTER: f64 = 0.2;

/// How runs have gone, as far as it matters for the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    failures: u32,
    /// Looks that are left until it is quiet.
    lively: u32,
}

impl Schedule {
    /// A run ended well. Where it brought or sent something, more is likely to come soon.
    pub(crate) fn succeeded(&mut self, has_moved: bool) {
        self.failures = 0;
        self.lively = if has_moved {
            QUIET_AFTER
        } else {
            self.lively.saturating_sub(1)
        };
    }

    pub(crate) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Whether a change of ours should be sent at once: not while the server fails, or every key stroke would ask it.
    pub(crate) fn is_eager(&self) -> bool {
        self.failures == 0
    }

    /// How long to wait; `chance` is from 0 to 1.
    pub(crate) fn wait(&self, is_focused: bool, chance: f64) -> Duration {
        let period = match is_focused {
            true if self.lively > 0 && self.is_eager() => LIVELY,
            true => FOCUSED,
            false => BACKGROUND,
        };
        let longest = if is_focused { LONGEST_FOCUSED } else { LONGEST };
        let wait = period.saturating_mul(2_u32.saturating_pow(self.failures)).min(longest);
        wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(failures: u32) -> Schedule {
        let mut schedule = Schedule::default();
        (0..failures).for_each(|_| schedule.failed());
        schedule
    }

    #[test]
    fn somebody_who_looks_waits_three_seconds_and_a_window_behind_others_thirty() {
        assert_eq!(after(0).wait(true, 0.5), Duration::from_secs(3));
        assert_eq!(after(0).wait(false, 0.5), Duration::from_secs(30));
    }

    #[test]
    fn waits_differ_by_a_fifth_each_way() {
        assert_eq!(after(0).wait(false, 0.0), Duration::from_secs(24));
        assert_eq!(after(0).wait(false, 1.0), Duration::from_secs(36));
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_five_minutes_and_success_ends_that() {
        assert_eq!(after(1).wait(false, 0.5), Duration::from_secs(60));
        assert_eq!(after(3).wait(false, 0.5), Duration::from_secs(240));
        assert_eq!(after(1_000).wait(false, 0.5), LONGEST);
        let mut schedule = after(7);
        assert!(!schedule.is_eager());
        schedule.succeeded(false);
        assert_eq!(schedule.wait(true, 0.5), FOCUSED);
    }

    #[test]
    fn somebody_who_looks_waits_a_quarter_of_a_minute_at_most_for_a_server_that_failed() {
        assert_eq!(after(1).wait(true, 0.5), Duration::from_secs(6));
        assert_eq!(after(3).wait(true, 0.5), Duration::from_secs(15));
        assert_eq!(after(1_000).wait(true, 0.5), Duration::from_secs(15));
    }

    #[test]
    fn who_looks_while_something_is_written_waits_one_second_until_it_has_been_quiet_for_a_while() {
        let mut schedule = Schedule::default();
        schedule.succeeded(true);
        assert_eq!(schedule.wait(true, 0.5), LIVELY);
        assert_eq!(schedule.wait(false, 0.5), BACKGROUND, "nobody looks");
        schedule.failed();
        assert_eq!(
            schedule.wait(true, 0.5),
            FOCUSED * 2,
            "nor is a server hurried that fails"
        );
        for _ in 0..QUIET_AFTER {
            assert_ne!(schedule, Schedule::default());
            schedule.succeeded(false);
        }
        assert_eq!(schedule.wait(true, 0.5), FOCUSED);
    }
}
