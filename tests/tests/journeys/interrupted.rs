//! Answers that are cut off: by Ctrl-C, and by a kill that leaves no time for a last word. What had come is kept.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::Home;
use deepsearch_tests::model_server::{ModelServer, Script, prompt};
use serde_json::Value;

use crate::purpose::answering;
use crate::world::{SmallWeb, finished, hold_citations, message_of, open_chat, searching, text, with_model};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

/// A model that would talk for a minute, and finishes quickly when it is asked to go on.
async fn slow_model() -> Result<ModelServer> {
    let long: String = std::iter::once("The lighthouse is 47 metres high [1].\n\n".to_owned())
        .chain((1..=400).map(|n| format!("Step {n} is made of granite. ")))
        .collect();
    answering(move |request| {
        if prompt(request).contains("You were interrupted") {
            Script::text(" The rest.")
        } else {
            Script::text(&long).in_pieces(400, Duration::from_millis(40))
        }
    })
    .await
}

/// A question that is being answered, its events read one by one.
struct Asking {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    answer: Value,
    streamed: String,
}

impl Asking {
    fn start(home: &Home) -> Result<Self> {
        Self::start_with(home, &[])
    }

    fn start_with(home: &Home, options: &[&str]) -> Result<Self> {
        let mut child = home.spawn(["ask", "--json", QUESTION].iter().chain(options))?;
        let stdout = child.stdout.take().context("its output")?;
        Ok(Self {
            child,
            lines: BufReader::new(stdout).lines(),
            answer: Value::Null,
            streamed: String::new(),
        })
    }

    /// Reads on until so many characters of the answer have been told.
    fn until(&mut self, length: usize) -> Result<()> {
        while self.streamed.len() < length {
            let line = self.lines.next().context("it ended early")??;
            self.take(&serde_json::from_str(&line)?);
        }
        Ok(())
    }

    fn take(&mut self, event: &Value) {
        match event["type"].as_str() {
            Some("started") => {
                self.answer = serde_json::json!({ "chat_id": event["chat_id"], "id": event["answer_id"] });
            }
            Some("token") => self.streamed.push_str(&text(&event["text"])),
            _ => {}
        }
    }

    fn signal(&self, name: &str) -> Result<()> {
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", self.child.id()))
            .status()?;
        ensure!(sent.success(), "the signal could not be sent");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_the_answer_keeps_its_text_and_says_how_to_go_on() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = slow_model().await?;
    let home = with_model(searching(&web.engine)?, &model);
    let mut asking = Asking::start(&home)?;
    asking.until(200)?;
    // A wrapper may pass one key press on twice.
    asking.signal("INT")?;
    asking.signal("INT")?;
    let mut failed = None;
    for line in asking.lines.by_ref() {
        let event: Value = serde_json::from_str(&line?)?;
        if event["type"] == "failed" {
            failed = Some(event);
        }
    }
    assert_eq!(asking.child.wait()?.code(), Some(130));
    let failed = failed.context("the end is told")?;
    assert_eq!(failed["failure"]["code"], "cancelled");
    assert_eq!(failed["message"]["state"], "interrupted");
    let kept = text(&failed["message"]["content"]);
    assert!(kept.starts_with(&asking.streamed), "{kept}");

    let chat = open_chat(&home, &failed["message"])?;
    assert_eq!(hold_citations(&home, &chat, &failed["message"])?, 1);
    let shown = home
        .run(["chats", "show", &text(&asking.answer["chat_id"])])?
        .succeeded()?;
    assert!(shown.stdout.contains("(interrupted)"), "{}", shown.stdout);
    let whole = finished(
        &home
            .run(["ask", "--continue", &text(&asking.answer["id"]), "--json"])?
            .succeeded()?,
    )?;
    assert!(text(&whole["content"]).starts_with(kept.trim_end()) && text(&whole["content"]).ends_with("The rest."));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_presses_ctrl_c_is_told_how_to_continue() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = slow_model().await?;
    let home = with_model(searching(&web.engine)?, &model);
    let mut child = home.spawn(["ask", QUESTION])?;
    let mut told = [0; 40];
    child.stdout.as_mut().context("its output")?.read_exact(&mut told)?;
    let asking = Asking {
        lines: BufReader::new(child.stdout.take().context("its output")?).lines(),
        child,
        answer: Value::Null,
        streamed: String::new(),
    };
    asking.signal("INT")?;
    let output = asking.child.wait_with_output()?;
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("deepsearch ask --continue msg_"), "{stderr}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_text_is_there_up_to_the_last_instants() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = slow_model().await?;
    let home = with_model(searching(&web.engine)?, &model);
    for round in 0..3 {
        let mut asking = Asking::start(&home)?;
        asking.until(200)?;
        let safe = asking.streamed.clone();
        // Text is kept four times a second; a second later, all that had been told before is.
        let later = std::time::Instant::now() + Duration::from_secs(1);
        while std::time::Instant::now() < later {
            let length = asking.streamed.len();
            asking.until(length + 1)?;
        }
        asking.child.kill()?;
        asking.child.wait()?;

        let chat = open_chat(&home, &asking.answer)?;
        let kept = message_of(&chat, &asking.answer["id"])?;
        assert_eq!(kept["state"], "interrupted", "round {round}: {kept}");
        let content = text(&kept["content"]);
        assert!(
            content.starts_with(&safe),
            "round {round}: {} of {}",
            content.len(),
            safe.len()
        );
        assert!(
            kept["sources"].as_array().is_some_and(|sources| !sources.is_empty()),
            "{kept}"
        );
    }
    let doctor = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    assert_eq!(doctor.as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_its_first_word_an_answer_goes_on_where_it_looked_and_with_its_files() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = slow_model().await?;
    let home = with_model(searching(&web.engine)?, &model);
    let desk = tempfile::tempdir()?;
    let file = desk.path().join("survey.md");
    std::fs::write(&file, "# Survey\n\nThe Zorvane lighthouse is 46 metres high.\n")?;
    let file = file.display().to_string();
    for options in [&["--file", &file][..], &["--in", "guide", "--file", &file]] {
        let mut asking = Asking::start_with(&home, options)?;
        while asking.answer.is_null() {
            let line = asking.lines.next().context("it ended early")??;
            asking.take(&serde_json::from_str(&line)?);
        }
        asking.child.kill()?;
        asking.child.wait()?;
        let id = text(&asking.answer["id"]);
        let whole = home
            .run(["ask", "--continue", &id, "--model", "extractive", "--json"])?
            .succeeded()?;
        let whole = finished(&whole)?;
        let sources: Vec<String> = whole["sources"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|source| text(&source["url"]))
            .collect();
        ensure!(
            sources.iter().any(|url| url.starts_with("files:")),
            "the file is forgotten: {sources:?}"
        );
        ensure!(sources.iter().all(|url| !url.starts_with("http")), "{sources:?}");
    }
    assert_eq!(
        web.engine.asked().len(),
        0,
        "what was asked of a file was asked of the web"
    );
    Ok(())
}
