//! The simulation: devices, a web app and a server do whatever they may do, in any order, with everything going wrong
//! that can; then all is left in peace, and must be the same everywhere with nothing lost.
//!
//! A world is a list of steps that proptest makes from a seed and shrinks when it fails. Names inside steps are small
//! numbers that pick from what there is, so that a shorter list still means something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::sync::{ChatRow, FUTURE_LIMIT, MessageRow, SettingRow};
use deepsearch_core::{ChatId, MessageId};
use deepsearch_sync::Mutant;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use serde_json::json;

use crate::device::{Device, START, advance, at, folder, options, server_view};
use crate::link::Fault;
use crate::server::{Effect, Server, ServerMutant};

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Person(u8, Act),
    Sync(u8, Option<(u32, Fault)>),
    /// The person writes while a push is under way.
    SyncAndSay(u8, u8),
    Restart(u8),
    /// A clock is put wrong, by so many minutes.
    Skew(u8, i64),
    Web(WebAct, bool),
    /// A transaction that was left open ends.
    End(u8, bool),
    Seconds(u8),
    Days(u8),
    Collect,
    BackUp,
    Restore,
    /// As `Restore`, and nobody is told.
    PutBack,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    NewChat,
    Say(u8),
    /// What was said before, once more.
    Repeat(u8),
    Interrupt(u8),
    Continue(u8),
    Rename(u8),
    Trash(u8),
    Untrash(u8),
    DeleteForever(u8),
    Pin(u8, bool),
    Archive(u8, bool),
    /// Puts a chat into one of a few collections.
    File(u8, u8),
    Tag(u8),
    Untag(u8, u8),
    RenameCollection(u8),
    DeleteCollection(u8),
    Choose(u8, u8),
}

/// What the web app does, in one transaction.
#[derive(Debug, Clone)]
pub(crate) enum WebAct {
    NewChat,
    Say(u8),
    Rename(u8),
    Trash(u8),
    HardDelete(u8),
    /// Opens a chat, to save what it sees now at some later time.
    Load(u8),
    /// Deletes all messages of a chat and inserts those it had seen, under their ids or under new ones.
    Save(u8, bool),
    Choose(u8),
}

/// Which rules are left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Broken {
    pub(crate) engine: Option<Mutant>,
    pub(crate) server: Option<ServerMutant>,
}

fn act() -> impl Strategy<Value = Act> {
    let pick = 0..8_u8;
    prop_oneof![
        3 => Just(Act::NewChat),
        8 => pick.clone().prop_map(Act::Say),
        2 => pick.clone().prop_map(Act::Repeat),
        1 => pick.clone().prop_map(Act::Interrupt),
        1 => pick.clone().prop_map(Act::Continue),
        3 => pick.clone().prop_map(Act::Rename),
        1 => pick.clone().prop_map(Act::Trash),
        1 => pick.clone().prop_map(Act::Untrash),
        1 => pick.clone().prop_map(Act::DeleteForever),
        1 => (pick.clone(), any::<bool>()).prop_map(|(chat, on)| Act::Pin(chat, on)),
        1 => (pick.clone(), any::<bool>()).prop_map(|(chat, on)| Act::Archive(chat, on)),
        2 => (pick.clone(), any::<u8>()).prop_map(|(chat, name)| Act::File(chat, name)),
        2 => pick.clone().prop_map(Act::Tag),
        1 => (pick.clone(), any::<u8>()).prop_map(|(chat, which)| Act::Untag(chat, which)),
        1 => pick.clone().prop_map(Act::RenameCollection),
        1 => pick.clone().prop_map(Act::DeleteCollection),
        2 => (pick, any::<u8>()).prop_map(|(which, value)| Act::Choose(which, value)),
    ]
}

