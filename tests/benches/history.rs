//! History search and the start of the store, at 10⁵ and 10⁶ messages.
//!
//! The texts are made up: words with the frequencies and the first letters of a language (Zipf), one message in twenty
//! in Chinese characters, one page to fifty messages. The stores are built once and kept in the target folder;
//! `-- --messages N` measures another size only.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::DateTime;
use deepsearch_core::{MediaType, MessageState, Page, PageId, Source};
use deepsearch_sqlite::{FinishedAnswer, HistoryFilter, HistoryQuery, NewTurn, Store, StoreOptions};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use url::Url;

/// Part of a kept store's name: raise it when what is built changes.
const EDITION: u32 = 1;
const PER_CHAT: usize = 20;
const PAGES_PER_ANSWER: usize = 50;
const QUERIES: usize = 200;
const STARTED_AT: i64 = 1_600_000_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--messages").skip(1);
    let sizes = match arguments.next() {
        Some(size) => vec![size.parse()?],
        None => vec![100_000, 1_000_000],
    };
    let empty = empty_store().await?;
    for messages in sizes {
        let path = built(messages).await?;
        measure_start(&path, &empty, messages).await?;
        let store = Store::open(&path, StoreOptions::default()).await?;
        measure_searches(&store, &path, messages).await?;
        measure_writing(&store, messages).await?;
        store.close().await;
    }
    Ok(())
}

struct Words {
    words: Vec<String>,
    /// How much of all text the words up to this one make up.
    shares: Vec<f64>,
    state: u64,
}

impl Words {
    fn new(seed: u64) -> Self {
        const COUNT: usize = 200_000;
        let mut words = Self {
            words: Vec::with_capacity(COUNT),
            shares: Vec::with_capacity(COUNT),
            // The words are the same for every seed.
            state: 42,
        };
        let mut seen = std::collections::HashSet::new();
        let mut share = 0.0;
        while words.words.len() < COUNT {
            let rank = words.words.len() as f64 + 1.0;
            let length = (2.0 + rank.log10() * 1.4) as usize + words.below(4);
            let word: String = (0..length).map(|_| words.letter()).collect();
            if seen.insert(word.clone()) {
                share += 1.0 / rank;
                words.words.push(word);
                words.shares.push(share);
            }
        }
        words.state = seed;
        words
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// As often as in English.
    fn letter(&mut self) -> char {
        const LETTERS: &[u8] = b"eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnssssssrrrrrrhhhhhhddddllllcccuuummmffppggwwyybbvvkxjqz";
        char::from(LETTERS[self.below(LETTERS.len())])
    }

    fn rank(&mut self) -> usize {
        let at = self.unit() * self.shares[self.shares.len() - 1];
        self.shares
            .partition_point(|share| *share < at)
            .min(self.words.len() - 1)
    }

    fn text(&mut self, words: usize) -> String {
        let mut text = String::with_capacity(words * 7);
        for number in 0..words {
            if number > 0 {
                text.push_str(if number % 14 == 0 { ".\n" } else { " " });
            }
            let rank = self.rank();
            text.push_str(&self.words[rank]);
        }
        text
    }

    /// Characters with Zipf's frequencies too, twelve to a clause.
    fn chinese(&mut self, characters: usize) -> String {
        let mut text = String::new();
        for number in 0..characters {
            if number > 0 && number % 12 == 0 {
                text.push('，');
            }
            let rank = self.rank() % 5_000;
            text.extend(char::from_u32(0x4E00 + rank as u32));
        }
        text
    }

    fn message(&mut self) -> String {
        if self.below(20) == 0 {
            let characters = 20 + self.below(60);
            return self.chinese(characters);
        }
        let words = 3 + (-(1.0 - self.unit()).ln() * 28.0) as usize;
        self.text(words)
    }
}

async fn empty_store() -> Result<PathBuf> {
    let folder = kept(0);
    std::fs::remove_dir_all(&folder).ok();
    let path = folder.join("deepsearch.sqlite");
    Store::open(&path, StoreOptions::default()).await?.close().await;
    Ok(path)
}

fn kept(messages: usize) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{EDITION}-{messages}"))
}

/// The store of that size, built where it is not there yet.
async fn built(messages: usize) -> Result<PathBuf> {
    let folder = kept(messages);
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
    add_messages(&path, &mut words, messages)
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

fn question(text: String) -> NewTurn {
    NewTurn {
        question: text,
        ..NewTurn::default()
    }
}

fn finished(content: String) -> FinishedAnswer {
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
async fn add_messages(path: &Path, words: &mut Words, count: usize) -> Result<()> {
    let mut raw = raw(path).await?;
    let mut tx = raw.begin().await?;
    for number in 0..count {
        let chat = format!("chat_{:08}", number / PER_CHAT);
        // Five years, in order.
        let at = STARTED_AT + (number as i64) * (5 * 365 * 86_400_000 / count as i64);
        if number % PER_CHAT == 0 {
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

async fn raw(path: &Path) -> Result<SqliteConnection> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .pragma("synchronous", "off")
        .pragma("cache_size", "-262144");
    Ok(options.connect().await?)
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
    // As after a while of use: what else the machine did before decides how much of the file is still in memory.
    std::io::copy(&mut std::fs::File::open(path)?, &mut std::io::sink())?;
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
    for length in 1..=6 {
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

/// In milliseconds.
fn percentile(took: &mut [Duration], percent: usize) -> f64 {
    took.sort_unstable();
    took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
}
