//! Deep research with the real command: planned, searched, read, written; killed at every step, stopped, changed, and
//! without a model.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::{Home, Ran};
use deepsearch_tests::engines::FakeEngine;
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::model_server::{ModelServer, Script, prompt};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{finished, hold_citations, message_of, open_chat, page, searching, text, with_model};

pub(crate) const QUESTION: &str = "How was the Zorvane lighthouse built and how does it work?";

/// Two sites that speak of one lighthouse and do not agree about its height.
pub(crate) struct Coast {
    pub(crate) sites: [Site; 2],
    pub(crate) engine: FakeEngine,
    _folders: [TempDir; 2],
}

const HARBOUR: &[(&str, &str, &str)] = &[
    (
        "building.html",
        "Building the Zorvane lighthouse",
        "The Zorvane lighthouse was built by the engineer Maren Oltwick from grey granite.\n\
         The building of the Zorvane lighthouse took six summers and forty stonemasons.\n\
         The Zorvane lighthouse is 47 metres high.",
    ),
    (
        "keepers.html",
        "The keepers of the Zorvane lighthouse",
        "Three keepers lived at the Zorvane lighthouse with their families.\n\
         The last keeper left the Zorvane lighthouse in 1986, when a timer took over the lamp.",
    ),
];

const MUSEUM: &[(&str, &str, &str)] = &[
    (
        "tower.html",
        "The tower of the Zorvane lighthouse",
        "The Zorvane lighthouse is 43 metres high.\n\
         Maren Oltwick built the tower of the Zorvane lighthouse on a reef that the sea covers at high water.",
    ),
    (
        "lens.html",
        "The lens of the Zorvane lighthouse",
        "The Fresnel lens of the Zorvane lighthouse bundles the light of one lamp into four beams.\n\
         The lens of the Zorvane lighthouse floats on a bath of mercury, so that a child can turn it.",
    ),
    (
        "horn.html",
        "The foghorn of the Zorvane lighthouse",
        "The foghorn of the Zorvane lighthouse is driven by compressed air from a cellar under the tower.",
    ),
];

impl Coast {
    async fn start() -> Result<Self> {
        Self::behind(|_| Ok(None)).await
    }

    /// The same, each site behind a proxy: `proxy` is told a site's port and gives that of its proxy.
    pub(crate) async fn behind(mut proxy: impl FnMut(u16) -> Result<Option<u16>>) -> Result<Self> {
        let (harbour, museum) = (tempfile::tempdir()?, tempfile::tempdir()?);
        for (folder, pages) in [(&harbour, HARBOUR), (&museum, MUSEUM)] {
            for (name, title, text) in pages {
                std::fs::write(folder.path().join(name), page(title, text))?;
            }
        }
        let sites = [site(&harbour, &mut proxy).await?, site(&museum, &mut proxy).await?];
        let index = LocalIndex::of(&[&sites[0], &sites[1]], &[])?;
        let engine = FakeEngine::start("searxng", std::sync::Arc::new(index)).await?;
        Ok(Self {
            sites,
            engine,
            _folders: [harbour, museum],
        })
    }
}

async fn site(folder: &TempDir, mut proxy: impl FnMut(u16) -> Result<Option<u16>>) -> Result<Site> {
    let site = Site::serve(folder.path()).await?;
    Ok(match proxy(site.base().port().context("a port")?)? {
        Some(port) => site.known_by(port),
        None => site,
    })
}

async fn model() -> Result<ModelServer> {
    slow_model(|_| Duration::ZERO).await
}

/// A model that plans three questions, and writes what the sources say about each, as long as `takes` says of what it is
/// asked.
pub(crate) async fn slow_model(takes: impl Fn(&str) -> Duration + Send + Sync + 'static) -> Result<ModelServer> {
    ModelServer::start(move |request| {
        let asked = prompt(request);
        answer_to(&asked).first_token_after(takes(&asked))
    })
    .await
}

fn answer_to(asked: &str) -> Script {
    if asked.contains(PLANS) {
        return Script::text(
            "1. Who built the Zorvane lighthouse?\n2. How does the lens of the Zorvane lighthouse work?\n3. Which submarines visited Zanzibar?",
        );
    }
    if asked.contains(REVIEWS) {
        return Script::text("none");
    }
    if asked.contains(WRITES) {
        return Script::text(&sentences_of(asked));
    }
    Script::text("The Zorvane lighthouse")
}

/// What a model is asked for, as the question itself shows it.
pub(crate) const PLANS: &str = "A report shall answer";
pub(crate) const REVIEWS: &str = "still missing";
pub(crate) const WRITES: &str = "Sources:";

