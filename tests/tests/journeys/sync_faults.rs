//! What comes over the wire is not as it should be: sessions that ended, secrets that were changed, rows and rules of a
//! newer version. Each is a state in clear words, and nothing that is here is lost.

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::team::{Proof, Team};
use serde_json::{Value, json};

use crate::world::{chats, finished, hold_citations, open_chat, text};

const ADA: &str = "ada@example.org";

fn ask(home: &Home, question: &str) -> Result<Value> {
    finished(&home.run(["ask", "--in", "guide", "--json", question])?.succeeded()?)
}

fn sync(home: &Home) -> Result<Value> {
    home.run(["sync", "--json"])?.succeeded()?.json()
}

fn status(home: &Home) -> Result<Value> {
    home.run(["sync", "status", "--json"])?.succeeded()?.json()
}

/// What the doctor says of sync.
fn examined(home: &Home) -> Result<Value> {
    // Its engines lead nowhere, so it does not end well.
    let findings = home.run(["doctor", "--json"])?.json()?;
    let mut all = findings.as_array().into_iter().flatten();
    all.find(|finding| finding["part"] == "sync")
        .cloned()
        .context("a finding on sync")
}

/// A device that is signed in, has sent one chat and has another one to send.
async fn device(team: &Team) -> Result<(Home, Value, Value)> {
    let home = team.device()?;
    team.admit(&home, Proof::Company(ADA)).await?;
    let sent = ask(&home, "How do I make a backup?")?;
    sync(&home)?;
    let waiting = ask(&home, "How do I use my own SearXNG?")?;
    Ok((home, sent, waiting))
}

fn holds(home: &Home, answers: [&Value; 2]) -> Result<()> {
    for answer in answers {
        assert!(hold_citations(home, &open_chat(home, answer)?, answer)? > 0);
    }
    assert_eq!(chats(home)?, 2);
    Ok(())
}

