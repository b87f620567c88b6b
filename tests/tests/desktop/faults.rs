//! The window as one of two devices, and a web app that writes beside them, while PostgreSQL, Redis and the gateway are
//! killed and started again: in the end the window shows what the others hold, and nothing that was asked in it is lost.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deepsearch_servers::Node;
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{Page, journey};
use deepsearch_tests::needs;
use deepsearch_tests::small_web::{SmallWeb, searching};
use deepsearch_tests::team::{Proof, Team};
use serde_json::Value;

use crate::world::{ask, chats, until_complete};

const ADA: &str = "ada@example.org";
const ROUNDS: usize = 2;
const AWAY: Duration = Duration::from_millis(700);
/// How long those that write no more may take to agree.
const CALM: Duration = Duration::from_secs(90);

/// The other device's app, as long as it is kept.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only where it has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks in the window, in a new chat.
async fn ask_in(window: &Page, number: usize) -> Result<String> {
    let question = format!("How high is the Zorvane lighthouse? ({number})");
    window.click("button", "^New chat").await?;
    ask(window, &question).await?;
    until_complete(window).await?;
    Ok(question)
}

/// All chats, the newest first.
fn listed(home: &Home) -> Result<Vec<Value>> {
    let listed = home
        .run(["chats", "list", "--json", "--limit", "500"])?
        .succeeded()?
        .json()?;
    let chats = listed["chats"].as_array().or(listed.as_array()).context("chats")?;
    Ok(chats.clone())
}

/// Ids and titles, as PostgreSQL joins them.
fn held(home: &Home) -> Result<BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(listed(home)?
        .iter()
        .map(|chat| format!("{}|{}", text(&chat["id"]), text(&chat["title"])))
        .collect())
}

fn on_server(team: &Team) -> Result<BTreeSet<String>> {
    let listed = team.sql(r#"select id, title from "ai-app-template_chat" where deleted_at is null"#)?;
    Ok(listed.lines().map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_holds_what_the_others_do_whatever_is_killed_in_the_midst() -> Result<()> {
    journey(async |desktop| {
        let Some(mut team) = Team::start()? else { return Ok(()) };
        let web = SmallWeb::lighthouse().await?;
        let (home, other) = (team.join(searching(&web.engine)?), team.device()?);
        for device in [&home, &other] {
            team.admit(device, Proof::Company(ADA)).await?;
        }
        let url = team.owner_url();
        let writer = Node::start("webapp", &["--import", "tsx", "tests/writer.ts", &url, ADA])?;
        let Some(mut writer) = writer else {
            needs::missing("Node, or the packages of tests/webapp");
            return Ok(());
        };
        ensure!(writer.next_line()?.contains("ready"), "the web app runs");
        let mut watching = other.command(["sync", "--watch", "--json"])?;
        let _watching = Running(watching.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;

        let mut asked = Vec::new();
        for round in 0..ROUNDS {
            asked.push(ask_in(&main, round * 10).await?);
            team.postgres.kill()?;
            asked.push(ask_in(&main, round * 10 + 1).await?);
            other
                .run(["ask", "--in", "guide", &format!("How do I make a backup? ({round})")])?
                .succeeded()?;
            std::thread::sleep(AWAY);
            team.postgres.start_again()?;
            team.redis.kill()?;
            team.kill_gateway()?;
            asked.push(ask_in(&main, round * 10 + 2).await?);
            team.redis.start_again()?;
            team.start_gateway()?;
        }
        writer.say("stop")?;
        let told: Value = serde_json::from_str(&writer.next_line()?)?;
        ensure!(told["failed"].as_u64() > Some(0), "the web app met the faults: {told}");

        let began = Instant::now();
        loop {
            let wanted = on_server(&team)?;
            let has_all = asked.iter().all(|question| {
                wanted
                    .iter()
                    .filter(|chat| chat.ends_with(&format!("|{question}")))
                    .count()
                    == 1
            });
            if has_all && held(&home)? == wanted && held(&other)? == wanted {
                break;
            }
            ensure!(began.elapsed() < CALM, "they do not agree: {wanted:?}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        // And what it shows is what it holds: what was done last, wherever that was, stands in the list.
        let newest = listed(&home)?.first().context("a chat")?["title"].clone();
        let list = format!("return document.querySelector('nav')?.innerText.includes({newest})");
        main.until("the newest chat in the list", &list).await?;
        main.find("button", "^Synced").await?;
        assert_eq!(
            team.sql("select count(*) from deepsearch.device where revoked_at is null")?,
            "2"
        );
        assert!(!chats(&home)?.is_empty());
        Ok(())
    })
    .await
}
