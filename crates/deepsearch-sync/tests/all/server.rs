//! The shared database in memory: transactions that overlap, a feed that is read below the oldest of them, and the rules
//! of `SyncRemote`, kept to the letter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::collection::NAME_LIMIT;
use deepsearch_core::labels::TAG_LIMIT;
use deepsearch_core::sync::{
    Change, ChatRow, EntityKind, FUTURE_LIMIT, FeedCursor, FeedPage, FlagsRow, IdPage, MESSAGE_LIMIT, MessageExtras,
    MessageRow, PROTOCOL, PageBody, Push, PushAnswer, PushRow, Pushed, RecentMark, RecentPage, RemoteError, Row,
    ServerInfo, SettingRow, SyncRemote, TOMBSTONE_DAYS,
};
use deepsearch_core::{ChatId, Labels, MessageId};

/// A rule of the server left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerMutant {
    /// The feed is read by its sequence alone, as if transactions ended in the order they began.
    SequenceCursor,
    /// A time in the future is kept.
    NoClockClamp,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) chats: BTreeMap<ChatId, ChatRow>,
    pub(crate) messages: BTreeMap<MessageId, MessageRow>,
    pub(crate) extras: BTreeMap<MessageId, MessageExtras>,
    pub(crate) flags: BTreeMap<ChatId, FlagsRow>,
    pub(crate) settings: BTreeMap<String, SettingRow>,
    pub(crate) pages: BTreeMap<String, PageBody>,
    feed: BTreeMap<(EntityKind, String), Entry>,
    collected: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    xid: u64,
    seq: i64,
    is_deletion: bool,
    at: DateTime<Utc>,
}

/// What one statement of a transaction does to one row.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Chat(ChatRow),
    Message(MessageRow),
    Extras(MessageId, MessageExtras),
    Flags(FlagsRow),
    Setting(SettingRow),
    RemoveMessage(MessageId),
    RemoveChat(ChatId),
}

/// A transaction that has not ended. Its rows are locked, its numbers are taken.
#[derive(Debug, Clone)]
struct Open {
    xid: u64,
    effects: Vec<(i64, Effect)>,
}

#[derive(Debug, Clone)]
struct Backup {
    tables: Tables,
    epoch: u32,
    ended: u64,
    /// Whether something was being written that is not in it, and has a lower number than what is.
    is_torn: bool,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: DateTime<Utc>,
    pub(crate) epoch: u32,
    pub(crate) protocol: (u32, u32),
    pub(crate) tables: Tables,
    open: Vec<Open>,
    next_xid: u64,
    next_seq: i64,
    /// The highest number of a transaction that has ended.
    ended: u64,
    /// Every place at which a device has seen the server stand.
    told: BTreeSet<u64>,
    /// Where some device would no longer see by itself that the server was put back.
    blind_at: Option<u64>,
    /// No two pasts have the same.
    epochs: u32,
    backup: Option<Backup>,
    pub(crate) mutant: Option<ServerMutant>,
    /// Texts that went with a chat that was deleted for ever.
    pub(crate) buried: BTreeSet<String>,
    /// Chats that were deleted for ever, whether or not a backup brought them back.
    pub(crate) removed: BTreeSet<ChatId>,
    /// All texts that a chat ever had.
    ever: BTreeMap<ChatId, BTreeSet<String>>,
    /// How many pages it has room for.
    pub(crate) page_room: usize,
    /// Ids that belong to other people.
    pub(crate) taken: BTreeSet<String>,
}

impl Server {
    pub(crate) fn new(now: DateTime<Utc>, mutant: Option<ServerMutant>) -> Self {
        Self {
            state: Mutex::new(State {
                now,
                epoch: 1,
                protocol: (1, PROTOCOL),
                tables: Tables::default(),
                open: Vec::new(),
                next_xid: 100,
                next_seq: 1,
                ended: 99,
                told: BTreeSet::new(),
                blind_at: None,
                epochs: 1,
                backup: None,
                mutant,
                buried: BTreeSet::new(),
                removed: BTreeSet::new(),
                ever: BTreeMap::new(),
                page_room: usize::MAX,
                taken: BTreeSet::new(),
            }),
        }
    }
}

