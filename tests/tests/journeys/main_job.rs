//! The main job on real manuals: search, read, answer, cite, keep; and everything kept opens when the web has gone.

use std::sync::Arc;

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::FakeEngine;
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::needs;
use serde_json::Value;

use crate::world::{SmallWeb, finished, hold_citations, message_of, offline, open_chat, searching, sources, text};

/// Two manuals, and an engine that knows some of their pages.
struct Manuals {
    python: Site,
    postgresql: Site,
    engine: FakeEngine,
}

impl Manuals {
    async fn open() -> Result<Option<Self>> {
        let Some(corpus) = needs::corpus() else {
            return Ok(None);
        };
        let python = Site::serve(corpus.join("python")).await?;
        let postgresql = Site::serve(corpus.join("postgresql")).await?;
        let index = LocalIndex::of(
            &[&python, &postgresql],
            &["/library/", "vacuum", "/index", "lock", "mvcc"],
        )?;
        let engine = FakeEngine::start("searxng", Arc::new(index)).await?;
        Ok(Some(Self {
            python,
            postgresql,
            engine,
        }))
    }
}

/// Asks, and holds the answer to what every answer promises.
fn ask(home: &Home, question: &str, told: &str) -> Result<Value> {
    let ran = home.run(["ask", "--json", question])?.succeeded()?;
    let message = finished(&ran)?;
    let content = text(&message["content"]);
    assert!(content.to_lowercase().contains(told), "{question}\n{content}");
    let read = ran.events_of("source_read")?;
    assert!(sources(&message).len() <= read.len() && !sources(&message).is_empty());
    // What is told while it streams is what is kept.
    let streamed: String = ran
        .events_of("token")?
        .iter()
        .map(|token| text(&token["text"]))
        .collect();
    assert_eq!(streamed.trim_end(), content);
    let chat = open_chat(home, &message)?;
    let held = hold_citations(home, &chat, &message)?;
    assert!(held >= 1, "no citation in\n{content}");
    assert_eq!(held, ran.events_of("cited")?.len());
    let saved = message_of(&chat, &message["id"])?;
    assert_eq!(saved["content"], message["content"]);
    let checks = saved["checks"].as_array().context("checks")?;
    let is_supported = |check: &&Value| check["verdict"] == "supported";
    assert_eq!(checks.iter().filter(is_supported).count(), checks.len(), "{checks:?}");
    Ok(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_real_manuals_are_answered_with_sentences_that_stand_in_them() -> Result<()> {
    let Some(manuals) = Manuals::open().await? else {
        return Ok(());
    };
    let home = searching(&manuals.engine)?;
    let json = ask(&home, "How does json.dumps handle NaN and Infinity?", "nan")?;
    assert!(
        sources(&json).contains(&manuals.python.url("library/json.html").into()),
        "{:?}",
        sources(&json)
    );
    let vacuum = ask(&home, "What does VACUUM FULL do in PostgreSQL?", "vacuum")?;
    let is_manual = |url: &String| url.starts_with(manuals.postgresql.base().as_str());
    assert!(sources(&vacuum).iter().any(is_manual), "{:?}", sources(&vacuum));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_server_gone_all_that_was_answered_is_listed_searched_and_opened() -> Result<()> {
    let Some(manuals) = Manuals::open().await? else {
        return Ok(());
    };
    let home = searching(&manuals.engine)?;
    let message = ask(&home, "How does json.dumps handle NaN and Infinity?", "nan")?;
    let asked = manuals.engine.asked().len();
    let (engine, pages) = (manuals.engine.base().clone(), manuals.python.base().clone());
    drop(manuals);
    assert!(asked > 0, "the engine was asked while it was there");
    while listens(&engine) || listens(&pages) {
        // A server ends when its task is next looked at.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    let listed = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    assert_eq!(listed[0]["id"], message["chat_id"]);
    let chat = open_chat(&home, &message)?;
    assert!(hold_citations(&home, &chat, &message)? >= 1);
    let shown = home.run(["chats", "show", &text(&message["chat_id"])])?.succeeded()?;
    assert!(
        shown.stdout.contains("[1] ") && shown.stdout.contains("“"),
        "{}",
        shown.stdout
    );

    // A word that stands on the page and was not in the answer.
    let found = home
        .run(["chats", "search", "raw_decode", "--json"])?
        .succeeded()?
        .json()?;
    assert!(!text(&message["content"]).contains("raw_decode"), "choose another word");
    assert_eq!(found["hits"][0]["kind"], "page", "{found}");
    let page = format!("page:{}", text(&found["hits"][0]["page_id"]));
    let page = home.run(["read", &page])?.succeeded()?;
    assert!(page.stdout.contains("raw_decode"));

    // And a question is still answered, from what is on this machine.
    let again = home
        .run(["ask", "--in", "chats", "--json", "json.dumps NaN"])?
        .succeeded()?;
    assert!(!sources(&finished(&again)?).is_empty());
    Ok(())
}

fn listens(url: &url::Url) -> bool {
    let port = url.port().unwrap_or(80);
    std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_named_in_the_question_is_read_without_any_engine() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = offline()?;
    let url = web.site.url("history.html").to_string();
    for (question, told) in [
        (
            format!("What does {url} say about the engineer of the lighthouse?"),
            "Maren Oltwick",
        ),
        (url.clone(), "Zorvane lighthouse"),
    ] {
        let ran = home.run(["ask", "--json", &question])?.succeeded()?;
        let message = finished(&ran)?;
        assert!(text(&message["content"]).contains(told), "{question}: {message}");
        assert!(sources(&message).contains(&url), "{message}");
        assert!(hold_citations(&home, &open_chat(&home, &message)?, &message)? >= 1);
    }
    assert_eq!(web.engine.asked(), Vec::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_without_a_model_is_understood_by_the_question_before_it() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    let first = finished(
        &home
            .run(["ask", "--json", "How high is the Zorvane lighthouse?"])?
            .succeeded()?,
    )?;
    let chat = text(&first["chat_id"]);
    let ran = home
        .run(["ask", "--json", "--chat", &chat, "And who designed it?"])?
        .succeeded()?;
    assert!(text(&ran.events_of("planned")?[0]["queries"][0]).contains("Zorvane"));
    assert!(
        text(&finished(&ran)?["content"]).contains("Maren Oltwick"),
        "{}",
        ran.stdout
    );
    Ok(())
}
