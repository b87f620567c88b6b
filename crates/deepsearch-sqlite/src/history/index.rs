//! The index: follows the tables in the transaction that changes them.
//!
//! Triggers note what has changed (`history_pending`), because they miss nothing; the documents are made here, because
//! pages are compressed and texts are cut into words by code that SQLite does not have.

use deepsearch_core::{ChatId, Source};
use sqlx::{SqliteConnection, SqlitePool};
use url::Url;

use super::facets;
use super::tokens::Tokens;
use crate::error::{Doing, StoreError};
use crate::packing::decompress;
use crate::time::from_millis;

/// What of a text is indexed, in bytes; a page longer than this is a book or a log.
const LONGEST: usize = 1 << 20;
/// How many documents are indexed in one transaction, when there are many to make up for.
const BATCH: i64 = 500;

const ACTION: &str = "index the history";

/// Indexes what this transaction has changed. Called before its commit.
pub(crate) async fn follow(tx: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    while index_some(tx).await? {}
    Ok(())
}

/// Indexes what is pending, in transactions of their own: after a migration or a salvage.
pub(crate) async fn make_up(writer: &SqlitePool) -> Result<(), StoreError> {
    loop {
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.doing(ACTION)?;
        let more = index_some(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        if !more {
            return Ok(());
        }
    }
}

/// Empties the index and notes everything as pending.
pub(super) async fn forget(tx: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "insert into history_message (history_message) values ('delete-all')",
        "insert into history_page (history_page) values ('delete-all')",
        "insert into history_chat (history_chat) values ('delete-all')",
        "insert or ignore into history_title (chat_id) select id from chat order by updated_at, id",
        "insert or ignore into history_pending (kind, seq) select 'chat', seq from history_title",
        "insert or ignore into history_pending (kind, seq) select 'message', seq from message where state <> 'streaming'",
        "insert or ignore into history_pending (kind, seq) select 'page', seq from page",
    ] {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn index_some(tx: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let pending: Vec<(String, i64)> = sqlx::query_as("select kind, seq from history_pending order by kind, seq limit ?")
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await?;
    for (kind, seq) in &pending {
        match kind.as_str() {
            "message" => index_message(tx, *seq).await?,
            "page" => index_page(tx, *seq).await?,
            _ => index_chat(tx, *seq).await?,
        }
        sqlx::query("delete from history_pending where kind = ? and seq = ?")
            .bind(kind)
            .bind(seq)
            .execute(&mut *tx)
            .await?;
    }
    Ok(pending.len() as i64 == BATCH)
}

async fn index_message(tx: &mut SqliteConnection, seq: i64) -> Result<(), sqlx::Error> {
    let row: Option<(String, String, Option<String>, i64)> = sqlx::query_as(
        "select chat_id, content, sources, created_at from message where seq = ? and role in ('user', 'assistant')",
    )
    .bind(seq)
    .fetch_optional(&mut *tx)
    .await?;
    let Some((chat_id, content, sources, created_at)) = row else {
        return Ok(());
    };
    let mut document = folded(&content);
    let at = from_millis(created_at);
    add(&mut document, facets::chat(&ChatId::from_stored(chat_id)));
    add(&mut document, facets::month(at));
    add(&mut document, facets::year(at));
    // Sources that cannot be read say nothing of their hosts, and hide nothing of the message.
    let sources: Vec<Source> = sources.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    for source in &sources {
        let url = Url::parse(&source.url).ok();
        if let Some(host) = url.as_ref().and_then(Url::host_str) {
            facets::hosts(host).for_each(|facet| add(&mut document, facet));
        }
    }
    sqlx::query("insert or replace into history_message (rowid, text) values (?, ?)")
        .bind(seq)
        .bind(document)
        .execute(tx)
        .await?;
    Ok(())
}

async fn index_page(tx: &mut SqliteConnection, seq: i64) -> Result<(), sqlx::Error> {
    let row: Option<(String, String, Vec<u8>, i64)> =
        sqlx::query_as("select host, title, text, fetched_at from page where seq = ?")
            .bind(seq)
            .fetch_optional(&mut *tx)
            .await?;
    let Some((host, title, text, fetched_at)) = row else {
        return Ok(());
    };
    // A damaged page is still found by its title.
    let text = decompress(&text)
        .inspect_err(|error| tracing::warn!(%error, seq, "a saved page cannot be unpacked"))
        .unwrap_or_default();
    // The facets keep a phrase from reaching out of the title into the text.
    let mut document = folded(&title);
    let at = from_millis(fetched_at);
    add(&mut document, facets::month(at));
    add(&mut document, facets::year(at));
    facets::hosts(&host).for_each(|facet| add(&mut document, facet));
    document.push_str(&folded(&text));
    sqlx::query("insert or replace into history_page (rowid, text) values (?, ?)")
        .bind(seq)
        .bind(document)
        .execute(tx)
        .await?;
    Ok(())
}

async fn index_chat(tx: &mut SqliteConnection, seq: i64) -> Result<(), sqlx::Error> {
    let row: Option<(String, String)> =
        sqlx::query_as("select chat.id, chat.title from history_title join chat on chat.id = chat_id where seq = ?")
            .bind(seq)
            .fetch_optional(&mut *tx)
            .await?;
    let Some((chat_id, title)) = row else {
        return Ok(());
    };
    let mut document = folded(&title);
    add(&mut document, facets::chat(&ChatId::from_stored(chat_id)));
    sqlx::query("insert or replace into history_chat (rowid, text) values (?, ?)")
        .bind(seq)
        .bind(document)
        .execute(tx)
        .await?;
    Ok(())
}

fn folded(text: &str) -> String {
    Tokens::of(&text[..text.floor_char_boundary(LONGEST)]).into_folded()
}

fn add(document: &mut String, facet: String) {
    document.push_str(&facet);
    document.push(' ');
}