fn web_act() -> impl Strategy<Value = WebAct> {
    let pick = 0..8_u8;
    prop_oneof![
        3 => Just(WebAct::NewChat),
        5 => pick.clone().prop_map(WebAct::Say),
        2 => pick.clone().prop_map(WebAct::Rename),
        1 => pick.clone().prop_map(WebAct::Trash),
        2 => pick.clone().prop_map(WebAct::HardDelete),
        2 => pick.clone().prop_map(WebAct::Load),
        2 => (pick.clone(), prop::bool::weighted(0.2)).prop_map(|(chat, anew)| WebAct::Save(chat, anew)),
        1 => pick.prop_map(WebAct::Choose),
    ]
}

fn fault() -> impl Strategy<Value = Option<(u32, Fault)>> {
    let fault = prop_oneof![
        Just(Fault::LostRequest),
        Just(Fault::LostAnswer),
        Just(Fault::CrashBefore),
        Just(Fault::CrashAfter),
        Just(Fault::Slow),
    ];
    prop::option::weighted(0.5, (0..8_u32, fault))
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let device = 0..4_u8;
    prop_oneof![
        30 => (device.clone(), act()).prop_map(|(device, act)| Step::Person(device, act)),
        24 => (device.clone(), fault()).prop_map(|(device, fault)| Step::Sync(device, fault)),
        3 => (device.clone(), any::<u8>()).prop_map(|(device, chat)| Step::SyncAndSay(device, chat)),
        1 => device.clone().prop_map(Step::Restart),
        1 => (device, prop_oneof![Just(0), Just(600), Just(-600), Just(525_600)])
            .prop_map(|(device, minutes)| Step::Skew(device, minutes)),
        16 => (web_act(), prop::bool::weighted(0.3)).prop_map(|(act, open)| Step::Web(act, open)),
        6 => (any::<u8>(), prop::bool::weighted(0.8)).prop_map(|(which, commit)| Step::End(which, commit)),
        6 => (1..20_u8).prop_map(Step::Seconds),
        1 => (1..200_u8).prop_map(Step::Days),
        1 => Just(Step::Collect),
        1 => Just(Step::BackUp),
        1 => Just(Step::Restore),
        1 => Just(Step::PutBack),
    ]
}

/// A number from the environment, for the long run; `cargo xtask simulate` sets it.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{variable} is a number")),
        Err(_) => default,
    }
}

/// Runs one seed; on a failure, the shortest steps that still fail, and why.
pub(crate) fn run_seed(seed: u64, steps: usize, broken: Broken) -> Result<(), String> {
    run(seed, steps, broken, number("DEEPSEARCH_SIMULATE_SHRINK", 500) as u32)
}

/// Runs one seed, and leaves its steps as they are when it fails.
pub(crate) fn run_seed_as_it_is(seed: u64, steps: usize, broken: Broken) -> Result<(), String> {
    run(seed, steps, broken, 0)
}

fn run(seed: u64, steps: usize, broken: Broken, shrink: u32) -> Result<(), String> {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: shrink,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, chance(seed));
    let world = (2..=4_usize, prop::collection::vec(step(), 1..2 * steps));
    let result = runner.run(&world, |(devices, steps)| {
        live(devices, &steps, broken).map_err(TestCaseError::fail)
    });
    result.map_err(|error| match error {
        TestError::Fail(reason, (devices, steps)) => told(seed, &reason.to_string(), devices, &steps),
        TestError::Abort(reason) => format!("seed {seed}: {reason}"),
    })
}

/// The chance that a seed stands for.
pub(crate) fn chance(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// What is to be known of a world that ended badly, with its steps as they are written in a test.
pub(crate) fn told(seed: u64, reason: &str, devices: usize, steps: &[Step]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("Step::{step:?}")).collect();
    format!("seed {seed}: {reason}\n{devices} devices\n{}", steps.join(",\n"))
}

/// Lives through the steps, and then holds everything against everything.
pub(crate) fn live(devices: usize, steps: &[Step], broken: Broken) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut world = World::new(devices, broken).await;
        for step in steps {
            world.step(step).await;
        }
        let result = world.settle().await;
        for device in &world.devices {
            device.store.close().await;
        }
        result
    })
}

