//! Apply: rows and deletions of the server come into the store. Applying one twice changes nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use deepsearch_core::sync::{ChatRow, EntityKind, FlagsRow, MessageRow, Row, SETTING_KEYS, SettingRow};
use deepsearch_core::{Chat, ChatId, Labels, MessageId, MessageState};
use deepsearch_sqlite::{ConflictKind, Entity, LocalChat, LocalMessage, PlainChats, SyncTx};

use crate::bury::bury;
use crate::error::SyncError;
use crate::plan::{chat_row, flags_row, merge_chat, merge_flags};
use crate::rules::{Mutant, Rules};

/// Applies what came in one transaction.
pub(crate) struct Applier<'a> {
    tx: &'a mut SyncTx,
    rules: Rules,
    places: HashMap<ChatId, Place>,
    /// Chats with new messages.
    grown: BTreeSet<ChatId>,
    /// Messages of this transaction that are here, as far as that was looked up for all of them at once.
    known: HashSet<MessageId>,
    /// Those that were looked up.
    looked_up: HashSet<MessageId>,
    /// New ones, which are added and put in their place together.
    new: Vec<MessageRow>,
    /// Chats of this transaction that need no look at what is here.
    plain: PlainChats,
    /// New ones, which are added together.
    new_chats: Vec<ChatRow>,
    /// What came for those, once they are there.
    new_flags: Vec<FlagsRow>,
}

/// Where a chat stands that a row belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Here,
    InTrash,
    /// It comes later.
    NotYet,
    /// Deleted here for ever, which the server is still to learn.
    Leaving,
}

impl<'a> Applier<'a> {
    pub(crate) fn new(tx: &'a mut SyncTx, rules: Rules) -> Self {
        Self {
            tx,
            rules,
            places: HashMap::new(),
            grown: BTreeSet::new(),
            known: HashSet::new(),
            looked_up: HashSet::new(),
            new: Vec::new(),
            plain: PlainChats::default(),
            new_chats: Vec::new(),
            new_flags: Vec::new(),
        }
    }

    /// Looks up at once which of the chats and messages that are to come are here: most of a first pull are not.
    pub(crate) async fn expect(&mut self, rows: impl Iterator<Item = &Row>) -> Result<(), SyncError> {
        let (mut chats, mut ids): (Vec<&ChatRow>, Vec<&MessageId>) = Default::default();
        for row in rows {
            match row {
                Row::Chat(row) => chats.push(row),
                Row::Message(row) => ids.push(&row.id),
                Row::Flags(_) | Row::Setting(_) => {}
            }
        }
        self.plain = self.tx.plain_chats(&chats).await?;
        self.known = self.tx.known_messages(&ids).await?;
        self.looked_up = ids.into_iter().cloned().collect();
        Ok(())
    }

    pub(crate) async fn upsert(&mut self, row: Row) -> Result<(), SyncError> {
        match row {
            Row::Chat(row) => self.chat(row).await,
            Row::Flags(row) => self.flags(row).await,
            Row::Message(row) => self.message(*row).await,
            Row::Setting(row) => self.setting(row).await,
        }
    }

    pub(crate) async fn delete(&mut self, kind: EntityKind, id: &str) -> Result<(), SyncError> {
        match kind {
            EntityKind::Chat => {
                // What is buried may live on in another chat, in the order that it had.
                self.add_new().await?;
                self.plain = PlainChats::default();
                let id = ChatId::from_stored(id);
                self.places.remove(&id);
                self.grown.remove(&id);
                bury(self.tx, self.rules, &id).await
            }
            EntityKind::Message => {
                self.add_new().await?;
                self.tx.delete_early(kind, id).await?;
                deleted_message(self.tx, self.rules, &MessageId::from_stored(id)).await
            }
            // These go with their chat, or come back as their defaults.
            EntityKind::Flags | EntityKind::Setting => Ok(()),
        }
    }

    /// To be called after the last row.
    pub(crate) async fn finish(mut self) -> Result<(), SyncError> {
        self.add_new().await?;
        for chat_id in &self.grown {
            self.tx.extend_leaf(chat_id).await?;
        }
        Ok(())
    }

