//! The store behind the suite that the shared store keeps too. Over there messages follow one another by their times
//! alone; here each is given the one before it as its parent, and shown without it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use deepsearch_core::contract::{self, ChatStore};
use deepsearch_core::{Chat, ChatCursor, ChatId, Failure, Message, MessageId, UserSettings};
use deepsearch_sqlite::{ChatFilter, ChatView, HistoryFilter, HistoryQuery, Store};

use crate::support::{TestClock, home};

struct Local {
    store: Store,
    clock: Arc<TestClock>,
}

#[tokio::test]
async fn the_store_keeps_the_contract_of_both_stores() {
    let (home, store) = home().await;
    let clock = home.clock.clone();
    contract::holds(&Local { store, clock }).await;
}

#[async_trait]
impl ChatStore for Local {
    fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    async fn add_chat(&self, chat: &Chat) -> Result<(), Failure> {
        Ok(self.store.add_chat(chat).await?)
    }

    async fn lookup_chat(&self, id: &ChatId) -> Result<Option<Chat>, Failure> {
        let chat = self.store.lookup_chat(id).await?;
        Ok(chat.map(|chat| Chat { leaf: None, ..chat }))
    }

    async fn list_chats(&self, trash: bool, after: Option<&ChatCursor>, limit: u32) -> Result<Vec<Chat>, Failure> {
        let view = if trash { ChatView::Trash } else { ChatView::Active };
        Ok(self.store.list_chats(ChatFilter::of(view), after, limit).await?)
    }

    async fn rename_chat(&self, id: &ChatId, title: &str) -> Result<Chat, Failure> {
        Ok(self.store.rename_chat(id, title).await?)
    }

    async fn delete_chat(&self, id: &ChatId) -> Result<Chat, Failure> {
        Ok(self.store.delete_chat(id).await?)
    }

    async fn restore_chat(&self, id: &ChatId) -> Result<Chat, Failure> {
        Ok(self.store.restore_chat(id).await?)
    }

    async fn delete_chat_forever(&self, id: &ChatId) -> Result<(), Failure> {
        Ok(self.store.delete_chat_forever(id).await?)
    }

    async fn purge_deleted(&self, older_than: TimeDelta) -> Result<u64, Failure> {
        Ok(self.store.purge_deleted(older_than).await?)
    }

    async fn add_messages(&self, chat: &ChatId, messages: &[Message]) -> Result<u64, Failure> {
        let shown = self.store.list_messages(chat, None, 1).await?;
        let mut parent = shown.into_iter().next().map(|message| message.id);
        let mut messages = messages.to_vec();
        for message in &mut messages {
            message.parent = parent.replace(message.id.clone());
        }
        Ok(self.store.add_messages(chat, &messages).await?)
    }

    async fn list_messages(
        &self,
        chat: &ChatId,
        before: Option<&Message>,
        limit: u32,
    ) -> Result<Vec<Message>, Failure> {
        let before = before.map(|message| &message.id);
        let messages = self.store.list_messages(chat, before, limit).await?;
        Ok(messages.into_iter().map(without_parent).collect())
    }

    async fn lookup_message(&self, id: &MessageId) -> Result<Option<Message>, Failure> {
        Ok(self.store.lookup_message(id).await?.map(without_parent))
    }

    async fn search_messages(&self, typed: &str) -> Result<BTreeSet<MessageId>, Failure> {
        let query = HistoryQuery {
            text: typed.to_owned(),
            filter: HistoryFilter::default(),
            limit: 100,
            after: None,
        };
        let hits = self.store.search_history(&query).await?.hits;
        Ok(hits.into_iter().filter_map(|hit| hit.message_id).collect())
    }

    async fn lookup_user_settings(&self) -> Result<UserSettings, Failure> {
        Ok(self.store.lookup_user_settings().await?)
    }

    async fn update_user_settings(&self, settings: &UserSettings) -> Result<UserSettings, Failure> {
        Ok(self.store.update_user_settings(settings).await?)
    }
}

fn without_parent(message: Message) -> Message {
    Message {
        parent: None,
        ..message
    }
}