struct World {
    server: Arc<Server>,
    time: Arc<AtomicI64>,
    devices: Vec<Device>,
    web: Web,
    restores: u32,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct Web {
    counter: u32,
    /// Chats that are open in the browser, as they were when they were opened.
    loaded: BTreeMap<ChatId, Vec<MessageRow>>,
    /// Texts that were written anew under another id.
    renumbered: BTreeSet<String>,
}

impl World {
    async fn new(count: usize, broken: Broken) -> Self {
        let folder = folder();
        let time = Arc::new(AtomicI64::new(START));
        let server = Arc::new(Server::new(at(START), broken.server));
        let mut devices = Vec::new();
        for number in 0..count {
            let name = format!("d{number}");
            devices.push(Device::new(&name, folder.path(), &server, &time, options(broken.engine)).await);
        }
        // Signed in before anything is written: what comes before is on offer, and nobody here takes it up.
        for device in &devices {
            let account = crate::device::account();
            device.store.bind_sync_account(&account).await.unwrap();
        }
        Self {
            server,
            time,
            devices,
            web: Web::default(),
            restores: 0,
            _folder: folder,
        }
    }

    async fn step(&mut self, step: &Step) {
        advance(&self.server, &self.time, TimeDelta::milliseconds(700));
        match step {
            Step::Person(..) | Step::Sync(..) | Step::SyncAndSay(..) | Step::Restart(_) | Step::Skew(..) => {
                at_a_device(&mut self.devices, step).await;
            }
            Step::Web(act, is_left_open) => self.web.act(&self.server, act, *is_left_open),
            Step::End(which, is_commit) => {
                self.server.state.lock().unwrap().end(usize::from(*which), *is_commit);
            }
            Step::Seconds(seconds) => advance(&self.server, &self.time, TimeDelta::seconds(i64::from(*seconds))),
            Step::Days(days) => advance(&self.server, &self.time, TimeDelta::days(i64::from(*days))),
            Step::Collect => self.server.state.lock().unwrap().collect(),
            Step::BackUp => self.server.state.lock().unwrap().back_up(),
            Step::Restore | Step::PutBack => {
                let mut state = self.server.state.lock().unwrap();
                let is_restored = match step {
                    Step::Restore => state.restore(),
                    _ => state.put_back(),
                };
                if is_restored {
                    self.restores += 1;
                    self.web.loaded.clear();
                }
            }
        }
    }

    /// Everything ends that was begun, everybody syncs until nothing moves any more.
    async fn settle(&mut self) -> Result<(), String> {
        while self.server.state.lock().unwrap().open_count() > 0 {
            self.server.state.lock().unwrap().end(0, true);
        }
        for _ in 0..10 {
            let mut waits = false;
            for device in &mut self.devices {
                match device.sync(None).await {
                    Some(Ok(())) => {}
                    other => return Err(format!("{} could not sync in peace: {other:?}", device.name)),
                }
                waits |= device.counts().await.outbox > 0;
            }
            advance(&self.server, &self.time, TimeDelta::seconds(11));
            if !waits {
                break;
            }
        }
        // What was sent last has still to come to the others.
        for device in &mut self.devices {
            device.sync(None).await;
        }
        for device in &mut self.devices {
            device.sync(None).await;
        }
        self.check().await
    }