/// Each call is one transaction.
#[async_trait]
impl SyncRemote for Server {
    async fn pull(&self, after: FeedCursor, limit: u32) -> Result<FeedPage, RemoteError> {
        Ok(self.state.lock().unwrap().pull(after, limit))
    }

    async fn count_changes(&self, after: FeedCursor) -> Result<u64, RemoteError> {
        Ok(self.state.lock().unwrap().count_changes(after))
    }

    async fn list_recent(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError> {
        Ok(self.state.lock().unwrap().list_recent(since, after, limit))
    }

    async fn list_ids(&self, kind: EntityKind, after: Option<&str>, limit: u32) -> Result<IdPage, RemoteError> {
        Ok(self.state.lock().unwrap().list_ids(kind, after, limit))
    }

    async fn push(&self, push: &Push) -> Result<Pushed, RemoteError> {
        self.state.lock().unwrap().push(push)
    }

    async fn list_missing_pages(&self, hashes: &[String]) -> Result<Vec<String>, RemoteError> {
        let state = self.state.lock().unwrap();
        let is_missing = |hash: &&String| !state.tables.pages.contains_key(*hash);
        Ok(hashes.iter().filter(is_missing).cloned().collect())
    }

    async fn put_page(&self, page: &PageBody) -> Result<(), RemoteError> {
        let mut state = self.state.lock().unwrap();
        if state.tables.pages.len() >= state.page_room {
            return Err(RemoteError::Refused {
                action: "keep a saved page",
                reason: "the room for saved pages is used up".into(),
            });
        }
        state.tables.pages.insert(page.content_hash.clone(), page.clone());
        Ok(())
    }

    async fn lookup_page(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        Ok(self.state.lock().unwrap().tables.pages.get(hash).cloned())
    }

    fn forget_connections(&self) {}
}

impl State {
    pub(crate) fn info(&mut self) -> ServerInfo {
        ServerInfo {
            epoch: self.epoch_name(),
            protocol: self.protocol,
            now: self.now,
            collected: self.tables.collected,
            reached: self.tell_reached(),
        }
    }

    fn epoch_name(&self) -> String {
        format!("epoch-{}", self.epoch)
    }

    fn reached(&self) -> u64 {
        self.ended + 1
    }

    fn tell_reached(&mut self) -> u64 {
        let reached = self.reached();
        self.told.insert(reached);
        reached
    }

    fn horizon(&self) -> u64 {
        self.open.iter().map(|open| open.xid).min().unwrap_or(self.next_xid)
    }

    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Begins a transaction that has done its statements and is still to end.
    pub(crate) fn begin(&mut self, effects: Vec<Effect>) {
        let xid = self.next_xid;
        self.next_xid += 1;
        let effects = effects
            .into_iter()
            .map(|effect| {
                self.next_seq += 1;
                (self.next_seq, effect)
            })
            .collect();
        self.open.push(Open { xid, effects });
    }

    pub(crate) fn end(&mut self, place: usize, is_commit: bool) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open.remove(place % self.open.len());
        self.ended = self.ended.max(open.xid);
        // Before a device would miss it, whoever put the server back says so: `deepsearch db restored`.
        if self.blind_at.is_some_and(|at| self.reached() >= at) {
            self.begin_epoch();
        }
        if is_commit {
            for (seq, effect) in open.effects {
                self.write(open.xid, seq, effect);
            }
        }
    }

    /// A transaction from begin to commit.
    pub(crate) fn commit(&mut self, effects: Vec<Effect>) {
        self.begin(effects);
        self.end(self.open.len() - 1, true);
    }

    /// Whether a transaction that has not ended holds a row of the chat.
    pub(crate) fn is_locked(&self, chat: &ChatId) -> bool {
        self.open
            .iter()
            .flat_map(|open| &open.effects)
            .any(|(_, effect)| match effect {
                Effect::Chat(row) => row.id == *chat,
                Effect::Message(row) => row.chat_id == *chat,
                Effect::Flags(row) => row.chat_id == *chat,
                Effect::RemoveChat(id) => id == chat,
                Effect::RemoveMessage(id) => self.tables.messages.get(id).is_some_and(|row| row.chat_id == *chat),
                Effect::Extras(..) | Effect::Setting(_) => false,
            })
    }

