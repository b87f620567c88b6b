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
use crate::messages::write_json;
use crate::packing::decompress;
use crate::time::from_millis;

/// What of a text is indexed, in bytes; a page longer than this is a book or a log.
const LONGEST: usize = 1 << 20;
/// How many documents are indexed in one transaction, when there are many to make up for.
const BATCH: i64 = 2_000;
const BATCH_OF_PAGES: i64 = 100;

const ACTION: &str = "index the history";

/// Indexes what this transaction has changed. Called before its commit.
pub(crate) async fn follow(tx: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    while index_some(tx).await? {}
    Ok(())
}

/// Indexes what is pending, in transactions of their own: after a migration or a salvage.
pub(crate) async fn make_up(writer: &SqlitePool) -> Result<(), StoreError> {
    // Mostly there is nothing, and no reason to wait for another program that writes.
    while is_behind(writer).await.doing(ACTION)? {
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.doing(ACTION)?;
        index_some(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
    }
    Ok(())
}

async fn is_behind(writer: &SqlitePool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select 1 from history_pending)")
        .fetch_one(writer)
        .await
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

/// What is indexed, each in a table of its own.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Message,
    Page,
    Chat,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Page => "page",
            Self::Chat => "chat",
        }
    }

    fn put(self) -> &'static str {
        match self {
            Self::Message => {
                "insert or replace into history_message (rowid, text)
                 select value ->> 0, value ->> 1 from json_each(?)"
            }
            Self::Page => {
                "insert or replace into history_page (rowid, text)
                 select value ->> 0, value ->> 1 from json_each(?)"
            }
            Self::Chat => {
                "insert or replace into history_chat (rowid, text)
                 select value ->> 0, value ->> 1 from json_each(?)"
            }
        }
    }
}

/// Documents that go into the index by one statement: a statement each would cost more than what it does.
struct Documents {
    kind: Kind,
    rows: Vec<(i64, String)>,
    bytes: usize,
}

impl Documents {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds one, and puts them into the index once they are enough for a statement.
    async fn add(&mut self, tx: &mut SqliteConnection, seq: i64, document: String) -> Result<(), sqlx::Error> {
        self.bytes += document.len();
        self.rows.push((seq, document));
        if self.bytes > LONGEST {
            self.put(tx).await?;
        }
        Ok(())
    }

    async fn put(&mut self, tx: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = write_json(&self.rows)?;
        sqlx::query(self.kind.put()).bind(rows).execute(tx).await?;
        *self = Self::of(self.kind);
        Ok(())
    }
}

/// Indexes a batch of each kind, and says whether there is more.
async fn index_some(tx: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let messages = index_messages(tx).await?;
    let pages = index_pages(tx).await?;
    let chats = index_chats(tx).await?;
    Ok(messages || pages || chats)
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    seq: i64,
    chat_id: Option<String>,
    content: Option<String>,
    sources: Option<String>,
    created_at: Option<i64>,
}

async fn index_messages(tx: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // What is pending and is no message (any more) comes without one.
    let rows: Vec<MessageRow> = sqlx::query_as(
        "select history_pending.seq, chat_id, content, sources, created_at from history_pending
         left join message on message.seq = history_pending.seq and role in ('user', 'assistant')
            and hidden_at is null
         where kind = 'message' order by history_pending.seq limit ?",
    )
    .bind(BATCH)
    .fetch_all(&mut *tx)
    .await?;
    let last = rows.last().map(|row| row.seq);
    let count = rows.len();
    let mut documents = Documents::of(Kind::Message);
    for row in rows {
        let (Some(chat_id), Some(content)) = (row.chat_id, row.content) else {
            continue;
        };
        let mut document = folded(&content);
        let at = from_millis(row.created_at.unwrap_or_default());
        add(&mut document, facets::chat(&ChatId::from_stored(chat_id)));
        add(&mut document, facets::month(at));
        add(&mut document, facets::year(at));
        for host in row.sources.iter().flat_map(|json| source_hosts(json)) {
            facets::hosts(&host).for_each(|facet| add(&mut document, facet));
        }
        documents.add(tx, row.seq, document).await?;
    }
    documents.put(tx).await?;
    done(tx, Kind::Message, last, count, BATCH).await
}