    async fn check(&self) -> Result<(), String> {
        let server = server_view(&self.server);
        for device in &self.devices {
            let counts = device.counts().await;
            let name = &device.name;
            if counts.outbox > 0 || counts.early > 0 || counts.dead > 0 {
                return Err(format!("{name} is not done: {counts:?}"));
            }
            let view = device.view().await;
            if view != server {
                return Err(format!("{name} differs: {}", difference(&view, &server)));
            }
            for chat in device.all_chats().await {
                let has_some = view
                    .messages
                    .values()
                    .any(|message| message.chat_id == chat.id.as_str());
                let shown = device.store.list_messages(&chat.id, None, 10_000).await.unwrap();
                if has_some && shown.is_empty() {
                    return Err(format!("{name} shows nothing of {}", chat.id));
                }
            }
        }
        self.nothing_is_lost_or_doubled(&server)?;
        let removed = self.server.state.lock().unwrap().removed.clone();
        no_tag_is_lost(&self.devices, &server, |chat| removed.contains(chat))?;
        self.no_future_sticks()
    }

    fn nothing_is_lost_or_doubled(&self, server: &crate::device::View) -> Result<(), String> {
        let state = self.server.state.lock().unwrap();
        let mut gone: Vec<&String> = state.buried.iter().collect();
        gone.extend(self.devices.iter().flat_map(|device| &device.deleted));
        for mark in self.devices.iter().flat_map(|device| &device.written) {
            let said = times_said(&self.devices, mark);
            let copies = server
                .messages
                .values()
                .filter(|message| message.content.contains(mark))
                .count();
            let was_deleted = gone.iter().any(|text| text.contains(mark));
            if copies < said && !was_deleted {
                return Err(format!("{mark} is lost: there {copies} times, and said {said} times"));
            }
            if copies > said && !self.web.renumbered.iter().any(|text| text.contains(mark)) {
                return Err(format!("{mark} is there {copies} times"));
            }
        }
        Ok(())
    }

    fn no_future_sticks(&self) -> Result<(), String> {
        let state = self.server.state.lock().unwrap();
        let limit = state.now + FUTURE_LIMIT;
        let tables = &state.tables;
        let chats = tables.chats.values().map(|chat| (chat.id.to_string(), chat.updated_at));
        let flags = tables.flags.values().map(|flags| (flags.chat_id.to_string(), flags.at));
        let settings = tables
            .settings
            .values()
            .map(|setting| (setting.key.clone(), setting.at));
        match chats.chain(flags).chain(settings).find(|(_, at)| *at > limit) {
            Some((id, at)) => Err(format!("{id} is of {at}, and it is {}", state.now)),
            None => Ok(()),
        }
    }
}

/// What happens at one of the devices; nothing for a step that happens elsewhere.
pub(crate) async fn at_a_device(devices: &mut [Device], step: &Step) {
    let count = devices.len();
    let place = |device: &u8| usize::from(*device) % count;
    match step {
        Step::Person(device, act) => person(&mut devices[place(device)], act).await,
        Step::Sync(device, fault) => {
            devices[place(device)].sync(*fault).await;
        }
        Step::SyncAndSay(device, chat) => sync_and_say(&mut devices[place(device)], *chat).await,
        Step::Restart(device) => devices[place(device)].restart().await,
        Step::Skew(device, minutes) => {
            let clock = &devices[place(device)].clock;
            clock.skew.store(minutes * 60_000, Ordering::SeqCst);
        }
        _ => {}
    }
}

async fn person(device: &mut Device, act: &Act) {
    match act {
        Act::NewChat => device.new_chat().await,
        Act::Say(chat) => device.say(*chat).await,
        Act::Repeat(chat) => device.repeat(*chat).await,
        Act::Interrupt(chat) => device.interrupt(*chat).await,
        Act::Continue(chat) => device.continue_answer(*chat).await,
        Act::DeleteForever(chat) => device.delete_forever(*chat).await,
        Act::Choose(which, value) => device.choose(*which, *value).await,
        Act::File(chat, name) => device.file(*chat, *name).await,
        Act::Tag(chat) => device.tag(*chat).await,
        Act::Untag(chat, which) => device.untag(*chat, *which).await,
        Act::RenameCollection(which) => device.change_collection(*which, true).await,
        Act::DeleteCollection(which) => device.change_collection(*which, false).await,
        Act::Rename(chat) | Act::Trash(chat) | Act::Untrash(chat) | Act::Pin(chat, _) | Act::Archive(chat, _) => {
            let Some(chat) = device.chat(*chat).await else {
                return;
            };
            let now = device.store.device_now().timestamp_millis();
            let title = format!("{} {}", device.name, now % 1_000_000);
            let store = &device.store;
            let changed = match act {
                Act::Rename(_) => store.rename_chat(&chat.id, &title).await,
                Act::Trash(_) => store.delete_chat(&chat.id).await,
                Act::Untrash(_) => store.restore_chat(&chat.id).await,
                Act::Pin(_, on) => store.pin_chat(&chat.id, *on).await,
                Act::Archive(_, on) => store.archive_chat(&chat.id, *on).await,
                _ => return,
            };
            changed.unwrap();
        }
    }
}

async fn sync_and_say(device: &mut Device, pick: u8) {
    let Some(chat) = device.chat(pick).await else {
        return;
    };
    let store = device.store.clone();
    let title = format!("meanwhile {} {}", device.name, store.device_now().timestamp_millis());
    let meanwhile = move || -> futures::future::BoxFuture<'static, ()> {
        Box::pin(async move {
            // It may be gone by now.
            store.rename_chat(&chat.id, &title).await.ok();
        })
    };
    *device.link.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
    device.sync(None).await;
    *device.link.meanwhile.lock().unwrap() = None;
}

