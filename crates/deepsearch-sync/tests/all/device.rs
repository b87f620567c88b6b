//! A device: a real store in a file, a clock that may be wrong, a link that may break, and a person who uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::collection::name_key;
use deepsearch_core::sync::SETTING_KEYS;
use deepsearch_core::{
    Chat, ChatId, Clock, Labels, Message, MessageId, MessageMetadata, MessageState, Role, SyncRemote, UserId,
};
use deepsearch_sqlite::{
    BulkChange, ChatFilter, ChatView, FinishedAnswer, NewTurn, Store, StoreOptions, SyncAccount, SyncCounts,
};
use deepsearch_sync::{Mutant, SyncEngine, SyncError, SyncOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::link::{Fault, Link};
use crate::server::Server;

/// When every world begins.
pub(crate) const START: i64 = 1_700_000_000_000;

pub(crate) fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

/// The world's time, and how far this device is beside it.
#[derive(Debug, Clone)]
pub(crate) struct DeviceClock {
    pub(crate) world: Arc<AtomicI64>,
    pub(crate) skew: Arc<AtomicI64>,
}

impl Clock for DeviceClock {
    fn now(&self) -> DateTime<Utc> {
        at(self.world.load(Ordering::SeqCst) + self.skew.load(Ordering::SeqCst))
    }
}

pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) store: Store,
    pub(crate) link: Arc<Link>,
    pub(crate) engine: SyncEngine,
    pub(crate) clock: DeviceClock,
    options: SyncOptions,
    path: PathBuf,
    counter: u32,
    /// What the person wrote here and saw kept, by the mark that it bears.
    pub(crate) written: BTreeSet<String>,
    /// How often they wrote the same once more.
    pub(crate) repeated: BTreeMap<String, usize>,
    /// What the person deleted here for ever.
    pub(crate) deleted: BTreeSet<String>,
    /// Tags that the person gave to chats here, and took away.
    pub(crate) given: BTreeSet<(ChatId, String)>,
    pub(crate) taken: BTreeSet<(ChatId, String)>,
}

/// A folder in memory where there is one: the disk is not what is tested here.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        TempDir::new_in(memory).or_else(|_| TempDir::new()).unwrap()
    } else {
        TempDir::new().unwrap()
    }
}

/// An empty store with its tables, made once and copied.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = TEMPLATE.get_or_init(|| {
        let folder = folder();
        let path = folder.path().join("template.sqlite");
        let made = path.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let store = Store::open(made, StoreOptions::default()).await.unwrap();
                store.close().await;
            });
        })
        .join()
        .unwrap();
        (folder, path)
    });
    path
}

pub(crate) fn account() -> SyncAccount {
    SyncAccount {
        user: UserId::from_stored("user-1"),
        server: "server-1".into(),
    }
}

impl Device {
    pub(crate) async fn new(
        name: &str,
        folder: &Path,
        server: &Arc<Server>,
        world: &Arc<AtomicI64>,
        options: SyncOptions,
    ) -> Self {
        Self::linked(name, folder, Link::new(server.clone()), world, options).await
    }

    pub(crate) async fn linked(
        name: &str,
        folder: &Path,
        link: Link,
        world: &Arc<AtomicI64>,
        options: SyncOptions,
    ) -> Self {
        let path = folder.join(format!("{name}.sqlite"));
        std::fs::copy(template(), &path).unwrap();
        let clock = DeviceClock {
            world: world.clone(),
            skew: Arc::default(),
        };
        let store = open(&path, &clock).await;
        let link = Arc::new(link);
        let engine = engine(&store, &link, &options);
        Self {
            name: name.into(),
            store,
            link,
            engine,
            clock,
            options,
            path,
            counter: 0,
            written: BTreeSet::new(),
            repeated: BTreeMap::new(),
            deleted: BTreeSet::new(),
            given: BTreeSet::new(),
            taken: BTreeSet::new(),
        }
    }