#[derive(sqlx::FromRow)]
struct PageRow {
    seq: i64,
    host: Option<String>,
    title: Option<String>,
    text: Option<Vec<u8>>,
    fetched_at: Option<i64>,
}

async fn index_pages(tx: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let rows: Vec<PageRow> = sqlx::query_as(
        "select history_pending.seq, host, title, text, fetched_at from history_pending
         left join page on page.seq = history_pending.seq
         where kind = 'page' order by history_pending.seq limit ?",
    )
    .bind(BATCH_OF_PAGES)
    .fetch_all(&mut *tx)
    .await?;
    let last = rows.last().map(|row| row.seq);
    let count = rows.len();
    let mut documents = Documents::of(Kind::Page);
    for row in rows {
        let (Some(title), Some(text)) = (row.title, row.text) else {
            continue;
        };
        // A damaged page is still found by its title.
        let text = decompress(&text)
            .inspect_err(|error| tracing::warn!(%error, seq = row.seq, "a saved page cannot be unpacked"))
            .unwrap_or_default();
        // The facets keep a phrase from reaching out of the title into the text.
        let mut document = folded(&title);
        let at = from_millis(row.fetched_at.unwrap_or_default());
        add(&mut document, facets::month(at));
        add(&mut document, facets::year(at));
        facets::hosts(&row.host.unwrap_or_default()).for_each(|facet| add(&mut document, facet));
        document.push_str(&folded(&text));
        documents.add(tx, row.seq, document).await?;
    }
    documents.put(tx).await?;
    done(tx, Kind::Page, last, count, BATCH_OF_PAGES).await
}

async fn index_chats(tx: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let rows: Vec<(i64, Option<String>, Option<String>)> = sqlx::query_as(
        "select history_pending.seq, chat.id, chat.title from history_pending
         left join history_title on history_title.seq = history_pending.seq
         left join chat on chat.id = history_title.chat_id
         where kind = 'chat' order by history_pending.seq limit ?",
    )
    .bind(BATCH)
    .fetch_all(&mut *tx)
    .await?;
    let last = rows.last().map(|row| row.0);
    let count = rows.len();
    let mut documents = Documents::of(Kind::Chat);
    for (seq, chat_id, title) in rows {
        let (Some(chat_id), Some(title)) = (chat_id, title) else {
            continue;
        };
        let mut document = folded(&title);
        add(&mut document, facets::chat(&ChatId::from_stored(chat_id)));
        documents.add(tx, seq, document).await?;
    }
    documents.put(tx).await?;
    done(tx, Kind::Chat, last, count, BATCH).await
}

/// Nothing of this kind up to `last` is pending any more. Says whether a full batch leaves more behind it.
async fn done(
    tx: &mut SqliteConnection,
    kind: Kind,
    last: Option<i64>,
    count: usize,
    batch: i64,
) -> Result<bool, sqlx::Error> {
    if let Some(last) = last {
        sqlx::query("delete from history_pending where kind = ? and seq <= ?")
            .bind(kind.name())
            .bind(last)
            .execute(tx)
            .await?;
    }
    Ok(count as i64 == batch)
}

/// Sources that cannot be read say nothing of their hosts, and hide nothing of the message.
fn source_hosts(json: &str) -> Vec<String> {
    let sources: Vec<Source> = serde_json::from_str(json).unwrap_or_default();
    let hosts = sources
        .iter()
        .filter_map(|source| Url::parse(&source.url).ok()?.host_str().map(str::to_owned));
    hosts.collect()
}

fn folded(text: &str) -> String {
    Tokens::of(&text[..text.floor_char_boundary(LONGEST)]).into_folded()
}

fn add(document: &mut String, facet: String) {
    document.push_str(&facet);
    document.push(' ');
}
