//! A team's database as its people and its administrator meet it: what one searched the others need not, searches are
//! counted, tables are looked through without their secrets, and a database that is gone is in nobody's way.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_servers::{Postgres, free_port};
use deepsearch_tests::cli::Home;
use deepsearch_tests::needs;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::world::{SmallWeb, searching};

const QUESTION: &str = "How high is the Zorvane lighthouse?";
const CANARY: &str = "canary-7c1d";

/// A migrated database with somebody in it, or `None` where there is no PostgreSQL.
async fn team() -> Result<Option<Postgres>> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(None);
    };
    let mut database = PgConnection::connect(&server.url("postgres")).await?;
    database.execute("create schema deepsearch").await?;
    let mut steps: Vec<_> = std::fs::read_dir("../migrations/postgres")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    steps.retain(|path| path.to_string_lossy().ends_with(".up.sql"));
    steps.sort();
    for step in steps {
        database
            .execute(sqlx::raw_sql(AssertSqlSafe(std::fs::read_to_string(step)?)))
            .await?;
    }
    database
        .execute(AssertSqlSafe(format!(
            r#"insert into "ai-app-template_user" (id, name, email) values ('u', 'Ada', 'ada@example.com');
            insert into "ai-app-template_session" values ('{CANARY}', 'u', now() + interval '1 day')"#
        )))
        .await?;
    Ok(Some(server))
}

/// A person's device that has joined, and keeps no owner's address. What it searches for may go to the team.
fn joined(web: &SmallWeb, url: &str, email: &str) -> Result<Home> {
    let home = searching(&web.engine)?
        .set("secrets.keychain", "false")
        .set("shared.search_cache", "true");
    home.run(["share", "init", "--email", email, "--url", url])?
        .succeeded()?;
    Ok(home)
}

/// Whether the cache knew it.
fn search(home: &Home) -> Result<bool> {
    let found = home.run(["search", "--json", QUESTION])?.succeeded()?.json()?;
    found["cached"].as_bool().context("whether it was cached")
}

async fn number(url: &str, sql: &'static str) -> Result<i64> {
    let mut database = PgConnection::connect(url).await?;
    Ok(sqlx::query_scalar(sql).fetch_one(&mut database).await?)
}

const SHARED: &str = r#"select (select count(*) from "ai-app-template_search_cache")
    + (select count(*) from deepsearch.search_count) + (select count(*) from deepsearch.engine_count)"#;
const OWN: &str = "select count(*) from deepsearch.own_search";

