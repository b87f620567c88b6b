//! What every store of chats promises, as one suite for the local one and the shared one: `contract::holds(&store)`.
//!
//! A store's tests put it behind [`ChatStore`] and hand over an empty one. Leaves out what only one of them has: branches,
//! pins and the outbox of the local store, the many users of the shared one. Of the search for messages it promises what
//! holds for both; how words are stemmed, ranked and shown is each one's own.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Chat, ChatCursor, ChatId, ErrorCode, Failure, Message, MessageId, MessageMetadata, MessageState, Role, Source,
    UserSettings,
};

/// The operations that both stores have, for one user.
#[async_trait]
pub trait ChatStore: Send + Sync {
    /// Moves the clock that the store goes by.
    fn advance(&self, by: TimeDelta);
    async fn add_chat(&self, chat: &Chat) -> Result<(), Failure>;
    async fn lookup_chat(&self, id: &ChatId) -> Result<Option<Chat>, Failure>;
    /// Of Trash, or of what is not in it.
    async fn list_chats(&self, trash: bool, after: Option<&ChatCursor>, limit: u32) -> Result<Vec<Chat>, Failure>;
    async fn rename_chat(&self, id: &ChatId, title: &str) -> Result<Chat, Failure>;
    async fn delete_chat(&self, id: &ChatId) -> Result<Chat, Failure>;
    async fn restore_chat(&self, id: &ChatId) -> Result<Chat, Failure>;
    async fn delete_chat_forever(&self, id: &ChatId) -> Result<(), Failure>;
    /// Deletes for ever what has been in Trash for longer, and says how many chats that were.
    async fn purge_deleted(&self, older_than: TimeDelta) -> Result<u64, Failure>;
    async fn add_messages(&self, chat: &ChatId, messages: &[Message]) -> Result<u64, Failure>;
    /// In reading order: the newest, or those before a message.
    async fn list_messages(&self, chat: &ChatId, before: Option<&Message>, limit: u32)
    -> Result<Vec<Message>, Failure>;
    async fn lookup_message(&self, id: &MessageId) -> Result<Option<Message>, Failure>;
    /// The messages in which what is typed is found.
    async fn search_messages(&self, typed: &str) -> Result<BTreeSet<MessageId>, Failure>;
    async fn lookup_user_settings(&self) -> Result<UserSettings, Failure>;
    async fn update_user_settings(&self, settings: &UserSettings) -> Result<UserSettings, Failure>;
}

/// Holds an empty store to the promises.
///
/// # Panics
/// When one is broken, with the promise in words.
pub async fn holds(store: &dyn ChatStore) {
    what_is_unknown_is_none_or_said_so(store).await;
    chats_are_listed_by_last_activity_and_a_page_ends_between_equal_times(store).await;
    a_chat_that_is_there_already_stays(store).await;
    renaming_moves_last_activity_and_never_backwards(store).await;
    titles_have_1_to_500_characters(store).await;
    trash_takes_a_chat_out_of_the_list_and_gives_it_back(store).await;
    a_chat_deleted_forever_takes_its_messages_along(store).await;
    trash_is_emptied_of_what_has_been_there_for_long(store).await;
    messages_come_back_as_they_were(store).await;
    times_rise_strictly_within_a_chat(store).await;
    paging_through_messages_loses_and_repeats_none(store).await;
    a_batch_is_added_once_and_whole(store).await;
    a_message_is_found_by_its_words_outside_trash(store).await;
    settings_are_the_defaults_until_chosen(store).await;
}

async fn what_is_unknown_is_none_or_said_so(store: &dyn ChatStore) {
    let (chat, message) = (ChatId::new(), MessageId::new());
    assert_eq!(store.lookup_chat(&chat).await.unwrap(), None);
    assert_eq!(store.lookup_message(&message).await.unwrap(), None);
    assert_eq!(store.list_messages(&chat, None, 10).await.unwrap(), []);
    let failures = [
        store.rename_chat(&chat, "t").await.unwrap_err(),
        store.delete_chat(&chat).await.unwrap_err(),
        store.restore_chat(&chat).await.unwrap_err(),
        store.delete_chat_forever(&chat).await.unwrap_err(),
        store.add_messages(&chat, &chain(&chat, &["m"])).await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.code, ErrorCode::NotFound, "changing an unknown chat says so");
    }
}

