//! Push: what waits in the outbox goes to the server in batches, chats before their messages.

use std::collections::HashSet;

use deepsearch_core::sync::{MESSAGE_LIMIT, Push, PushAnswer, PushRow, Pushed, SettingRow};
use deepsearch_core::{ChatId, MessageId, MessageState, RemoteError};
use deepsearch_sqlite::{Entity, LocalMessage, Operation, QueuedChange, SyncTx};

use crate::deliver::deliver;
use crate::engine::SyncEngine;
use crate::error::SyncError;
use crate::plan::{outgoing_chat, outgoing_flags};
use crate::pull::Pulled;
use crate::rules::{Mutant, Rules};

/// Text of one batch over a good line, about.
const BYTES: usize = 4 << 20;
/// Entries of the outbox looked at together.
const STRIDE: u32 = 200;
const TOO_LONG: &str = "a message of more than four megabytes is not kept";
/// A program that deletes in order to write anew may need a moment for it.
const OFFER_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// Rows to be sent, each with the change that it is part of.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<QueuedChange>,
    /// With the place of its change in `changes`.
    pub(crate) rows: Vec<(PushRow, usize)>,
    /// Changes that need not be sent after all.
    cleared: usize,
    chats: HashSet<ChatId>,
    bytes: usize,
}

impl SyncEngine {
    /// Sends one batch, and says whether that brought us forward.
    pub(crate) async fn push(&self, pulled: &Pulled) -> Result<bool, SyncError> {
        if self
            .store
            .begin_sync_reading()
            .await?
            .list_queue(0, 1)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut tx = self.store.begin_sync().await?;
        let rules = self.rules_with(&pulled.server);
        let mut gathering = Gathering {
            tx: &mut tx,
            rules,
            limit: self.pushes.rows() as usize,
            bytes: self.pushes.share_of(BYTES),
            is_caught_up: !pulled.has_more,
            batch: Batch::default(),
        };
        gathering.gather().await?;
        let is_full = gathering.is_full();
        let batch = gathering.batch;
        tx.commit().await?;
        if batch.rows.is_empty() {
            return Ok(batch.cleared > 0);
        }
        let push = Push {
            epoch: pulled.server.epoch.clone(),
            seen: pulled.server.reached,
            protocol: pulled.server.spoken(),
            rows: batch.rows.iter().map(|(row, _)| row.clone()).collect(),
        };
        let sent = match is_full {
            true => self.pushes.rows(),
            false => u32::try_from(batch.rows.len()).unwrap_or(u32::MAX),
        };
        let pushed = match self.pushes.heed(sent, self.remote.push(&push).await) {
            // The next page says which past is the server's now.
            Err(RemoteError::EpochChanged) => return Ok(true),
            // Less of it may come through, if the server still answers when it is asked for a page.
            Err(RemoteError::TimedOut { .. }) if self.pushes.rows() < sent => return Ok(true),
            Err(RemoteError::Refused { .. }) => self.push_each(push).await?,
            pushed => pushed?,
        };
        let mut tx = self.store.begin_sync().await?;
        let settled = deliver(&mut tx, rules, &batch, pushed.answers).await?;
        let mut position = tx.position().await?;
        position.seen = pushed.reached.max(position.seen);
        tx.keep_position(&position).await?;
        tx.commit().await?;
        self.count_pushed(settled);
        Ok(settled > 0)
    }

    /// Sends each row by itself: one that the server cannot read has spoiled what went with it.
    async fn push_each(&self, push: Push) -> Result<Pushed, SyncError> {
        let mut answers = Vec::with_capacity(push.rows.len());
        let mut reached = push.seen;
        for row in push.rows {
            let alone = Push {
                epoch: push.epoch.clone(),
                seen: reached,
                protocol: push.protocol,
                rows: vec![row],
            };
            let answer = match self.remote.push(&alone).await {
                Ok(mut pushed) => {
                    reached = pushed.reached;
                    pushed.answers.pop()
                }
                Err(RemoteError::Refused { reason, .. }) => Some(PushAnswer::Refused { reason }),
                Err(RemoteError::EpochChanged) => None,
                Err(error) => return Err(error.into()),
            };
            // What has no answer stays, and goes again.
            let Some(answer) = answer else { break };
            answers.push(answer);
        }
        Ok(Pushed { answers, reached })
    }
}