    async fn add_new_chats(&mut self) -> Result<(), SyncError> {
        let new = std::mem::take(&mut self.new_chats);
        self.tx.add_chats(&new).await?;
        for row in std::mem::take(&mut self.new_flags) {
            if let Some(local) = self.tx.lookup_chat(&row.chat_id).await? {
                keep_flags(self.tx, self.rules, &local, row).await?;
            }
        }
        Ok(())
    }

    async fn add_new(&mut self) -> Result<(), SyncError> {
        self.add_new_chats().await?;
        let new = std::mem::take(&mut self.new);
        self.tx.add_messages(&new).await?;
        for row in &new {
            self.evidence(row).await?;
        }
        let ids: Vec<&MessageId> = new.iter().map(|row| &row.id).collect();
        Ok(self.tx.link_in_order(&ids).await?)
    }

    async fn chat(&mut self, row: ChatRow) -> Result<(), SyncError> {
        let id = row.id.clone();
        let place = if row.deleted_at.is_some() {
            Place::InTrash
        } else {
            Place::Here
        };
        if self.plain.same.remove(&id) {
            self.places.insert(id, place);
            return Ok(());
        }
        if self.plain.new.remove(&id) {
            self.places.insert(id, place);
            self.new_chats.push(row);
            return Ok(());
        }
        self.add_new_chats().await?;
        if self.tx.is_deletion_pending(&id).await? {
            self.places.insert(id, Place::Leaving);
            return Ok(());
        }
        match self.tx.lookup_chat(&id).await? {
            Some(mut local) => {
                if local.offered {
                    // The account has it already: this is its own chat, come back.
                    self.tx.accept_offer(&id).await?;
                    local.pending = Some(local.chat.updated_at);
                }
                keep_chat(self.tx, self.rules, &local, &row).await?;
            }
            None => self.tx.put_chat(&new_chat(&row)).await?,
        }
        self.tx.keep_chat_base(&row).await?;
        self.places.insert(id.clone(), place);
        for row in self.tx.take_early(&id).await? {
            match row {
                Row::Flags(row) => self.flags(row).await?,
                Row::Message(row) => self.message(*row).await?,
                Row::Chat(_) | Row::Setting(_) => {}
            }
        }
        Ok(())
    }

    async fn flags(&mut self, row: FlagsRow) -> Result<(), SyncError> {
        match self.place(&row.chat_id).await? {
            Place::Leaving => return Ok(()),
            Place::NotYet => {
                self.plain.new.remove(&row.chat_id);
                return self.early(Row::Flags(row)).await;
            }
            Place::Here | Place::InTrash => {}
        }
        // A chat's flags come right after it.
        if self.new_chats.last().is_some_and(|chat| chat.id == row.chat_id) {
            self.grown.insert(row.chat_id.clone());
            self.new_flags.push(row);
            return Ok(());
        }
        self.add_new_chats().await?;
        if let Some(local) = self.tx.lookup_chat(&row.chat_id).await? {
            self.grown.insert(row.chat_id.clone());
            keep_flags(self.tx, self.rules, &local, row).await?;
        }
        Ok(())
    }

    async fn message(&mut self, row: MessageRow) -> Result<(), SyncError> {
        let place = self.place(&row.chat_id).await?;
        match place {
            Place::Leaving => return Ok(()),
            Place::NotYet => {
                self.plain.new.remove(&row.chat_id);
                return self.early(Row::Message(Box::new(row))).await;
            }
            Place::Here | Place::InTrash => {}
        }
        let is_new = self.looked_up.contains(&row.id) && !self.known.contains(&row.id);
        let local = match is_new {
            true => None,
            false => {
                // It may have come before in this transaction.
                self.add_new().await?;
                self.tx.lookup_message(&row.id).await?
            }
        };
        if local.is_none() && place == Place::InTrash {
            self.note_in_trash(&row).await?;
        }
        self.grown.insert(row.chat_id.clone());
        let Some(local) = local else {
            self.known.insert(row.id.clone());
            self.new.push(row);
            return Ok(());
        };
        known_message(self.tx, &local, &row).await?;
        self.evidence(&row).await
    }

