//! Worlds that are lived through: many seeds, each rule left out in turn, and those that failed once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use deepsearch_sync::Mutant;
use rstest::rstest;

use crate::server::ServerMutant;
use crate::simulation::{Act, Broken, Step, WebAct, live, number, run_seed, run_seed_as_it_is};

/// A long run says how far it is.
const TOLD_EVERY: u64 = 500;

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
                    // The other threads are still in worlds before this one.
                    let lived = (seed - seeds.start).saturating_sub(threads() - 1);
                    if lived > 0 && lived.is_multiple_of(TOLD_EVERY) {
                        let next = seeds.start + lived;
                        crate::report(&format!("{lived} worlds so far; `--from {next}` goes on here"));
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

/// A simulation that finds no mistake may be blind. These are seen by the first random worlds.
#[rstest]
#[case(Mutant::CursorBeforeRows)]
#[case(Mutant::ServerMadeIds)]
#[case(Mutant::LoserKeepsItsRow)]
#[case(Mutant::EpochIgnored)]
#[case(Mutant::NothingForked)]
#[case(Mutant::EarlyDropped)]
#[case(Mutant::LaterChangeCleared)]
#[case(Mutant::TagsTakenWhole)]
fn a_rule_that_is_left_out_is_noticed(#[case] mutant: Mutant) {
    const SEEDS: u64 = 40;
    let broken = without(mutant);
    for seed in 0..SEEDS {
        if let Err(error) = run_seed_as_it_is(seed, 60, broken) {
            // A world that ends badly anyway shows nothing.
            run_seed_as_it_is(seed, 60, Broken::default()).unwrap();
            crate::report(&format!("{mutant:?}: {}", error.lines().next().unwrap_or_default()));
            return;
        }
    }
    panic!("{mutant:?} was not seen by {SEEDS} seeds");
}

/// These need several things to come together, so each has a world that brings them together.
#[rstest]
#[case(without(Mutant::OrphanDropped), &[
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
    // An open transaction holds the deletion back from the feed, and the push meets it first.
    Step::Web(WebAct::NewChat, true),
    Step::Web(WebAct::HardDelete(0), false),
    Step::Person(0, Act::Say(0)),
    Step::Sync(0, None),
])]
#[case(without(Mutant::LeftoversKept), &[
    Step::Sync(0, None),
    Step::Sync(1, None),
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
    Step::Web(WebAct::NewChat, true),
    Step::Web(WebAct::Rename(0), false),
    // The chat's entry is held back, what belongs to it is not; then it is gone before it came.
    Step::Sync(1, None),
    Step::Web(WebAct::HardDelete(0), false),
])]
#[case(without(Mutant::NoCollectionCheck), &[
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
    Step::Sync(1, None),
    Step::Web(WebAct::HardDelete(0), false),
    Step::Days(190),
    Step::Collect,
])]
#[case(without(Mutant::TombstonesDelete), &[
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
    Step::Web(WebAct::Load(0), false),
    Step::Person(0, Act::Say(0)),
    Step::Sync(0, None),
    Step::Web(WebAct::Save(0, false), false),
])]
#[case(without(Mutant::PutBackIgnored), &[
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
    Step::BackUp,
    Step::Person(0, Act::Say(0)),
    Step::Sync(0, None),
    // What was said since the snapshot of its disk is gone there, and the server does not know of it.
    Step::PutBack,
])]
#[case(without(Mutant::CopyForMany), &[
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
    Step::Web(WebAct::Load(0), false),
    Step::Person(0, Act::Repeat(0)),
    Step::Sync(0, None),
    // Of two messages with one text it knows the first, and writes that anew.
    Step::Web(WebAct::Save(0, true), false),
    Step::Sync(0, None),
    Step::Seconds(15),
])]
#[case(on_a_server_without(ServerMutant::SequenceCursor), &[
    Step::Sync(0, None),
    Step::Web(WebAct::NewChat, true),
    Step::Web(WebAct::NewChat, false),
    Step::Sync(0, None),
    Step::End(0, true),
])]
#[case(on_a_server_without(ServerMutant::NoClockClamp), &[
    Step::Skew(0, 525_600),
    Step::Person(0, Act::NewChat),
    Step::Sync(0, None),
])]
fn a_rule_that_matters_rarely_is_noticed_where_it_matters(#[case] broken: Broken, #[case] steps: &[Step]) {
    live(2, steps, Broken::default()).unwrap();
    let error = live(2, steps, broken).unwrap_err();
    crate::report(&format!("{broken:?}: {}", error.lines().next().unwrap_or_default()));
}

fn without(mutant: Mutant) -> Broken {
    Broken {
        engine: Some(mutant),
        ..Broken::default()
    }
}

fn on_a_server_without(mutant: ServerMutant) -> Broken {
    Broken {
        server: Some(mutant),
        ..Broken::default()
    }
}