struct Gathering<'a> {
    tx: &'a mut SyncTx,
    rules: Rules,
    limit: usize,
    bytes: usize,
    /// Everything that the server had was brought, so that what is missing is missing.
    is_caught_up: bool,
    batch: Batch,
}

impl Gathering<'_> {
    async fn gather(&mut self) -> Result<(), SyncError> {
        let mut after = 0;
        loop {
            let changes = self.tx.list_queue(after, STRIDE).await?;
            let is_last = (changes.len() as u32) < STRIDE;
            for change in changes {
                if self.is_full() {
                    return Ok(());
                }
                after = change.seq;
                self.add(change).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn is_full(&self) -> bool {
        self.batch.rows.len() >= self.limit || self.batch.bytes >= self.bytes
    }

    async fn add(&mut self, change: QueuedChange) -> Result<(), SyncError> {
        match (change.entity, change.operation) {
            (Entity::Chat, Operation::Upsert) => self.add_chat(change).await,
            (Entity::Message, Operation::Upsert) => self.add_message(change).await,
            (Entity::UserSettings, Operation::Upsert) => self.add_setting(change).await,
            (Entity::Chat, Operation::Delete) => {
                let row = PushRow::DeleteChat(ChatId::from_stored(change.id.clone()));
                self.send(change, [row]);
                Ok(())
            }
            (Entity::Message | Entity::UserSettings, Operation::Delete) => self.clear(&change).await,
        }
    }

    async fn add_chat(&mut self, change: QueuedChange) -> Result<(), SyncError> {
        let id = ChatId::from_stored(change.id.clone());
        if self.batch.chats.contains(&id) {
            return Ok(());
        }
        let Some(local) = self.tx.lookup_chat(&id).await? else {
            return self.clear(&change).await;
        };
        let chat = outgoing_chat(&local).map(|row| PushRow::Chat {
            row,
            known: local.base.is_some(),
        });
        let flags = outgoing_flags(&local, self.rules.labels).map(|row| PushRow::Flags {
            row,
            seen_at: local.flags_base.as_ref().map(|base| base.at),
        });
        if chat.is_none() && flags.is_none() {
            return self.clear(&change).await;
        }
        self.batch.chats.insert(id);
        self.send(change, chat.into_iter().chain(flags));
        Ok(())
    }

    async fn add_message(&mut self, change: QueuedChange) -> Result<(), SyncError> {
        let id = MessageId::from_stored(change.id.clone());
        let Some(local) = self.tx.lookup_message(&id).await? else {
            return self.clear(&change).await;
        };
        match local.state {
            MessageState::Streaming => return Ok(()),
            // Stopped before its first word, it says nothing to anybody else.
            MessageState::Interrupted if local.row.content.is_empty() => return self.clear(&change).await,
            MessageState::Interrupted | MessageState::Complete => {}
        }
        if local.hidden_at.is_some() && !self.is_to_be_offered(&change, &local).await? {
            return Ok(());
        }
        if self.is_chat_refused(&local).await? {
            self.batch.cleared += 1;
            return Ok(self.tx.wait_for_chat(&change.id, change.seq).await?);
        }
        // The server would say so once all of it had gone over the line.
        if local.row.content.len() > MESSAGE_LIMIT {
            tracing::warn!(
                id = change.id,
                "a message is too long for the server, and stays on this device"
            );
            self.batch.cleared += 1;
            return Ok(self
                .tx
                .bury_queued(change.entity, &change.id, change.seq, TOO_LONG)
                .await?);
        }
        self.add_chat_of(&local).await?;
        let mut row = local.row;
        if self.rules.pages
            && let Some(extras) = &mut row.extras
        {
            extras.evidence = self.tx.evidence_of(&id).await?;
        }
        if self.rules.are_without(Mutant::ServerMadeIds) {
            row.id = MessageId::new();
        }
        self.batch.bytes += size(&row);
        self.send(change, [PushRow::Message(Box::new(row))]);
        Ok(())
    }

    /// Whether a message that the server deleted is offered to it again now.
    async fn is_to_be_offered(&mut self, change: &QueuedChange, local: &LocalMessage) -> Result<bool, SyncError> {
        // It lies ahead where the server's clock was a year ahead then.
        let is_settled = local
            .hidden_at
            .is_some_and(|at| (self.tx.now() - at).abs() >= OFFER_AFTER);
        if !is_settled || !self.is_caught_up {
            return Ok(false);
        }
        let Some(copy) = self.tx.find_copy(&local.row.id).await? else {
            return Ok(true);
        };
        if !self.rules.are_without(Mutant::CopyForMany) {
            self.tx.take_copy(&copy).await?;
        }
        // It was written anew under another id. What it rests on belongs to the copy now, here and elsewhere.
        if self.tx.move_evidence(&local.row.id, &copy).await? {
            self.tx.queue(Entity::Message, copy.as_str()).await?;
        }
        self.clear(change).await?;
        Ok(false)
    }

    async fn is_chat_refused(&mut self, local: &LocalMessage) -> Result<bool, SyncError> {
        let id = local.row.chat_id.as_str();
        Ok(self.tx.is_refused(Entity::Chat, id).await? && !self.tx.is_queued(Entity::Chat, id).await?)
    }

    /// Sends a message's chat before it, where the server does not know that yet.
    async fn add_chat_of(&mut self, local: &LocalMessage) -> Result<(), SyncError> {
        let chat_id = &local.row.chat_id;
        if self.batch.chats.contains(chat_id) {
            return Ok(());
        }
        let chat = self.tx.lookup_chat(chat_id).await?;
        if chat.is_none_or(|chat| chat.base.is_some()) {
            return Ok(());
        }
        if !self.tx.is_queued(Entity::Chat, chat_id.as_str()).await? {
            self.tx.queue(Entity::Chat, chat_id.as_str()).await?;
        }
        match self.tx.lookup_queued(Entity::Chat, chat_id.as_str()).await? {
            Some(change) => self.add_chat(change).await,
            None => Ok(()),
        }
    }

    async fn add_setting(&mut self, change: QueuedChange) -> Result<(), SyncError> {
        let (value, at) = self.tx.lookup_setting(&change.id).await?;
        let Some(at) = at else {
            return self.clear(&change).await;
        };
        let row = PushRow::Setting(SettingRow {
            key: change.id.clone(),
            value,
            at,
        });
        self.send(change, [row]);
        Ok(())
    }

    fn send(&mut self, change: QueuedChange, rows: impl IntoIterator<Item = PushRow>) {
        let place = self.batch.changes.len();
        self.batch.changes.push(change);
        self.batch.rows.extend(rows.into_iter().map(|row| (row, place)));
    }

    async fn clear(&mut self, change: &QueuedChange) -> Result<(), SyncError> {
        self.tx.clear_queued(change.entity, &change.id, change.seq).await?;
        self.batch.cleared += 1;
        Ok(())
    }
}

fn size(row: &deepsearch_core::sync::MessageRow) -> usize {
    let json = |json: &Option<String>| json.as_ref().map_or(0, String::len);
    let evidence = row.extras.as_ref().and_then(|extras| extras.evidence.as_ref());
    let quotes: usize = evidence
        .iter()
        .flat_map(|evidence| &evidence.citations)
        .map(|citation| citation.quote.len() + 200)
        .sum();
    row.content.len() + json(&row.sources) + json(&row.metadata) + quotes + 500
}
