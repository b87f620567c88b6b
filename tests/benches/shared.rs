//! The shared database: what each access pattern costs a device, through the boundary, beside the same by the owner
//! without it; batch inserts beside COPY; full-text search; the search cache; and PgBouncer between.
//!
//! Both are asked in turn, so that what else the machine does befalls both. `-- --messages N`, `--users N` and `--times N`
//! measure another size. Beside the typical person stands one with very many chats (`--heavy N`).

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, Chat, ChatId, Clock, Message, MessageId, MessageState, Role, SystemClock, UserId};
use deepsearch_postgres::{
    Admission, ChatList, DeviceId, MessageCursor, SharedDatabase, scram_verifier, session_token_hash,
};
use deepsearch_servers::{PgBouncer, Postgres};
use deepsearch_tests::bench::{argument, percentile};
use sqlx::postgres::PgPoolCopyExt;
use sqlx::{Executor, PgPool};

use messages::{PER_CHAT, copy};
use words::Words;

#[path = "made_up/messages.rs"]
mod messages;
#[path = "made_up/words.rs"]
mod words;

/// Whose chats are as many as everybody's.
const TYPICAL: Person = Person {
    name: "typical",
    user: "user_7",
    chat: "chat_7",
};
const HEAVY: Person = Person {
    name: "heavy",
    user: "user_heavy",
    chat: "chat_heavy_0",
};

#[derive(Clone, Copy)]
struct Person {
    name: &'static str,
    user: &'static str,
    /// One with several messages.
    chat: &'static str,
}

#[tokio::main]
async fn main() -> Result<()> {
    let messages = argument("--messages")?.unwrap_or(1_000_000);
    let users = argument("--users")?.unwrap_or(10_000).max(8);
    let times = argument("--times")?.unwrap_or(500);
    let heavy = argument("--heavy")?.unwrap_or(100_000).max(1);
    let Some(postgres) = Postgres::start_with(&["shared_buffers=512MB", "max_wal_size=4GB"])? else {
        println!("shared: left out, PostgreSQL is not installed");
        return Ok(());
    };
    let team = Team::new(&postgres, messages, users, heavy).await?;
    println!("shared: {messages} messages, {users} users, and a heavy one with {heavy} chats; {times} times each");
    for person in [TYPICAL, HEAVY] {
        let device = team.device(person, postgres.port(), "").await?;
        // First, for the patterns write, and what is searched is to be what such a person has.
        measure_search(&team, person, &device, times).await?;
        measure_patterns(&team, person, &device, "through the boundary", times).await?;
        measure_inserts(&team, person, &device, times).await?;
    }
    let device = team.device(TYPICAL, postgres.port(), "").await?;
    measure_cache(&team, &device, times).await?;
    let Some(bouncer) = PgBouncer::start(postgres.port())? else {
        println!("shared: PgBouncer is left out, it is not installed");
        return Ok(());
    };
    let pooled = "?statement-cache-capacity=0";
    let device = team.device(TYPICAL, bouncer.port(), pooled).await?;
    measure_patterns(&team, TYPICAL, &device, "through PgBouncer and the boundary", times).await
}

struct Team {
    pool: PgPool,
    owner: SharedDatabase,
}

impl Team {
    /// People, each with as many chats, and messages in them over three years.
    async fn new(postgres: &Postgres, messages: usize, users: usize, heavy: usize) -> Result<Self> {
        let admin = PgPool::connect(&postgres.url("postgres")).await?;
        admin.execute("create database team").await?;
        admin.close().await;
        let url = postgres.url("team");
        let owner = SharedDatabase::connect(&url).await?;
        owner.migrate(|_| {}).await?;
        let pool = PgPool::connect(&url).await?;
        sqlx::query(
            r#"insert into "ai-app-template_user" (id, name, email)
            select 'user_' || n, 'Person ' || n, 'person' || n || '@example.org' from generate_series(0, $1 - 1) as n"#,
        )
        .bind(i32::try_from(users)?)
        .execute(&pool)
        .await?;
        sqlx::query(
            r#"insert into "ai-app-template_account" (user_id, type, provider, provider_account_id)
            select id, 'oauth', 'github', id from "ai-app-template_user""#,
        )
        .execute(&pool)
        .await?;
        sqlx::query(
            r#"insert into "ai-app-template_chat" (id, user_id, title, created_at, updated_at)
            select 'chat_' || n, 'user_' || (n % $1), 'Chat ' || n, at, at from (
                select n, now() - (1 - n::float8 / $2) * interval '3 years' as at from generate_series(0, $2 - 1) as n
            ) as made"#,
        )
        .bind(i32::try_from(users)?)
        .bind(i32::try_from(messages.div_ceil(PER_CHAT).max(users))?)
        .execute(&pool)
        .await?;
        copy(&pool, messages).await?;
        make_heavy(&pool, heavy).await?;
        // Of a team that shares them: a week's, and as many that have run out.
        owner.share_searches(true).await?;
        pool.execute(
            r#"insert into "ai-app-template_search_cache" (query, results, created_at, expires_at)
            select 'question ' || n, json_build_object('engine', 'searxng', 'hits', repeat('x', 4000)), at, at + interval '7 days'
            from (select n, now() - n * interval '6 seconds' as at from generate_series(1, 200000) as n) as made"#,
        )
        .await?;
        pool.execute("vacuum analyze").await?;
        Ok(Self { pool, owner })
    }