async fn chats_are_listed_by_last_activity_and_a_page_ends_between_equal_times(store: &dyn ChatStore) {
    let mut expected: Vec<(DateTime<Utc>, ChatId)> = Vec::new();
    for n in 0..23 {
        let chat = chat_at(n % 5);
        store.add_chat(&chat).await.unwrap();
        expected.push((chat.updated_at, chat.id));
    }
    expected.sort_by(|a, b| b.cmp(a));
    for size in [1, 2, 5, 23, 40] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = store.list_chats(false, after.as_ref(), size).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(ChatCursor::after(last));
            seen.extend(page.into_iter().map(|chat| (chat.updated_at, chat.id)));
        }
        assert_eq!(seen, expected, "pages of {size} chats lose and repeat none");
    }
    for (_, id) in expected {
        store.delete_chat_forever(&id).await.unwrap();
    }
}

async fn a_chat_that_is_there_already_stays(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    assert_eq!(store.lookup_chat(&chat.id).await.unwrap().as_ref(), Some(&chat));
    let other = Chat {
        title: "Another title".into(),
        ..chat.clone()
    };
    store.add_chat(&other).await.unwrap();
    assert_eq!(store.lookup_chat(&chat.id).await.unwrap(), Some(chat));
}

async fn renaming_moves_last_activity_and_never_backwards(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    let renamed = store.rename_chat(&chat.id, "  Named anew ").await.unwrap();
    assert_eq!(renamed.title, "Named anew");
    assert!(renamed.updated_at > chat.updated_at, "renaming is activity");
    store.advance(TimeDelta::hours(-1));
    let again = store.rename_chat(&chat.id, "Once more").await.unwrap();
    assert_eq!(again.updated_at, renamed.updated_at, "never backwards");
    store.advance(TimeDelta::hours(1));
    assert_eq!(store.lookup_chat(&chat.id).await.unwrap(), Some(again));
}

async fn titles_have_1_to_500_characters(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    store.rename_chat(&chat.id, &"é".repeat(500)).await.unwrap();
    for title in ["  ", &"é".repeat(501)] {
        let refused = store.rename_chat(&chat.id, title).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Invalid, "a title has 1 to 500 characters");
        let untitled = Chat {
            title: title.into(),
            ..chat_at(7)
        };
        assert_eq!(store.add_chat(&untitled).await.unwrap_err().code, ErrorCode::Invalid);
        assert_eq!(store.lookup_chat(&untitled.id).await.unwrap(), None);
    }
}

async fn trash_takes_a_chat_out_of_the_list_and_gives_it_back(store: &dyn ChatStore) {
    let chat = chat_at(9);
    store.add_chat(&chat).await.unwrap();
    let deleted = store.delete_chat(&chat.id).await.unwrap();
    assert!(deleted.deleted_at.is_some());
    store.advance(TimeDelta::seconds(5));
    assert_eq!(
        store.delete_chat(&chat.id).await.unwrap(),
        deleted,
        "a chat that is in Trash keeps its time there"
    );
    assert!(!ids(store, false).await.contains(&chat.id));
    assert!(ids(store, true).await.contains(&chat.id));
    let added = store.add_messages(&chat.id, &chain(&chat.id, &["late"])).await.unwrap();
    assert_eq!(added, 1, "what another device wrote before it knew is kept");
    let restored = store.restore_chat(&chat.id).await.unwrap();
    assert_eq!(restored.deleted_at, None);
    assert!(ids(store, false).await.contains(&chat.id));
    assert!(!ids(store, true).await.contains(&chat.id));
}

async fn a_chat_deleted_forever_takes_its_messages_along(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    let messages = chain(&chat.id, &["a", "b"]);
    store.add_messages(&chat.id, &messages).await.unwrap();
    store.delete_chat_forever(&chat.id).await.unwrap();
    assert_eq!(store.lookup_chat(&chat.id).await.unwrap(), None);
    assert_eq!(store.lookup_message(&messages[0].id).await.unwrap(), None);
    assert_eq!(store.list_messages(&chat.id, None, 10).await.unwrap(), []);
}

