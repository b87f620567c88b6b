//! Two devices that sync all the time and a web app that writes beside them, while PostgreSQL, Redis and the gateway are
//! killed and started again: at the end all three hold the same, texts and pins too, and nothing that was acknowledged is
//! lost.

use std::collections::BTreeSet;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deepsearch_core::page::content_hash;
use deepsearch_servers::Node;
use deepsearch_tests::cli::Home;
use deepsearch_tests::needs;
use deepsearch_tests::team::{Proof, Team};
use serde_json::Value;

use crate::world::{finished, text};

const ADA: &str = "ada@example.org";
/// A minute of faults is what CI has time for.
const ROUNDS: usize = 3;
const AWAY: Duration = Duration::from_millis(700);
/// How long three that write no more may take to agree.
const CALM: Duration = Duration::from_secs(90);

/// A device whose app runs, as long as it is kept.
struct Running {
    home: Home,
    app: Child,
}

impl Running {
    async fn start(team: &Team) -> Result<Self> {
        let home = team.device()?;
        team.admit(&home, Proof::Company(ADA)).await?;
        let mut app = home.command(["sync", "--watch", "--json"])?;
        let app = app
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()?;
        Ok(Self { home, app })
    }

    /// A question asked beside the running app, as from another window; what it says is acknowledged.
    fn ask(&self, about: usize) -> Result<String> {
        let question = format!("How do I make a backup? ({about})");
        let ran = self
            .home
            .run(["ask", "--in", "guide", "--json", &question])?
            .succeeded()?;
        Ok(text(&finished(&ran)?["chat_id"]))
    }

    /// Every chat of a view, by id with its title.
    fn chats(&self, view: &str) -> Result<BTreeSet<String>> {
        let listed = self
            .home
            .run(["chats", "list", "--json", "--limit", "500", "--view", view])?;
        let listed = listed.succeeded()?.json()?;
        let chats = listed["chats"].as_array().or(listed.as_array()).context("chats")?;
        Ok(chats
            .iter()
            .map(|chat| format!("{}|{}", text(&chat["id"]), text(&chat["title"])))
            .collect())
    }

