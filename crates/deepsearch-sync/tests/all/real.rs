//! The simulation on a real PostgreSQL: the same steps as in memory, through the functions that devices call, beside a
//! web app whose transactions overlap with theirs.
//!
//! What needs another clock or another past (half a year, a restored backup) stays with the server in memory, but for one
//! snapshot of a real server's disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::sync::FUTURE_LIMIT;
use deepsearch_core::{ChatId, Clock, Labels, Message, MessageState, RemoteError, SystemClock, UserId};
use deepsearch_postgres::{Admission, DeviceId, SharedDatabase, SharedSync, scram_verifier, session_token_hash};
use deepsearch_servers::{Postgres, SlowLine};
use deepsearch_sync::SyncError;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::device::{ChatSeen, Device, LabelsSeen, MessageSeen, View, account, folder, message, options};
use crate::link::Link;
use crate::psql::Psql;
use crate::simulation::{
    Step, WebAct, at_a_device, chance, difference, no_tag_is_lost, number, step, times_said, told,
};

/// How long a device waits for a row that the web app holds, before it gives up.
const PATIENCE: Duration = Duration::from_millis(400);
const PEACE: Duration = Duration::from_secs(25);
/// After this a message that a web app deleted is offered again.
const OFFERED_AFTER: Duration = Duration::from_secs(11);

/// Notes all that was ever said and which chats were deleted, which the shared tables do not tell.
const NOTES: &str = r#"
create table public.ever_said (chat_id text, content text);
create table public.deleted_chat (id text);
create function public.note_said() returns trigger language plpgsql security definer as $$
begin insert into public.ever_said values (new.chat_id, new.content); return null; end $$;
create function public.note_deleted() returns trigger language plpgsql security definer as $$
begin insert into public.deleted_chat values (old.id); return null; end $$;
create trigger note_said after insert or update on public."ai-app-template_message"
    for each row execute function public.note_said();
create trigger note_deleted after delete on public."ai-app-template_chat"
    for each row execute function public.note_deleted();
insert into "ai-app-template_user" (id, email) values ('user-1', 'ada@example.org')"#;

/// Worlds that live at once. Each has a server: an open transaction holds the feeds of all its databases back.
const AT_ONCE: u64 = 4;

#[test]
fn whatever_happens_on_a_real_server_everybody_ends_with_the_same_and_nothing_is_lost() {
    if !deepsearch_servers::has_postgres() {
        pass_by();
        return;
    }
    let seeds = number("DEEPSEARCH_SIMULATE_REAL_SEEDS", 24);
    let steps = number("DEEPSEARCH_SIMULATE_STEPS", 60) as usize;
    let from = number("DEEPSEARCH_SIMULATE_FROM", 0);
    let (next, failure) = (AtomicU64::new(from), Mutex::new(None));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(seeds) {
            scope.spawn(|| {
                let server = migrated();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || failure.lock().unwrap().is_some() {
                        return;
                    }
                    if let Err(error) = live(&server, seed, steps) {
                        failure.lock().unwrap().get_or_insert(error);
                    }
                }
            });
        }
    });
    if let Some(failure) = failure.into_inner().unwrap() {
        panic!("{failure}");
    }
    let took = started.elapsed().as_secs_f64();
    crate::report(&format!(
        "{seeds} worlds of about {steps} steps on PostgreSQL in {took:.1} s"
    ));
}

/// A server with a database that each world's is a copy of.
fn migrated() -> Postgres {
    let server = started();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(migrate(&server));
    server
}

/// Ends with the thread that starts it.
fn started() -> Postgres {
    // What is acknowledged is in the log: a server that is ended has lost nothing of it.
    let server = Postgres::start_with(&["max_connections=100", "synchronous_commit=on"]).unwrap();
    let server = server.expect("PostgreSQL is installed");
    let mut admin = Psql::open(server.programs(), &server.url("postgres"));
    admin.must("create database migrated");
    server
}