    /// A device of the person's that comes in at this port.
    async fn device(&self, person: Person, port: u16, query: &str) -> Result<SharedDatabase> {
        let device = DeviceId::now_v7();
        let token = format!("token of {device}");
        let admission = Admission {
            device,
            user: UserId::from_stored(person.user),
            name: "bench".into(),
            scram_verifier: scram_verifier(&"password".into(), [9; 16]),
            token_hash: session_token_hash(&token),
            lasts: TimeDelta::days(1),
        };
        let role = self.owner.mint_device(&admission).await?;
        let url = format!("postgres://{role}:password@127.0.0.1:{port}/team{query}");
        Ok(SharedDatabase::connect_device(&url, token.into()).await?)
    }
}

/// As many chats over three years, two messages in each and a hundred in the first, with texts that others have.
async fn make_heavy(pool: &PgPool, chats: usize) -> Result<()> {
    pool.execute(
        r#"insert into "ai-app-template_user" (id, name, email) values ('user_heavy', 'Heavy', 'heavy@example.org');
        insert into "ai-app-template_account" (user_id, type, provider, provider_account_id)
            values ('user_heavy', 'oauth', 'github', 'user_heavy')"#,
    )
    .await?;
    sqlx::query(
        r#"with made as (
            select n, now() - (1 - n::float8 / $1) * interval '3 years' as at from generate_series(0, $1 - 1) as n
        ), chat as (
            insert into "ai-app-template_chat" (id, user_id, title, created_at, updated_at)
            select 'chat_heavy_' || n, 'user_heavy', 'Chat ' || n, at, at from made
        ), said as (
            select n, at from made cross join generate_series(1, 2)
            union all
            select 0, now() - part * interval '1 day' from generate_series(1, 98) as part
        ), text as (
            select row_number() over () as place, role, content from "ai-app-template_message" limit 200000
        ), numbered as (
            select n, at, row_number() over () as place from said
        )
        insert into "ai-app-template_message" (id, chat_id, role, content, created_at)
        select 'msg_heavy_' || numbered.place, 'chat_heavy_' || n, role, content, at + numbered.place * interval '1 ms'
        from numbered join text on text.place = 1 + (numbered.place % (select count(*) from text))"#,
    )
    .bind(i32::try_from(chats)?)
    .execute(pool)
    .await?;
    Ok(())
}

/// One thing, by the owner and by the device in turn.
async fn measure<F, Fut>(name: &str, way: &str, times: usize, is_waited_for: bool, mut ask: F) -> Result<()>
where
    F: FnMut(bool, usize) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let (mut owners, mut devices) = (Vec::new(), Vec::new());
    // The first ones prepare the statements.
    for n in 0..times + 10 {
        for is_device in [false, true] {
            let started = Instant::now();
            ask(is_device, n).await.with_context(|| name.to_owned())?;
            let took = started.elapsed();
            if n >= 10 {
                if is_device { &mut devices } else { &mut owners }.push(took);
            }
        }
    }
    let [owner, device] = [&mut owners, &mut devices].map(|took| percentile(took, 50));
    let aim = if is_waited_for { ", aim ≤ 1.2" } else { "" };
    println!(
        "shared: {name}: {way} p50 {device:.2} ms, p99 {:.2} ms; by the owner p50 {owner:.2} ms, p99 {:.2} ms (ratio {:.2}{aim})",
        percentile(&mut devices, 99),
        percentile(&mut owners, 99),
        device / owner
    );
    Ok(())
}