    /// The program ends and starts again.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await;
        self.store = open(&self.path, &self.clock).await;
        self.engine = engine(&self.store, &self.link, &self.options);
    }

    /// One run of sync, in which one call may go wrong.
    pub(crate) async fn sync(&mut self, fault: Option<(u32, Fault)>) -> Option<Result<(), SyncError>> {
        self.link.set_fault(fault);
        let result = tokio::select! {
            biased;
            result = self.engine.run_once() => Some(result),
            () = self.link.crashed.notified() => None,
        };
        self.link.set_fault(None);
        if result.is_none() {
            // All that it held in memory is gone.
            self.engine = engine(&self.store, &self.link, &self.options);
        }
        result
    }

    pub(crate) async fn all_chats(&self) -> Vec<Chat> {
        let mut chats = Vec::new();
        for view in [ChatView::Active, ChatView::Archived, ChatView::Trash] {
            let filter = ChatFilter::of(view);
            chats.extend(self.store.list_chats(filter, None, 1_000).await.unwrap());
        }
        chats.sort_by(|a, b| a.id.cmp(&b.id));
        chats
    }

    pub(crate) async fn chat(&self, pick: u8) -> Option<Chat> {
        let chats = self.all_chats().await;
        let place = usize::from(pick) % chats.len().max(1);
        chats.into_iter().nth(place)
    }

    /// A mark that no other text in the world bears, and that no other contains.
    fn mark(&mut self) -> String {
        self.counter += 1;
        format!("<{}.{}>", self.name, self.counter)
    }

    pub(crate) async fn new_chat(&mut self) {
        let mark = self.mark();
        let now = self.store.device_now() + self.store.clock_offset();
        let chat = Chat {
            id: ChatId::from_stored(format!("chat_{}", mark)),
            title: format!("title {mark}"),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            pinned: false,
            archived: false,
            leaf: None,
        };
        self.store.add_chat(&chat).await.unwrap();
        self.say_in(&chat).await;
    }

    pub(crate) async fn say(&mut self, pick: u8) {
        if let Some(chat) = self.chat(pick).await {
            self.say_in(&chat).await;
        }
    }

    pub(crate) async fn say_in(&mut self, chat: &Chat) {
        let mark = self.mark();
        self.write(chat, &mark, &mark).await;
        self.written.insert(mark);
    }

    /// Says something in a chat that was said from here before, to the letter.
    pub(crate) async fn repeat(&mut self, pick: u8) {
        let Some(chat) = self.chat(pick).await else {
            return;
        };
        let shown = self.store.list_messages(&chat.id, None, 100).await.unwrap();
        let said = shown.into_iter().map(|message| message.content);
        if let Some(text) = said.rev().find(|text| self.written.contains(text)) {
            let id = self.mark();
            self.write(&chat, &id, &text).await;
            *self.repeated.entry(text).or_default() += 1;
        }
    }

    async fn write(&self, chat: &Chat, id: &str, text: &str) {
        let shown = self.store.list_messages(&chat.id, None, 1).await.unwrap();
        let message = Message {
            content: text.into(),
            ..message(&chat.id, id, shown.last().map(|last| last.id.clone()), self.now())
        };
        self.store.add_messages(&chat.id, &[message]).await.unwrap();
    }

    fn now(&self) -> DateTime<Utc> {
        self.store.device_now() + self.store.clock_offset()
    }

    /// A question whose answer is stopped before its end.
    pub(crate) async fn interrupt(&mut self, pick: u8) {
        let Some(chat) = self.chat(pick).await else {
            return;
        };
        let (question, answer) = (self.mark(), self.mark());
        let turn = NewTurn {
            chat: Some(chat.id),
            question: question.clone(),
            ..NewTurn::default()
        };
        let turn = self.store.begin_answer(turn).await.unwrap();
        let finished = finished(&format!("{answer} begins"), MessageState::Interrupted);
        self.store.finish_answer(&turn.answer.id, finished).await.unwrap();
        self.written.extend([question, answer]);
    }

    /// Takes an interrupted answer of a chat to its end.
    pub(crate) async fn continue_answer(&mut self, pick: u8) {
        let Some(chat) = self.chat(pick).await else {
            return;
        };
        let shown = self.store.list_messages(&chat.id, None, 100).await.unwrap();
        let stopped = shown
            .into_iter()
            .find(|message| message.state == MessageState::Interrupted);
        if let Some(stopped) = stopped
            && let Ok(turn) = self.store.begin_continue(&stopped.id).await
        {
            let whole = format!("{} and ends", turn.answer.content);
            let finished = finished(&whole, MessageState::Complete);
            self.store.finish_answer(&turn.answer.id, finished).await.unwrap();
        }
    }

    pub(crate) async fn delete_forever(&mut self, pick: u8) {
        let Some(chat) = self.chat(pick).await else {
            return;
        };
        for id in self.message_ids().await {
            let message = self.store.lookup_message(&id).await.unwrap().unwrap();
            if message.chat_id == chat.id {
                self.deleted.insert(message.content);
            }
        }
        self.store.delete_chat_forever(&chat.id).await.unwrap();
        // A server that was restored to before the chat is given it by another device, as that one knows it.
        self.given.retain(|(of, _)| *of != chat.id);
    }

    async fn labels_of(&self, chat: &ChatId) -> Labels {
        let mut tx = self.store.begin_sync_reading().await.unwrap();
        tx.lookup_chat(chat).await.unwrap().unwrap().labels
    }

    /// Files a chat into a collection of a few, which is made if it is not there, or takes it out.
    pub(crate) async fn file(&mut self, pick: u8, name: u8) {
        let Some(chat) = self.chat(pick).await else {
            return;
        };
        let name = ["Work", "Home", "WORK", "Ärger", "ärger", ""][usize::from(name) % 6];
        let collection = match self.store.find_collection(name).await.unwrap() {
            Some(found) => Some(found.id),
            None if name.is_empty() => None,
            None => Some(self.store.add_collection(name).await.unwrap().id),
        };
        self.change(&chat.id, BulkChange::Move { collection }).await;
    }

    /// Gives a chat a tag of its own.
    pub(crate) async fn tag(&mut self, pick: u8) {
        if let Some(chat) = self.chat(pick).await {
            let tag = self.mark();
            self.tag_with(&chat.id, &tag).await;
        }
    }

    pub(crate) async fn tag_with(&mut self, chat: &ChatId, tag: &str) {
        let (name, on) = (tag.to_owned(), true);
        self.change(chat, BulkChange::Tag { name, on }).await;
        self.given.insert((chat.clone(), name_key(tag)));
    }

    /// Takes one of its tags from a chat.
    pub(crate) async fn untag(&mut self, pick: u8, which: u8) {
        let Some(chat) = self.chat(pick).await else {
            return;
        };
        let tags = self.labels_of(&chat.id).await.tags;
        if let Some(tag) = tags.get(usize::from(which) % tags.len().max(1)) {
            let (name, on) = (tag.to_uppercase(), false);
            self.change(&chat.id, BulkChange::Tag { name, on }).await;
            self.taken.insert((chat.id, name_key(tag)));
        }
    }

    /// Gives the collection that a chat is in another name, or deletes it.
    pub(crate) async fn change_collection(&mut self, pick: u8, is_renamed: bool) {
        let collections = self.store.list_collections().await.unwrap();
        let Some(collection) = collections.get(usize::from(pick) % collections.len().max(1)) else {
            return;
        };
        if is_renamed {
            let name = format!("C {}", self.mark());
            self.store.rename_collection(&collection.id, &name).await.unwrap();
        } else {
            self.store.delete_collection(&collection.id).await.unwrap();
        }
    }

    pub(crate) async fn change(&self, chat: &ChatId, change: BulkChange) {
        let done = self
            .store
            .change_chats(std::slice::from_ref(chat), &change)
            .await
            .unwrap();
        assert_eq!(done.missing, []);
    }

    pub(crate) async fn choose(&mut self, which: u8, value: u8) {
        let mut settings = self.store.lookup_user_settings().await.unwrap();
        match which % 3 {
            0 => settings.theme = format!("theme {}", value % 5),
            1 => settings.max_search_results = i32::from(value % 50) + 1,
            _ => settings.enable_search_by_default = value.is_multiple_of(2),
        }
        self.store.update_user_settings(&settings).await.unwrap();
    }

    /// All messages that the device holds, hidden ones too.
    async fn message_ids(&self) -> Vec<MessageId> {
        let mut tx = self.store.begin_sync_reading().await.unwrap();
        tx.list_messages_by_id("", 100_000).await.unwrap()
    }

    /// What the device shows, in the form that it is compared in.
    pub(crate) async fn view(&self) -> View {
        let mut view = View::default();
        for chat in self.all_chats().await {
            let labels = self.labels_of(&chat.id).await;
            view.chats.insert(
                chat.id.to_string(),
                ChatSeen {
                    title: chat.title,
                    updated_at: chat.updated_at.timestamp_millis(),
                    deleted_at: chat.deleted_at.map(|at| at.timestamp_millis()),
                    pinned: chat.pinned,
                    archived: chat.archived,
                    labels: LabelsSeen::from(&labels),
                },
            );
        }
        let mut tx = self.store.begin_sync_reading().await.unwrap();
        for id in tx.list_messages_by_id("", 100_000).await.unwrap() {
            let local = tx.lookup_message(&id).await.unwrap().unwrap();
            if local.hidden_at.is_some() {
                continue;
            }
            view.messages.insert(
                id.to_string(),
                MessageSeen {
                    chat_id: local.row.chat_id.to_string(),
                    role: local.row.role,
                    content: local.row.content,
                    created_at: local.row.created_at.timestamp_millis(),
                },
            );
        }
        for key in SETTING_KEYS {
            let (value, at) = tx.lookup_setting(key).await.unwrap();
            if at.is_some() {
                view.settings.insert(key.into(), value);
            }
        }
        view
    }

    pub(crate) async fn counts(&self) -> SyncCounts {
        self.store.count_sync().await.unwrap()
    }
}