impl Web {
    fn act(&mut self, server: &Server, act: &WebAct, is_left_open: bool) {
        let mut state = server.state.lock().unwrap();
        let now = state.now;
        self.counter += 1;
        let mark = format!("<web.{}>", self.counter);
        let chats: Vec<ChatRow> = state.tables.chats.values().cloned().collect();
        let chosen = match act {
            WebAct::NewChat | WebAct::Choose(_) => None,
            WebAct::Say(pick)
            | WebAct::Rename(pick)
            | WebAct::Trash(pick)
            | WebAct::HardDelete(pick)
            | WebAct::Load(pick)
            | WebAct::Save(pick, _) => {
                let chosen = chats.get(usize::from(*pick) % chats.len().max(1)).cloned();
                // It waits for the other transaction, and is not modelled as doing so.
                match chosen {
                    Some(chat) if !state.is_locked(&chat.id) => Some(chat),
                    _ => return,
                }
            }
        };
        let effects = match (act, chosen) {
            (WebAct::NewChat, _) => {
                let chat = web_chat(&mark, now);
                let message = web_message(&chat.id, &mark, now);
                vec![Effect::Chat(chat), Effect::Message(message)]
            }
            (WebAct::Choose(value), _) => {
                if state.is_setting_locked() {
                    return;
                }
                // As the trigger has it: later than what is there, also where that is of a moment to come.
                let stored = state.tables.settings.get("theme").map(|stored| stored.at);
                vec![Effect::Setting(SettingRow {
                    key: "theme".into(),
                    value: json!(format!("web {value}")),
                    at: stored.map_or(now, |stored| now.max(stored + TimeDelta::microseconds(1))),
                })]
            }
            (WebAct::Say(_), Some(mut chat)) => {
                chat.updated_at = chat.updated_at.max(now);
                vec![Effect::Message(web_message(&chat.id, &mark, now)), Effect::Chat(chat)]
            }
            (WebAct::Rename(_), Some(mut chat)) => {
                chat.title = format!("web {mark}");
                chat.updated_at = now + TimeDelta::microseconds(321);
                vec![Effect::Chat(chat)]
            }
            (WebAct::Trash(_), Some(mut chat)) => {
                chat.deleted_at = Some(now);
                chat.updated_at = now;
                vec![Effect::Chat(chat)]
            }
            (WebAct::HardDelete(_), Some(chat)) => {
                self.loaded.remove(&chat.id);
                state.removal(&chat.id)
            }
            (WebAct::Load(_), Some(chat)) => {
                let rows = state.messages_of(&chat.id);
                self.loaded.insert(chat.id, rows);
                return;
            }
            (WebAct::Save(_, is_anew), Some(chat)) => self.save(&state, &chat, *is_anew),
            (_, None) => return,
        };
        state.begin(effects);
        if !is_left_open {
            let last = state.open_count() - 1;
            state.end(last, true);
        }
    }