/// The first sentence of each source in a prompt, with its number.
fn sentences_of(prompt: &str) -> String {
    let sources = prompt.split("<source number=\"").skip(1);
    let lines = sources.filter_map(|source| {
        let (number, rest) = source.split_once('"')?;
        let sentence = rest.lines().find(|line| line.ends_with('.'))?;
        Some(format!(
            "{} [{number}]",
            sentence.split(". ").next()?.trim_end_matches('.').to_owned() + "."
        ))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn headings(content: &str) -> Vec<String> {
    content
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn answer_of(ran: &Ran) -> Result<Value> {
    let message = finished(ran)?;
    ensure!(message["state"] == "complete", "{message}");
    Ok(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_sections_says_who_disagrees_and_every_citation_holds() -> Result<()> {
    let (coast, model) = (Coast::start().await?, model().await?);
    let home = with_model(searching(&coast.engine)?, &model);
    let ran = home.run(["ask", "--deep", "--json", QUESTION])?.succeeded()?;
    let message = answer_of(&ran)?;
    let content = text(&message["content"]);
    assert_eq!(
        headings(&content),
        [
            "Who built the Zorvane lighthouse?",
            "How does the lens of the Zorvane lighthouse work?",
            "Where sources disagree",
            "Not found",
        ],
        "{content}"
    );
    for said in [
        "Maren Oltwick",
        "47 metres high",
        "43 metres high",
        "Which submarines visited Zanzibar?",
    ] {
        assert!(content.contains(said), "{said} in {content}");
    }
    let chat = open_chat(&home, &message)?;
    assert!(hold_citations(&home, &chat, &message)? >= 5, "{content}");
    let saved = message_of(&chat, &message["id"])?;
    let checks = saved["checks"].as_array().context("checks")?;
    assert!(checks.iter().all(|check| check["verdict"] == "supported"), "{checks:?}");

    let last = ran.events_of("research")?.pop().context("a research event")?;
    let spent = &last["progress"]["spent"];
    assert!(
        spent["steps"].as_u64() >= Some(3) && spent["pages"].as_u64() >= Some(3),
        "{spent}"
    );
    let id = text(&message["id"]);
    let shown = home.run(["research", "show", &id])?.succeeded()?;
    assert!(
        shown.stdout.contains("1. Who built the Zorvane lighthouse?  (written)"),
        "{}",
        shown.stdout
    );
    let listed = home.run(["research", "list"])?.succeeded()?;
    assert!(
        listed.stdout.contains(&id) && listed.stdout.contains("written"),
        "{}",
        listed.stdout
    );
    let refused = home.run(["research", "edit", &id, "--add", "Who paid for it?"])?;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    Ok(())
}

/// Starts a command, kills it without a last word after so many events of the research, and says which answer it was.
fn kill_after(home: &Home, args: &[&str], events: usize) -> Result<Option<String>> {
    let mut child = home.spawn(args)?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let (mut answer, mut seen) = (None, 0);
    for line in lines {
        let event: Value = serde_json::from_str(&line?)?;
        match event["type"].as_str() {
            Some("started") => answer = Some(text(&event["answer_id"])),
            Some("research") => seen += 1,
            Some("finished") => {
                child.wait()?;
                return Ok(None);
            }
            _ => {}
        }
        if seen == events {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_in_turn_it_comes_to_the_same_report() -> Result<()> {
    let (coast, model) = (Coast::start().await?, model().await?);
    let home = with_model(searching(&coast.engine)?, &model);
    let undisturbed = home.run(["ask", "--deep", "--json", QUESTION])?.succeeded()?;
    let steps = undisturbed.events_of("research")?.len();
    let whole = text(&answer_of(&undisturbed)?["content"]);

    // Each start is told where it is, does one task, tells it and dies.
    let answer = kill_after(&home, &["ask", "--deep", "--json", QUESTION], 3)?.context("it was killed")?;
    let mut kills = 1;
    while kill_after(&home, &["research", "continue", &answer, "--json"], 3)?.is_some() {
        kills += 1;
        ensure!(kills < 2 * steps, "it does not get on");
    }
    assert!(kills >= 8, "{kills} kills in {steps} steps");
    let list = home.run(["research", "list", "--json"])?.succeeded()?.json()?;
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    let chats = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    let mut reports = Vec::new();
    for chat in chats.as_array().context("chats")? {
        let chat = home
            .run(["chats", "show", &text(&chat["id"]), "--json"])?
            .succeeded()?
            .json()?;
        let message = chat["messages"]
            .as_array()
            .and_then(|messages| messages.last())
            .context("an answer")?
            .clone();
        assert_eq!(message["state"], "complete");
        assert!(hold_citations(&home, &chat, &message)? > 3);
        reports.push(text(&message["content"]));
    }
    assert_eq!(reports, [whole.clone(), whole], "the same report, word for word");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_seen_changed_and_gone_on_with() -> Result<()> {
    let (coast, model) = (Coast::start().await?, model().await?);
    let home = with_model(searching(&coast.engine)?, &model);
    let planned = home.run(["ask", "--deep", "--plan", QUESTION])?.succeeded()?;
    let id = planned
        .stderr
        .split("research continue ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .with_context(|| format!("no id in {}", planned.stderr))?
        .to_owned();
    let shown = home.run(["research", "show", &id])?.succeeded()?;
    assert!(
        shown
            .stdout
            .contains("3. Which submarines visited Zanzibar?  (planned)"),
        "{}",
        shown.stdout
    );
    home.run([
        "research",
        "edit",
        &id,
        "--remove",
        "3",
        "--add",
        "How is the foghorn of Zorvane driven?",
    ])?
    .succeeded()?;
    home.run(["research", "edit", &id, "--order", "4,2", "--steps", "9"])?
        .succeeded()?;
    let shown = home.run(["research", "show", &id, "--json"])?.succeeded()?.json()?;
    assert_eq!(shown["parts"][0]["id"], 4, "{shown}");
    assert_eq!(shown["budget"]["steps"], 9);

    let message = answer_of(&home.run(["research", "continue", &id, "--json"])?.succeeded()?)?;
    let content = text(&message["content"]);
    assert_eq!(
        headings(&content)[..3],
        [
            "How is the foghorn of Zorvane driven?",
            "How does the lens of the Zorvane lighthouse work?",
            "Who built the Zorvane lighthouse?"
        ]
    );
    assert!(
        content.contains("compressed air") && !content.contains("Zanzibar"),
        "{content}"
    );
    let chat = open_chat(&home, &message)?;
    hold_citations(&home, &chat, &message)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_the_report_is_made_of_sentences_of_the_sources() -> Result<()> {
    let coast = Coast::start().await?;
    let home = searching(&coast.engine)?;
    let ran = home
        .run([
            "ask",
            "--deep",
            "--json",
            "--model",
            "extractive",
            "--minutes",
            "2",
            "The Zorvane lighthouse",
        ])?
        .succeeded()?;
    let message = answer_of(&ran)?;
    let content = text(&message["content"]);
    assert!(content.contains("Where sources disagree"), "{content}");
    let chat = open_chat(&home, &message)?;
    assert!(hold_citations(&home, &chat, &message)? >= 3);
    let checks = &message_of(&chat, &message["id"])?["checks"];
    assert!(
        checks
            .as_array()
            .is_some_and(|checks| checks.iter().all(|check| check["verdict"] == "supported")),
        "{checks}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_a_report_of_what_was_found_that_can_be_continued() -> Result<()> {
    let (coast, model) = (Coast::start().await?, model().await?);
    let home = with_model(searching(&coast.engine)?, &model);
    let mut child = home.spawn(["ask", "--deep", "--json", QUESTION])?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let (mut failed, mut signalled) = (None, false);
    for line in lines {
        let event: Value = serde_json::from_str(&line?)?;
        let noted = event["progress"]["parts"][0]["stage"] == "noted";
        if noted && !signalled {
            signalled = true;
            let sent = std::process::Command::new("sh")
                .arg("-c")
                .arg(format!("kill -INT {}", child.id()))
                .status()?;
            ensure!(sent.success(), "the signal could not be sent");
        }
        if event["type"] == "failed" {
            failed = Some(event);
        }
    }
    assert_eq!(child.wait()?.code(), Some(130));
    let message = failed.context("its end is told")?["message"].take();
    let content = text(&message["content"]);
    assert!(content.contains("Maren Oltwick") && content.contains('['), "{content}");
    let chat = open_chat(&home, &message)?;
    assert!(hold_citations(&home, &chat, &message)? > 0, "{content}");

    let whole = answer_of(
        &home
            .run(["ask", "--continue", &text(&message["id"]), "--json"])?
            .succeeded()?,
    )?;
    assert_eq!(
        headings(&text(&whole["content"])).last().map(String::as_str),
        Some("Not found")
    );
    Ok(())
}