async fn open(path: &Path, clock: &DeviceClock) -> Store {
    let options = StoreOptions {
        clock: Arc::new(clock.clone()),
        readers: 1,
        ..StoreOptions::default()
    };
    Store::open(path, options).await.unwrap()
}

fn engine(store: &Store, link: &Arc<Link>, options: &SyncOptions) -> SyncEngine {
    let remote: Arc<dyn SyncRemote> = link.clone();
    SyncEngine::new(store.clone(), remote, account(), options.clone())
}

pub(crate) fn options(mutant: Option<Mutant>) -> SyncOptions {
    SyncOptions {
        pull_limit: 4,
        push_limit: 3,
        mutant,
        ..SyncOptions::default()
    }
}

pub(crate) fn message(chat: &ChatId, mark: &str, parent: Option<MessageId>, created_at: DateTime<Utc>) -> Message {
    Message {
        id: MessageId::from_stored(format!("msg_{mark}")),
        chat_id: chat.clone(),
        parent,
        role: Role::User,
        content: mark.into(),
        sources: None,
        metadata: Some(MessageMetadata::default()),
        created_at,
        state: MessageState::Complete,
    }
}

pub(crate) fn finished(content: &str, state: MessageState) -> FinishedAnswer {
    FinishedAnswer {
        content: content.into(),
        metadata: None,
        citations: Vec::new(),
        checks: Vec::new(),
        follow_ups: Vec::new(),
        state,
    }
}

