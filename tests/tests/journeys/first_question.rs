//! The first question, with nothing set up: the built-in guide answers it, with or without a network.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::world::{chats, finished, hold_citations, offline, open_chat, sources, text};

const QUESTION: &str = "how do I use my own SearXNG?";

#[test]
fn the_first_question_is_answered_from_the_guide_with_no_network_and_nothing_set_up() -> Result<()> {
    let home = offline()?;
    let ran = home.run(["ask", "--in", "guide", QUESTION])?.succeeded()?;
    assert!(
        ran.stdout.contains("SearXNG") && ran.stdout.contains("[1]"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("guide:searxng"), "{}", ran.stdout);
    assert!(ran.stderr.contains("No language model is used"), "{}", ran.stderr);
    Ok(())
}

/// The example that a new chat offers, as each language of the window puts it.
#[test]
fn the_guide_answers_its_example_in_every_language() -> Result<()> {
    let home = offline()?;
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/messages/chat");
    let mut asked = 0;
    for file in std::fs::read_dir(words)? {
        let words: Value = serde_json::from_slice(&std::fs::read(file?.path())?)?;
        let question = text(&words["chat_example_guide"]);
        let ran = home.run(["ask", "--in", "guide", "--json", &question])?.succeeded()?;
        let message = finished(&ran)?;
        assert!(
            text(&message["content"]).contains("engines.searxng.url"),
            "{question}: {message}"
        );
        assert!(hold_citations(&home, &open_chat(&home, &message)?, &message)? >= 2);
        asked += 1;
    }
    assert!(asked >= 7, "{asked} languages");
    Ok(())
}

#[test]
fn every_sentence_of_the_first_answer_leads_to_a_sentence_of_the_guide() -> Result<()> {
    let home = offline()?;
    let ran = home.run(["ask", "--in", "guide", "--json", QUESTION])?.succeeded()?;
    let message = finished(&ran)?;
    assert_eq!(message["state"], "complete");
    assert!(
        sources(&message).iter().all(|url| url.starts_with("guide:")),
        "{message}"
    );
    assert!(text(&message["content"]).contains("engines.searxng.url"), "{message}");
    assert!(hold_citations(&home, &open_chat(&home, &message)?, &message)? >= 2);
    Ok(())
}

#[test]
fn without_a_web_the_guide_still_answers_and_the_failures_are_told() -> Result<()> {
    let home = offline()?;
    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    let failed = ran.events_of("search_failed")?;
    for engine in ["wikipedia", "duckduckgo"] {
        let told = failed.iter().find(|event| event["engine"] == engine);
        assert_eq!(
            told.map(|event| text(&event["failure"]["code"])).as_deref(),
            Some("offline")
        );
    }
    let message = finished(&ran)?;
    assert!(sources(&message).contains(&"guide:searxng".to_owned()), "{message}");

    let plain = home.run(["ask", QUESTION])?.succeeded()?;
    assert!(plain.stderr.contains("wikipedia cannot be reached"), "{}", plain.stderr);
    assert_eq!(chats(&home)?, 2);
    Ok(())
}

#[test]
fn what_nobody_knows_is_said_and_not_made_up() -> Result<()> {
    let home = offline()?;
    let ran = home.run(["ask", "--json", "Who won the quendle race of Plimmerby in 1743?"])?;
    let message = finished(&ran)?;
    assert_eq!(ran.code, Some(7), "{}", ran.stdout);
    assert!(text(&message["content"]).contains("no network"), "{message}");
    assert!(sources(&message).is_empty());
    assert!(ran.events_of("cited")?.is_empty());
    Ok(())
}
