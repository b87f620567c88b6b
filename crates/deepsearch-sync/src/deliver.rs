//! Deliver: what the server answered to each row comes into the store, and leaves the outbox.

use deepsearch_core::sync::{ChatRow, FlagsRow, MessageRow, PushAnswer, PushRow, Row, SettingRow};
use deepsearch_core::{ChatId, MessageState};
use deepsearch_sqlite::{ConflictKind, Entity, LocalChat, QueuedChange, SyncTx};

use crate::apply::{adopt_message, keep_chat, keep_flags, keep_setting};
use crate::bury::bury;
use crate::error::SyncError;
use crate::push::Batch;
use crate::rules::{Mutant, Rules};

/// Returns how many changes were settled, one way or another.
pub(crate) async fn deliver(
    tx: &mut SyncTx,
    rules: Rules,
    batch: &Batch,
    answers: Vec<PushAnswer>,
) -> Result<usize, SyncError> {
    let mut delivery = Delivery { tx, rules, moved: 0 };
    // A change is settled once each of its rows is; a server that answers too little settles too little.
    let mut open: Vec<usize> = vec![0; batch.changes.len()];
    for (_, place) in &batch.rows {
        open[*place] += 1;
    }
    for ((row, place), answer) in batch.rows.iter().zip(answers) {
        let change = &batch.changes[*place];
        if delivery.row(change, row, answer).await? {
            open[*place] -= 1;
        }
    }
    let mut settled = delivery.moved;
    for (change, open) in batch.changes.iter().zip(open) {
        if open == 0 {
            let seq = if rules.are_without(Mutant::LaterChangeCleared) {
                i64::MAX
            } else {
                change.seq
            };
            tx.clear_queued(change.entity, &change.id, seq).await?;
            settled += 1;
        }
    }
    Ok(settled)
}

struct Delivery<'a> {
    tx: &'a mut SyncTx,
    rules: Rules,
    /// Changes that took another form, in which they wait again.
    moved: usize,
}