/// What is on one side, as far as both sides must have it alike.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) chats: BTreeMap<String, ChatSeen>,
    pub(crate) messages: BTreeMap<String, MessageSeen>,
    pub(crate) settings: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct ChatSeen {
    pub(crate) title: String,
    pub(crate) updated_at: i64,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) pinned: bool,
    pub(crate) archived: bool,
    pub(crate) labels: LabelsSeen,
}

/// A name is one collection or tag however it is spelled; two chats that came from two devices may each spell it otherwise.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct LabelsSeen {
    pub(crate) collection: Option<String>,
    pub(crate) tags: BTreeSet<String>,
}

impl From<&Labels> for LabelsSeen {
    fn from(labels: &Labels) -> Self {
        Self {
            collection: labels.collection_key(),
            tags: labels.tag_keys(),
        }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct MessageSeen {
    pub(crate) chat_id: String,
    pub(crate) role: String,
    pub(crate) content: String,
    pub(crate) created_at: i64,
}

/// What the server holds, in the same form.
pub(crate) fn server_view(server: &Server) -> View {
    let state = server.state.lock().unwrap();
    let tables = &state.tables;
    let mut view = View::default();
    for chat in tables.chats.values() {
        let flags = tables.flags.get(&chat.id);
        view.chats.insert(
            chat.id.to_string(),
            ChatSeen {
                title: chat.title.clone(),
                updated_at: chat.updated_at.timestamp_millis(),
                deleted_at: chat.deleted_at.map(|at| at.timestamp_millis()),
                pinned: flags.is_some_and(|flags| flags.pinned),
                archived: flags.is_some_and(|flags| flags.archived),
                labels: flags
                    .and_then(|flags| flags.labels.as_ref())
                    .map(LabelsSeen::from)
                    .unwrap_or_default(),
            },
        );
    }
    for row in tables.messages.values() {
        view.messages.insert(
            row.id.to_string(),
            MessageSeen {
                chat_id: row.chat_id.to_string(),
                role: row.role.clone(),
                content: row.content.clone(),
                created_at: row.created_at.timestamp_millis(),
            },
        );
    }
    for row in tables.settings.values() {
        view.settings.insert(row.key.clone(), row.value.clone());
    }
    view
}

pub(crate) fn advance(server: &Server, world: &AtomicI64, by: TimeDelta) {
    let now = world.fetch_add(by.num_milliseconds(), Ordering::SeqCst) + by.num_milliseconds();
    let mut state = server.state.lock().unwrap();
    state.now = state.now.max(at(now));
}