async fn measure_patterns(team: &Team, person: Person, device: &SharedDatabase, way: &str, times: usize) -> Result<()> {
    let (user, chat) = (UserId::from_stored(person.user), ChatId::from_stored(person.chat));
    let (user, chat) = (&user, &chat);
    let way = &format!("{} user, {way}", person.name);
    let of = |is_device: bool| if is_device { device } else { &team.owner };
    let settings = team.owner.lookup_user_settings(user).await?;
    let newest = team.owner.list_messages(user, chat, None, 5).await?;
    let oldest = newest.last().context("the chat has messages")?;
    let cursor = &MessageCursor::before(oldest);
    ensure!(
        device.list_messages(user, chat, None, 5).await? == newest,
        "the device sees what the owner does"
    );

    measure(
        "the user with all accounts",
        way,
        times,
        true,
        |is_device, _| async move {
            ensure!(of(is_device).lookup_user_with_accounts(user).await?.is_some());
            Ok(())
        },
    )
    .await?;
    let email = &team.owner.lookup_user(user).await?.context("the person")?.email;
    // No index of the seed's table serves this, and it may get none: the owner, as who signs people in, reads all users.
    measure(
        "the user by e-mail address",
        way,
        times,
        false,
        |is_device, _| async move {
            ensure!(of(is_device).find_user_by_email(email).await?.is_some());
            Ok(())
        },
    )
    .await?;
    measure("the newest 50 chats", way, times, true, |is_device, _| async move {
        let chats = of(is_device).list_chats(user, ChatList::Active, None, 50).await?;
        ensure!(!chats.is_empty());
        Ok(())
    })
    .await?;
    measure(
        "a chat with its first messages",
        way,
        times,
        true,
        |is_device, _| async move {
            ensure!(of(is_device).lookup_chat_with_messages(user, chat).await?.is_some());
            Ok(())
        },
    )
    .await?;
    measure(
        "a page of older messages",
        way,
        times,
        true,
        |is_device, _| async move {
            let page = of(is_device).list_messages(user, chat, Some(cursor), 50).await?;
            ensure!(!page.is_empty());
            Ok(())
        },
    )
    .await?;
    measure(
        "the overview, side by side",
        way,
        times,
        true,
        |is_device, _| async move {
            ensure!(of(is_device).overview(user).await?.is_some());
            Ok(())
        },
    )
    .await?;
    measure(
        "a chat with its first message is written",
        way,
        times,
        true,
        |is_device, _| async move {
            let chat = new_chat();
            let first = [message(&chat.id, "Hello! How can I help you today?")];
            of(is_device).add_chat_with_messages(user, &chat, &first).await?;
            Ok(())
        },
    )
    .await?;
    measure("a message is written", way, times, true, |is_device, n| async move {
        let said = [message(chat, &format!("message {n}"))];
        of(is_device).add_messages(user, chat, &said).await?;
        Ok(())
    })
    .await?;
    measure("a chat is renamed", way, times, true, |is_device, n| async move {
        of(is_device).rename_chat(user, chat, &format!("Chat {n}")).await?;
        Ok(())
    })
    .await?;
    measure(
        "a chat goes to Trash and comes back",
        way,
        times,
        true,
        |is_device, _| async move {
            of(is_device).delete_chat(user, chat).await?;
            of(is_device).restore_chat(user, chat).await?;
            Ok(())
        },
    )
    .await?;
    let settings = &settings;
    measure(
        "the settings are written",
        way,
        times,
        false,
        |is_device, _| async move {
            of(is_device).update_user_settings(user, settings).await?;
            Ok(())
        },
    )
    .await
}