    pub(crate) fn is_setting_locked(&self) -> bool {
        let mut effects = self.open.iter().flat_map(|open| &open.effects);
        effects.any(|(_, effect)| matches!(effect, Effect::Setting(_)))
    }

    fn write(&mut self, xid: u64, seq: i64, effect: Effect) {
        let tables = &mut self.tables;
        let (kind, id, is_deletion) = match effect {
            Effect::Chat(row) => {
                let id = row.id.to_string();
                tables.chats.insert(row.id.clone(), row);
                (EntityKind::Chat, id, false)
            }
            Effect::Message(row) => {
                let id = row.id.to_string();
                self.ever
                    .entry(row.chat_id.clone())
                    .or_default()
                    .insert(row.content.clone());
                tables.messages.insert(row.id.clone(), row);
                (EntityKind::Message, id, false)
            }
            Effect::Extras(id, extras) => {
                let key = id.to_string();
                tables.extras.insert(id, extras);
                (EntityKind::Message, key, false)
            }
            Effect::Flags(row) => {
                let id = row.chat_id.to_string();
                tables.flags.insert(row.chat_id.clone(), row);
                (EntityKind::Flags, id, false)
            }
            Effect::Setting(row) => {
                let id = row.key.clone();
                tables.settings.insert(id.clone(), row);
                (EntityKind::Setting, id, false)
            }
            Effect::RemoveMessage(id) => {
                tables.messages.remove(&id);
                (EntityKind::Message, id.to_string(), true)
            }
            Effect::RemoveChat(id) => {
                tables.chats.remove(&id);
                self.removed.insert(id.clone());
                self.buried.extend(self.ever.get(&id).cloned().unwrap_or_default());
                (EntityKind::Chat, id.to_string(), true)
            }
        };
        let at = self.now;
        tables.feed.insert(
            (kind, id),
            Entry {
                xid,
                seq,
                is_deletion,
                at,
            },
        );
    }

    /// What deleting a chat does, by a cascade.
    pub(crate) fn removal(&self, id: &ChatId) -> Vec<Effect> {
        let mut effects: Vec<Effect> = (self.messages_of(id).into_iter())
            .map(|row| Effect::RemoveMessage(row.id))
            .collect();
        effects.push(Effect::RemoveChat(id.clone()));
        effects
    }

    pub(crate) fn messages_of(&self, id: &ChatId) -> Vec<MessageRow> {
        let mut rows: Vec<MessageRow> = self
            .tables
            .messages
            .values()
            .filter(|row| row.chat_id == *id)
            .cloned()
            .collect();
        rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        rows
    }

    /// Forgets old deletions.
    pub(crate) fn collect(&mut self) {
        let (horizon, before) = (self.horizon(), self.now - TimeDelta::days(TOMBSTONE_DAYS));
        let tables = &mut self.tables;
        let collected = &mut tables.collected;
        tables.feed.retain(|_, entry| {
            let is_old = entry.is_deletion && entry.at < before && entry.xid < horizon;
            if is_old {
                *collected = (*collected).max(entry.xid);
            }
            !is_old
        });
        let messages = &tables.messages;
        let feed = &tables.feed;
        tables
            .extras
            .retain(|id, _| messages.contains_key(id) || feed.contains_key(&(EntityKind::Message, id.to_string())));
        tables
            .flags
            .retain(|id, _| feed.contains_key(&(EntityKind::Chat, id.to_string())));
    }

    pub(crate) fn back_up(&mut self) {
        self.backup = Some(Backup {
            tables: self.tables.clone(),
            epoch: self.epoch,
            ended: self.ended,
            is_torn: self.open.iter().any(|open| open.xid < self.ended),
        });
    }

    /// Takes the newest backup's place: what came after it is gone, numbers begin where the backup's ended.
    pub(crate) fn restore(&mut self) -> bool {
        let is_restored = self.put_back();
        if is_restored {
            self.begin_epoch();
        }
        is_restored
    }

