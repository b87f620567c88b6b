//! A store of made-up chats, as large as is asked for, built once and kept in the target folder.
//!
//! The texts have the frequencies and the first letters of a language (Zipf), one message in twenty is in Chinese
//! characters, and there is one page to fifty messages.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::DateTime;
use deepsearch_core::{MediaType, MessageState, Page, PageId, Source};
use deepsearch_sqlite::{FinishedAnswer, NewTurn, Store, StoreOptions};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use url::Url;

pub(crate) use words::Words;

#[path = "words.rs"]
mod words;

/// Part of a kept store's name: raise it when what is built changes.
const EDITION: u32 = 1;
const PAGES_PER_ANSWER: usize = 50;
pub(crate) const STARTED_AT: i64 = 1_600_000_000_000;

/// The folder of the store of that size.
pub(crate) fn kept(chats: usize, messages: usize) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{EDITION}-{chats}-{messages}"))
}

/// The store of that size, built where it is not there yet.
pub(crate) async fn built(chats: usize, messages: usize) -> Result<PathBuf> {
    let folder = kept(chats, messages);
    let path = folder.join("deepsearch.sqlite");
    let whole = folder.join("whole");
    if whole.exists() {
        return Ok(path);
    }
    std::fs::remove_dir_all(&folder).ok();
    let store = Store::open(&path, StoreOptions::default()).await?;
    let mut words = Words::new(7);
    add_pages(&store, &mut words, messages / 50).await?;
    store.close().await;
    add_messages(&path, &mut words, messages, messages / chats)
        .await
        .context("adding the messages")?;

    let before = std::fs::metadata(&path)?.len();
    let started = Instant::now();
    // What other hands have added is indexed when the store is opened.
    Store::open(&path, StoreOptions::default()).await?.close().await;
    let took = started.elapsed();
    let grown = std::fs::metadata(&path)?.len() - before;
    println!(
        "history {messages}: indexed {:.0} rows/s",
        messages as f64 / took.as_secs_f64()
    );
    println!(
        "history {messages}: index of the messages {} MB (ratio {:.2} of the store without it)",
        grown >> 20,
        grown as f64 / before as f64
    );
    std::fs::write(whole, "")?;
    Ok(path)
}

async fn add_pages(store: &Store, words: &mut Words, count: usize) -> Result<()> {
    for first in (0..count).step_by(PAGES_PER_ANSWER) {
        let pages: Vec<Page> = (first..count.min(first + PAGES_PER_ANSWER))
            .map(|number| page(words, number))
            .collect();
        let sources: Vec<Source> = pages.iter().map(source).collect();
        let turn = store.begin_answer(question(words.text(8))).await?;
        store.journal_sources(&turn.answer.id, &sources, &pages).await?;
        store.finish_answer(&turn.answer.id, finished(words.text(80))).await?;
    }
    Ok(())
}

pub(crate) fn question(text: String) -> NewTurn {
    NewTurn {
        question: text,
        ..NewTurn::default()
    }
}

pub(crate) fn finished(content: String) -> FinishedAnswer {
    FinishedAnswer {
        content,
        metadata: None,
        citations: Vec::new(),
        checks: Vec::new(),
        follow_ups: Vec::new(),
        state: MessageState::Complete,
    }
}

fn page(words: &mut Words, number: usize) -> Page {
    let text = words.text(800);
    Page {
        id: PageId::new(),
        url: Url::parse(&format!("https://site{}.example.org/{number}", number % 500)).expect("a fixed form"),
        title: words.text(6),
        author: None,
        site_name: None,
        published_at: None,
        favicon: None,
        picture: None,
        language: Some("en".into()),
        media_type: MediaType::Text,
        sentences: deepsearch_core::text::sentences(&text),
        text,
        html: None,
        fetched_at: DateTime::from_timestamp_millis(STARTED_AT).unwrap_or_default(),
        content_hash: number.to_string(),
    }
}

fn source(page: &Page) -> Source {
    Source {
        title: page.title.clone(),
        url: page.url.to_string(),
        snippet: String::new(),
        favicon: None,
    }
}

/// Past the store's own functions, which commit each message.
async fn add_messages(path: &Path, words: &mut Words, count: usize, per_chat: usize) -> Result<()> {
    let mut raw = raw(path).await?;
    let mut tx = raw.begin().await?;
    for number in 0..count {
        let chat = format!("chat_{:08}", number / per_chat);
        // Five years, in order.
        let at = STARTED_AT + (number as i64) * (5 * 365 * 86_400_000 / count as i64);
        if number % per_chat == 0 {
            sqlx::query("insert into chat (id, title, created_at, updated_at) values (?, ?, ?, ?)")
                .bind(&chat)
                .bind(words.text(7))
                .bind(at)
                .bind(at)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(
            "insert into message (id, chat_id, role, content, created_at, state) values (?, ?, ?, ?, ?, 'complete')",
        )
        .bind(format!("msg_{number:08}"))
        .bind(&chat)
        .bind(if number % 2 == 0 { "user" } else { "assistant" })
        .bind(words.message())
        .bind(at)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    raw.close().await?;
    Ok(())
}

/// The store past its own functions.
pub(crate) async fn raw(path: &Path) -> Result<SqliteConnection> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .pragma("synchronous", "off")
        .pragma("cache_size", "-262144");
    Ok(options.connect().await?)
}
