//! The store behind the suite that the local store keeps too.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use deepsearch_core::contract::{self, ChatStore};
use deepsearch_core::{Chat, ChatCursor, ChatId, Failure, Message, MessageId, UserId, UserSettings};
use deepsearch_postgres::{ChatList, MessageCursor, SharedDatabase};

use crate::support::{TestClock, home};

pub(crate) struct Shared {
    pub(crate) database: SharedDatabase,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) user: UserId,
}

#[tokio::test]
async fn the_shared_store_keeps_the_contract_of_both_stores() {
    let Some(home) = home().await else { return };
    // Somebody else's chats, which the suite must never meet.
    let stranger = home.user().await;
    let chat = home.chat(&stranger).await;
    let user = home.user().await;
    let shared = Shared {
        database: home.database.clone(),
        clock: home.clock.clone(),
        user,
    };
    contract::holds(&shared).await;
    assert!(home.database.lookup_chat(&stranger, &chat).await.unwrap().is_some());
}

#[async_trait]
impl ChatStore for Shared {
    fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    async fn add_chat(&self, chat: &Chat) -> Result<(), Failure> {
        Ok(self.database.add_chat(&self.user, chat).await?)
    }

    async fn lookup_chat(&self, id: &ChatId) -> Result<Option<Chat>, Failure> {
        Ok(self.database.lookup_chat(&self.user, id).await?)
    }

    async fn list_chats(&self, trash: bool, after: Option<&ChatCursor>, limit: u32) -> Result<Vec<Chat>, Failure> {
        let which = if trash { ChatList::Trash } else { ChatList::Active };
        Ok(self.database.list_chats(&self.user, which, after, limit).await?)
    }

    async fn rename_chat(&self, id: &ChatId, title: &str) -> Result<Chat, Failure> {
        Ok(self.database.rename_chat(&self.user, id, title).await?)
    }

    async fn delete_chat(&self, id: &ChatId) -> Result<Chat, Failure> {
        Ok(self.database.delete_chat(&self.user, id).await?)
    }

    async fn restore_chat(&self, id: &ChatId) -> Result<Chat, Failure> {
        Ok(self.database.restore_chat(&self.user, id).await?)
    }

    async fn delete_chat_forever(&self, id: &ChatId) -> Result<(), Failure> {
        Ok(self.database.delete_chat_forever(&self.user, id).await?)
    }

    async fn add_messages(&self, chat: &ChatId, messages: &[Message]) -> Result<u64, Failure> {
        Ok(self.database.add_messages(&self.user, chat, messages).await?)
    }

    async fn list_messages(
        &self,
        chat: &ChatId,
        before: Option<&Message>,
        limit: u32,
    ) -> Result<Vec<Message>, Failure> {
        let before = before.map(MessageCursor::before);
        Ok(self
            .database
            .list_messages(&self.user, chat, before.as_ref(), limit)
            .await?)
    }

    async fn lookup_message(&self, id: &MessageId) -> Result<Option<Message>, Failure> {
        Ok(self.database.lookup_message(&self.user, id).await?)
    }

    async fn lookup_user_settings(&self) -> Result<UserSettings, Failure> {
        Ok(self.database.lookup_user_settings(&self.user).await?)
    }

    async fn update_user_settings(&self, settings: &UserSettings) -> Result<UserSettings, Failure> {
        Ok(self.database.update_user_settings(&self.user, settings).await?)
    }
}