    /// The same, and the server says nothing of it: a snapshot of its disk.
    pub(crate) fn put_back(&mut self) -> bool {
        let Some(backup) = self.backup.clone() else {
            return false;
        };
        self.open.clear();
        self.tables = backup.tables;
        self.epoch = backup.epoch;
        self.ended = backup.ended;
        self.next_xid = backup.ended + 1;
        self.blind_at = self.told.range(self.reached() + 1..).next().copied();
        // Who has seen that written, and nothing later, cannot tell that it is gone: whoever put the server back says so.
        if backup.is_torn {
            self.begin_epoch();
        }
        true
    }

    fn begin_epoch(&mut self) {
        self.epochs += 1;
        self.epoch = self.epochs;
        self.blind_at = None;
    }

    pub(crate) fn pull(&mut self, after: FeedCursor, limit: u32) -> FeedPage {
        let server = self.info();
        let by_sequence = self.mutant == Some(ServerMutant::SequenceCursor);
        let horizon = if by_sequence { u64::MAX } else { self.horizon() };
        let place = |entry: &Entry| FeedCursor {
            xid: if by_sequence { 0 } else { entry.xid },
            seq: entry.seq,
        };
        let mut entries: Vec<_> = self
            .tables
            .feed
            .iter()
            .map(|(key, entry)| (place(entry), key, entry))
            .filter(|(place, _, entry)| *place > after && entry.xid < horizon)
            .collect();
        entries.sort_by_key(|(place, ..)| *place);
        let is_full = entries.len() >= limit as usize;
        entries.truncate(limit as usize);
        let next = match entries.last() {
            Some((last, ..)) if is_full || by_sequence => *last,
            None if by_sequence => after,
            _ => FeedCursor { xid: horizon, seq: 0 },
        };
        FeedPage {
            server,
            changes: entries
                .into_iter()
                .filter_map(|(_, (kind, id), entry)| self.change(*kind, id, entry))
                .collect(),
            next: next.max(after),
            has_more: is_full,
        }
    }

    fn change(&self, kind: EntityKind, id: &str, entry: &Entry) -> Option<Change> {
        if entry.is_deletion {
            return Some(Change::Delete { kind, id: id.into() });
        }
        let row = match kind {
            EntityKind::Chat => Row::Chat(self.tables.chats.get(&ChatId::from_stored(id))?.clone()),
            EntityKind::Flags => {
                let id = ChatId::from_stored(id);
                self.tables.chats.get(&id)?;
                Row::Flags(self.tables.flags.get(&id)?.clone())
            }
            EntityKind::Message => Row::Message(Box::new(self.message(&MessageId::from_stored(id))?)),
            EntityKind::Setting => Row::Setting(self.tables.settings.get(id)?.clone()),
        };
        Some(Change::Upsert(row))
    }

    fn message(&self, id: &MessageId) -> Option<MessageRow> {
        let row = self.tables.messages.get(id)?.clone();
        Some(MessageRow {
            extras: self.tables.extras.get(id).cloned(),
            ..row
        })
    }

    pub(crate) fn count_changes(&self, after: FeedCursor) -> u64 {
        let entries = self.tables.feed.values();
        entries
            .filter(|entry| {
                FeedCursor {
                    xid: entry.xid,
                    seq: entry.seq,
                } > after
            })
            .count() as u64
    }

