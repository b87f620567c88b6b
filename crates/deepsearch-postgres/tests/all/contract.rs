//! The store behind the suite that the local store keeps too.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use deepsearch_core::contract::{self, ChatStore};
use deepsearch_core::sync::{EntityKind, FeedCursor, SyncRemote as _};
use deepsearch_core::{Chat, ChatCursor, ChatId, Failure, Message, MessageId, UserId, UserSettings};
use deepsearch_postgres::{ChatList, MessageCursor, SharedDatabase, SharedSync, Table};

use crate::device::device;
use crate::support::{TestClock, home, home_that_sorts_as_german};

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

/// Letters, case and signs are in another order there than their bytes are.
#[tokio::test]
async fn a_database_that_sorts_as_a_language_does_keeps_it_too() {
    let Some(home) = home_that_sorts_as_german().await else {
        return;
    };
    let user = home.user().await;
    let shared = Shared {
        database: home.database.clone(),
        clock: home.clock.clone(),
        user: user.clone(),
    };
    contract::holds(&shared).await;
    assert_eq!(home.database.check().await.unwrap(), []);

    // Ids that a web app may give, at the same moment.
    let user = home.user().await;
    let names = ["a", "B", "c", "-d", "_e", "É", "Z", "z", "ä", "1", "10", "2"];
    let mut raw = home.raw().await;
    for name in names {
        sqlx::query(
            r#"with chat as (insert into "ai-app-template_chat" (id, user_id, title, created_at, updated_at)
                values ('chat' || $1, $2, 'x', 'epoch', 'epoch'))
            insert into "ai-app-template_message" (id, chat_id, role, content, created_at)
            values ('message' || $1, 'chata', 'user', 'x', 'epoch')"#,
        )
        .bind(name)
        .bind(user.as_str())
        .execute(&mut raw)
        .await
        .unwrap();
    }
    let (mut chats, mut messages, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let chat = ChatId::from_stored("chata");
    for _ in names {
        let after = chats.last().map(ChatCursor::after);
        chats.extend(
            home.database
                .list_chats(&user, ChatList::Active, after.as_ref(), 1)
                .await
                .unwrap(),
        );
        let before = messages.last().map(MessageCursor::before);
        messages.extend(
            home.database
                .list_messages(&user, &chat, before.as_ref(), 1)
                .await
                .unwrap(),
        );
        let after = rows.last().cloned();
        rows.extend(
            home.database
                .list_rows(Table::Message, after.as_ref(), 1)
                .await
                .unwrap()
                .next,
        );
    }
    let ids: BTreeSet<_> = chats.iter().map(|chat| chat.id.as_str()).collect();
    assert_eq!((ids.len(), chats.len()), (names.len(), names.len()), "{ids:?}");
    let ids: BTreeSet<_> = messages.iter().map(|message| message.id.as_str()).collect();
    assert_eq!((ids.len(), messages.len()), (names.len(), names.len()), "{ids:?}");
    let keys: BTreeSet<_> = rows.iter().map(|key| &key.0).collect();
    assert_eq!(keys.len(), rows.len());

    // A device's, which both sides compare by bytes.
    let device = SharedSync::new(device(&home, &user).await);
    let (mut ids, mut pulled) = (Vec::<String>::new(), BTreeSet::new());
    let mut cursor = FeedCursor::default();
    loop {
        let page = device
            .list_ids(EntityKind::Message, ids.last().map(String::as_str), 1)
            .await
            .unwrap();
        ids.extend(page.ids);
        if !page.has_more {
            break;
        }
    }
    assert!(ids.is_sorted() && ids.len() == names.len(), "{ids:?}");
    loop {
        let page = device.pull(cursor, 1).await.unwrap();
        pulled.extend(page.changes.iter().map(|change| format!("{change:?}")));
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(pulled.len(), 2 * names.len(), "{pulled:?}");
    let (mut recent, mut mark) = (BTreeSet::new(), None);
    loop {
        let page = device.list_recent(Default::default(), mark.as_ref(), 1).await.unwrap();
        recent.extend(page.rows.iter().map(|row| format!("{row:?}")));
        mark = page.next;
        if mark.is_none() {
            break;
        }
    }
    assert_eq!(recent.len(), 2 * names.len(), "{recent:?}");
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

    async fn purge_deleted(&self, older_than: TimeDelta) -> Result<u64, Failure> {
        Ok(self.database.purge_deleted_chats(&self.user, older_than).await?)
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

    async fn search_messages(&self, typed: &str) -> Result<BTreeSet<MessageId>, Failure> {
        let hits = self.database.search_messages(&self.user, typed, 100).await?;
        Ok(hits.into_iter().map(|hit| hit.message_id).collect())
    }

    async fn lookup_user_settings(&self) -> Result<UserSettings, Failure> {
        Ok(self.database.lookup_user_settings(&self.user).await?)
    }

    async fn update_user_settings(&self, settings: &UserSettings) -> Result<UserSettings, Failure> {
        Ok(self.database.update_user_settings(&self.user, settings).await?)
    }
}