    async fn evidence(&mut self, row: &MessageRow) -> Result<(), SyncError> {
        let evidence = row.extras.as_ref().and_then(|extras| extras.evidence.as_ref());
        let Some(evidence) = evidence.filter(|_| self.rules.pages) else {
            return Ok(());
        };
        let local = self.tx.lookup_message(&row.id).await?;
        if local.is_some_and(|local| !local.has_evidence && local.row.content == row.content) {
            self.tx.keep_evidence(&row.id, evidence).await?;
        }
        Ok(())
    }

    async fn setting(&mut self, row: SettingRow) -> Result<(), SyncError> {
        if !SETTING_KEYS.contains(&&*row.key) {
            return Ok(());
        }
        keep_setting(self.tx, &row).await
    }

    async fn place(&mut self, chat_id: &ChatId) -> Result<Place, SyncError> {
        if let Some(place) = self.places.get(chat_id) {
            return Ok(*place);
        }
        let place = match self.tx.lookup_chat(chat_id).await? {
            Some(local) if local.chat.deleted_at.is_some() => Place::InTrash,
            Some(_) => Place::Here,
            None if self.tx.is_deletion_pending(chat_id).await? => Place::Leaving,
            None => Place::NotYet,
        };
        self.places.insert(chat_id.clone(), place);
        Ok(place)
    }

    async fn early(&mut self, row: Row) -> Result<(), SyncError> {
        if self.rules.are_without(Mutant::EarlyDropped) {
            return Ok(());
        }
        Ok(self.tx.keep_early(&row).await?)
    }

    /// The chat stays where the person put it; that it has grown there is worth a word.
    async fn note_in_trash(&mut self, row: &MessageRow) -> Result<(), SyncError> {
        self.add_new_chats().await?;
        let chat = self.tx.lookup_chat(&row.chat_id).await?;
        let deleted_at = chat.and_then(|local| local.chat.deleted_at);
        if deleted_at.is_some_and(|deleted_at| row.created_at > deleted_at) {
            let (chat_id, id) = (row.chat_id.as_str(), row.id.as_str());
            self.tx.add_conflict(ConflictKind::InTrash, chat_id, id, "").await?;
        }
        Ok(())
    }
}

