use chrono::DateTime;
use deepsearch_core::{EngineEvent, ErrorCode, Failure};
use deepsearch_sqlite::EVENTS_KEPT;

use crate::support::home;

fn event(engine: &str, at: i64, failure: Option<Failure>) -> EngineEvent {
    EngineEvent {
        engine: engine.into(),
        at: DateTime::from_timestamp_millis(at).unwrap(),
        milliseconds: 340,
        failure,
    }
}

#[tokio::test]
async fn what_happened_is_told_newest_first_of_one_engine_or_of_all() {
    let (_home, store) = home().await;
    let failure = Failure::new(ErrorCode::Captcha, "It asks whether we are human.").hint("Use another.");
    let events = [
        event("brave", 1, None),
        event("exa", 2, Some(failure)),
        event("brave", 3, None),
    ];
    store.add_engine_events(&events).await.unwrap();
    let reversed: Vec<_> = events.iter().rev().cloned().collect();
    assert_eq!(store.list_engine_events(None, 10).await.unwrap(), reversed);
    assert_eq!(store.list_engine_events(Some("exa"), 10).await.unwrap(), events[1..2]);
    assert_eq!(store.list_engine_events(None, 1).await.unwrap(), reversed[..1]);
    assert_eq!(store.list_engine_events(Some("unknown"), 10).await.unwrap(), []);
}

#[tokio::test]
async fn the_past_is_bounded_for_each_engine() {
    let (_home, store) = home().await;
    let many: Vec<_> = (0..EVENTS_KEPT + 20).map(|at| event("brave", at, None)).collect();
    store.add_engine_events(&[event("exa", 0, None)]).await.unwrap();
    store.add_engine_events(&many).await.unwrap();
    let kept = store.list_engine_events(Some("brave"), 1000).await.unwrap();
    assert_eq!(kept.len() as i64, EVENTS_KEPT);
    assert_eq!(kept.last().unwrap().at.timestamp_millis(), 20, "the oldest went");
    assert_eq!(store.list_engine_events(Some("exa"), 10).await.unwrap().len(), 1);
}
