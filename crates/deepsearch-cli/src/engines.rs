//! `deepsearch engines`: which are asked, in which order, and how they are doing.

use std::process::ExitCode;

use deepsearch_app::{App, EngineState};
use serde_json::json;

use crate::outcome::{NOTHING, Outcome};
use crate::print;

pub(crate) async fn run(app: &App, check: bool, json: bool) -> Outcome {
    let tried = if check { app.try_engines().await } else { Vec::new() };
    let engines = app.engines();
    if json {
        let tried: Vec<_> = tried.iter().map(|(engine, found)| json!({ "engine": engine, "results": found.as_ref().ok(), "failure": found.as_ref().err() })).collect();
        print::json(&json!({ "engines": engines, "checked": tried }));
        return Ok(ExitCode::SUCCESS);
    }
    for engine in engines {
        let state = match engine.health.state {
            _ if !engine.enabled => "switched off".to_owned(),
            _ if engine.held_back => "held back by private mode".to_owned(),
            _ if engine.lacks_url => "needs an address".to_owned(),
            EngineState::NoKey => "needs a key".to_owned(),
            EngineState::KeyRefused { .. } => "its key was refused".to_owned(),
            EngineState::Resting { until } => {
                format!("rests until {}", until.with_timezone(&chrono::Local).format("%H:%M:%S"))
            }
            EngineState::Ready if engine.used => "ready".to_owned(),
            EngineState::Ready => "left out of engines.order".to_owned(),
        };
        let state = match tried.iter().find(|(id, _)| *id == engine.health.engine) {
            Some((_, Ok(found))) => format!("answered with {found} results"),
            Some((_, Err(failure))) => format!("failed: {failure}"),
            None => state,
        };
        let speed = engine
            .health
            .median_ms
            .map_or_else(String::new, |ms| format!(", {ms} ms"));
        let failure = engine
            .health
            .last_failure
            .map_or_else(String::new, |last| format!(" — {}", last.failure));
        print::line(&format!(
            "{}  {}: {state}{speed}{failure}",
            engine.health.engine, engine.name
        ));
        if let (true, Some(url)) = (engine.lacks_key && !engine.held_back, engine.key_url) {
            print::line(&format!(
                "    get one at {url}, then: deepsearch settings set engines.{}.key -",
                engine.health.engine
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// When engines were asked, the newest first.
pub(crate) async fn history(app: &App, engine: &str, limit: u16, json: bool) -> Outcome {
    let engine = Some(engine).filter(|engine| !engine.is_empty());
    let events = app.engine_history(engine, limit.into()).await?;
    if json {
        print::json(&events);
    } else {
        for event in &events {
            let at = event.at.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S");
            let what = event
                .failure
                .as_ref()
                .map_or("answered", |failure| failure.message.as_str());
            print::line(&format!(
                "{at}  {}  {} ms  {}",
                event.engine,
                event.milliseconds,
                print::safe(what)
            ));
        }
    }
    if events.is_empty() {
        print::note("No engine was asked yet.");
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(ExitCode::SUCCESS)
}
