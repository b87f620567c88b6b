//! Questions through the real small model. It is often wrong: this proves the wiring, not the wit.

use anyhow::{Context, Result, bail};
use deepsearch_tests::cli::Home;
use deepsearch_tests::needs;
use url::Url;

use crate::world::{SmallWeb, finished, hold_citations, message_of, offline, open_chat, searching, sources, text};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

/// A data folder whose model is the real one, which reads a long prompt slowly.
fn with_real_model(home: Home, model: &Url) -> Home {
    home.set("models.small.url", model.as_str())
        .set("default_model", "small/smollm2")
        .set("answer.evidence_tokens", "256")
        .set("answer.tokens", "64")
        .set("answer.pages", "1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_in_a_stream_and_tells_its_usage() -> Result<()> {
    let Some(model) = needs::model_url() else {
        return Ok(());
    };
    let web = SmallWeb::lighthouse().await?;
    let home = with_real_model(searching(&web.engine)?, &model);
    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    assert_eq!(ran.events_of("started")?[0]["model"], "small/smollm2");
    assert!(ran.events_of("token")?.len() > 2, "{}", ran.stdout);
    let message = finished(&ran)?;
    assert!(!text(&message["content"]).is_empty());
    let tokens = &message["metadata"]["tokens"];
    for kind in ["prompt", "completion", "total"] {
        assert!(tokens[kind].as_u64().is_some_and(|count| count > 0), "{tokens}");
    }
    assert_eq!(message["state"], "complete");
    let saved = open_chat(&home, &message)?;
    assert_eq!(saved["messages"][1]["content"], message["content"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_from_a_folder_and_its_citations_hold() -> Result<()> {
    let Some(model) = needs::model_url() else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let survey = "# Survey\n\nThe Zorvane lighthouse is 47 metres high. It was built of grey granite.\n";
    std::fs::write(folder.path().join("survey.md"), survey)?;
    let home = with_real_model(offline()?, &model);
    let path = folder.path().display().to_string();
    home.run(["folders", "add", &path])?.succeeded()?;
    let ran = home.run(["ask", "--json", "--in", "files", QUESTION])?;
    let message = finished(&ran.succeeded()?)?;
    assert_eq!(message["metadata"]["model"], "small/smollm2");
    assert!(
        message["metadata"]["tokens"]["completion"].as_u64() > Some(0),
        "{message}"
    );
    let sources = sources(&message);
    assert!(
        !sources.is_empty() && sources.iter().all(|url| url.starts_with("files:")),
        "{sources:?}"
    );
    let chat = open_chat(&home, &message)?;
    hold_citations(&home, &chat, &message)?;
    // Each of its sentences is judged, whatever it says.
    let checks = message_of(&chat, &message["id"])?["checks"].as_array();
    assert!(checks.is_some_and(|checks| !checks.is_empty()), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_real_model_is_checked_again_when_its_page_has_changed() -> Result<()> {
    let Some(model) = needs::model_url() else {
        return Ok(());
    };
    let web = SmallWeb::lighthouse().await?;
    let home = with_real_model(searching(&web.engine)?, &model);
    let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    let text_now = "The Zorvane lighthouse is 49 metres high since its lantern was raised.";
    web.rewrite("height.html", "The Zorvane lighthouse: height and tower", text_now)?;
    let used = || -> Result<u64> {
        let told = home.run(["usage", "--json"])?.succeeded()?.json()?;
        told["months"][0]["models"][0]["prompt"].as_u64().context("tokens")
    };
    let before = used()?;
    let checked = home
        .run(["recheck", &text(&message["id"]), "--json"])?
        .succeeded()?
        .json()?;
    let sentences = checked["sentences"].as_array().context("sentences")?;
    assert!(!sentences.is_empty(), "{checked}");
    assert!(used()? > before, "the new answer was counted");
    let kept = home
        .run(["recheck", &text(&message["id"]), "--history", "--json"])?
        .succeeded()?
        .json()?;
    assert_eq!(kept[0]["sentences"], checked["sentences"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_that_embeds_puts_passages_in_order() -> Result<()> {
    let Some(embedder) = needs::embedding_url() else {
        return Ok(());
    };
    // Short, because it has two seconds on a machine that is busy with other tests.
    let web = SmallWeb::of(&[
        ("high.html", "The tower", "The Zorvane lighthouse is 47 metres high."),
        (
            "keepers.html",
            "The keepers",
            "Three keepers lived at the Zorvane lighthouse.",
        ),
    ])
    .await?;
    let home = searching(&web.engine)?
        .set("default_model", "extractive")
        .set("models.embed.url", embedder.as_str())
        .set("rank.embedding_model", "embed/smollm2");
    for _ in 0..5 {
        let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
        let told = ran.events_of("reranked")?.pop().context("it was asked")?;
        assert_eq!(told["model"], "embed/smollm2");
        assert!(told["passages"].as_u64() > Some(1), "{told}");
        let message = finished(&ran)?;
        let chat = open_chat(&home, &message)?;
        assert!(hold_citations(&home, &chat, &message)? > 0, "{message}");
        if told["failure"].is_null() {
            return Ok(());
        }
        // Then the words alone put them in order, and the answer was there in time.
        assert_eq!(told["failure"]["code"], "timed_out", "{told}");
    }
    bail!("it never put anything in order in time")
}