    pub(crate) fn list_recent(&mut self, since: DateTime<Utc>, after: Option<&RecentMark>, limit: u32) -> RecentPage {
        let server = self.info();
        let rank = |kind| match kind {
            EntityKind::Setting => 0,
            EntityKind::Chat | EntityKind::Flags => 1,
            EntityKind::Message => 2,
        };
        let mut rows: Vec<(RecentMark, Row)> = Vec::new();
        let mark = |kind, at, id: &str| RecentMark {
            kind,
            at,
            id: id.into(),
        };
        for row in self.tables.settings.values() {
            rows.push((mark(EntityKind::Setting, row.at, &row.key), Row::Setting(row.clone())));
        }
        for row in self.tables.chats.values() {
            let mark = mark(EntityKind::Chat, row.updated_at, row.id.as_str());
            rows.push((mark, Row::Chat(row.clone())));
        }
        for row in self.tables.messages.values().filter(|row| row.created_at >= since) {
            let row = self.message(&row.id).unwrap();
            let mark = mark(EntityKind::Message, row.created_at, row.id.as_str());
            rows.push((mark, Row::Message(Box::new(row))));
        }
        let order = |mark: &RecentMark| (rank(mark.kind), std::cmp::Reverse((mark.at, mark.id.clone())));
        rows.sort_by_key(|(mark, _)| order(mark));
        rows.retain(|(mark, _)| after.is_none_or(|after| order(mark) > order(after)));
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| has_more).map(|(mark, _)| mark.clone());
        let with_flags = rows.into_iter().flat_map(|(_, row)| {
            let flags = match &row {
                Row::Chat(chat) => self.tables.flags.get(&chat.id).cloned().map(Row::Flags),
                _ => None,
            };
            [Some(row), flags]
        });
        RecentPage {
            server,
            rows: with_flags.flatten().collect(),
            next,
        }
    }

    pub(crate) fn list_ids(&mut self, kind: EntityKind, after: Option<&str>, limit: u32) -> IdPage {
        let all: Vec<String> = match kind {
            EntityKind::Chat => self.tables.chats.keys().map(ToString::to_string).collect(),
            _ => self.tables.messages.keys().map(ToString::to_string).collect(),
        };
        let mut ids: Vec<String> = all
            .into_iter()
            .filter(|id| after.is_none_or(|after| id.as_str() > after))
            .collect();
        let has_more = ids.len() > limit as usize;
        ids.truncate(limit as usize);
        IdPage {
            server: self.info(),
            ids,
            has_more,
        }
    }

    /// Answers a push, and says what it would write. An error is a wait for another transaction that took too long.
    pub(crate) fn push(&mut self, push: &Push) -> Result<Pushed, RemoteError> {
        // Time goes on while a device pushes: what was taken back from the future is later the next time.
        self.now += TimeDelta::milliseconds(1);
        let (effects, answers) = self.answer(push)?;
        self.commit(effects);
        let reached = self.tell_reached();
        Ok(Pushed { answers, reached })
    }

    /// A push whose transaction stays open after its sender gave up; it ends as any other.
    pub(crate) fn push_slowly(&mut self, push: &Push) -> Result<(), RemoteError> {
        let (effects, _) = self.answer(push)?;
        self.begin(effects);
        Ok(())
    }

    fn answer(&self, push: &Push) -> Result<(Vec<Effect>, Vec<PushAnswer>), RemoteError> {
        // As PostgreSQL, which reads a push as JSON before it looks at any row.
        if serde_json::to_string(push).is_ok_and(|json| json.contains("\\u0000")) {
            return Err(RemoteError::Refused {
                action: "push",
                reason: "unsupported Unicode escape sequence".into(),
            });
        }
        if push.epoch != self.epoch_name() || self.reached() < push.seen {
            return Err(RemoteError::EpochChanged);
        }
        let (min, max) = self.protocol;
        if !(min..=max).contains(&push.protocol) {
            return Err(RemoteError::Protocol { min, max });
        }
        let is_waiting = push.rows.iter().any(|row| match row {
            PushRow::Chat { row, .. } => self.is_locked(&row.id),
            PushRow::DeleteChat(id) => self.is_locked(id),
            PushRow::Flags { row, .. } => self.is_locked(&row.chat_id),
            PushRow::Message(row) => self.is_locked(&row.chat_id),
            PushRow::Setting(_) => self.is_setting_locked(),
        });
        if is_waiting {
            return Err(RemoteError::TimedOut { action: "write" });
        }
        // Rows of one push see each other, so they are tried on a copy.
        let mut trial = Trial {
            tables: self.tables.clone(),
            effects: Vec::new(),
            limit: self.limit(),
            clamped: BTreeMap::new(),
            taken: &self.taken,
        };
        let answers = push.rows.iter().map(|row| trial.row(row)).collect();
        Ok((trial.effects, answers))
    }

    fn limit(&self) -> DateTime<Utc> {
        match self.mutant {
            Some(ServerMutant::NoClockClamp) => DateTime::<Utc>::MAX_UTC,
            _ => self.now + FUTURE_LIMIT,
        }
    }
}