    /// The ids and texts of a chat's messages, as PostgreSQL joins them.
    fn messages(&self, chat: &str) -> Result<String> {
        let shown = self.home.run(["chats", "show", chat, "--json"])?.succeeded()?.json()?;
        let messages = shown["messages"].as_array().into_iter().flatten();
        let said = |message: &Value| {
            let content = message["content"].as_str().context("a text")?;
            Ok(format!("{} {}", text(&message["id"]), content_hash(content)))
        };
        let said = messages.map(said).collect::<Result<BTreeSet<String>>>()?;
        Ok(said.into_iter().collect::<Vec<_>>().join(","))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only where it has already ended.
        let _ = self.app.kill();
        let _ = self.app.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_and_a_web_app_hold_the_same_whatever_is_killed_in_the_midst() -> Result<()> {
    let Some(mut team) = Team::start()? else { return Ok(()) };
    let devices = [Running::start(&team).await?, Running::start(&team).await?];
    let writer = Node::start(
        "webapp",
        &["--import", "tsx", "tests/writer.ts", &team.owner_url(), ADA],
    )?;
    let Some(mut writer) = writer else {
        needs::missing("Node, or the packages of tests/webapp");
        return Ok(());
    };
    ensure!(writer.next_line()?.contains("ready"), "the web app runs");

    let (mut asked, mut pinned) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..ROUNDS {
        for (at, device) in devices.iter().enumerate() {
            asked.insert(device.ask(round * 10 + at)?);
        }
        team.postgres.kill()?;
        // Pinned where it was not asked, as soon as it is there: the one chat changes on two devices.
        if let Some(chat) = asked.iter().find(|chat| !pinned.contains(*chat)) {
            let pin = |device: &Running| device.home.run(["chats", "pin", chat]);
            if pin(&devices[round % 2])?.code == Some(0) || pin(&devices[(round + 1) % 2])?.code == Some(0) {
                pinned.insert(chat.clone());
            }
        }
        asked.insert(devices[round % 2].ask(round * 10 + 2)?);
        std::thread::sleep(AWAY);
        team.postgres.start_again()?;
        team.redis.kill()?;
        team.kill_gateway()?;
        asked.insert(devices[(round + 1) % 2].ask(round * 10 + 3)?);
        team.redis.start_again()?;
        team.start_gateway()?;
    }
    // In the midst of it somebody signs in anew.
    let third = Running::start(&team).await?;
    writer.say("stop")?;
    let told: Value = serde_json::from_str(&writer.next_line()?)?;
    let list = |name: &str| {
        told[name]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect::<BTreeSet<String>>()
    };
    let (kept, written) = (list("kept"), list("messages"));
    ensure!(
        kept.len() > 4 && told["failed"].as_u64() > Some(0),
        "the web app met the faults: {told}"
    );

    // What one was told is done is on the server.
    agree(&team, &[&devices[0], &devices[1], &third], &asked)?;
    let chats = rows(&team, r#"select id from "ai-app-template_chat""#)?;
    let messages = rows(&team, r#"select id from "ai-app-template_message""#)?;
    assert_eq!(
        kept.difference(&chats).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "chats of the web app"
    );
    assert_eq!(
        written.difference(&messages).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "messages of the web app"
    );
    assert_eq!(
        rows(
            &team,
            "select chat_id from deepsearch_sync.chat_flags where pinned order by chat_id"
        )?,
        pinned,
        "what was pinned while nobody answered"
    );
    // Each answer once: what was sent again after a lost acknowledgement is the same row.
    let per_chat = format!(
        r#"select max(said) from (select count(*) as said from "ai-app-template_message"
        where chat_id in ('{}') group by chat_id) as counted"#,
        asked.iter().cloned().collect::<Vec<_>>().join("','")
    );
    assert_eq!(team.sql(&per_chat)?, "2");
    Ok(())
}

/// Waits until what was asked is on the server, and it and the devices hold the same chats with the same messages. They
/// are held together each time: while one still sends, two that agreed a moment ago are apart again.
fn agree(team: &Team, devices: &[&Running], asked: &BTreeSet<String>) -> Result<()> {
    let began = Instant::now();
    loop {
        let apart = apart(team, devices, asked)?;
        if apart.is_empty() {
            return Ok(());
        }
        ensure!(began.elapsed() < CALM, "they do not agree on {apart:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// What one has and another has not: chats first, and messages where those are the same.
fn apart(team: &Team, devices: &[&Running], asked: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    // Asked for first: a chat that comes later is waited for below, and is not missed here.
    let said = rows(
        team,
        r#"select chat_id, string_agg(id || ' ' || encode(sha256(convert_to(content, 'UTF8')), 'hex'), ',' order by id)
            from "ai-app-template_message" group by chat_id"#,
    )?;
    let chats = rows(team, r#"select id from "ai-app-template_chat""#)?;
    let mut apart: BTreeSet<String> = asked.difference(&chats).cloned().collect();
    let is_pinned = "is null and id in (select chat_id from deepsearch_sync.chat_flags where pinned)";
    for (view, condition) in [("active", "is null"), ("trash", "is not null"), ("pinned", is_pinned)] {
        let listed = format!(r#"select id, title from "ai-app-template_chat" where deleted_at {condition}"#);
        let wanted = rows(team, &listed)?;
        for device in devices {
            apart.extend(device.chats(view)?.symmetric_difference(&wanted).cloned());
        }
    }
    if !apart.is_empty() {
        return Ok(apart);
    }
    for row in said {
        let (chat, wanted) = row.split_once('|').context("a chat and its messages")?;
        for device in devices {
            if device.messages(chat)? != wanted {
                apart.insert(format!("the messages of {chat}"));
            }
        }
    }
    Ok(apart)
}

fn rows(team: &Team, sql: &str) -> Result<BTreeSet<String>> {
    Ok(team.sql(sql)?.lines().map(str::to_owned).collect())
}