async fn migrate(server: &Postgres) {
    let url = server.url("migrated");
    let database = SharedDatabase::connect(&url).await.unwrap();
    database.migrate(|_| {}).await.unwrap();
    database.close().await;
    Psql::open(server.programs(), &url).must(NOTES);
}

#[expect(clippy::print_stderr, reason = "a test that passes by says so")]
fn pass_by() {
    let complete = std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some();
    assert!(
        !complete,
        "PostgreSQL is missing, and `cargo xtask test` should have brought it"
    );
    eprintln!("passed by: PostgreSQL is missing; `cargo xtask test` brings it");
}

/// Lives through the steps of one seed.
fn live(server: &Postgres, seed: u64, steps: usize) -> Result<(), String> {
    let mut runner = TestRunner::new_with_rng(Config::default(), chance(seed));
    let worlds = (2..=3_usize, proptest::collection::vec(step(), 1..2 * steps));
    let (devices, steps) = worlds.new_tree(&mut runner).unwrap().current();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let mut admin = Psql::open(server.programs(), &server.url("postgres"));
    admin.must(&format!("create database world_{seed} template migrated"));
    let result = runtime.block_on(async {
        let mut world = World::new(server, &format!("world_{seed}"), devices).await;
        for step in &steps {
            world.step(step).await;
        }
        let result = world.settle().await;
        for device in &world.devices {
            device.store.close().await;
        }
        result
    });
    result.map_err(|reason| told(seed, &reason, devices, &steps))
}

struct World<'a> {
    server: &'a Postgres,
    url: String,
    time: Arc<AtomicI64>,
    devices: Vec<Device>,
    web: Psql,
    /// Transactions of the web app that have not ended, and what they hold.
    open: Vec<(Psql, String)>,
    counter: u32,
    /// Chats that are open in the browser, as they were when they were opened.
    loaded: BTreeMap<String, String>,
    renumbered: BTreeSet<String>,
    _folder: tempfile::TempDir,
}

impl<'a> World<'a> {
    async fn new(server: &'a Postgres, name: &str, count: usize) -> Self {
        let folder = folder();
        let url = server.url(name);
        let time = Arc::new(AtomicI64::new(SystemClock.now().timestamp_millis()));
        let owner = SharedDatabase::connect(&url).await.unwrap();
        let mut devices = Vec::new();
        for place in 0..count {
            let remote = remote(&owner, &url, place as u128 + 1).await;
            let link = Link::to(Arc::new(remote), PATIENCE);
            let device = Device::linked(&format!("d{place}"), folder.path(), link, &time, options(None)).await;
            device.store.bind_sync_account(&account()).await.unwrap();
            devices.push(device);
        }
        owner.close().await;
        Self {
            server,
            web: Psql::open(server.programs(), &url),
            url,
            time,
            devices,
            open: Vec::new(),
            counter: 0,
            loaded: BTreeMap::new(),
            renumbered: BTreeSet::new(),
            _folder: folder,
        }
    }

    fn look_at_the_clock(&self) {
        self.time.store(SystemClock.now().timestamp_millis(), Ordering::SeqCst);
    }

    async fn step(&mut self, step: &Step) {
        self.look_at_the_clock();
        match step {
            Step::Person(..) | Step::Sync(..) | Step::SyncAndSay(..) | Step::Restart(_) | Step::Skew(..) => {
                at_a_device(&mut self.devices, step).await;
            }
            Step::Web(act, is_left_open) => self.act(act, *is_left_open),
            Step::End(which, is_commit) => self.end(usize::from(*which), *is_commit),
            Step::Seconds(_) | Step::Days(_) | Step::Collect | Step::BackUp | Step::Restore | Step::PutBack => {}
        }
    }