async fn trash_is_emptied_of_what_has_been_there_for_long(store: &dyn ChatStore) {
    // What others have left there.
    store.purge_deleted(TimeDelta::milliseconds(-1)).await.unwrap();
    let [long, lately, never] = [chat_at(7), chat_at(7), chat_at(7)];
    for chat in [&long, &lately, &never] {
        store.add_chat(chat).await.unwrap();
    }
    let messages = chain(&long.id, &["a"]);
    store.add_messages(&long.id, &messages).await.unwrap();
    store.delete_chat(&long.id).await.unwrap();
    store.advance(TimeDelta::days(2));
    store.delete_chat(&lately.id).await.unwrap();
    assert_eq!(store.purge_deleted(TimeDelta::days(3)).await.unwrap(), 0);
    assert_eq!(store.purge_deleted(TimeDelta::days(1)).await.unwrap(), 1);
    assert_eq!(store.lookup_chat(&long.id).await.unwrap(), None);
    assert_eq!(store.lookup_message(&messages[0].id).await.unwrap(), None);
    assert!(ids(store, true).await.contains(&lately.id));
    assert!(ids(store, false).await.contains(&never.id));
}

async fn messages_come_back_as_they_were(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    let mut message = chain(&chat.id, &["straße 東京 'quoted' \"twice\" \\ %_ 🦀\n\n```rust\n```"]).remove(0);
    message.role = Role::Assistant;
    message.metadata = Some(metadata());
    message.sources = Some(vec![Source {
        title: "T".into(),
        url: "https://example.com/".into(),
        snippet: String::new(),
        favicon: Some("https://example.com/favicon.ico".into()),
    }]);
    store
        .add_messages(&chat.id, std::slice::from_ref(&message))
        .await
        .unwrap();
    let read = store.lookup_message(&message.id).await.unwrap();
    assert_eq!(read, Some(message.clone()), "a message comes back as it was");
    assert_eq!(store.list_messages(&chat.id, None, 10).await.unwrap(), [message]);
}

async fn times_rise_strictly_within_a_chat(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    let messages = chain(&chat.id, &["1", "2", "3", "4"]);
    let (first, second) = messages.split_at(2);
    store.add_messages(&chat.id, first).await.unwrap();
    store.add_messages(&chat.id, second).await.unwrap();
    let added = store.list_messages(&chat.id, None, 10).await.unwrap();
    assert_eq!(contents(&added), ["1", "2", "3", "4"]);
    assert_eq!(added[0].created_at, messages[0].created_at, "the first keeps its time");
    assert!(
        added.windows(2).all(|pair| pair[0].created_at < pair[1].created_at),
        "times rise strictly within a chat, also between batches"
    );
    let touched = store.lookup_chat(&chat.id).await.unwrap().unwrap();
    assert_eq!(
        touched.updated_at, added[3].created_at,
        "the chat's last activity moves along"
    );
}

async fn paging_through_messages_loses_and_repeats_none(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    let texts: Vec<String> = (0..31).map(|n| n.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    store.add_messages(&chat.id, &chain(&chat.id, &texts)).await.unwrap();
    for size in [1, 4, 30, 31, 50] {
        let mut seen: Vec<String> = Vec::new();
        let mut before: Option<Message> = None;
        loop {
            let page = store.list_messages(&chat.id, before.as_ref(), size).await.unwrap();
            let Some(first) = page.first() else { break };
            seen.splice(0..0, contents(&page).into_iter().map(str::to_owned));
            before = Some(first.clone());
        }
        assert_eq!(seen, texts, "pages of {size} messages lose and repeat none");
    }
    assert_eq!(store.list_messages(&chat.id, None, 0).await.unwrap(), []);
}

async fn a_batch_is_added_once_and_whole(store: &dyn ChatStore) {
    let chat = chat_at(7);
    store.add_chat(&chat).await.unwrap();
    let mut batch = chain(&chat.id, &["a", "b", "c"]);
    assert_eq!(store.add_messages(&chat.id, &batch[..2]).await.unwrap(), 2);
    assert_eq!(
        store.add_messages(&chat.id, &batch).await.unwrap(),
        1,
        "only the new one"
    );
    assert_eq!(store.add_messages(&chat.id, &[]).await.unwrap(), 0);

    let mut spoilt = chain(&chat.id, &["d", "e"]);
    spoilt[1].content = " \n".into();
    batch.append(&mut spoilt);
    let refused = store.add_messages(&chat.id, &batch).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Invalid, "a message has content");
    let kept = store.list_messages(&chat.id, None, 10).await.unwrap();
    assert_eq!(
        contents(&kept),
        ["a", "b", "c"],
        "of a batch with a bad message none is added"
    );
}

