//! Worlds that are lived through: many seeds, each rule left out in turn, and those that failed once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use deepsearch_sync::Mutant;

use crate::server::ServerMutant;
use crate::simulation::{Broken, run_seed};

/// A number from the environment, for the long run; `cargo xtask simulate` sets it.
fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{variable} is a number")),
        Err(_) => default,
    }
}

fn threads() -> u64 {
    std::thread::available_parallelism().map_or(2, |count| count.get() as u64)
}

/// The first failure among the seeds, on all cores.
fn first_failure(seeds: std::ops::Range<u64>, steps: usize, broken: Broken) -> Option<String> {
    let next = AtomicU64::new(seeds.start);
    let failure = std::sync::Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failure.lock().unwrap().is_some() {
                        return;
                    }
                    if let Err(error) = run_seed(seed, steps, broken) {
                        failure.lock().unwrap().get_or_insert(error);
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap()
}

#[test]
fn whatever_happens_everybody_ends_with_the_same_and_nothing_is_lost() {
    let seeds = number("DEEPSEARCH_SIMULATE_SEEDS", 500);
    let steps = number("DEEPSEARCH_SIMULATE_STEPS", 60);
    let from = number("DEEPSEARCH_SIMULATE_FROM", 0);
    let started = Instant::now();
    if let Some(failure) = first_failure(from..from + seeds, steps as usize, Broken::default()) {
        panic!("{failure}");
    }
    let took = started.elapsed().as_secs_f64();
    crate::report(&format!("{seeds} worlds of {steps} steps in {took:.1} s"));
}
