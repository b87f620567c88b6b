//! `kill -9` in the midst of an import: no chat is half there, and importing the file again brings the rest.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use deepsearch_tests::cli::Home;
use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::archives::{library, many_of_chatgpt, many_of_ours};
use crate::world::{chats, offline};

const CHATS: usize = 400;
/// How many chats have come when the command is killed.
const KILLS: [i64; 3] = [20, 150, 290];

/// The store as it lies on the disk, looked at from outside.
async fn store(home: &Home) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(home.path().join("deepsearch.sqlite"))
        .read_only(true);
    Ok(SqlitePool::connect_with(options).await?)
}

async fn count(store: &SqlitePool, what: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(what).fetch_one(store).await?)
}

/// Begins to import, and ends the process without a last word when so many chats are there.
async fn killed_at(home: &Home, file: &Path, chats: i64) -> Result<()> {
    let mut import = home.command([Path::new("import"), file])?;
    let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let store = store(home).await?;
    let began = Instant::now();
    while count(&store, "select count(*) from chat").await? < chats {
        if let Some(ended) = import.try_wait()? {
            bail!("it ended by itself before it was killed: {ended}");
        }
        ensure!(began.elapsed() < Duration::from_secs(120), "it does not get on");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    import.kill()?;
    ensure!(import.wait()?.code().is_none(), "it was over before it was killed");
    store.close().await;
    Ok(())
}

/// Each chat that is there is all there: as in a library that was never interrupted, to be found, and to be synced.
async fn hold_whole(home: &Home, whole: &BTreeMap<String, Value>) -> Result<usize> {
    let kept = library(home)?;
    for (id, chat) in &kept {
        ensure!(whole.get(id) == Some(chat), "half of a chat: {chat:#}");
    }
    let store = store(home).await?;
    let forgotten =
        "select count(*) from message where id not in (select entity_id from outbox where entity = 'message')";
    assert_eq!(count(&store, forgotten).await?, 0, "a message that is never sent");
    let forgotten = "select count(*) from chat where id not in (select entity_id from outbox where entity = 'chat')";
    assert_eq!(count(&store, forgotten).await?, 0, "a chat that is never sent");
    let alone = "select count(*) from page where id not in (select page_id from message_source)";
    assert_eq!(count(&store, alone).await?, 0, "a page that nothing rests on");
    let empty =
        "select count(*) from collection where id not in (select collection from chat where collection is not null)";
    assert_eq!(count(&store, empty).await?, 0, "a collection that was made for nothing");
    assert_eq!(
        sqlx::query_scalar::<_, String>("pragma quick_check")
            .fetch_one(&store)
            .await?,
        "ok"
    );
    store.close().await;

    let last = kept.values().next_back().context("a chat")?;
    let title = last["chat"]["title"].as_str().context("a title")?;
    let found = home
        .run(["chats", "search", &format!("\"{title}\""), "--json"])?
        .succeeded()?
        .json()?;
    let mut hits = found["hits"].as_array().into_iter().flatten();
    ensure!(
        hits.any(|hit| hit["chat_id"] == last["chat"]["id"]),
        "{title} is not found: {found}"
    );
    Ok(kept.len())
}

fn import(home: &Home, file: &Path) -> Result<[u64; 3]> {
    let file = file.to_str().context("a path of plain letters")?;
    let report = home.run(["import", file, "--json"])?.succeeded()?.json()?;
    Ok(["added", "extended", "unchanged"].map(|what| report[what].as_u64().unwrap_or(u64::MAX)))
}

async fn hold(name: &str, archive: &[u8]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(name);
    std::fs::write(&file, archive)?;
    let reference = offline()?;
    assert_eq!(import(&reference, &file)?, [CHATS as u64, 0, 0]);
    let whole = library(&reference)?;

    let home = offline()?;
    assert_eq!(chats(&home)?, 0);
    let mut there = 0;
    for come in KILLS {
        killed_at(&home, &file, come).await?;
        there = hold_whole(&home, &whole).await?;
        ensure!(
            (come as usize..CHATS).contains(&there),
            "{there} of {come} that had come"
        );
    }
    // Nothing had to be completed: each that was there was whole.
    let (there, rest) = (there as u64, (CHATS - there) as u64);
    assert_eq!(import(&home, &file)?, [rest, 0, there]);
    assert_eq!(hold_whole(&home, &whole).await?, CHATS);
    assert_eq!(import(&home, &file)?, [0, 0, CHATS as u64]);
    assert_eq!(library(&home)?, whole);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_a_large_archive_that_is_killed_leaves_whole_chats_and_goes_on() -> Result<()> {
    hold("chatgpt.zip", &many_of_chatgpt(CHATS)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_where_each_chat_brings_a_page_and_its_place_in_a_collection() -> Result<()> {
    hold("own.json", &many_of_ours(CHATS)).await
}