struct Trial<'a> {
    tables: Tables,
    effects: Vec<Effect>,
    limit: DateTime<Utc>,
    /// Messages taken back from the future, by chat.
    clamped: BTreeMap<ChatId, i64>,
    taken: &'a BTreeSet<String>,
}

impl Trial<'_> {
    fn row(&mut self, row: &PushRow) -> PushAnswer {
        match row {
            PushRow::Chat { row, known } => self.chat(row, *known),
            PushRow::DeleteChat(id) => self.delete_chat(id),
            PushRow::Flags { row, seen_at } => self.flags(row, *seen_at),
            PushRow::Message(row) => self.message(row),
            PushRow::Setting(row) => self.setting(row),
        }
    }

    fn chat(&mut self, row: &ChatRow, known: bool) -> PushAnswer {
        if self.taken.contains(row.id.as_str()) {
            return PushAnswer::IdConflict;
        }
        if row.title.chars().count() > 500 {
            return PushAnswer::Refused {
                reason: "value too long for type character varying(500)".into(),
            };
        }
        let is_taken_back = row.updated_at > self.limit;
        let row = ChatRow {
            created_at: row.created_at.min(self.limit),
            updated_at: row.updated_at.min(self.limit),
            deleted_at: row.deleted_at.map(|at| at.min(self.limit)),
            ..row.clone()
        };
        let key = (EntityKind::Chat, row.id.to_string());
        match self.tables.chats.get(&row.id) {
            None if known || self.tables.feed.contains_key(&key) => return PushAnswer::Gone,
            None => {}
            Some(stored)
                if (&stored.title, stored.updated_at, stored.deleted_at)
                    == (&row.title, row.updated_at, row.deleted_at) =>
            {
                return same(is_taken_back, row.updated_at);
            }
            Some(stored) if (stored.updated_at, &stored.title) >= (row.updated_at, &row.title) => {
                return PushAnswer::Superseded(Box::new(Row::Chat(stored.clone())));
            }
            Some(_) => {}
        }
        self.tables.chats.insert(row.id.clone(), row.clone());
        let at = row.updated_at;
        self.effects.push(Effect::Chat(row));
        PushAnswer::Applied { at }
    }

    fn delete_chat(&mut self, id: &ChatId) -> PushAnswer {
        if self.tables.chats.remove(id).is_none() {
            return PushAnswer::Duplicate;
        }
        let gone: Vec<MessageId> = self
            .tables
            .messages
            .values()
            .filter(|row| row.chat_id == *id)
            .map(|row| row.id.clone())
            .collect();
        for message in gone {
            self.tables.messages.remove(&message);
            self.effects.push(Effect::RemoveMessage(message));
        }
        self.effects.push(Effect::RemoveChat(id.clone()));
        PushAnswer::Applied { at: self.limit }
    }

    fn flags(&mut self, row: &FlagsRow, seen_at: Option<DateTime<Utc>>) -> PushAnswer {
        if !self.tables.chats.contains_key(&row.chat_id) {
            return PushAnswer::Orphan;
        }
        let is_name = |name: &String| (1..=NAME_LIMIT).contains(&name.chars().count());
        let are_fine = |labels: &Labels| {
            labels.tags.len() <= TAG_LIMIT && labels.tags.iter().chain(&labels.collection).all(is_name)
        };
        if !row.labels.as_ref().is_none_or(are_fine) {
            return PushAnswer::Refused {
                reason: "a label is too long, or there are too many".into(),
            };
        }
        let is_taken_back = row.at > self.limit;
        let mut row = FlagsRow {
            at: row.at.min(self.limit),
            ..row.clone()
        };
        if let Some(stored) = self.tables.flags.get(&row.chat_id) {
            let has_labels = row.labels.is_some();
            row.labels = row.labels.or_else(|| stored.labels.clone());
            if *stored == row {
                return same(is_taken_back, row.at);
            }
            let is_unseen = seen_at.is_none_or(|seen| stored.at.timestamp_millis() > seen.timestamp_millis());
            if if has_labels { is_unseen } else { stored.at >= row.at } {
                return PushAnswer::Superseded(Box::new(Row::Flags(stored.clone())));
            }
            if stored.at >= row.at {
                row.at = stored.at + TimeDelta::milliseconds(1);
            }
        }
        self.tables.flags.insert(row.chat_id.clone(), row.clone());
        let at = row.at;
        self.effects.push(Effect::Flags(row));
        PushAnswer::Applied { at }
    }

    fn message(&mut self, row: &MessageRow) -> PushAnswer {
        if !self.tables.chats.contains_key(&row.chat_id) {
            return PushAnswer::Orphan;
        }
        if self.taken.contains(row.id.as_str()) {
            return PushAnswer::IdConflict;
        }
        if row.content.len() > MESSAGE_LIMIT {
            return PushAnswer::Refused {
                reason: "the message is too long".into(),
            };
        }
        let extras = row.extras.clone();
        let is_growing = |stored: &MessageRow, tables: &Tables| {
            let was_interrupted = tables.extras.get(&stored.id).is_some_and(|extras| extras.interrupted);
            let is_complete = extras.as_ref().is_none_or(|extras| !extras.interrupted);
            was_interrupted && (is_complete || row.content.len() > stored.content.len())
        };
        let mut at = row.created_at.min(self.limit);
        if let Some(stored) = self.tables.messages.get(&row.id) {
            at = stored.created_at;
            if stored.chat_id != row.chat_id || !is_growing(stored, &self.tables) {
                if stored.chat_id != row.chat_id || stored.content != row.content {
                    let mut stored = stored.clone();
                    stored.extras = self.tables.extras.get(&stored.id).cloned();
                    return PushAnswer::Superseded(Box::new(Row::Message(Box::new(stored))));
                }
                return self.add_extras(row, at);
            }
        } else if at < row.created_at {
            let count = self.clamped.entry(row.chat_id.clone()).or_default();
            at += TimeDelta::milliseconds(*count);
            *count += 1;
        }
        let kept = MessageRow {
            created_at: at,
            extras: None,
            ..row.clone()
        };
        self.tables.messages.insert(row.id.clone(), kept.clone());
        self.effects.push(Effect::Message(kept));
        if let Some(extras) = extras {
            self.put_extras(&row.id, extras);
        }
        PushAnswer::Applied { at }
    }

    fn add_extras(&mut self, row: &MessageRow, at: DateTime<Utc>) -> PushAnswer {
        let stored = self.tables.extras.get(&row.id);
        match &row.extras {
            Some(extras) if stored.is_none() => self.put_extras(&row.id, extras.clone()),
            Some(extras) if extras.evidence.is_some() && stored.is_some_and(|stored| stored.evidence.is_none()) => {
                self.put_extras(&row.id, extras.clone());
            }
            _ => return PushAnswer::Duplicate,
        }
        PushAnswer::Applied { at }
    }

    fn put_extras(&mut self, id: &MessageId, mut extras: MessageExtras) {
        let stored = self.tables.extras.get(id);
        extras.evidence = extras
            .evidence
            .or_else(|| stored.and_then(|stored| stored.evidence.clone()));
        self.tables.extras.insert(id.clone(), extras.clone());
        self.effects.push(Effect::Extras(id.clone(), extras));
    }

    fn setting(&mut self, row: &SettingRow) -> PushAnswer {
        let is_taken_back = row.at > self.limit;
        let row = SettingRow {
            at: row.at.min(self.limit),
            ..row.clone()
        };
        if let Some(stored) = self.tables.settings.get(&row.key) {
            if *stored == row {
                return same(is_taken_back, row.at);
            }
            if (stored.at, stored.value.to_string()) >= (row.at, row.value.to_string()) {
                return PushAnswer::Superseded(Box::new(Row::Setting(stored.clone())));
            }
        }
        self.tables.settings.insert(row.key.clone(), row.clone());
        let at = row.at;
        self.effects.push(Effect::Setting(row));
        PushAnswer::Applied { at }
    }
}

/// The answer to a row that is there already. Whoever pushed a later time has to learn which one is kept.
fn same(is_taken_back: bool, at: DateTime<Utc>) -> PushAnswer {
    if is_taken_back {
        PushAnswer::Applied { at }
    } else {
        PushAnswer::Duplicate
    }
}
