//! One person's chats on two devices: what one asked the other reads with its evidence and finds where it was filed, and
//! what was there before the device joined stays until it is handed over.

use anyhow::{Context, Result};
use deepsearch_servers::Postgres;
use deepsearch_tests::cli::Home;
use deepsearch_tests::needs;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};

use crate::world::{finished, text};

const QUESTION: &str = "How do I use my own SearXNG?";
const EARLIER: &str = "How do I make a backup?";

fn device() -> Result<Home> {
    Ok(Home::new()?.set("secrets.keychain", "false"))
}

fn join(home: &Home, url: &str) -> Result<()> {
    home.run(["share", "init", "--email", "ada@example.com", "--url", url, "--json"])?
        .succeeded()?;
    Ok(())
}

fn sync(home: &Home) -> Result<Value> {
    home.run(["sync", "--json"])?.succeeded()?.json()
}

/// Asks in the guide, and gives the chat.
fn ask(home: &Home, question: &str) -> Result<String> {
    let ran = home.run(["ask", "--in", "guide", "--json", question])?.succeeded()?;
    Ok(text(&finished(&ran)?["chat_id"]))
}

fn chats(home: &Home) -> Result<Vec<String>> {
    let listed = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    let chats = listed["chats"].as_array().or(listed.as_array()).context("chats")?;
    Ok(chats.iter().map(|chat| text(&chat["id"])).collect())
}

fn shown(home: &Home, chat: &str) -> Result<String> {
    Ok(home.run(["chats", "show", chat])?.succeeded()?.stdout)
}

#[test]
fn what_one_device_asked_the_other_reads_with_its_evidence() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let url = server.url("postgres");
    let (laptop, desk) = (device()?, device()?);

    let before = laptop.run(["sync"])?;
    assert_eq!(before.code, Some(5), "nobody is signed in: {}", before.stderr);
    let earlier = ask(&desk, EARLIER)?;
    join(&laptop, &url)?;
    join(&desk, &url)?;

    let chat = ask(&laptop, QUESTION)?;
    let status = laptop.run(["sync", "status", "--json"])?.succeeded()?.json()?;
    assert_eq!(status["state"], "waiting", "{status}");
    let synced = sync(&laptop)?;
    assert_eq!(
        (&synced["state"], synced["counts"]["outbox"].as_u64()),
        (&"idle".into(), Some(0)),
        "{synced}"
    );
    sync(&desk)?;
    assert_eq!(
        shown(&desk, &chat)?,
        shown(&laptop, &chat)?,
        "answer, sources and quotes"
    );
    assert!(shown(&desk, &chat)?.contains("[1] "));
    for home in [&desk, &laptop] {
        assert!(
            chats(home)?.contains(&chat),
            "it stands in the list, and not in the trash"
        );
    }

    // What the desk held before it joined is offered, not taken.
    let offers = desk.run(["sync", "offers", "--json"])?.succeeded()?.json()?;
    assert_eq!(offers[0]["chat_id"], earlier.as_str(), "{offers}");
    sync(&laptop)?;
    assert!(!chats(&laptop)?.contains(&earlier));
    desk.run(["sync", "offers", "--accept-all"])?.succeeded()?;
    sync(&desk)?;
    sync(&laptop)?;
    assert_eq!(shown(&laptop, &earlier)?, shown(&desk, &earlier)?);

    // Both name a chat while apart: the later name holds, and the other one is kept to be read.
    laptop.run(["chats", "rename", &chat, "From the laptop"])?.succeeded()?;
    desk.run(["chats", "rename", &chat, "From the desk"])?.succeeded()?;
    for home in [&desk, &laptop, &desk] {
        sync(home)?;
    }
    assert_eq!(shown(&laptop, &chat)?, shown(&desk, &chat)?);
    let lost: Vec<String> = [&laptop, &desk]
        .iter()
        .map(|home| Ok(home.run(["sync", "conflicts"])?.stdout))
        .collect::<Result<_>>()?;
    assert!(lost.concat().contains("From the laptop"), "{lost:?}");
    Ok(())
}

/// Ids of the chats that a list is narrowed to.
fn narrowed(home: &Home, to: [&str; 2]) -> Result<Vec<String>> {
    let listed = home
        .run(["chats", "list", "--json", to[0], to[1]])?
        .succeeded()?
        .json()?;
    Ok(listed
        .as_array()
        .context("a list")?
        .iter()
        .map(|chat| text(&chat["id"]))
        .collect())
}

fn collections(home: &Home) -> Result<Vec<String>> {
    let listed = home
        .run(["chats", "collections", "list", "--json"])?
        .succeeded()?
        .json()?;
    let all = listed.as_array().context("a list")?;
    Ok(all.iter().map(|each| text(&each["name"])).collect())
}

