//! Live: runs sync again and again, as often as somebody looks, and at once when there is a reason.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::engine::SyncEngine;
use crate::plan::Schedule;

/// A moment for changes that belong together, so that they go in one push.
const GATHER: Duration = Duration::from_millis(150);
const LOOK_FOR_SLEEP: Duration = Duration::from_secs(2);
/// Less is a clock that is set right, or a busy machine.
const SLEEP: TimeDelta = TimeDelta::seconds(8);

impl SyncEngine {
    /// Runs until it is cancelled; a run that is under way then is dropped, which does no harm.
    pub async fn run(&self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.run_for_ever()).await;
    }

    /// There is a reason to look at once: a change of ours, or the machine woke up, or a person asks.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Whether somebody is looking at the app. Coming back to it is a reason to look at once.
    pub fn focus(&self, is_focused: bool) {
        let was_focused = self.is_focused.swap(is_focused, Ordering::Relaxed);
        if is_focused && !was_focused {
            self.nudge();
        }
    }

    /// What is under way when the machine falls asleep waits for a connection that is gone by the time it wakes.
    async fn run_for_ever(&self) {
        loop {
            tokio::select! {
                () = self.run_until_dropped() => {}
                () = self.slept() => {}
            }
            tracing::info!("the machine was asleep; sync begins anew");
            self.remote.forget_connections();
        }
    }

    /// Ends once the machine has slept: the time of day has gone on by more than the time that programs run.
    async fn slept(&self) {
        let (mut of_day, mut of_programs) = (self.store.device_now(), Instant::now());
        loop {
            tokio::time::sleep(LOOK_FOR_SLEEP).await;
            let (now, ran) = (self.store.device_now(), of_programs.elapsed());
            let ran = TimeDelta::from_std(ran).unwrap_or(TimeDelta::MAX);
            if now - of_day > ran.checked_add(&SLEEP).unwrap_or(TimeDelta::MAX) {
                return;
            }
            (of_day, of_programs) = (now, Instant::now());
        }
    }

    async fn run_until_dropped(&self) {
        let mut schedule = Schedule::default();
        loop {
            match self.run_once().await {
                Ok(()) => schedule.succeeded(self.has_moved.swap(false, Ordering::Relaxed)),
                Err(error) => {
                    schedule.failed();
                    if error.is_offline() {
                        tracing::debug!(%error, "sync waits for the server");
                    } else {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "sync stopped, and tries again"
                        );
                    }
                }
            }
            self.wait(schedule).await;
        }
    }

    async fn wait(&self, schedule: Schedule) {
        let chance = fastrand::f64();
        let wait = schedule.wait(self.is_focused.load(Ordering::Relaxed), chance);
        let end = Instant::now() + wait;
        tokio::select! {
            () = tokio::time::sleep_until(end) => {}
            () = self.nudged.notified() => {
                // A server that fails is asked no sooner than by somebody who looks.
                let pause = if schedule.is_eager() { GATHER } else { Schedule::default().wait(true, chance) };
                tokio::time::sleep_until(end.min(Instant::now() + pause)).await;
            }
        }
    }
}