fn is_on_server(team: &Team, answer: &Value) -> Result<bool> {
    let chat = text(&answer["chat_id"]);
    Ok(team.sql(&format!(
        r#"select count(*) from "ai-app-template_chat" where id = '{chat}'"#
    ))? == "1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_elsewhere_is_told_and_what_waits_is_sent_after_the_next_sign_in() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let (home, sent, waiting) = device(&team).await?;
    assert_eq!(examined(&home)?["grade"], "good");
    team.sql(r#"delete from "ai-app-template_session""#)?;
    assert_eq!(examined(&home)?["grade"], "bad");
    let over = home.run(["sync"])?;
    assert_eq!(over.code, Some(5), "{}", over.stderr);
    assert!(over.stderr.to_lowercase().contains("sign in"), "{}", over.stderr);
    assert_eq!(home.run(["whoami"])?.code, Some(5), "the gateway was asked, and agrees");
    assert_eq!(status(&home)?["state"], "signed_out");
    holds(&home, [&sent, &waiting])?;
    assert!(!is_on_server(&team, &waiting)?);

    team.admit(&home, Proof::Company(ADA)).await?;
    sync(&home)?;
    assert!(
        is_on_server(&team, &waiting)?,
        "it was asked while somebody was signed in"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_database_no_longer_takes_says_to_sign_in_again() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let (home, sent, waiting) = device(&team).await?;
    let role = team.sql("select rolname from pg_roles where rolname like 'deepsearch_device_%'")?;
    team.sql(&format!("alter role {role} password 'another'"))?;
    let refused = home.run(["sync"])?;
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    let told = status(&home)?;
    assert_eq!(
        (&told["state"], &told["remedy"]),
        (&json!("error"), &json!("sign_in")),
        "{told}"
    );
    let finding = examined(&home)?;
    assert_eq!(finding["grade"], "bad", "{finding}");
    holds(&home, [&sent, &waiting])?;

    home.run(["sign-out"])?.succeeded()?;
    team.admit(&home, Proof::Company(ADA)).await?;
    sync(&home)?;
    assert!(is_on_server(&team, &waiting)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_gateway_says_that_a_session_is_over() -> Result<()> {
    let Some(mut team) = Team::start()? else { return Ok(()) };
    let (home, sent, waiting) = device(&team).await?;
    team.sql(r#"delete from "ai-app-template_session""#)?;
    team.kill_gateway()?;
    // The database lets nobody in, and nobody says why.
    let refused = home.run(["sync"])?;
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    home.run(["whoami"])?.succeeded()?;
    let told = status(&home)?;
    assert_eq!(
        (&told["state"], &told["remedy"]),
        (&json!("error"), &json!("sign_in")),
        "{told}"
    );
    holds(&home, [&sent, &waiting])?;

    team.start_gateway()?;
    assert_eq!(home.run(["sync"])?.code, Some(5));
    assert_eq!(home.run(["whoami"])?.code, Some(5), "now it is known to be over");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_were_tampered_with_sign_nobody_in_and_lose_nothing() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let (home, sent, waiting) = device(&team).await?;
    let file = home.path().join("secrets.toml");
    let kept = std::fs::read_to_string(&file)?;
    // One letter of what is sealed, in its midst.
    let at = kept.find("sealed").context("what is sealed")? + kept[kept.find("sealed").unwrap_or(0)..].len() / 2;
    let changed: String = kept
        .char_indices()
        .map(|(place, letter)| match letter {
            'A' if place >= at && place < at + 40 => 'B',
            letter if place == at && letter.is_ascii_alphanumeric() => {
                if letter == 'x' {
                    'y'
                } else {
                    'x'
                }
            }
            letter => letter,
        })
        .collect();
    assert_ne!(changed, kept);
    std::fs::write(&file, &changed)?;
    for verb in ["sync", "whoami"] {
        let refused = home.run([verb])?;
        assert_eq!(refused.code, Some(5), "{}", refused.stderr);
        for words in ["secrets.toml", "is damaged", "Sign in again"] {
            assert!(refused.stderr.contains(words), "{verb}: {}", refused.stderr);
        }
    }
    let told = status(&home)?;
    assert_eq!(
        (&told["state"], &told["remedy"]),
        (&json!("error"), &json!("sign_in")),
        "{told}"
    );
    assert!(told["counts"]["outbox"].as_u64() > Some(0), "{told}");
    holds(&home, [&sent, &waiting])?;

    std::fs::write(&file, &kept)?;
    sync(&home)?;
    assert!(is_on_server(&team, &waiting)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_rules_of_a_newer_version_are_left_as_they_are() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let (home, sent, waiting) = device(&team).await?;
    // A newer app, or the web app's next release: shapes that this one has never seen.
    let user = team.sql(r#"select id from "ai-app-template_user""#)?;
    let metadata = r#"{"v": 99, "agents": [{"name": "x", "cost": 1e400}], "searchQuery": 7}"#.replace("1e400", "12");
    team.sql(&format!(
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('newer', '{user}', 'From the future');
        insert into "ai-app-template_message" (id, chat_id, role, content, sources, metadata, created_at) values
        ('newer-1', 'newer', 'user', 'What is new?', null, null, now()),
        ('newer-2', 'newer', 'assistant', 'This.', '{{"not": "a list"}}', '{metadata}', now() + interval '1 second')"#
    ))?;
    assert_eq!(sync(&home)?["state"], "idle");
    let shown = home.run(["chats", "show", "newer"])?.succeeded()?.stdout;
    assert!(shown.contains("What is new?") && shown.contains("This."), "{shown}");
    home.run(["chats", "rename", "newer", "Read here"])?.succeeded()?;
    assert_eq!(sync(&home)?["counts"]["dead"], 0);
    let there = team.sql(
        r#"select title, metadata ->> 'v', sources ->> 'not' from "ai-app-template_chat" as chat
        join "ai-app-template_message" as message on chat_id = chat.id where message.id = 'newer-2'"#,
    )?;
    assert_eq!(there, "Read here|99|a list", "what it does not know it does not write");

    // A server that speaks only to newer apps is read, and what is for it is kept.
    let rules = |min: i32, max: i32| {
        team.sql(&format!(
            "update deepsearch_sync.meta set protocol_min = {min}, protocol_max = {max}"
        ))
    };
    rules(3, 4)?;
    let later = ask(&home, "How do I import chats?")?;
    let refused = home.run(["sync"])?;
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("Update DeepSearch"), "{}", refused.stderr);
    assert!(!is_on_server(&team, &later)?);
    rules(1, 2)?;
    sync(&home)?;
    assert!(is_on_server(&team, &later)?);
    for answer in [&sent, &waiting, &later] {
        assert!(hold_citations(&home, &open_chat(&home, answer)?, answer)? > 0);
    }
    Ok(())
}