#[tokio::test(flavor = "multi_thread")]
async fn what_one_searched_the_team_need_not_and_it_is_counted() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let url = server.url("postgres");
    let web = SmallWeb::lighthouse().await?;
    let ada = joined(&web, &url, "ada@example.com")?;
    let bob = joined(&web, &url, "bob@example.com")?;
    ada.run(["db", "share-searches", "on", "--url", &url])?.succeeded()?;
    assert!(!search(&ada)?);
    assert!(search(&bob)?, "what Ada searched for is there for Bob");
    assert_eq!(web.engine.asked().len(), 1);

    let stats = ada.run(["db", "stats", "--json", "--url", &url])?.succeeded()?.json()?;
    assert_eq!(
        (stats["searches"].as_i64(), stats["cached"].as_i64()),
        (Some(2), Some(1)),
        "{stats}"
    );
    assert_eq!(stats["queries"][0]["query"], QUESTION);
    assert_eq!(stats["engines"][0]["engine"], "searxng");
    let words = ada.run(["db", "stats", "--url", &url])?.succeeded()?;
    assert!(
        words.stdout.contains(QUESTION) && words.stdout.contains("50 %"),
        "{}",
        words.stdout
    );
    assert_eq!(number(&url, OWN).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shared_or_counted_unless_the_team_chose_to() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let url = server.url("postgres");
    let web = SmallWeb::lighthouse().await?;
    // The owner's address beside it changes nothing: whoever is signed in searches as themselves.
    let ada = joined(&web, &url, "ada@example.com")?.set("shared.url", &url);
    let bob = joined(&web, &url, "bob@example.com")?;
    ada.run(["db", "share-searches", "on"])?.succeeded()?;
    ada.run(["db", "share-searches", "off"])?.succeeded()?;
    assert!(!search(&ada)?);
    assert!(!search(&bob)?, "what Ada searched for is hers");
    assert_eq!((number(&url, SHARED).await?, number(&url, OWN).await?), (0, 2));
    let desk = joined(&web, &url, "ada@example.com")?;
    assert!(search(&desk)?, "another device of hers has it");

    // A device that did not choose to share keeps nothing there either way.
    let alone = joined(&web, &url, "eve@example.com")?.set("shared.search_cache", "false");
    ada.run(["db", "share-searches", "on"])?.succeeded()?;
    assert!(!search(&alone)?);
    assert_eq!((number(&url, SHARED).await?, number(&url, OWN).await?), (0, 2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_is_not_signed_in_is_held_to_what_the_team_chose() -> Result<()> {
    let Some(server) = team().await? else { return Ok(()) };
    let url = server.url("postgres");
    let web = SmallWeb::lighthouse().await?;
    let owner = || -> Result<Home> {
        let home = searching(&web.engine)?;
        Ok(home.set("shared.url", &url).set("shared.search_cache", "true"))
    };
    search(&owner()?)?;
    assert!(!search(&owner()?)?, "nobody shares yet");
    assert_eq!(number(&url, SHARED).await?, 0);
    owner()?.run(["db", "share-searches", "on"])?.succeeded()?;
    search(&owner()?)?;
    assert!(search(&owner()?)?);
    assert!(number(&url, SHARED).await? > 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_looks_through_tables_and_ends_a_session_without_seeing_its_token() -> Result<()> {
    let Some(server) = team().await? else { return Ok(()) };
    let url = server.url("postgres");
    let home = Home::new()?;
    let db = |args: &[&str]| home.run([&["db"], args, &["--url", url.as_str(), "--json"]].concat());
    let tables = db(&["tables"])?.succeeded()?.json()?;
    assert_eq!(
        tables[0],
        serde_json::json!({"table": "user", "rows": 1, "is_estimate": false})
    );
    let rows = db(&["rows", "session"])?.succeeded()?;
    assert!(
        rows.stdout.contains("•••") && !rows.stdout.contains(CANARY),
        "{}",
        rows.stdout
    );

    let sessions = db(&["sessions"])?.succeeded()?.json()?;
    assert!(!sessions.to_string().contains(CANARY));
    let id = sessions["sessions"][0]["id"]
        .as_str()
        .context("the session's id")?
        .to_owned();
    db(&["end-session", &id])?.succeeded()?;
    assert_eq!(db(&["end-session", &id])?.code, Some(3), "it is over");
    assert_eq!(db(&["rows", "pg_authid"])?.code, Some(3), "no such table");
    assert_eq!(
        db(&["sessions"])?.succeeded()?.json()?["sessions"],
        serde_json::json!([])
    );

    let pages = home.run(["db", "rows", "user", "--url", &url])?.succeeded()?;
    assert!(pages.stdout.contains("ada@example.com"), "{}", pages.stdout);
    assert!(
        !home.path().join("deepsearch.sqlite").exists(),
        "and needs no store for it"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_in_nobodys_way() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let gone = format!("postgres://nobody:{CANARY}@127.0.0.1:{}/team", free_port()?);
    let home = searching(&web.engine)?
        .set("shared.url", &gone)
        .set("shared.search_cache", "true");
    let began = Instant::now();
    home.run(["search", QUESTION])?.succeeded()?;
    assert!(began.elapsed() < Duration::from_secs(30));

    let ran = home.run(["db", "tables"])?;
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    let without = Home::new()?.run(["db", "tables"])?;
    assert_eq!(without.code, Some(2));
    assert!(without.stderr.contains("shared.url"), "{}", without.stderr);
    Ok(())
}
