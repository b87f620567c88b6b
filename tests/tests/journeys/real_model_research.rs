//! A research on real manuals with the real small model. It is often wrong and sometimes too slow: what is promised here
//! holds whatever it says, because the loop, the budget and the citations are ours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_tests::engines::FakeEngine;
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::needs;
use serde_json::Value;

use crate::world::{finished, hold_citations, message_of, open_chat, searching, text};

const QUESTION: &str = "How does the write-ahead log of SQLite work and when does a checkpoint happen?";
const STEPS: u64 = 3;
const PAGES: u64 = 5;
const TOKENS: u64 = 8_000;
const MINUTES: u64 = 1;

/// The last question may be on its way when the tokens are used up: a context of it at most.
const ONE_QUESTION: u64 = 3_000;
/// For what is not counted as work on the report: two programs' starts, a page that is read while the time ends.
const SLACK: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn a_report_keeps_to_its_budget_and_to_its_sources_however_small_the_model() -> Result<()> {
    let (Some(model), Some(corpus)) = (needs::model_url(), needs::corpus()) else {
        return Ok(());
    };
    let manual = Site::serve(corpus.join("sqlite")).await?;
    let index = LocalIndex::of(&[&manual], &["wal", "lockingv3", "atomiccommit", "isolation", "pragma"])?;
    let engine = FakeEngine::start("searxng", Arc::new(index)).await?;
    let home = searching(&engine)?
        .set("models.small.url", model.as_str())
        .set("default_model", "small/smollm2");

    let began = Instant::now();
    let (steps, pages, minutes, tokens) = (
        STEPS.to_string(),
        PAGES.to_string(),
        MINUTES.to_string(),
        TOKENS.to_string(),
    );
    let budget = [
        "--steps",
        &steps,
        "--pages",
        &pages,
        "--minutes",
        &minutes,
        "--tokens",
        &tokens,
    ];
    let asked = ["ask", "--deep", "--json"].into_iter().chain(budget).chain([QUESTION]);
    let ran = home.run(asked)?.succeeded()?;
    let took = began.elapsed();
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);

    let message = finished(&ran)?;
    assert_eq!(message["state"], "complete", "{message}");
    let report = text(&message["content"]);
    let sections: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(!sections.is_empty(), "{report}");
    assert!(
        sections.iter().all(|heading| !heading.trim().is_empty()),
        "{sections:?}"
    );

    // Each citation leads to its sentence in a saved page of the manual, and no sentence that is cited goes without proof.
    let chat = open_chat(&home, &message)?;
    assert!(hold_citations(&home, &chat, &message)? >= 2, "{report}");
    let saved = message_of(&chat, &message["id"])?;
    let is_manual = |page: &Value| text(&page["url"]).starts_with(manual.base().as_str());
    let pages = saved["sources"].as_array().context("sources")?;
    assert!(!pages.is_empty() && pages.iter().all(is_manual), "{pages:?}");
    let checks = saved["checks"].as_array().context("checks")?;
    let supported = checks.iter().filter(|check| check["verdict"] == "supported").count();
    // Of what a model wrote at least a third is in the sources, what neither cites nor stands there is left out, and what
    // fell to sentences of the sources is all of it theirs.
    assert!(
        supported * 2 >= checks.len() && supported > 0,
        "{supported} of {checks:?}"
    );
    let citations = saved["citations"].as_array().context("citations")?;
    let at = |span: &Value, end: &str| span[end].as_u64().unwrap_or_default();
    for check in checks {
        let sentence = &check["sentence"];
        let is_cited = citations.iter().any(|citation| {
            let marker = &citation["marker"];
            at(sentence, "start") <= at(marker, "start") && at(marker, "end") <= at(sentence, "end")
        });
        assert!(is_cited, "a sentence cites nothing: {check} in {report}");
    }

    // What it cost is counted, kept, and no more than it was given.
    let id = text(&message["id"]);
    let kept = home.run(["research", "show", &id, "--json"])?.succeeded()?.json()?;
    let told = ran.events_of("research")?.pop().context("a research event")?["progress"].take();
    let (budget, spent) = (&kept["budget"], &kept["spent"]);
    assert_eq!(
        (
            &budget["steps"],
            &budget["pages"],
            &budget["seconds"],
            &budget["tokens"]
        ),
        (&STEPS.into(), &PAGES.into(), &(MINUTES * 60).into(), &TOKENS.into())
    );
    for what in ["steps", "pages"] {
        let (used, most) = (
            spent[what].as_u64().context("a count")?,
            budget[what].as_u64().context("a count")?,
        );
        assert!((1..=most).contains(&used), "{what}: {spent} of {budget}");
        assert_eq!(spent[what], told["spent"][what]);
    }
    let used = spent["usage"]["total"].as_u64().context("tokens")?;
    assert!((1..TOKENS + ONE_QUESTION).contains(&used), "{spent}");
    let worked = Duration::from_millis(spent["milliseconds"].as_u64().context("a time")?);
    let given = Duration::from_secs(MINUTES * 60);
    assert!(
        worked < given + SLACK && took < given + SLACK,
        "{worked:?} of work in {took:?}"
    );
    Ok(())
}
