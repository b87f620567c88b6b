//! A team's whole installation and its people: signing in at the real gateway, one person's chats on several devices with
//! their evidence, and out again.

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::sign_in::{Waiting, bring};
use deepsearch_tests::team::{Proof, Team, TeamOptions};
use serde_json::{Value, json};
use url::Url;

use crate::world::{SmallWeb, chats, finished, hold_citations, open_chat, searching};

const QUESTION: &str = "How do I use my own SearXNG?";
const ADA: &str = "ada@example.org";

fn ask(home: &Home) -> Result<Value> {
    finished(&home.run(["ask", "--in", "guide", "--json", QUESTION])?.succeeded()?)
}

fn sync(home: &Home) -> Result<Value> {
    home.run(["sync", "--json"])?.succeeded()?.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_in_three_ways_and_each_device_reads_the_evidence_of_the_first_without_a_network()
-> Result<()> {
    let Some(mut team) = Team::start()? else { return Ok(()) };
    let (laptop, desk, phone) = (team.device()?, team.device()?, team.device()?);
    let who = team.admit(&laptop, Proof::Mail(ADA)).await?;
    assert_eq!(who["user"]["email"], ADA);
    let answer = ask(&laptop)?;
    assert_eq!(sync(&laptop)?["state"], "idle");

    // An account at the provider is the same person, for both have verified the address; so is a code typed elsewhere.
    for (home, by_code) in [(&desk, false), (&phone, true)] {
        let again = match by_code {
            false => team.admit(home, Proof::Company(ADA)).await?,
            true => team.admit_by_code(home, Proof::Company(ADA)).await?,
        };
        assert_eq!(again["user"]["id"], who["user"]["id"]);
        assert_ne!(again["device_id"], who["device_id"]);
        let synced = sync(home)?;
        assert_eq!(
            (&synced["state"], &synced["counts"]["outbox"]),
            (&json!("idle"), &json!(0))
        );
    }
    let devices = laptop.run(["devices", "--json"])?.succeeded()?.json()?;
    assert_eq!(devices.as_array().map(Vec::len), Some(3), "{devices}");

    // Each came as a role of its own.
    assert_eq!(
        team.sql("select count(*) from pg_roles where rolname like 'deepsearch_device_%'")?,
        "3"
    );

    team.kill_gateway()?;
    team.postgres.kill()?;
    team.redis.kill()?;
    for home in [&desk, &phone] {
        let chat = open_chat(home, &answer)?;
        assert!(
            hold_citations(home, &chat, &answer)? > 0,
            "each quote stands in a page that is here"
        );
        let shown =
            |home: &Home| Ok::<_, anyhow::Error>(home.run(["chats", "show", &id(&answer)])?.succeeded()?.stdout);
        assert_eq!(shown(home)?, shown(&laptop)?);
    }
    // Signed in is who was, also where nobody can be asked; what is asked now waits.
    assert_eq!(
        desk.run(["whoami", "--json"])?.succeeded()?.json()?["user"]["id"],
        who["user"]["id"]
    );
    let later = ask(&desk)?;
    assert_eq!(desk.run(["sync"])?.code, Some(4));

    team.postgres.start_again()?;
    team.redis.start_again()?;
    team.start_gateway()?;
    for home in [&desk, &laptop] {
        sync(home)?;
    }
    let chat = open_chat(&laptop, &later)?;
    assert!(hold_citations(&laptop, &chat, &later)? > 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_reach_the_database_through_a_pooler_share_all_the_same() -> Result<()> {
    let options = TeamOptions {
        is_pooled: true,
        ..TeamOptions::default()
    };
    let Some(team) = Team::start_as(options)? else {
        return Ok(());
    };
    let (laptop, desk) = (team.device()?, team.device()?);
    team.admit(&laptop, Proof::Mail(ADA)).await?;
    team.admit(&desk, Proof::Company(ADA)).await?;
    let answer = ask(&laptop)?;
    for home in [&laptop, &desk, &laptop, &desk] {
        assert_eq!(sync(home)?["state"], "idle");
    }
    assert!(hold_citations(&desk, &open_chat(&desk, &answer)?, &answer)? > 0);
    // The devices have gone, and the pooler keeps their connections.
    let kept = "select count(*) > 0 from pg_stat_activity where usename like 'deepsearch_device_%'";
    assert_eq!(team.sql(kept)?, "t");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_is_let_in_no_more_and_loses_nothing() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let (laptop, desk) = (team.device()?, team.device()?);
    let who = team.admit(&laptop, Proof::Company(ADA)).await?;
    team.admit(&desk, Proof::Company(ADA)).await?;
    let answer = ask(&laptop)?;
    sync(&laptop)?;
    sync(&desk)?;
    assert_eq!(chats(&desk)?, 1);

    let out = laptop.run(["sign-out", "--json"])?.succeeded()?.json()?;
    assert_eq!(out, json!({ "told_gateway": true, "removed": false }));
    assert_eq!(laptop.run(["sync"])?.code, Some(5));
    assert!(
        hold_citations(&laptop, &open_chat(&laptop, &answer)?, &answer)? > 0,
        "what it holds stays"
    );
    let role = format!("select count(*) from pg_roles where rolname like '%{}%'", device(&who)?);
    assert_eq!(team.sql(&role)?, "0", "its role is gone");

    // What was made since is offered when the same person comes back, and not taken.
    let between = ask(&laptop)?;
    team.admit(&laptop, Proof::Company(ADA)).await?;
    sync(&laptop)?;
    let offers = laptop.run(["sync", "offers", "--json"])?.succeeded()?.json()?;
    let offered: Vec<&Value> = offers
        .as_array()
        .into_iter()
        .flatten()
        .map(|offer| &offer["chat_id"])
        .collect();
    assert_eq!(offered, [&between["chat_id"]], "{offers}");
    sync(&desk)?;
    assert_eq!(chats(&desk)?, 1);
    laptop.run(["sync", "offers", "--accept-all"])?.succeeded()?;
    sync(&laptop)?;
    sync(&desk)?;
    assert!(hold_citations(&desk, &open_chat(&desk, &between)?, &between)? > 0);

    // The other device ends it everywhere, and hears of it itself.
    let others = desk.run(["devices", "--json"])?.succeeded()?.json()?;
    let others = others
        .as_array()
        .context("devices")?
        .iter()
        .filter(|device| device["current"] != true);
    for other in others {
        desk.run(["devices", "revoke", other["id"].as_str().unwrap_or_default()])?
            .succeeded()?;
    }
    assert_eq!(laptop.run(["sync"])?.code, Some(5));
    assert_eq!(laptop.run(["whoami"])?.code, Some(5), "it noticed by itself");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_teams_redis_serves_a_persons_devices_alone_and_encrypted() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let web = SmallWeb::lighthouse().await?;
    let device = || Ok::<_, anyhow::Error>(team.join(searching(&web.engine)?));
    let (laptop, desk, bobs) = (device()?, device()?, device()?);
    search(&laptop, "How high is it?")?;
    assert_eq!(team.ask_redis(&["dbsize"])?, "0", "nobody is signed in");
    for (home, who) in [(&laptop, ADA), (&desk, ADA), (&bobs, "bob@example.org")] {
        team.admit(home, Proof::Company(who)).await?;
    }
    // One that does not trust the team's authority does without.
    let stranger = searching(&web.engine)?.set("gateway.url", &team.url());
    team.admit(&stranger, Proof::Company(ADA)).await?;
    let mut is_shared = false;
    for number in 0..10 {
        // On a busy machine Redis may take longer than a search waits for it.
        let question = format!("How high is the Zorvane lighthouse, asked {number} times?");
        assert!(!search(&laptop, &question)?);
        is_shared = search(&desk, &question)?;
        assert!(!search(&bobs, &question)?, "what another person searched for");
        assert!(!search(&stranger, &question)?, "from a server that proved nothing");
        if is_shared {
            break;
        }
    }
    assert!(is_shared, "what the laptop searched for is there for the desk");
    let keys = team.ask_redis(&["--raw", "keys", "*"])?;
    assert!(keys.lines().count() >= 2 && !keys.contains("lighthouse"), "{keys}");
    assert!(keys.lines().all(|key| key.starts_with("deepsearch:search:")), "{keys}");

    desk.run(["sign-out"])?.succeeded()?;
    search(&laptop, "Who designed the lighthouse?")?;
    assert!(!search(&desk, "Who designed the lighthouse?")?, "it is signed out");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_shares_its_searches_finds_what_another_person_searched_for() -> Result<()> {
    let options = TeamOptions {
        shares_searches: true,
        ..TeamOptions::default()
    };
    let Some(team) = Team::start_as(options)? else {
        return Ok(());
    };
    let web = SmallWeb::lighthouse().await?;
    let (adas, bobs) = (team.join(searching(&web.engine)?), team.join(searching(&web.engine)?));
    team.admit(&adas, Proof::Company(ADA)).await?;
    team.admit(&bobs, Proof::Company("bob@example.org")).await?;
    for number in 0..10 {
        let question = format!("How high is the Zorvane lighthouse, asked {number} times?");
        search(&adas, &question)?;
        if search(&bobs, &question)? {
            return Ok(());
        }
    }
    anyhow::bail!("what Ada searched for is not there for Bob")
}

/// Searches, and says whether that was answered from a cache.
fn search(home: &Home, question: &str) -> Result<bool> {
    let found = home.run(["search", "--json", question])?.succeeded()?.json()?;
    found["cached"].as_bool().context("whether it was cached")
}

fn id(message: &Value) -> String {
    message["chat_id"].as_str().unwrap_or_default().to_owned()
}

/// A device's id as it stands in the name of its role.
fn device(who: &Value) -> Result<String> {
    Ok(who["device_id"].as_str().context("a device")?.replace('-', ""))
}

/// A hijacker begins a sign-in on a machine of their own, and has its address opened by somebody who is known to the team.
#[tokio::test(flavor = "multi_thread")]
async fn a_hijackers_own_sign_in_shows_whose_device_it_is_and_a_no_leaves_nothing_behind() -> Result<()> {
    let Some(team) = Team::start()? else { return Ok(()) };
    let machine = team.device()?.variable("HOSTNAME", "hijackers-box");
    let waiting = Waiting::begin(&machine, &["--browser"])?;
    let (mut victim, consent) = team.consent(waiting.open()?, Proof::Company(ADA)).await?;
    let begun: Url = waiting.open()?.parse()?;
    let device = begun.query_pairs().find(|(name, _)| name == "device_name");
    let device = device.context("the device says its name")?.1.into_owned();
    assert_eq!(
        consent.heading(),
        format!("Sign in to DeepSearch on {device} as {ADA} of the test?")
    );
    let made = || {
        team.sql(
            r#"select (select count(*) from deepsearch.device) + (select count(*) from deepsearch.sign_in_code)
                + (select count(*) from "ai-app-template_user")"#,
        )
    };
    assert_eq!(made()?, "0", "nothing is written before somebody has agreed");
    let answer = victim.submit(&consent, &[("decision", "deny")]).await?;
    assert!(!answer.url.as_str().contains("code="), "{}", answer.url);
    bring(answer.url.as_str()).await?;
    let (code, said) = waiting.end().await?;
    assert_ne!(code, Some(0), "{said}");
    assert_eq!(made()?, "0");
    Ok(())
}
