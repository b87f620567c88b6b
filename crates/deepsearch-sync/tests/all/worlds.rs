//! Worlds that are lived through: many seeds, each rule left out in turn, and those that failed once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use deepsearch_sync::Mutant;
use rstest::rstest;

use crate::server::ServerMutant;
use crate::simulation::{Broken, number, run_seed, run_seed_as_it_is};

fn threads() -> u64 {
    std::thread::available_parallelism().map_or(2, |count| count.get() as u64)
}

/// The first failure among the seeds, on all cores.
fn first_failure(seeds: std::ops::Range<u64>, steps: usize, broken: Broken) -> Option<String> {
    let next = AtomicU64::new(seeds.start);
    let failure = Mutex::new(None);
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
    crate::report(&format!("{seeds} worlds of about {steps} steps in {took:.1} s"));
}

/// A simulation that finds no mistake may be blind: each of these must be seen, and soon.
#[rstest]
#[case(Mutant::CursorBeforeRows)]
#[case(Mutant::ServerMadeIds)]
#[case(Mutant::OrphanDropped)]
#[case(Mutant::LeftoversKept)]
#[case(Mutant::NoCollectionCheck)]
#[case(Mutant::LoserKeepsItsRow)]
#[case(Mutant::TombstonesDelete)]
#[case(Mutant::EpochIgnored)]
#[case(Mutant::NothingForked)]
#[case(Mutant::EarlyDropped)]
#[case(Mutant::LaterChangeCleared)]
fn a_rule_that_is_left_out_is_noticed(#[case] mutant: Mutant) {
    let broken = Broken {
        engine: Some(mutant),
        ..Broken::default()
    };
    is_noticed(&format!("{mutant:?}"), broken);
}

#[rstest]
#[case(ServerMutant::SequenceCursor)]
#[case(ServerMutant::NoClockClamp)]
fn a_rule_that_the_server_leaves_out_is_noticed(#[case] mutant: ServerMutant) {
    let broken = Broken {
        server: Some(mutant),
        ..Broken::default()
    };
    is_noticed(&format!("{mutant:?}"), broken);
}

fn is_noticed(name: &str, broken: Broken) {
    const SEEDS: u64 = 400;
    for seed in 0..SEEDS {
        if let Err(error) = run_seed_as_it_is(seed, 60, broken) {
            // A world that ends badly anyway shows nothing.
            run_seed_as_it_is(seed, 60, Broken::default()).unwrap();
            let reason = error.lines().next().unwrap_or_default();
            crate::report(&format!("{name}: seen by {reason}"));
            return;
        }
    }
    panic!("{name} was not seen by {SEEDS} seeds");
}