    fn act(&mut self, act: &WebAct, is_left_open: bool) {
        self.counter += 1;
        let mark = format!("<web.{}>", self.counter);
        let chats = self
            .web
            .must(r#"select id from "ai-app-template_chat" order by id collate "C""#);
        let chosen = match act {
            WebAct::NewChat => Some(format!("chat_{mark}")),
            WebAct::Choose(_) => Some("settings".to_owned()),
            WebAct::Say(pick)
            | WebAct::Rename(pick)
            | WebAct::Trash(pick)
            | WebAct::HardDelete(pick)
            | WebAct::Load(pick)
            | WebAct::Save(pick, _) => chats.get(usize::from(*pick) % chats.len().max(1)).cloned(),
        };
        // It would wait for its other transaction.
        let Some(chat) = chosen.filter(|chat| self.open.iter().all(|(_, held)| held != chat)) else {
            return;
        };
        let Some(sql) = self.statements(act, &chat, &mark) else {
            return;
        };
        let mut session = Psql::open(self.server.programs(), &self.url);
        session.must("begin");
        if session.ask(&sql).is_none() {
            session.must("rollback");
        } else if is_left_open {
            self.open.push((session, chat));
        } else {
            session.must("commit");
        }
    }

    /// What the web app sends; `None` where it only looks.
    fn statements(&mut self, act: &WebAct, chat: &str, mark: &str) -> Option<String> {
        let said = |mark: &str| {
            format!(
                r#"insert into "ai-app-template_message" (id, chat_id, role, content, sources, created_at)
                values ('msg_{mark}', '{chat}', 'user', '{mark}', '[ {{"title":"t", "odd":1}} ]', clock_timestamp())"#
            )
        };
        Some(match act {
            WebAct::NewChat => format!(
                r#"insert into "ai-app-template_chat" (id, user_id, title) values ('{chat}', 'user-1', 'title {mark}'); {}"#,
                said(mark)
            ),
            WebAct::Choose(value) => format!(
                r#"insert into "ai-app-template_user_settings" (user_id, theme) values ('user-1', 'web {value}')
                on conflict (user_id) do update set theme = excluded.theme"#
            ),
            WebAct::Say(_) => format!(
                r#"{}; update "ai-app-template_chat" set updated_at = greatest(updated_at, clock_timestamp())
                where id = '{chat}'"#,
                said(mark)
            ),
            WebAct::Rename(_) => format!(
                r#"update "ai-app-template_chat" set title = 'web {mark}', updated_at = clock_timestamp()
                where id = '{chat}'"#
            ),
            WebAct::Trash(_) => format!(
                r#"update "ai-app-template_chat" set deleted_at = clock_timestamp(), updated_at = clock_timestamp()
                where id = '{chat}'"#
            ),
            WebAct::HardDelete(_) => {
                self.loaded.remove(chat);
                format!(r#"delete from "ai-app-template_chat" where id = '{chat}'"#)
            }
            WebAct::Load(_) => {
                let rows = self.rows(chat);
                self.loaded.insert(chat.to_owned(), rows);
                return None;
            }
            WebAct::Save(_, is_anew) => self.save(chat, *is_anew),
        })
    }

    fn rows(&mut self, chat: &str) -> String {
        let sql = format!(
            r#"select coalesce(json_agg(m order by created_at, id)::jsonb, '[]') from "ai-app-template_message" as m
            where chat_id = '{chat}'"#
        );
        self.web.must(&sql).join("")
    }

    /// Deletes all messages of a chat and inserts those that were seen.
    fn save(&mut self, chat: &str, is_anew: bool) -> String {
        let there = self.rows(chat);
        let seen = self.loaded.get(chat).cloned().unwrap_or(there);
        let mut seen: Vec<Value> = serde_json::from_str(&seen).unwrap();
        for row in seen.iter_mut().filter(|_| is_anew) {
            self.counter += 1;
            row["id"] = format!("msg_web_{}", self.counter).into();
            self.renumbered.insert(row["content"].as_str().unwrap().to_owned());
        }
        format!(
            r#"delete from "ai-app-template_message" where chat_id = '{chat}';
            insert into "ai-app-template_message"
            select * from json_populate_recordset(null::"ai-app-template_message", $rows${}$rows$)
            on conflict do nothing"#,
            Value::from(seen)
        )
    }

    fn end(&mut self, place: usize, is_commit: bool) {
        if self.open.is_empty() {
            return;
        }
        let (mut session, _) = self.open.remove(place % self.open.len());
        session.ask(if is_commit { "commit" } else { "rollback" });
    }

    async fn settle(&mut self) -> Result<(), String> {
        while !self.open.is_empty() {
            self.end(0, true);
        }
        for device in &self.devices {
            device.link.be_patient(PEACE);
        }
        for round in 0..8 {
            let (mut waits, mut meets_others) = (false, false);
            for place in 0..self.devices.len() {
                self.look_at_the_clock();
                let device = &mut self.devices[place];
                match device.sync(None).await {
                    Some(Ok(())) => {}
                    // A push that its device gave up may still be at work; the next try goes through.
                    Some(Err(SyncError::Remote(RemoteError::TimedOut { .. }))) if round < 4 => meets_others = true,
                    other => return Err(format!("{} could not sync in peace: {other:?}", device.name)),
                }
                waits |= device.counts().await.outbox > 0;
            }
            if meets_others {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            if !waits {
                break;
            }
            if round > 0 {
                tokio::time::sleep(OFFERED_AFTER).await;
            }
        }
        // What was sent last has still to come to the others.
        for _ in 0..2 {
            self.look_at_the_clock();
            for device in &mut self.devices {
                device.sync(None).await;
            }
        }
        self.check().await
    }

    async fn check(&mut self) -> Result<(), String> {
        let server = self.view();
        for device in &self.devices {
            let counts = device.counts().await;
            if counts.outbox > 0 || counts.early > 0 || counts.dead > 0 {
                return Err(format!("{} is not done: {counts:?}", device.name));
            }
            let view = device.view().await;
            if view != server {
                return Err(format!("{} differs: {}", device.name, difference(&view, &server)));
            }
        }
        let buried = "select content from public.ever_said join public.deleted_chat on id = chat_id";
        let mut gone = self.web.must(buried);
        gone.extend(self.devices.iter().flat_map(|device| device.deleted.iter().cloned()));
        for mark in self.devices.iter().flat_map(|device| &device.written) {
            let said = times_said(&self.devices, mark);
            let there = server.messages.values();
            let copies = there.filter(|message| message.content.contains(mark)).count();
            if copies < said && !gone.iter().any(|text| text.contains(mark)) {
                return Err(format!("{mark} is lost: there {copies} times, and said {said} times"));
            }
            if copies > said && !self.renumbered.iter().any(|text| text.contains(mark)) {
                return Err(format!("{mark} is there {copies} times"));
            }
        }
        let removed = self.web.must("select distinct id from public.deleted_chat");
        no_tag_is_lost(&self.devices, &server, |chat: &ChatId| {
            removed.iter().any(|id| id == chat.as_str())
        })?;
        let limit = (SystemClock.now() + FUTURE_LIMIT + TimeDelta::milliseconds(50)).timestamp_millis();
        match server.chats.iter().find(|(_, chat)| chat.updated_at > limit) {
            Some((id, _)) => Err(format!("{id} is of the future")),
            None => Ok(()),
        }
    }

    /// What the server holds.
    fn view(&mut self) -> View {
        let mut view = View::default();
        for row in self.list(
            r#"select json_build_object('id', id, 'title', title, 'updated_at', updated_at, 'deleted_at', deleted_at,
                'pinned', coalesce(pinned, false), 'archived', coalesce(archived, false),
                'labels', json_build_object('collection', collection, 'tags', coalesce(tags, '[]')))::jsonb
            from "ai-app-template_chat" left join deepsearch_sync.chat_flags on chat_id = id"#,
        ) {
            let chat = ChatSeen {
                title: row["title"].as_str().unwrap().to_owned(),
                updated_at: millis(&row["updated_at"]).unwrap(),
                deleted_at: millis(&row["deleted_at"]),
                pinned: row["pinned"].as_bool().unwrap(),
                archived: row["archived"].as_bool().unwrap(),
                labels: LabelsSeen::from(&serde_json::from_value::<Labels>(row["labels"].clone()).unwrap()),
            };
            view.chats.insert(row["id"].as_str().unwrap().to_owned(), chat);
        }
        for row in self.list(r#"select row_to_json(m)::jsonb from "ai-app-template_message" as m"#) {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let message = MessageSeen {
                chat_id: text("chat_id"),
                role: text("role"),
                content: text("content"),
                created_at: millis(&row["created_at"]).unwrap(),
            };
            view.messages.insert(text("id"), message);
        }
        for row in self.list(
            r#"select json_build_object('key', key, 'value', deepsearch_sync.setting_value(settings, key))::jsonb
            from deepsearch_sync.setting_clock join "ai-app-template_user_settings" as settings using (user_id)"#,
        ) {
            view.settings
                .insert(row["key"].as_str().unwrap().to_owned(), row["value"].clone());
        }
        view
    }

    fn list(&mut self, sql: &str) -> Vec<Value> {
        let lines = self.web.must(sql);
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn millis(time: &Value) -> Option<i64> {
    let time: DateTime<Utc> = time.as_str()?.parse().unwrap();
    Some(time.timestamp_millis())
}

/// Two devices of the person's that reach the server at `url`, each over a link made for it. Their stores lie in `folder`.
async fn two_devices(
    folder: &Path,
    owner: SharedDatabase,
    url: &str,
    link: impl Fn(SharedSync) -> Link,
) -> [Device; 2] {
    let time = Arc::new(AtomicI64::new(SystemClock.now().timestamp_millis()));
    let mut devices = Vec::new();
    for place in 0..2 {
        let link = link(remote(&owner, url, place + 1).await);
        let device = Device::linked(&format!("d{place}"), folder, link, &time, options(None)).await;
        device.store.bind_sync_account(&account()).await.unwrap();
        devices.push(device);
    }
    owner.close().await;
    devices.try_into().ok().unwrap()
}

/// A device's own way in.
async fn remote(owner: &SharedDatabase, url: &str, number: u128) -> SharedSync {
    let (token, password) = (format!("token-{number}"), format!("pw-{number}"));
    let admission = Admission {
        device: DeviceId::from_u128(number),
        user: UserId::from_stored("user-1"),
        name: "a device".into(),
        scram_verifier: scram_verifier(&password.clone().into(), [9; 16]),
        token_hash: session_token_hash(&token),
        lasts: TimeDelta::days(1),
    };
    let role = owner.mint_device(&admission).await.unwrap();
    let url = url.replace("postgres://postgres@", &format!("postgres://{role}:{password}@"));
    SharedSync::new(SharedDatabase::connect_device(&url, token.into()).await.unwrap())
}

/// What a snapshot of the server's disk holds, and putting it back: the server ends in between, as a machine does.
struct Snapshot(tempfile::TempDir);

impl Snapshot {
    fn of(server: &mut Postgres) -> Self {
        let folder = folder();
        server.kill().unwrap();
        copy(&server.data(), &folder.path().join("data"));
        server.start_again().unwrap();
        Self(folder)
    }

    fn put_back(&self, server: &mut Postgres) {
        server.kill().unwrap();
        std::fs::remove_dir_all(server.data()).unwrap();
        copy(&self.0.path().join("data"), &server.data());
        server.start_again().unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").arg("-a").args([from, to]).status();
    assert!(done.unwrap().success());
}

/// A run that meets the server again: the first connections are those that ended with it.
async fn sync(device: &mut Device) {
    for _ in 0..20 {
        if let Some(Ok(())) = device.sync(None).await {
            return;
        }
    }
    panic!("{} could not sync", device.name);
}

#[tokio::test]
async fn a_server_that_is_put_back_to_a_snapshot_of_its_disk_is_given_again_what_it_lost() {
    if !deepsearch_servers::has_postgres() {
        return pass_by();
    }
    let mut server = started();
    migrate(&server).await;
    let url = server.url("migrated");
    let owner = SharedDatabase::connect(&url).await.unwrap();
    let folder = folder();
    let link = |remote| Link::to(Arc::new(remote), PATIENCE);
    let [mut a, mut b] = two_devices(folder.path(), owner, &url, link).await;
    a.new_chat().await;
    sync(&mut a).await;
    sync(&mut b).await;
    let snapshot = Snapshot::of(&mut server);
    a.new_chat().await;
    sync(&mut a).await;
    sync(&mut b).await;

    // It stands before what both have seen, and bears the name that it had.
    snapshot.put_back(&mut server);
    sync(&mut b).await;
    let count = r#"select count(*)::text from "ai-app-template_chat""#;
    let counted = |server: &Postgres| Psql::open(server.programs(), &url).must(count);
    assert_eq!(counted(&server), ["2"], "a device gives back what the server lost");
    a.new_chat().await;
    sync(&mut a).await;
    sync(&mut b).await;
    assert_eq!(a.all_chats().await.len(), 3);
    assert_eq!(a.view().await, b.view().await);

    // It is put back and goes on past what the devices have seen before any of them looks.
    snapshot.put_back(&mut server);
    let mut web = Psql::open(server.programs(), &url);
    for number in 0..200 {
        web.must(&format!(
            r#"insert into "ai-app-template_chat" (id, user_id, title) values ('web-{number}', 'user-1', 'of the web')"#
        ));
    }
    let owner = SharedDatabase::connect(&url).await.unwrap();
    owner.note_restored().await.unwrap();
    owner.close().await;
    for device in [&mut a, &mut b] {
        sync(device).await;
    }
    sync(&mut a).await;
    assert_eq!(counted(&server), ["203"]);
    assert_eq!(a.all_chats().await.len(), 203);
    assert_eq!(a.view().await, b.view().await);
}

#[tokio::test]
async fn one_row_that_a_slow_line_does_not_carry_in_time_holds_nothing_up_either_way() {
    if !deepsearch_servers::has_postgres() {
        return pass_by();
    }
    let server = started();
    migrate(&server).await;
    let owner = SharedDatabase::connect(&server.url("migrated")).await.unwrap();
    let line = SlowLine::before(server.port(), 384 << 10).unwrap();
    let url = server
        .url("migrated")
        .replace(&format!(":{}/", server.port()), &format!(":{}/", line.port()));
    let folder = folder();
    let link = |remote: SharedSync| {
        let remote = remote.with_deadline(Duration::from_millis(1_500));
        Link::to(Arc::new(remote), Duration::MAX)
    };
    let [mut a, mut b] = two_devices(folder.path(), owner, &url, link).await;
    a.new_chat().await;
    let chat = a.chat(0).await.unwrap();
    let long = Message {
        // Two seconds of the line. One that has ended may not be so long.
        content: "x".repeat(768 << 10),
        state: MessageState::Interrupted,
        ..message(&chat.id, "long", None, a.store.device_now())
    };
    a.store.add_messages(&chat.id, &[long]).await.unwrap();
    a.new_chat().await;
    sync(&mut a).await;
    assert_eq!(a.counts().await.outbox, 0);
    sync(&mut b).await;
    assert_eq!(b.all_chats().await.len(), 2);
    assert_eq!(a.view().await, b.view().await);
}