fn new_chat(row: &ChatRow) -> Chat {
    Chat {
        id: row.id.clone(),
        title: row.title.clone(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
        pinned: false,
        archived: false,
        leaf: None,
    }
}

/// Brings a chat of ours together with the server's row. The caller notes the row as the base.
pub(crate) async fn keep_chat(
    tx: &mut SyncTx,
    rules: Rules,
    local: &LocalChat,
    row: &ChatRow,
) -> Result<(), SyncError> {
    let mut chat = local.chat.clone();
    let kept = if local.pending.is_some() {
        let merged = merge_chat(local.base.as_ref(), &chat_row(&chat), row);
        if let Some(lost) = &merged.lost {
            let id = chat.id.as_str();
            tx.add_conflict(ConflictKind::Title, id, id, lost).await?;
            if rules.are_without(Mutant::LoserKeepsItsRow) {
                tx.clear_queued(Entity::Chat, id, i64::MAX).await?;
                return Ok(());
            }
        }
        merged.row
    } else {
        row.clone()
    };
    chat.title = kept.title;
    chat.created_at = row.created_at;
    chat.updated_at = kept.updated_at;
    chat.deleted_at = kept.deleted_at;
    Ok(tx.put_chat(&chat).await?)
}

/// Brings the flags of a chat of ours together with the server's, and notes those as the base.
pub(crate) async fn keep_flags(
    tx: &mut SyncTx,
    rules: Rules,
    local: &LocalChat,
    mut row: FlagsRow,
) -> Result<(), SyncError> {
    row.labels = row.labels.map(Labels::bounded);
    let kept = if local.pending.is_some() {
        let are_tags_merged = !rules.are_without(Mutant::TagsTakenWhole);
        merge_flags(local.flags_base.as_ref(), &flags_row(local), &row, are_tags_merged).row
    } else {
        row.clone()
    };
    let mut chat = local.chat.clone();
    chat.pinned = kept.pinned;
    chat.archived = kept.archived;
    chat.leaf = kept.leaf.or(chat.leaf);
    tx.put_chat(&chat).await?;
    tx.keep_flags_base(&row).await?;
    // What had no room may have some now.
    if let Some(labels) = kept
        .labels
        .filter(|labels| local.has_left_out || *labels != local.labels)
    {
        tx.put_labels(&chat.id, &labels).await?;
    }
    Ok(())
}

pub(crate) async fn keep_setting(tx: &mut SyncTx, row: &SettingRow) -> Result<(), SyncError> {
    let (value, at) = tx.lookup_setting(&row.key).await?;
    let is_later = at.is_some_and(|at| (at, value.to_string()) > (row.at, row.value.to_string()));
    if is_later {
        return Ok(());
    }
    if tx.is_queued(Entity::UserSettings, &row.key).await? {
        if value != row.value {
            let lost = value.to_string();
            tx.add_conflict(ConflictKind::Setting, "", &row.key, &lost).await?;
        }
        tx.clear_queued(Entity::UserSettings, &row.key, i64::MAX).await?;
    }
    Ok(tx.put_setting(&row.key, &row.value, row.at).await?)
}

/// A row of the server for a message that is here.
async fn known_message(tx: &mut SyncTx, local: &LocalMessage, row: &MessageRow) -> Result<(), SyncError> {
    let is_same = is_same(&local.row, row);
    if local.state == MessageState::Streaming {
        return Ok(());
    }
    // What has changed here is decided by the server, once it is sent. A hidden one was only to be offered again.
    // One that was saved from a deleted chat, and is met again in it, goes back there.
    let is_elsewhere = local.row.chat_id != row.chat_id;
    if local.pending && local.hidden_at.is_none() && !is_elsewhere {
        if local.row.content == row.content {
            // Its acknowledgement was lost, and with it the time that the server keeps.
            tx.keep_message_time(&row.id, row.created_at).await?;
        }
        if is_same {
            tx.mark_synced(&row.id, true).await?;
        }
        return Ok(());
    }
    if local.pending {
        tx.clear_queued(Entity::Message, row.id.as_str(), i64::MAX).await?;
    }
    if is_same && local.hidden_at.is_none() {
        return Ok(tx.mark_synced(&row.id, true).await?);
    }
    adopt_message(tx, local, row).await
}

/// Takes the server's row for a message that is here.
pub(crate) async fn adopt_message(tx: &mut SyncTx, local: &LocalMessage, row: &MessageRow) -> Result<(), SyncError> {
    if local.row.content != row.content {
        tx.drop_evidence(&row.id).await?;
    }
    Ok(tx.put_message(row).await?)
}

fn is_same(ours: &MessageRow, theirs: &MessageRow) -> bool {
    let extras = |row: &MessageRow| {
        let extras = row.extras.as_ref();
        extras.map(|extras| (extras.parent.clone(), extras.interrupted, extras.follow_ups.clone()))
    };
    ours.content == theirs.content
        && ours.sources == theirs.sources
        && ours.metadata == theirs.metadata
        && ours.chat_id == theirs.chat_id
        && ours.created_at.timestamp_millis() == theirs.created_at.timestamp_millis()
        && extras(ours) == extras(theirs)
}

/// A message that the server does not have any more. It is kept out of sight and offered again while its chat lives:
/// a web app that saves a chat by writing it anew knows nothing of what came meanwhile.
pub(crate) async fn deleted_message(tx: &mut SyncTx, rules: Rules, id: &MessageId) -> Result<(), SyncError> {
    let Some(local) = tx.lookup_message(id).await? else {
        return Ok(());
    };
    if rules.are_without(Mutant::TombstonesDelete) {
        tx.clear_queued(Entity::Message, id.as_str(), i64::MAX).await?;
        return Ok(tx.delete_message(id).await?);
    }
    if local.state == MessageState::Streaming || local.hidden_at.is_some() {
        return Ok(());
    }
    if !local.synced {
        // Ours is newer than what was deleted, and is sent or was given up.
        return Ok(());
    }
    let now = tx.now();
    tx.hide_message(id, Some(now)).await?;
    Ok(tx.queue(Entity::Message, id.as_str()).await?)
}
