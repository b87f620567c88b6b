//! Chats that come from a file, with the pages they rest on: which of them are the file's and which were here.

use chrono::TimeDelta;
use deepsearch_core::{Chat, ChatId, Clock as _, Labels, Message, MessageId, MessageState, Page, Role};
use deepsearch_sqlite::{Imported, ImportedMessage, Store};

use crate::support::{Home, ask, home, journal_pages, page, source};

/// Imports a chat of one answer that rests on these pages.
async fn import(home: &Home, store: &Store, id: &str, pages: &[Page]) -> MessageId {
    let now = home.clock.now();
    let (chat_id, answer) = (
        ChatId::from_stored(format!("chat_{id}")),
        MessageId::from_stored(format!("msg_{id}")),
    );
    let chat = Chat {
        id: chat_id.clone(),
        title: "Towers".into(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: Some(answer.clone()),
    };
    let imported = ImportedMessage {
        message: Message {
            id: answer.clone(),
            chat_id,
            parent: None,
            role: Role::Assistant,
            content: "It is of granite [1].".into(),
            sources: Some(pages.iter().map(source).collect()),
            metadata: None,
            created_at: now,
            state: MessageState::Complete,
        },
        pages: (0..pages.len()).map(|at| (at as u32 + 1, at)).collect(),
        citations: Vec::new(),
        checks: Vec::new(),
        follow_ups: Vec::new(),
    };
    let (came, _) = store
        .import_chat(&chat, &Labels::default(), &[imported], pages)
        .await
        .unwrap();
    assert_eq!(came, Imported::New);
    answer
}

#[tokio::test]
async fn a_page_of_a_file_keeps_its_id_and_the_time_at_which_it_was_read() {
    let (home, store) = home().await;
    let mut old = page("https://example.com/tower", "The tower is of granite.");
    old.fetched_at -= TimeDelta::days(700);
    let answer = import(&home, &store, "one", std::slice::from_ref(&old)).await;
    assert_eq!(store.lookup_page(&old.id).await.unwrap(), Some(old.clone()));
    assert_eq!(store.list_pages_of(&answer).await.unwrap(), [old.clone()]);
    assert_eq!(store.find_page_by_url(&old.url).await.unwrap(), Some(old));
}

#[tokio::test]
async fn a_page_that_was_here_stays_the_one_it_was_and_no_file_makes_it_older() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let here = page("https://example.com/tower", "The tower is of granite.");
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&here)).await;
    let mut theirs = page("https://example.com/tower", "The tower is of granite.");
    theirs.fetched_at -= TimeDelta::days(1);
    let answer = import(&home, &store, "one", std::slice::from_ref(&theirs)).await;
    assert_eq!(store.list_pages_of(&answer).await.unwrap(), std::slice::from_ref(&here));
    assert_eq!(store.lookup_page(&theirs.id).await.unwrap(), None);
    assert_eq!(store.find_page_by_url(&here.url).await.unwrap(), Some(here));
}

#[tokio::test]
async fn a_file_names_no_page_that_is_another_and_none_of_tomorrow() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let here = page("https://example.com/tower", "The tower is of granite.");
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&here)).await;
    let forged = Page {
        id: here.id.clone(),
        fetched_at: home.clock.now() + TimeDelta::days(3),
        ..page("https://example.com/forged", "The tower is of paper.")
    };
    let answer = import(&home, &store, "one", std::slice::from_ref(&forged)).await;
    assert_eq!(
        store.lookup_page(&here.id).await.unwrap(),
        Some(here.clone()),
        "it says what it said"
    );
    let kept = store.list_pages_of(&answer).await.unwrap().remove(0);
    assert_ne!(kept.id, here.id);
    assert_eq!(
        (kept.text.as_str(), kept.fetched_at),
        ("The tower is of paper.", home.clock.now())
    );
}
