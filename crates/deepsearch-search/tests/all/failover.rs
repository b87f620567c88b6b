//! Journeys over several engines. The runtime's clock is paused: waiting costs nothing, and is counted exactly.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use deepsearch_cache::MemoryCache;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, Clock, ErrorCode, SearchEngine, SearchOutcome, SearchQuery, Searcher};
use deepsearch_search::{EngineState, Failover, Limits, Memory};
use futures::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::scripted::{Act, Scripted};
use crate::{Stopped, query};

const SECOND: Duration = Duration::from_secs(1);

fn over(engines: &[&Arc<Scripted>]) -> Failover {
    Failover::new(engines_of(engines), None, Stopped::at_noon(), Limits::default())
}

fn cached(engines: &[&Arc<Scripted>], cache: &Arc<MemoryCache>, clock: &Arc<Stopped>) -> Failover {
    Failover::new(
        engines_of(engines),
        Some(cache.clone()),
        clock.clone(),
        Limits::default(),
    )
}

fn engines_of(engines: &[&Arc<Scripted>]) -> Vec<Arc<dyn SearchEngine>> {
    engines
        .iter()
        .map(|engine| (*engine).clone() as Arc<dyn SearchEngine>)
        .collect()
}

fn who(outcome: &SearchOutcome) -> Option<&str> {
    outcome.results.first().map(|results| results.engine.as_str())
}

