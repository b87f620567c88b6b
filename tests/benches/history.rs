//! History search and the start of the store, at 10⁵ and 10⁶ messages.
//!
//! The texts are made up; `-- --messages N` measures another size only.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::DateTime;
use deepsearch_sqlite::{HistoryFilter, HistoryQuery, Store, StoreOptions};
use deepsearch_tests::bench::{argument, percentile};
use sqlx::Connection;

use made_up::{STARTED_AT, Words, built, finished, kept, question, raw};

#[path = "made_up/store.rs"]
mod made_up;

const PER_CHAT: usize = 20;
const QUERIES: usize = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let sizes = match argument("--messages")? {
        Some(size) => vec![size],
        None => vec![100_000, 1_000_000],
    };
    let empty = empty_store().await?;
    for messages in sizes {
        let path = built(messages / PER_CHAT, messages).await?;
        measure_start(&path, &empty, messages).await?;
        let store = Store::open(&path, StoreOptions::default()).await?;
        measure_searches(&store, &path, messages).await?;
        measure_writing(&store, messages).await?;
        store.close().await;
    }
    Ok(())
}

async fn empty_store() -> Result<PathBuf> {
    let folder = kept(0, 0);
    std::fs::remove_dir_all(&folder).ok();
    let path = folder.join("deepsearch.sqlite");
    Store::open(&path, StoreOptions::default()).await?.close().await;
    Ok(path)
}

async fn measure_start(path: &Path, empty: &Path, messages: usize) -> Result<()> {
    const TIMES: usize = 15;
    let (mut full, mut none) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        full.push(start(path).await?);
        none.push(start(empty).await?);
    }
    let (full, none) = (percentile(&mut full, 50), percentile(&mut none, 50));
    println!(
        "history {messages}: opening and listing {full:.2} ms (ratio {:.2} of an empty store's {none:.2} ms, aim ≤ 1.2)",
        full / none
    );
    Ok(())
}

/// What a command does before its own work.
async fn start(path: &Path) -> Result<Duration> {
    let started = Instant::now();
    let store = Store::open(path, StoreOptions::default()).await?;
    store.list_chats(Default::default(), None, 20).await?;
    let took = started.elapsed();
    store.close().await;
    Ok(took)
}

async fn measure_searches(store: &Store, path: &Path, messages: usize) -> Result<()> {
    let mut words = Words::new(11);
    let samples = samples(path, &mut words).await?;
    let (latin, chinese): (Vec<_>, Vec<_>) = samples.into_iter().partition(|text| text.is_ascii());
    let none = HistoryFilter::default();
    let word = |words: &mut Words, from: usize, to: usize| {
        let rank = from + words.below(to - from);
        words.words[rank].clone()
    };
    let of_rank = |from, to| move |words: &mut Words, _: usize| word(words, from, to) + " ";
    let typed = |length: usize| {
        move |words: &mut Words, _: usize| {
            let rank = words.rank();
            words.words[rank].chars().take(length).collect()
        }
    };
    let part = |length: usize| {
        let chinese = &chinese;
        move |words: &mut Words, number: usize| {
            let clause: Vec<char> = chinese[number % chinese.len()].chars().take(12).collect();
            let start = words.below(12 - length);
            clause[start..start + length].iter().collect()
        }
    };
    let phrase = |words: &mut Words, number: usize| {
        let text: Vec<&str> = latin[number % latin.len()].split_whitespace().collect();
        let start = words.below(text.len().saturating_sub(2).max(1));
        format!("\"{}\"", text[start..(start + 3).min(text.len())].join(" "))
    };
    let run = async |name: &str, filter: &HistoryFilter, make: &dyn Fn(&mut Words, usize) -> String| {
        let mut words = Words::new(13);
        measure(store, messages, name, filter, |number| make(&mut words, number)).await
    };
    run("a rare word", &none, &of_rank(50_000, 200_000)).await?;
    run("a word of middling rank", &none, &of_rank(1_000, 5_000)).await?;
    run("a common word", &none, &of_rank(0, 50)).await?;
    run("two common words", &none, &|words, _| {
        word(words, 0, 50) + " " + &word(words, 0, 50) + " "
    })
    .await?;
    run("a common and a rare word", &none, &|words, _| {
        word(words, 0, 50) + " " + &word(words, 50_000, 200_000) + " "
    })
    .await?;
    for length in 1..=4 {
        run(&format!("{length} letters"), &none, &typed(length)).await?;
    }
    run("a common word and 2 letters", &none, &|words, number| {
        word(words, 0, 50) + " " + &typed(2)(words, number)
    })
    .await?;
    run("a phrase of three words", &none, &phrase).await?;
    for length in [1, 2, 4] {
        run(&format!("{length} Chinese characters"), &none, &part(length)).await?;
    }
    let old = HistoryFilter {
        until: DateTime::from_timestamp_millis(STARTED_AT + 86_400_000 * 40),
        ..none.clone()
    };
    run("a common word, five years ago", &old, &of_rank(0, 50)).await?;
    let host = HistoryFilter {
        host: Some("site7.example.org".into()),
        ..none.clone()
    };
    run("a common word, one host", &host, &of_rank(0, 50)).await?;
    let chat = HistoryFilter {
        chat: Some(deepsearch_core::ChatId::from_stored("chat_00000100")),
        ..none
    };
    run("a common word, one old chat", &chat, &of_rank(0, 50)).await
}

async fn measure(
    store: &Store,
    messages: usize,
    name: &str,
    filter: &HistoryFilter,
    mut make: impl FnMut(usize) -> String,
) -> Result<()> {
    let mut took = Vec::new();
    let mut hits = 0;
    for number in 0..QUERIES {
        let query = HistoryQuery {
            text: make(number),
            filter: filter.clone(),
            limit: 20,
            after: None,
        };
        let started = Instant::now();
        hits += store.search_history(&query).await?.hits.len();
        took.push(started.elapsed());
    }
    println!(
        "history {messages}: {name}: p50 {:.2} ms, p99 {:.2} ms (aim p99 < 20 ms; {:.1} hits)",
        percentile(&mut took, 50),
        percentile(&mut took, 99),
        hits as f64 / QUERIES as f64
    );
    Ok(())
}

/// Texts of messages from all over the store.
async fn samples(path: &Path, words: &mut Words) -> Result<Vec<String>> {
    let mut raw = raw(path).await?;
    let mut texts = Vec::new();
    let last: i64 = sqlx::query_scalar("select max(seq) from message")
        .fetch_one(&mut raw)
        .await?;
    while texts.len() < 4_000 {
        let seq = words.below(last as usize) as i64;
        let text: Option<String> =
            sqlx::query_scalar("select content from message where seq = ? and length(content) > 30")
                .bind(seq)
                .fetch_optional(&mut raw)
                .await?;
        texts.extend(text);
    }
    raw.close().await?;
    Ok(texts)
}

async fn measure_writing(store: &Store, messages: usize) -> Result<()> {
    let mut words = Words::new(17);
    let mut took = Vec::new();
    for _ in 0..QUERIES {
        let (asked, answer) = (words.text(12), words.text(150));
        let started = Instant::now();
        let turn = store.begin_answer(question(asked)).await?;
        store.finish_answer(&turn.answer.id, finished(answer)).await?;
        took.push(started.elapsed() / 2);
        // The kept store stays as it was.
        store.delete_chat_forever(&turn.chat.id).await?;
    }
    println!(
        "history {messages}: writing one message, indexed and committed: p50 {:.2} ms, p99 {:.2} ms",
        percentile(&mut took, 50),
        percentile(&mut took, 99)
    );
    Ok(())
}
