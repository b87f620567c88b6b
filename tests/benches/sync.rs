//! Sync between a device and a real PostgreSQL: the first pull beside a bare copy, a message's way to another device,
//! the push of what was written offline, memory, and what an idle device costs the server.
//!
//! `-- --messages N` and `--changes N` measure another size.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::TimeDelta;
use deepsearch_core::page::content_hash;
use deepsearch_core::sync::{MessageEvidence, MessageExtras, PageRef};
use deepsearch_core::{
    Chat, ChatId, Citation, Clock, MediaType, Message, MessageId, MessageState, PageId, Role, Span, SystemClock, UserId,
};
use deepsearch_postgres::{Admission, DeviceId, SharedDatabase, SharedSync, scram_verifier, session_token_hash};
use deepsearch_servers::Postgres;
use deepsearch_sqlite::{Store, StoreOptions, SyncAccount};
use deepsearch_sync::{SyncEngine, SyncOptions};
use deepsearch_tests::bench::argument;
use futures::TryStreamExt;
use sqlx::postgres::PgPoolCopyExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgPool};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;

use messages::{PER_CHAT, copy};
use words::Words;

#[path = "made_up/messages.rs"]
mod messages;
#[path = "made_up/words.rs"]
mod words;

const USER: &str = "user-1";

#[tokio::main]
async fn main() -> Result<()> {
    let messages = argument("--messages")?.unwrap_or(1_000_000);
    let changes = argument("--changes")?.unwrap_or(10_000);
    let Some(postgres) = Postgres::start()? else {
        println!("sync: left out, PostgreSQL is not installed");
        return Ok(());
    };
    let team = Team::new(&postgres).await?;
    team.fill(messages).await?;
    let folder = tempfile::tempdir()?;
    let a = team.device(&folder, "a").await?;
    measure_first_pull(&team, &a).await?;
    measure_store_alone(&folder, &a).await?;
    let b = team.device(&folder, "b").await?;
    for device in [&a, &b] {
        device.bring_all().await?;
    }
    measure_push(&a, changes).await?;
    measure_latency(&a, &b, changes.clamp(1, 20)).await?;
    measure_idle(&team, &a).await
}

/// A team's database, and one who owns it.
struct Team {
    pool: PgPool,
    owner: SharedDatabase,
    url: String,
}

/// A device that is signed in.
struct Device {
    store: Store,
    engine: Arc<SyncEngine>,
    path: PathBuf,
}

impl Device {
    /// Until the answers have their pages too, of which a run brings some.
    async fn bring_all(&self) -> Result<()> {
        let mut left = u32::MAX;
        loop {
            self.engine.run_once().await?;
            let now = self.store.count_sync().await?.pages;
            if now == 0 || now >= left {
                return Ok(());
            }
            left = now;
        }
    }

    async fn count_messages(&self) -> Result<i64> {
        let options = SqliteConnectOptions::new().filename(&self.path).read_only(true);
        let mut file = options.connect().await?;
        Ok(sqlx::query_scalar("select count(*) from message")
            .fetch_one(&mut file)
            .await?)
    }
}