/// The search cache that the team shares: looked up, written, and rid of what has run out, which is the owner's work.
async fn measure_cache(team: &Team, device: &SharedDatabase, times: usize) -> Result<()> {
    let way = "through the boundary";
    let of = |is_device: bool| if is_device { device } else { &team.owner }.search_cache();
    measure(
        "a cached search is looked up",
        way,
        times,
        true,
        |is_device, n| async move {
            let found = of(is_device)
                .lookup(&format!("question {}", 1 + n * 199 % 200_000))
                .await?;
            ensure!(found.is_some());
            Ok(())
        },
    )
    .await?;
    measure(
        "a search is written to the cache",
        way,
        times,
        false,
        |is_device, n| async move {
            let now = SystemClock.now();
            let entry = SearchCache {
                query: format!("new question {n}"),
                results: serde_json::json!({ "engine": "searxng", "hits": "x".repeat(4000) }),
                created_at: now,
                expires_at: now + TimeDelta::days(7),
            };
            Ok(of(is_device).add(entry).await?)
        },
    )
    .await?;
    let started = Instant::now();
    let gone = team.owner.delete_expired_searches(SystemClock.now()).await?;
    println!(
        "shared: {gone} searches that ran out are deleted by the owner, {:.0} a second",
        gone as f64 / started.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn measure_search(team: &Team, person: Person, device: &SharedDatabase, times: usize) -> Result<()> {
    let user = UserId::from_stored(person.user);
    for (name, from, to) in [
        ("a rare word", 20_000, 100_000),
        ("a word", 500, 5_000),
        ("a common word", 0, 50),
    ] {
        let mut words = Words::new(13);
        let (mut owners, mut devices) = (Vec::new(), Vec::new());
        let mut hits = 0;
        for _ in 0..times {
            let end = to.min(words.words.len());
            let rank = from.min(end - 1) + words.below((end - from.min(end - 1)).max(1));
            let word = words.words[rank].clone();
            for (database, took) in [(&team.owner, &mut owners), (device, &mut devices)] {
                let started = Instant::now();
                hits += database.search_messages(&user, &word, 20).await?.len();
                took.push(started.elapsed());
            }
        }
        println!(
            "shared: full-text search for {name}: {} user: p50 {:.2} ms, p99 {:.2} ms (aim p99 < 20 ms); by the owner p50 {:.2} ms, p99 {:.2} ms; {:.2} hits",
            person.name,
            percentile(&mut devices, 50),
            percentile(&mut devices, 99),
            percentile(&mut owners, 50),
            percentile(&mut owners, 99),
            hits as f64 / (2 * times) as f64
        );
    }
    Ok(())
}

/// Rows a second in batches as the app writes them, beside COPY into the same table, triggers and indexes included.
async fn measure_inserts(team: &Team, person: Person, device: &SharedDatabase, times: usize) -> Result<()> {
    const BATCH: usize = 500;
    let user = UserId::from_stored(person.user);
    let batches = times.div_ceil(50).max(4);
    let mut words = Words::new(17);
    let (mut copied, mut owners, mut devices) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..batches {
        let texts: Vec<String> = (0..BATCH).map(|_| words.text(40)).collect();
        for (database, took) in [(&team.owner, &mut owners), (device, &mut devices)] {
            let chat = new_chat();
            database.add_chat(&user, &chat).await?;
            let messages: Vec<Message> = texts.iter().map(|text| message(&chat.id, text)).collect();
            let started = Instant::now();
            database.add_messages(&user, &chat.id, &messages).await?;
            *took += started.elapsed();
        }
        let chat = new_chat();
        team.owner.add_chat(&user, &chat).await?;
        let started = Instant::now();
        let into = r#"copy "ai-app-template_message" (id, chat_id, role, content) from stdin"#;
        let mut copy = team.pool.copy_in_raw(into).await?;
        let lines: String = texts
            .iter()
            .map(|text| {
                format!(
                    "{}\t{}\tuser\t{}\n",
                    MessageId::new(),
                    chat.id,
                    text.replace('\n', "\\n")
                )
            })
            .collect();
        copy.send(lines.into_bytes()).await?;
        copy.finish().await?;
        copied += started.elapsed();
    }
    let rate = |took: Duration| (batches * BATCH) as f64 / took.as_secs_f64();
    println!(
        "shared: batches of {BATCH}: {} user: {:.0} messages a second by a device, {:.0} by the owner, {:.0} by COPY (ratio of the device {:.2}, aim ≥ 0.3)",
        person.name,
        rate(devices),
        rate(owners),
        rate(copied),
        rate(devices) / rate(copied)
    );
    Ok(())
}

fn new_chat() -> Chat {
    let now = SystemClock.now();
    Chat {
        id: ChatId::new(),
        title: "New Chat".into(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    }
}

fn message(chat: &ChatId, content: &str) -> Message {
    Message {
        id: MessageId::new(),
        chat_id: chat.clone(),
        parent: None,
        role: Role::User,
        content: content.into(),
        sources: None,
        metadata: None,
        created_at: SystemClock.now(),
        state: MessageState::Complete,
    }
}