#[test]
fn a_chat_that_is_filed_and_tagged_on_one_device_is_found_so_on_the_other() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let (laptop, desk) = (device()?, device()?);
    for home in [&laptop, &desk] {
        join(home, &server.url("postgres"))?;
    }
    let chat = ask(&laptop, QUESTION)?;
    desk.run(["chats", "collections", "add", "Only here"])?.succeeded()?;
    laptop.run(["chats", "collections", "add", "Set up"])?.succeeded()?;
    laptop.run(["chats", "move", &chat, "--to", "Set up"])?.succeeded()?;
    laptop.run(["chats", "tag", "Later", &chat])?.succeeded()?;
    sync(&laptop)?;
    sync(&desk)?;
    assert_eq!(narrowed(&desk, ["--collection", "set up"])?, [chat.as_str()]);
    assert_eq!(narrowed(&desk, ["--tag", "later"])?, [chat.as_str()]);
    assert_eq!(collections(&desk)?, ["Only here", "Set up"]);

    // Apart, each gives a tag, and one renames the collection.
    laptop.run(["chats", "tag", "laptop", &chat])?.succeeded()?;
    desk.run(["chats", "tag", "desk", &chat])?.succeeded()?;
    desk.run(["chats", "untag", "LATER", &chat])?.succeeded()?;
    desk.run(["chats", "collections", "rename", "Set up", "Servers"])?
        .succeeded()?;
    for home in [&laptop, &desk, &laptop] {
        sync(home)?;
    }
    for home in [&laptop, &desk] {
        assert_eq!(narrowed(home, ["--collection", "Servers"])?, [chat.as_str()]);
        let tags = home.run(["chats", "tags"])?.succeeded()?.stdout;
        assert_eq!(tags, "desk  1\nlaptop  1\n");
    }
    assert_eq!(collections(&laptop)?, ["Servers"]);

    laptop.run(["chats", "collections", "delete", "Servers"])?.succeeded()?;
    sync(&laptop)?;
    sync(&desk)?;
    assert_eq!(collections(&desk)?, ["Only here"]);
    assert!(chats(&desk)?.contains(&chat), "the chat stays");
    Ok(())
}

/// What is done to a server, as its owner; the word that the person reads; and how it is undone.
const HINDRANCES: &[(&str, &str, &str)] = &[
    (
        "alter database postgres set default_transaction_read_only = on",
        "takes no changes now",
        "set transaction read write; alter database postgres reset default_transaction_read_only",
    ),
    (
        r#"create function full_disk() returns trigger language plpgsql as $$
            begin raise exception using errcode = 'disk_full', message = 'could not extend file "base/1"'; end $$;
        create trigger full_disk before insert on "ai-app-template_chat" for each statement execute function full_disk()"#,
        "its disk is full",
        "drop function full_disk() cascade",
    ),
    (
        r#"do $$ begin execute (select format('alter role %I connection limit 0', role) from deepsearch.device); end $$"#,
        "too many connections",
        r#"do $$ begin execute (select format('alter role %I connection limit 8', role) from deepsearch.device); end $$"#,
    ),
    (
        r#"create function slow() returns trigger language plpgsql as $$
            begin raise exception using errcode = 'query_canceled', message = 'it took too long'; end $$;
        create trigger slow before insert on "ai-app-template_chat" for each statement execute function slow()"#,
        "took too long",
        "drop function slow() cascade",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_nothing_says_why_and_gets_it_later() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let laptop = device()?;
    join(&laptop, &server.url("postgres"))?;
    sync(&laptop)?;
    let owner = async |sql: &'static str| {
        let mut owner = PgConnection::connect(&server.url("postgres")).await?;
        owner.execute(sqlx::raw_sql(sql)).await?;
        Ok::<_, anyhow::Error>(())
    };
    for (hindrance, said, undone) in HINDRANCES {
        ask(&laptop, QUESTION)?;
        owner(hindrance).await?;
        let told = laptop.run(["sync"])?;
        assert_ne!(told.code, Some(0), "{hindrance}");
        assert!(told.stderr.contains(said), "{hindrance}: {}", told.stderr);
        assert!(told.stderr.contains("kept"), "{hindrance}: {}", told.stderr);
        owner(undone).await?;
        assert_eq!(sync(&laptop)?["counts"]["outbox"], 0);
    }
    Ok(())
}

#[test]
fn a_server_that_is_away_is_told_and_loses_nothing() -> Result<()> {
    let Some(mut server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let (laptop, desk) = (device()?, device()?);
    for home in [&laptop, &desk] {
        join(home, &server.url("postgres"))?;
    }
    // The tests' server commits without waiting for its disk: by then it has written who joined.
    std::thread::sleep(std::time::Duration::from_secs(2));
    server.kill()?;
    let chat = ask(&laptop, QUESTION)?;
    let away = laptop.run(["sync"])?;
    assert_eq!(away.code, Some(4), "{}", away.stderr);
    assert!(away.stderr.contains("kept"), "{}", away.stderr);
    let status = laptop.run(["sync", "status", "--json"])?.succeeded()?.json()?;
    assert_eq!(status["state"], "offline", "{status}");
    assert!(
        status["counts"]["outbox"].as_u64().is_some_and(|waiting| waiting >= 3),
        "{status}"
    );

    server.start_again()?;
    sync(&laptop)?;
    sync(&desk)?;
    assert_eq!(shown(&desk, &chat)?, shown(&laptop, &chat)?);
    Ok(())
}