async fn a_message_is_found_by_its_words_outside_trash(store: &dyn ChatStore) {
    let [chat, other] = [chat_at(7), chat_at(8)];
    let said = chain(&chat.id, &["The Zorvane lighthouse is 61 metres high.", "Thank you."]);
    let elsewhere = chain(&other.id, &["Who built Zorvane?"]);
    for (chat, messages) in [(&chat, &said), (&other, &elsewhere)] {
        store.add_chat(chat).await.unwrap();
        store.add_messages(&chat.id, messages).await.unwrap();
    }
    let found = |of: &[&Message]| of.iter().map(|message| message.id.clone()).collect::<BTreeSet<_>>();
    let both = found(&[&said[0], &elsewhere[0]]);
    for typed in ["zorvane", "ZORVANE"] {
        assert_eq!(
            store.search_messages(typed).await.unwrap(),
            both,
            "whatever its capitals"
        );
    }
    assert_eq!(
        store.search_messages("lighthouse zorvane").await.unwrap(),
        found(&[&said[0]]),
        "all of the words"
    );
    for typed in ["quixotic", "", "?!"] {
        assert_eq!(
            store.search_messages(typed).await.unwrap(),
            found(&[]),
            "`{typed}` finds nothing"
        );
    }
    store.delete_chat(&chat.id).await.unwrap();
    assert_eq!(
        store.search_messages("zorvane").await.unwrap(),
        found(&[&elsewhere[0]]),
        "outside Trash"
    );
    store.restore_chat(&chat.id).await.unwrap();
    assert_eq!(store.search_messages("zorvane").await.unwrap(), both);
    for chat in [&chat, &other] {
        store.delete_chat_forever(&chat.id).await.unwrap();
    }
    assert_eq!(store.search_messages("zorvane").await.unwrap(), found(&[]));
}

async fn settings_are_the_defaults_until_chosen(store: &dyn ChatStore) {
    assert_eq!(store.lookup_user_settings().await.unwrap(), UserSettings::default());
    let chosen = UserSettings {
        theme: "light".into(),
        language: "de".into(),
        default_model: Some("ollama/llama3".into()),
        enable_search_by_default: false,
        max_search_results: 25,
        updated_at: None,
    };
    let first = store.update_user_settings(&chosen).await.unwrap();
    assert_eq!(store.lookup_user_settings().await.unwrap(), first);
    let without_time = UserSettings {
        updated_at: None,
        ..first.clone()
    };
    assert_eq!(without_time, chosen);
    store.advance(TimeDelta::hours(-1));
    let second = store.update_user_settings(&chosen).await.unwrap();
    assert!(second.updated_at > first.updated_at, "also when the clock was set back");
    store.advance(TimeDelta::hours(1));

    let spoilt = UserSettings {
        theme: "x".repeat(21),
        ..chosen
    };
    let refused = store.update_user_settings(&spoilt).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Invalid);
    assert_eq!(store.lookup_user_settings().await.unwrap(), second);
}

/// A chat that was last active so many milliseconds after a day in the past.
fn chat_at(millis: i64) -> Chat {
    let at = DateTime::from_timestamp_millis(1_600_000_000_000 + millis).expect("a time that calendars know");
    Chat {
        id: ChatId::new(),
        title: "A chat".into(),
        created_at: at,
        updated_at: at,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    }
}

/// Messages that follow one another, all with one time.
fn chain(chat: &ChatId, contents: &[&str]) -> Vec<Message> {
    let messages = contents.iter().map(|content| Message {
        id: MessageId::new(),
        chat_id: chat.clone(),
        parent: None,
        role: Role::User,
        content: (*content).to_owned(),
        sources: None,
        metadata: None,
        created_at: DateTime::from_timestamp_millis(1_600_000_100_000).expect("a time that calendars know"),
        state: MessageState::Complete,
    });
    messages.collect()
}

fn metadata() -> MessageMetadata {
    let json = serde_json::json!({
        "searchQuery": "q", "crawledUrls": ["https://example.com/"], "model": "m",
        "tokens": { "prompt": 1, "completion": 2, "total": 3 }, "processingTime": 12.5,
        "colour": { "of": ["the", "web app", null] }
    });
    serde_json::from_value(json).expect("metadata as the web app writes it")
}

fn contents(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_str()).collect()
}

async fn ids(store: &dyn ChatStore, trash: bool) -> BTreeSet<ChatId> {
    let chats = store.list_chats(trash, None, 50).await.unwrap();
    chats.into_iter().map(|chat| chat.id).collect()
}