    fn save(&mut self, state: &crate::server::State, chat: &ChatRow, is_anew: bool) -> Vec<Effect> {
        let there = state.messages_of(&chat.id);
        let seen = self.loaded.get(&chat.id).cloned().unwrap_or_else(|| there.clone());
        let mut effects: Vec<Effect> = there.into_iter().map(|row| Effect::RemoveMessage(row.id)).collect();
        for mut row in seen {
            // Ids are the primary key: one that is in another chat by now cannot be inserted.
            if state
                .tables
                .messages
                .get(&row.id)
                .is_some_and(|stored| stored.chat_id != chat.id)
            {
                continue;
            }
            if is_anew {
                self.counter += 1;
                row.id = MessageId::from_stored(format!("msg_web_{}", self.counter));
                self.renumbered.insert(row.content.clone());
            }
            row.extras = None;
            effects.push(Effect::Message(row));
        }
        effects
    }
}

fn web_chat(mark: &str, now: DateTime<Utc>) -> ChatRow {
    ChatRow {
        id: ChatId::from_stored(format!("chat_{mark}")),
        title: format!("title {mark}"),
        created_at: now,
        updated_at: now + TimeDelta::microseconds(123),
        deleted_at: None,
    }
}

fn web_message(chat: &ChatId, mark: &str, now: DateTime<Utc>) -> MessageRow {
    MessageRow {
        id: MessageId::from_stored(format!("msg_{mark}")),
        chat_id: chat.clone(),
        role: "user".into(),
        content: mark.into(),
        sources: Some(r#"[ {"title":"t", "url":"https://example.com/", "snippet":"", "odd":1} ]"#.into()),
        metadata: None,
        created_at: now,
        extras: None,
    }
}

/// How often a text was said on all devices.
pub(crate) fn times_said(devices: &[Device], mark: &str) -> usize {
    let repeated = devices.iter().filter_map(|device| device.repeated.get(mark));
    1 + repeated.sum::<usize>()
}

/// A tag that was given to a chat and that nobody took away is there.
pub(crate) fn no_tag_is_lost(
    devices: &[Device],
    server: &crate::device::View,
    was_removed: impl Fn(&ChatId) -> bool,
) -> Result<(), String> {
    let taken: BTreeSet<&(ChatId, String)> = devices.iter().flat_map(|device| &device.taken).collect();
    for given in devices.iter().flat_map(|device| &device.given) {
        let (chat, tag) = given;
        // A backup that brings a chat back knows it as it was then.
        if taken.contains(given) || was_removed(chat) {
            continue;
        }
        if let Some(seen) = server.chats.get(chat.as_str())
            && !seen.labels.tags.contains(tag)
        {
            return Err(format!("the tag {tag} of {chat} is lost"));
        }
    }
    Ok(())
}

/// The first thing that differs, in words.
pub(crate) fn difference(ours: &crate::device::View, theirs: &crate::device::View) -> String {
    fn first<T: std::fmt::Debug + PartialEq>(
        what: &str,
        ours: &BTreeMap<String, T>,
        theirs: &BTreeMap<String, T>,
    ) -> Option<String> {
        let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let key = keys.into_iter().find(|key| ours.get(*key) != theirs.get(*key))?;
        Some(format!(
            "{what} {key}\n  device: {:?}\n  server: {:?}",
            ours.get(key),
            theirs.get(key)
        ))
    }
    first("chat", &ours.chats, &theirs.chats)
        .or_else(|| first("message", &ours.messages, &theirs.messages))
        .or_else(|| first("setting", &ours.settings, &theirs.settings))
        .unwrap_or_default()
}
