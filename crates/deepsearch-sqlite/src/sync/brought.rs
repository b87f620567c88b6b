//! Brought: what another device or program changed here, told to whoever shows it.
//!
//! It says where to look and not what is there, and may name more than has changed.

use std::collections::BTreeSet;

use deepsearch_core::{ChatId, MessageId};
use sqlx::SqliteConnection;
use tokio::sync::broadcast;

use crate::error::{Doing, StoreError};
use crate::store::Store;

/// What sync wrote in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    pub chats: BTreeSet<ChatId>,
    /// Some chat, or more of them than are worth being named.
    pub any_chat: bool,
    pub settings: bool,
}

/// More than these are told as any.
const NAMED: usize = 50;

impl Brought {
    pub(super) fn chat(&mut self, id: &ChatId) {
        if self.any_chat {
            return;
        }
        self.chats.insert(id.clone());
        if self.chats.len() > NAMED {
            self.any();
        }
    }

    pub(super) fn any(&mut self) {
        self.chats.clear();
        self.any_chat = true;
    }

    /// Takes what another brought to this.
    pub fn merge(&mut self, other: Self) {
        self.settings |= other.settings;
        if other.any_chat {
            self.any();
        }
        for chat in &other.chats {
            self.chat(chat);
        }
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn tell(self, to: &broadcast::Sender<Self>) {
        if !self.is_nothing() {
            // An error only says that nobody listens.
            let _ = to.send(self);
        }
    }
}

impl Store {
    /// What sync writes from now on.
    pub fn watch_brought(&self) -> broadcast::Receiver<Brought> {
        self.brought().subscribe()
    }

    /// A number that is another one once another program has written to this store; `None` while that cannot be told,
    /// because this one is writing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn others_version(&self) -> Result<Option<i64>, StoreError> {
        // Of all our connections only this one writes, so what it has not written was written by others.
        let Some(mut writer) = self.writer().try_acquire() else {
            return Ok(None);
        };
        sqlx::query_scalar("pragma data_version")
            .fetch_optional(&mut *writer)
            .await
            .doing("look for changes of other programs")
    }
}

/// The chat of a message, to tell of it.
pub(super) async fn chat_of(tx: &mut SqliteConnection, id: &MessageId) -> Result<Brought, sqlx::Error> {
    let chat: Option<String> = sqlx::query_scalar("select chat_id from message where id = ?")
        .bind(id.as_str())
        .fetch_optional(tx)
        .await?;
    let mut brought = Brought::default();
    if let Some(chat) = chat {
        brought.chat(&ChatId::from_stored(chat));
    }
    Ok(brought)
}