impl Team {
    async fn new(postgres: &Postgres) -> Result<Self> {
        let admin = PgPool::connect(&postgres.url("postgres")).await?;
        admin.execute("create database team").await?;
        admin.close().await;
        let url = postgres.url("team");
        let owner = SharedDatabase::connect(&url).await?;
        owner.migrate(|_| {}).await?;
        let pool = PgPool::connect(&url).await?;
        let person = format!(r#"insert into "ai-app-template_user" (id, email) values ('{USER}', 'ada@example.org')"#);
        pool.execute(sqlx::AssertSqlSafe(person)).await?;
        Ok(Self { pool, owner, url })
    }

    /// Chats over three years, as a web app has written them.
    async fn fill(&self, messages: usize) -> Result<()> {
        let chats = messages.div_ceil(PER_CHAT);
        sqlx::query(
            r#"insert into "ai-app-template_chat" (id, user_id, title, created_at, updated_at)
            select 'chat_' || n, $1, 'Chat ' || n, at, at from (
                select n, now() - (1 - n::float8 / $2) * interval '3 years' as at from generate_series(0, $2 - 1) as n
            ) as made"#,
        )
        .bind(USER)
        .bind(i32::try_from(chats)?)
        .execute(&self.pool)
        .await?;
        copy(&self.pool, messages).await?;
        self.rest_on_pages().await?;
        self.pool.execute("vacuum analyze").await?;
        Ok(())
    }

    /// One answer in ten was written by a device, and brings what it rests on.
    async fn rest_on_pages(&self) -> Result<()> {
        let texts = [1, 2, 3].map(|number| format!("Page {number}. {}", "A glacier remembers. ".repeat(200)));
        for text in &texts {
            sqlx::query("insert into deepsearch_sync.page (user_id, content_hash, text, size) values ($1, $2, $3, 0)")
                .bind(USER)
                .bind(content_hash(text))
                .bind(text)
                .execute(&self.pool)
                .await?;
        }
        sqlx::query(
            r#"insert into deepsearch_sync.message_extras (user_id, message_id, body)
            select $1, id, $2::json from "ai-app-template_message" where id like 'msg\_%9' and role = 'assistant'"#,
        )
        .bind(USER)
        .bind(serde_json::to_string(&extras(&texts)?)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn device(&self, folder: &TempDir, name: &str) -> Result<Device> {
        let (token, password) = (format!("token of {name}"), format!("password-{name}"));
        let admission = Admission {
            device: DeviceId::now_v7(),
            user: UserId::from_stored(USER),
            name: name.into(),
            scram_verifier: scram_verifier(&password.clone().into(), [9; 16]),
            token_hash: session_token_hash(&token),
            lasts: TimeDelta::days(1),
        };
        let role = self.owner.mint_device(&admission).await?;
        let url = self
            .url
            .replace("postgres://postgres@", &format!("postgres://{role}:{password}@"));
        let remote = SharedSync::new(SharedDatabase::connect_device(&url, token.into()).await?);
        let path = folder.path().join(format!("{name}.sqlite"));
        let store = Store::open(&path, StoreOptions::default()).await?;
        let account = SyncAccount {
            user: UserId::from_stored(USER),
            server: "team".into(),
        };
        store.bind_sync_account(&account).await?;
        let engine = SyncEngine::new(store.clone(), Arc::new(remote), account, SyncOptions::default());
        Ok(Device {
            store,
            engine: Arc::new(engine),
            path,
        })
    }

    /// The same rows out of the same server, as fast as it gives them.
    async fn copy(&self) -> Result<(usize, Duration)> {
        let started = Instant::now();
        let out = r#"copy (select id, chat_id, role, content, sources, metadata, created_at, extras.body
            from "ai-app-template_message" left join deepsearch_sync.message_extras as extras on message_id = id) to stdout"#;
        let mut rows = 0;
        let mut stream = self.pool.copy_out_raw(out).await?;
        while let Some(bytes) = stream.try_next().await? {
            rows += bytes.iter().filter(|byte| **byte == b'\n').count();
        }
        Ok((rows, started.elapsed()))
    }
}

async fn measure_first_pull(team: &Team, device: &Device) -> Result<()> {
    let (copied, copying) = team.copy().await?;
    let copied = copied as f64 / copying.as_secs_f64();
    forget_peak();
    let started = Instant::now();
    device.engine.run_once().await?;
    let took = started.elapsed();
    let stored = device.count_messages().await?;
    let pulled = stored as f64 / took.as_secs_f64();
    println!(
        "sync: first pull of {stored} messages {:.1} s, {pulled:.0} rows/s beside {copied:.0} by COPY (ratio {:.2}, aim ≥ 0.3)",
        took.as_secs_f64(),
        pulled / copied
    );
    match peak() {
        Some(peak) => println!("sync: peak memory of the process while pulling {peak} MB (aim ≤ 300)"),
        None => println!("sync: memory is not measured on this system"),
    }
    Ok(())
}

/// What of a first pull is the store's own: the same rows copied from file to file by SQLite, and made searchable.
async fn measure_store_alone(folder: &TempDir, from: &Device) -> Result<()> {
    let path = folder.path().join("alone.sqlite");
    Store::open(&path, StoreOptions::default()).await?.close().await;
    let started = Instant::now();
    let mut file = SqliteConnectOptions::new()
        .filename(&path)
        .foreign_keys(false)
        .connect()
        .await?;
    sqlx::query("attach ? as pulled")
        .bind(from.path.to_string_lossy())
        .execute(&mut file)
        .await?;
    for copy in [
        "insert into chat select * from pulled.chat",
        "insert into message select * from pulled.message",
    ] {
        file.execute(copy).await?;
    }
    file.close().await?;
    // Opening it makes up for what is not in the index.
    let store = Store::open(&path, StoreOptions::default()).await?;
    let took = started.elapsed().as_secs_f64();
    store.close().await;
    let rows = from.count_messages().await? as f64 / took;
    println!("sync: the same rows from file to file, and indexed, {took:.1} s, {rows:.0} rows/s");
    Ok(())
}

async fn measure_push(device: &Device, changes: usize) -> Result<()> {
    let mut words = Words::new(8);
    for first in (0..changes).step_by(PER_CHAT) {
        let chat = chat(&format!("Offline {first}"));
        device.store.add_chat(&chat).await?;
        let count = PER_CHAT.min(changes - first);
        let messages: Vec<Message> = (0..count).map(|_| message(&chat.id, words.message())).collect();
        device.store.add_messages(&chat.id, &messages).await?;
    }
    let started = Instant::now();
    device.engine.run_once().await?;
    let took = started.elapsed().as_secs_f64();
    let left = device.store.count_sync().await?.outbox;
    println!(
        "sync: push of {changes} offline messages in new chats {took:.1} s, {:.0} a second, {left} left",
        changes as f64 / took
    );
    Ok(())
}

/// A message is written on A, and looked for on B, whose person looks at the app.
async fn measure_latency(a: &Device, b: &Device, times: usize) -> Result<()> {
    let stop = CancellationToken::new();
    for device in [a, b] {
        device.engine.run_once().await?;
        device.engine.focus(true);
        let (engine, stop) = (Arc::clone(&device.engine), stop.clone());
        tokio::spawn(async move { engine.run(stop).await });
    }
    let chat = chat("Live");
    a.store.add_chat(&chat).await?;
    let (mut polled, mut told) = (Vec::new(), Vec::new());
    for turn in 0..2 * times {
        let is_told = turn % 2 == 1;
        // At any moment between two looks of B's, and not always just after one.
        tokio::time::sleep(Duration::from_millis(turn as u64 * 770 % 3000)).await;
        let message = message(&chat.id, format!("message {turn}"));
        let started = Instant::now();
        a.store.add_messages(&chat.id, std::slice::from_ref(&message)).await?;
        a.engine.nudge();
        if is_told {
            until_empty(&a.store).await?;
            b.engine.nudge();
        }
        while b.store.lookup_message(&message.id).await?.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if is_told { &mut told } else { &mut polled }.push(started.elapsed());
    }
    stop.cancel();
    println!(
        "sync: one message from A to B, focused: p50 {} ms by polling (aim < 1000), {} ms if B were told",
        median(&mut polled),
        median(&mut told)
    );
    Ok(())
}

async fn until_empty(store: &Store) -> Result<()> {
    while store.count_sync().await?.outbox > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Runs that find nothing: how many transactions they are, and how long the server works on them.
async fn measure_idle(team: &Team, device: &Device) -> Result<()> {
    const RUNS: u32 = 40;
    device.engine.run_once().await?;
    team.tidy().await?;
    let before = team.work().await?;
    for _ in 0..RUNS {
        device.engine.run_once().await?;
    }
    let after = team.work().await?;
    let transactions = (after.0 - before.0) as f64 / f64::from(RUNS);
    let millis = (after.1 - before.1) / f64::from(RUNS);
    for (kind, each) in [
        ("in the background (30 s)", 30.0),
        ("looked at (3 s)", 3.0),
        ("looked at while something is written (1 s)", 1.0),
    ] {
        let runs = 3600.0 / each;
        println!(
            "sync: an idle device {kind} costs the server {:.0} transactions and {:.0} ms an hour",
            transactions * runs,
            millis * runs
        );
    }
    Ok(())
}

impl Team {
    /// What the server does after many changes counts as work too, and would fall into what is measured next.
    async fn tidy(&self) -> Result<()> {
        self.pool.execute("vacuum analyze").await?;
        self.pool.execute("alter system set autovacuum = off").await?;
        self.pool.execute("select pg_reload_conf()").await?;
        Ok(())
    }

    /// Transactions so far, and milliseconds in which statements ran, of everybody but whoever asks.
    async fn work(&self) -> Result<(i64, f64)> {
        // A connection tells what it did up to ten seconds late.
        tokio::time::sleep(Duration::from_secs(12)).await;
        let seen = sqlx::query_as(
            "select xact_commit + xact_rollback, active_time from pg_stat_database where datname = 'team'",
        );
        Ok(seen.fetch_one(&self.pool).await?)
    }
}

/// What an answer rests on: pages, each cited four times.
fn extras(texts: &[String]) -> Result<MessageExtras> {
    let mut evidence = MessageEvidence::default();
    for (number, text) in (1..).zip(texts) {
        let url = Url::parse(&format!("https://example.org/glaciers/{number}"))?;
        evidence.pages.push(PageRef {
            number,
            content_hash: content_hash(text),
            url,
            title: format!("Page {number}"),
            author: None,
            site_name: Some("Glaciers".into()),
            published_at: None,
            favicon: None,
            language: Some("en".into()),
            media_type: MediaType::Html,
            fetched_at: SystemClock.now(),
        });
        evidence.citations.extend((0..4).map(|_| Citation {
            number,
            marker: Span::new(0, 1),
            sentence: Span::new(0, 1),
            page_id: PageId::new(),
            page_span: Span::new(8, 28),
            quote: "A glacier remembers.".into(),
        }));
    }
    Ok(MessageExtras {
        follow_ups: vec!["How do ice cores remember?".into()],
        evidence: Some(evidence),
        ..MessageExtras::default()
    })
}

fn chat(title: &str) -> Chat {
    let now = SystemClock.now();
    Chat {
        id: ChatId::new(),
        title: title.into(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    }
}

fn message(chat: &ChatId, content: String) -> Message {
    Message {
        id: MessageId::new(),
        chat_id: chat.clone(),
        parent: None,
        role: Role::User,
        content,
        sources: None,
        metadata: None,
        created_at: SystemClock.now(),
        state: MessageState::Complete,
    }
}

fn median(times: &mut [Duration]) -> u128 {
    times.sort();
    times.get(times.len() / 2).map_or(0, Duration::as_millis)
}

/// What was used before is not this measure's.
fn forget_peak() {
    // Where it cannot be reset, more is told than is true.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that the process had at once, in megabytes.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