impl Delivery<'_> {
    /// Whether the row has reached its end.
    async fn row(&mut self, change: &QueuedChange, row: &PushRow, answer: PushAnswer) -> Result<bool, SyncError> {
        if let PushAnswer::Refused { reason } = &answer {
            tracing::warn!(entity = ?change.entity, id = change.id, reason, "the server refuses a change for good");
            self.tx
                .bury_queued(change.entity, &change.id, change.seq, reason)
                .await?;
            return Ok(true);
        }
        match row {
            PushRow::Chat { row, .. } => self.chat(change, row, answer).await,
            PushRow::DeleteChat(_) => Ok(true),
            PushRow::Flags { row, .. } => self.flags(change, row, answer).await,
            PushRow::Message(row) => self.message(change, row, answer).await,
            PushRow::Setting(row) => self.setting(change, row, answer).await,
        }
    }

    async fn chat(&mut self, change: &QueuedChange, row: &ChatRow, answer: PushAnswer) -> Result<bool, SyncError> {
        let Some(mut local) = self.tx.lookup_chat(&row.id).await? else {
            return Ok(true);
        };
        match answer {
            PushAnswer::Applied { at } => {
                let is_taken_back = at < row.updated_at;
                let kept = ChatRow {
                    updated_at: at,
                    // A time in the future is taken back with it.
                    deleted_at: row
                        .deleted_at
                        .map(|deleted| if is_taken_back { deleted.min(at) } else { deleted }),
                    ..row.clone()
                };
                self.tx.keep_chat_base(&kept).await?;
                self.tx.revive_messages(&row.id).await?;
                // A time that was moved is moved here too, unless there is a later one by now.
                if local.chat.updated_at <= row.updated_at || is_taken_back {
                    local.chat.updated_at = at;
                    if local.chat.deleted_at == row.deleted_at {
                        local.chat.deleted_at = kept.deleted_at;
                    }
                    self.tx.put_chat(&local.chat).await?;
                }
                Ok(true)
            }
            PushAnswer::Duplicate => {
                self.tx.keep_chat_base(row).await?;
                Ok(true)
            }
            PushAnswer::Superseded(winner) => {
                if let Row::Chat(theirs) = *winner {
                    self.superseded_chat(&mut local, &theirs, change).await
                } else {
                    Ok(false)
                }
            }
            PushAnswer::Gone | PushAnswer::Orphan => self.bury(&row.id).await,
            // Somebody has this id. What was never sent gets another; what was is none of ours any more.
            PushAnswer::IdConflict => self.bury(&row.id).await,
            PushAnswer::Refused { .. } => Ok(true),
        }
    }

    /// Whether nothing of ours is left to be sent after the merge.
    async fn superseded_chat(
        &mut self,
        local: &mut LocalChat,
        theirs: &ChatRow,
        change: &QueuedChange,
    ) -> Result<bool, SyncError> {
        local.pending = local.pending.or(Some(change.changed_at));
        keep_chat(self.tx, self.rules, local, theirs).await?;
        self.tx.keep_chat_base(theirs).await?;
        let merged = self.tx.lookup_chat(&theirs.id).await?;
        let is_settled = merged.is_none_or(|merged| crate::plan::outgoing_chat(&merged).is_none());
        if !is_settled {
            self.moved += 1;
        }
        Ok(is_settled)
    }

    async fn flags(&mut self, change: &QueuedChange, row: &FlagsRow, answer: PushAnswer) -> Result<bool, SyncError> {
        let Some(mut local) = self.tx.lookup_chat(&row.chat_id).await? else {
            return Ok(true);
        };
        match answer {
            PushAnswer::Applied { at } => {
                let kept = FlagsRow { at, ..row.clone() };
                self.tx.keep_flags_base(&kept).await?;
                Ok(true)
            }
            PushAnswer::Duplicate => {
                self.tx.keep_flags_base(row).await?;
                Ok(true)
            }
            PushAnswer::Superseded(winner) => {
                let Row::Flags(theirs) = *winner else {
                    return Ok(false);
                };
                local.pending = local.pending.or(Some(change.changed_at));
                keep_flags(self.tx, self.rules, &local, theirs).await?;
                let merged = self.tx.lookup_chat(&row.chat_id).await?;
                let has_labels = self.rules.labels;
                let is_settled = merged.is_none_or(|merged| crate::plan::outgoing_flags(&merged, has_labels).is_none());
                self.moved += usize::from(!is_settled);
                Ok(is_settled)
            }
            PushAnswer::Gone | PushAnswer::Orphan if local.base.is_some() => self.bury(&row.chat_id).await,
            PushAnswer::Gone | PushAnswer::Orphan | PushAnswer::IdConflict | PushAnswer::Refused { .. } => Ok(true),
        }
    }

    async fn message(
        &mut self,
        change: &QueuedChange,
        row: &MessageRow,
        answer: PushAnswer,
    ) -> Result<bool, SyncError> {
        let id = deepsearch_core::MessageId::from_stored(change.id.clone());
        let Some(local) = self.tx.lookup_message(&id).await? else {
            return Ok(true);
        };
        if local.state == MessageState::Streaming || local.row.chat_id != row.chat_id {
            // It is being continued, or lies in another chat by now: either way it is sent again.
            return Ok(false);
        }
        match answer {
            PushAnswer::Applied { .. } | PushAnswer::Duplicate => {
                if let PushAnswer::Applied { at } = answer {
                    self.tx.keep_message_time(&id, at).await?;
                }
                self.tx.mark_synced(&id, local.row.content == row.content).await?;
                self.tx.hide_message(&id, None).await?;
                if self.rules.pages {
                    self.tx.queue_pages(&id).await?;
                }
                Ok(true)
            }
            PushAnswer::Superseded(winner) => {
                let Row::Message(theirs) = *winner else {
                    return Ok(false);
                };
                if theirs.chat_id != row.chat_id && self.tx.lookup_chat(&theirs.chat_id).await?.is_none() {
                    // It is in a chat that is still to come; then it goes there.
                    return Ok(false);
                }
                if local.row.content != theirs.content {
                    let (chat_id, text) = (theirs.chat_id.as_str(), &local.row.content);
                    self.tx
                        .add_conflict(ConflictKind::Message, chat_id, id.as_str(), text)
                        .await?;
                }
                if !self.rules.are_without(Mutant::LoserKeepsItsRow) {
                    adopt_message(self.tx, &local, &theirs).await?;
                }
                Ok(true)
            }
            PushAnswer::Gone | PushAnswer::Orphan if self.rules.are_without(Mutant::OrphanDropped) => {
                self.tx.mark_synced(&id, true).await?;
                Ok(true)
            }
            PushAnswer::Gone | PushAnswer::Orphan => self.orphan(&row.chat_id).await,
            PushAnswer::IdConflict => {
                let new = self.tx.renumber_message(&id).await?;
                self.tx.queue(Entity::Message, new.as_str()).await?;
                Ok(true)
            }
            PushAnswer::Refused { .. } => Ok(true),
        }
    }

    /// A message whose chat the server does not have.
    async fn orphan(&mut self, chat_id: &ChatId) -> Result<bool, SyncError> {
        let Some(chat) = self.tx.lookup_chat(chat_id).await? else {
            return Ok(false);
        };
        if chat.base.is_some() {
            return self.bury(chat_id).await;
        }
        // It was never sent, or what was sent did not arrive. One that is refused is not sent again unchanged.
        if self.tx.is_refused(Entity::Chat, chat_id.as_str()).await? {
            return Ok(false);
        }
        if !self.tx.is_queued(Entity::Chat, chat_id.as_str()).await? {
            self.tx.queue(Entity::Chat, chat_id.as_str()).await?;
        }
        Ok(false)
    }

    async fn setting(
        &mut self,
        change: &QueuedChange,
        row: &SettingRow,
        answer: PushAnswer,
    ) -> Result<bool, SyncError> {
        match answer {
            PushAnswer::Applied { at } if at != row.at => {
                // The server moved the time; a value that was chosen since keeps its own.
                if self.tx.lookup_setting(&row.key).await? == (row.value.clone(), Some(row.at)) {
                    self.tx.put_setting(&row.key, &row.value, at).await?;
                }
                Ok(true)
            }
            PushAnswer::Superseded(winner) => {
                if let Row::Setting(theirs) = *winner {
                    keep_setting(self.tx, &theirs).await?;
                }
                // Unless ours is later after all, it is out of the queue now.
                Ok(!self.tx.is_queued(Entity::UserSettings, &change.id).await?)
            }
            _ => Ok(true),
        }
    }

    async fn bury(&mut self, id: &ChatId) -> Result<bool, SyncError> {
        bury(self.tx, self.rules, id).await?;
        self.moved += 1;
        Ok(true)
    }
}