fn failures(outcome: &SearchOutcome) -> Vec<(&str, ErrorCode)> {
    outcome
        .attempts
        .iter()
        .map(|attempt| (attempt.engine.as_str(), attempt.error.code()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_engine_that_answers_is_enough() {
    let (first, second) = (
        Scripted::new("first", [Act::Find]),
        Scripted::new("second", [Act::Find]),
    );
    let outcome = over(&[&first, &second]).search(&query("x")).await;
    assert_eq!(who(&outcome), Some("first"));
    assert!(outcome.attempts.is_empty() && !outcome.cached && !outcome.stale);
    assert_eq!(second.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_captcha_hands_over_to_the_next_engine_and_is_told() {
    let first = Scripted::new("first", [Act::Captcha]);
    let second = Scripted::new("second", [Act::FindNothing]);
    let third = Scripted::new("third", [Act::Find]);
    let outcome = over(&[&first, &second, &third]).search(&query("x")).await;
    assert_eq!(who(&outcome), Some("third"));
    assert_eq!(
        failures(&outcome),
        [("first", ErrorCode::Captcha), ("second", ErrorCode::NoResults)]
    );
}

#[tokio::test(start_paused = true)]
async fn when_nobody_answers_the_outcome_says_why() {
    let first = Scripted::new("first", [Act::KeyMissing]);
    let second = Scripted::new("second", [Act::Offline]);
    let outcome = over(&[&first, &second]).search(&query("x")).await;
    assert_eq!(who(&outcome), None);
    assert_eq!(
        failures(&outcome),
        [("first", ErrorCode::KeyRefused), ("second", ErrorCode::Offline)]
    );
    let words = format!("{:?}", outcome.attempts[1].error);
    assert!(words.contains("no route to host"), "the cause is kept: {words}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_costs_its_limit_and_all_together_theirs() {
    let hanging: Vec<_> = ["a", "b", "c", "d"].map(|id| Scripted::new(id, [Act::Hang])).into();
    let began = Instant::now();
    let outcome = over(&hanging.iter().collect::<Vec<_>>()).search(&query("x")).await;
    assert_eq!(began.elapsed().as_secs(), 20, "of the runtime's own time");
    assert!(failures(&outcome).iter().all(|(_, code)| *code == ErrorCode::TimedOut));
    assert_eq!(hanging[3].asked(), 0, "there was no time left for the last one");
}

#[tokio::test(start_paused = true)]
async fn a_chance_failure_is_tried_once_more_and_a_refusal_never() {
    let recovering = Scripted::new("recovering", [Act::Status(503), Act::Find]);
    assert_eq!(who(&over(&[&recovering]).search(&query("x")).await), Some("recovering"));
    for refusal in [
        Act::Status(400),
        Act::Status(404),
        Act::KeyRefused,
        Act::Captcha,
        Act::Limited(None),
    ] {
        let refusing = Scripted::new("refusing", [refusal, Act::Find]);
        assert_eq!(who(&over(&[&refusing]).search(&query("x")).await), None);
        assert_eq!(refusing.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn equal_questions_in_flight_share_one_request() {
    let engine = Scripted::new("engine", [Act::Late(SECOND)]);
    let failover = over(&[&engine]);
    let outcomes = join_all((0..20).map(|_| async { failover.search(&query(" x ")).await })).await;
    assert_eq!(engine.asked(), 1);
    assert!(outcomes.iter().all(|outcome| who(outcome) == Some("engine")));
    failover.search(&query("x")).await;
    assert_eq!(engine.asked(), 2, "one that has landed is not joined");
}

#[tokio::test(start_paused = true)]
async fn a_shared_request_outlives_the_one_who_set_out_with_it() {
    let engine = Scripted::new("engine", [Act::Late(2 * SECOND)]);
    let failover = Arc::new(over(&[&engine]));
    let impatient = tokio::time::timeout(SECOND, async { failover.search(&query("x")).await });
    let (given_up, patient) = tokio::join!(impatient, async { failover.search(&query("x")).await });
    assert!(given_up.is_err());
    assert_eq!((who(&patient), engine.asked()), (Some("engine"), 1));
}

#[tokio::test(start_paused = true)]
async fn different_questions_are_not_shared() {
    let engine = Scripted::new("engine", [Act::Late(SECOND)]);
    let failover = over(&[&engine]);
    let german = SearchQuery {
        locale: Some("de".into()),
        ..query("x")
    };
    tokio::join!(failover.search(&german), async { failover.search(&query("x")).await });
    assert_eq!(engine.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_second_time_the_cache_answers_whichever_engine_was_first() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let (one, other) = (Scripted::new("one", [Act::Find]), Scripted::new("other", [Act::Find]));
    cached(&[&one], &cache, &clock).search(&query("What  is x?")).await;
    let again = cached(&[&other], &cache, &clock).search(&query(" What is x? ")).await;
    assert_eq!(who(&again), Some("one"));
    assert!(again.cached && !again.stale);
    assert_eq!(other.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn asked_anew_the_cache_answers_neither_fresh_nor_stale_and_keeps_what_is_found() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let (one, other) = (Scripted::new("one", [Act::Find]), Scripted::new("other", [Act::Find]));
    cached(&[&one], &cache, &clock).search(&query("x")).await;
    let failover = cached(&[&other], &cache, &clock);
    let anew = failover.anew().search(&query(" x ")).await;
    assert_eq!((who(&anew), anew.cached, other.asked()), (Some("other"), false, 1));
    let after = failover.search(&query("x")).await;
    assert_eq!(
        (who(&after), after.cached),
        (Some("other"), true),
        "it is the newer entry"
    );
    assert!(failover.health()[0].last_success.is_some(), "it is known how it does");

    let broken = Scripted::new("broken", [Act::Captcha]);
    let outcome = cached(&[&broken], &cache, &clock).anew().search(&query("x")).await;
    assert!(
        outcome.results.is_empty() && !outcome.stale,
        "nothing old is the last resort"
    );
    assert_eq!(outcome.attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_question_in_another_language_or_time_is_another_entry() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let engine = Scripted::new("engine", [Act::Find]);
    let failover = cached(&[&engine], &cache, &clock);
    let day = Some(deepsearch_core::TimeRange::Day);
    let german = SearchQuery {
        locale: Some("de".into()),
        ..query("x")
    };
    let today = SearchQuery {
        time_range: day,
        ..query("x")
    };
    let fewer = SearchQuery { limit: 3, ..query("x") };
    for question in [query("x"), german, today, fewer] {
        assert!(!failover.search(&question).await.cached);
    }
    assert_eq!(engine.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_question_of_more_than_500_characters_is_not_cached() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let engine = Scripted::new("engine", [Act::Find]);
    let failover = cached(&[&engine], &cache, &clock);
    let long = query(&"界".repeat(501));
    assert!(!failover.search(&long).await.cached && !failover.search(&long).await.cached);
    assert_eq!(engine.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_old_answer_is_the_last_resort_and_says_that_it_is_old() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let engine = Scripted::new("engine", [Act::Find, Act::Captcha]);
    let failover = cached(&[&engine], &cache, &clock);
    failover.search(&query("x")).await;
    clock.advance(TimeDelta::days(2));
    let outcome = failover.search(&query("x")).await;
    assert_eq!(who(&outcome), Some("engine"));
    assert!(outcome.cached && outcome.stale);
    assert_eq!(failures(&outcome), [("engine", ErrorCode::Captcha)]);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_not_used_while_an_engine_answers() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let engine = Scripted::new("engine", [Act::Find]);
    let failover = cached(&[&engine], &cache, &clock);
    failover.search(&query("x")).await;
    clock.advance(TimeDelta::days(2));
    let outcome = failover.search(&query("x")).await;
    assert!(!outcome.cached && !outcome.stale);
    assert!(
        failover.search(&query("x")).await.cached,
        "the new answer replaced the old one"
    );
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_others_tampered_with_is_cleaned_or_ignored() {
    let (cache, clock) = (Arc::new(MemoryCache::default()), Stopped::at_noon());
    let engine = Scripted::new("engine", [Act::Find]);
    let failover = cached(&[&engine], &cache, &clock);
    let hit = |url: &str| json!({"title": "T\u{202E}", "url": url, "snippet": ""});
    let evil =
        json!({"engine": "other", "query": "q", "hits": [hit("javascript:alert(1)"), hit("https://ok.example/")]});
    for (results, found) in [
        (json!({"answers": [{"engine": 7}, evil]}), "other"),
        (json!({"answers": "many"}), "engine"),
        (json!({}), "engine"),
        (json!([1, 2]), "engine"),
    ] {
        let entry = SearchCache {
            query: "x [any any 10]".into(),
            results,
            created_at: clock.now(),
            expires_at: clock.now() + TimeDelta::hours(1),
        };
        cache.add(entry).await.unwrap();
        let outcome = failover.search(&query("x")).await;
        assert_eq!(who(&outcome), Some(found));
        let hits = outcome.results[0].hits.clone();
        assert!(hits.len() == 1 && hits[0].url.starts_with("https://") && !hits[0].title.contains('\u{202E}'));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_engine_rests_and_is_asked_again_afterwards() {
    let clock = Stopped::at_noon();
    let engine = Scripted::new("engine", [Act::Captcha, Act::Find]);
    let failover = Failover::new(engines_of(&[&engine]), None, clock.clone(), Limits::default());
    failover.search(&query("x")).await;
    let until = clock.now() + TimeDelta::minutes(1);
    assert_eq!(failover.health()[0].state, EngineState::Resting { until });
    let outcome = failover.search(&query("x")).await;
    assert_eq!(failures(&outcome), [("engine", ErrorCode::RateLimited)]);
    assert_eq!(engine.asked(), 1, "an engine that rests is left alone");
    tokio::time::advance(60 * SECOND).await;
    assert_eq!(failover.health()[0].state, EngineState::Ready);
    assert_eq!(who(&failover.search(&query("x")).await), Some("engine"));
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_of_an_engine_outlives_the_one_who_asked_it() {
    let clock = Stopped::at_noon();
    let engine = Scripted::new("engine", [Act::Find, Act::Captcha, Act::Captcha, Act::Find]);
    let anew = || Failover::new(engines_of(&[&engine]), None, clock.clone(), Limits::default());
    let pass = async |seconds: i64| {
        clock.advance(TimeDelta::seconds(seconds));
        tokio::time::advance(seconds as u32 * SECOND).await;
    };
    assert!(
        anew().memories().is_empty(),
        "nothing is remembered of whom nobody asked"
    );
    let first = anew();
    first.search(&query("x")).await;
    first.search(&query("y")).await;
    let remembered = serde_json::to_value(first.memories()).unwrap();
    let memories = || -> Vec<Memory> { serde_json::from_value(remembered.clone()).unwrap() };

    pass(59).await;
    let second = anew();
    memories().iter().for_each(|memory| second.recall(memory));
    assert_eq!(second.health(), first.health());
    assert_eq!(
        failures(&second.search(&query("x")).await),
        [("engine", ErrorCode::RateLimited)]
    );
    assert_eq!(engine.asked(), 2, "it still rests");
    pass(1).await;
    second.search(&query("x")).await;
    let until = clock.now() + TimeDelta::minutes(2);
    assert_eq!(
        second.health()[0].state,
        EngineState::Resting { until },
        "the rests go on growing"
    );

    pass(3_600).await;
    let third = anew();
    memories().iter().for_each(|memory| third.recall(memory));
    assert_eq!(
        third.health()[0].state,
        EngineState::Ready,
        "its rest was over long ago"
    );
    assert_eq!(who(&third.search(&query("x")).await), Some("engine"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_wrong_once_makes_no_engine_rest_for_ever() {
    let (clock, engine) = (Stopped::at_noon(), Scripted::new("engine", [Act::Captcha, Act::Find]));
    let anew = || Failover::new(engines_of(&[&engine]), None, clock.clone(), Limits::default());
    let first = anew();
    clock.advance(TimeDelta::days(3650));
    first.search(&query("x")).await;
    clock.advance(TimeDelta::days(-3650));
    let second = anew();
    first.memories().iter().for_each(|memory| second.recall(memory));
    tokio::time::advance(12 * 3_600 * SECOND).await;
    assert_eq!(who(&second.search(&query("x")).await), Some("engine"));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_rests_because_it_was_out_of_reach_is_still_called_that() {
    let engine = Scripted::new("engine", [Act::Offline]);
    let failover = over(&[&engine]);
    for _ in 0..4 {
        let outcome = failover.search(&query("x")).await;
        assert_eq!(failures(&outcome), [("engine", ErrorCode::Offline)]);
    }
    assert!(engine.asked() < 8, "it rests");
}

#[tokio::test(start_paused = true)]
async fn each_failure_in_a_row_makes_the_rest_longer() {
    let engine = Scripted::new("engine", [Act::Captcha]);
    let failover = over(&[&engine]);
    for minutes in [1, 2, 4] {
        failover.search(&query("x")).await;
        let asked = engine.asked();
        tokio::time::advance(minutes * 60 * SECOND - SECOND).await;
        failover.search(&query("x")).await;
        assert_eq!(engine.asked(), asked, "still resting after almost {minutes} minutes");
        tokio::time::advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_is_left_alone_for_as_long_as_it_asked() {
    let engine = Scripted::new("engine", [Act::Limited(Some(90 * SECOND)), Act::Find]);
    let failover = over(&[&engine]);
    failover.search(&query("x")).await;
    tokio::time::advance(89 * SECOND).await;
    assert_eq!(who(&failover.search(&query("x")).await), None);
    tokio::time::advance(SECOND).await;
    assert_eq!(who(&failover.search(&query("x")).await), Some("engine"));
}

#[tokio::test(start_paused = true)]
async fn finding_nothing_and_a_malformed_question_send_no_engine_to_rest() {
    let engine = Scripted::new(
        "engine",
        [Act::FindNothing, Act::Status(400), Act::FindNothing, Act::Find],
    );
    let failover = over(&[&engine]);
    for _ in 0..3 {
        assert_eq!(who(&failover.search(&query("x")).await), None);
    }
    assert_eq!(who(&failover.search(&query("x")).await), Some("engine"));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_comes_back_online_soon_has_its_engines_again() {
    let engine = Scripted::new(
        "engine",
        std::iter::repeat_with(|| Act::Offline).take(30).chain([Act::Find]),
    );
    let failover = over(&[&engine]);
    while engine.asked() < 30 {
        failover.search(&query("x")).await;
        tokio::time::advance(SECOND).await;
    }
    tokio::time::advance(30 * SECOND).await;
    assert_eq!(who(&failover.search(&query("x")).await), Some("engine"));
}

#[tokio::test(start_paused = true)]
async fn health_can_be_seen_and_written_as_json() {
    let good = Scripted::new("good", [Act::Late(SECOND)]);
    let (bad, keyless) = (
        Scripted::new("bad", [Act::KeyRefused]),
        Scripted::new("keyless", [Act::KeyMissing]),
    );
    let failover = over(&[&bad, &keyless, &good]);
    assert!(
        failover
            .health()
            .iter()
            .all(|health| health.state == EngineState::Ready)
    );
    failover.search(&query("x")).await;
    let seen = serde_json::to_value(failover.health()).unwrap();
    assert_eq!(
        seen[0]["state"],
        json!({"kind": "key_refused", "until": "2026-11-23T12:10:00Z"})
    );
    assert_eq!(seen[0]["last_failure"]["failure"]["code"], "key_refused");
    assert_eq!(seen[1]["state"], json!({"kind": "no_key"}));
    let expected = json!({"engine": "good", "state": {"kind": "ready"}, "last_success": "2026-11-23T12:00:00Z",
        "last_failure": null, "successes": 1, "failures": 0, "median_ms": 1000});
    assert_eq!(seen[2], expected);
}

#[tokio::test(start_paused = true)]
async fn side_by_side_a_failing_engine_is_replaced_and_the_order_kept() {
    let first = Scripted::new("first", [Act::Late(SECOND)]);
    let second = Scripted::new("second", [Act::Captcha]);
    let (third, fourth) = (
        Scripted::new("third", [Act::Find]),
        Scripted::new("fourth", [Act::Find]),
    );
    let outcome = over(&[&first, &second, &third, &fourth])
        .search_all(&query("x"), 2)
        .await;
    let found: Vec<_> = outcome.results.iter().map(|results| results.engine.as_str()).collect();
    assert_eq!(found, ["first", "third"]);
    assert_eq!((outcome.attempts.len(), fourth.asked()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn side_by_side_nobody_waits_long_for_the_slower_engine() {
    let (quick, slow) = (Scripted::new("quick", [Act::Find]), Scripted::new("slow", [Act::Hang]));
    let began = Instant::now();
    let outcome = over(&[&quick, &slow]).search_all(&query("x"), 2).await;
    assert_eq!(outcome.results.len(), 1);
    assert_eq!(began.elapsed().as_millis(), 1500, "of the runtime's own time");
}

#[tokio::test(start_paused = true)]
async fn an_empty_question_and_no_engines_give_an_empty_outcome() {
    let engine = Scripted::new("engine", [Act::Find]);
    assert_eq!(who(&over(&[&engine]).search(&query("  ")).await), None);
    assert_eq!(engine.asked(), 0);
    assert_eq!(who(&over(&[]).search(&query("x")).await), None);
}
