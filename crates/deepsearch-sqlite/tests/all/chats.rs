use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{Chat, ChatId, ErrorCode};
use deepsearch_sqlite::{ChatCursor, ChatFilter, ChatView, Entity, Operation, Store};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::{answered, ask, complete, follow_up, home, journal_pages, page};

fn chat_at(millis: i64) -> Chat {
    let time = DateTime::from_timestamp_millis(millis).unwrap();
    Chat {
        id: ChatId::new(),
        title: "A chat".into(),
        created_at: time,
        updated_at: time,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    }
}

async fn list(store: &Store, view: ChatView) -> Vec<ChatId> {
    let chats = store.list_chats(ChatFilter::of(view), None, 100).await.unwrap();
    chats.into_iter().map(|chat| chat.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn paging_through_chats_loses_and_repeats_none(
        times in proptest::collection::vec(0_i64..4, 0..30),
        page_size in 1_u32..7,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_home, store) = home().await;
            let mut expected = Vec::new();
            for time in times {
                let chat = chat_at(1_000 + time);
                store.add_chat(&chat).await.unwrap();
                expected.push((chat.updated_at, chat.id));
            }
            expected.sort_by(|a, b| b.cmp(a));

            let mut seen: Vec<(DateTime<Utc>, ChatId)> = Vec::new();
            let mut cursor = None;
            loop {
                let page = store.list_chats(ChatFilter::default(), cursor.as_ref(), page_size).await.unwrap();
                let Some(last) = page.last() else { break };
                cursor = Some(ChatCursor::after(last));
                seen.extend(page.into_iter().map(|chat| (chat.updated_at, chat.id)));
            }
            assert_eq!(seen, expected);
        });
    }
}

#[tokio::test]
async fn a_chat_that_comes_up_while_paging_hides_no_other() {
    let (_home, store) = home().await;
    let chats: Vec<Chat> = (0..6).map(|number| chat_at(1_000 + number)).collect();
    for chat in &chats {
        store.add_chat(chat).await.unwrap();
    }
    let first = store.list_chats(ChatFilter::default(), None, 3).await.unwrap();
    store.rename_chat(&chats[0].id, "Moved to the top").await.unwrap();
    let cursor = ChatCursor::after(first.last().unwrap());
    let second = store.list_chats(ChatFilter::default(), Some(&cursor), 3).await.unwrap();
    let seen: BTreeSet<_> = first.iter().chain(&second).map(|chat| &chat.id).collect();
    assert!(chats[1..].iter().all(|chat| seen.contains(&chat.id)));
}

#[tokio::test]
async fn a_chat_is_named_after_its_question_and_listed_by_last_activity() {
    let (home, store) = home().await;
    let old = answered(&store, "Why is the sky blue?", "Rayleigh.").await;
    home.clock.advance(TimeDelta::seconds(1));
    let new = answered(&store, "Why is grass green?", "Chlorophyll.").await;
    assert_eq!(old.chat.title, "Why is the sky blue?");
    assert_eq!(
        list(&store, ChatView::Active).await,
        [new.chat.id.clone(), old.chat.id.clone()]
    );

    home.clock.advance(TimeDelta::seconds(1));
    follow_up(&store, &old, "And at night?", "Then not.").await;
    assert_eq!(list(&store, ChatView::Active).await, [old.chat.id, new.chat.id]);
}

#[tokio::test]
async fn each_view_holds_its_chats_and_no_others() {
    let (_home, store) = home().await;
    let [plain, pinned, archived, deleted, both] = [0, 1, 2, 3, 4].map(|number| chat_at(1_000 + number));
    for chat in [&plain, &pinned, &archived, &deleted, &both] {
        store.add_chat(chat).await.unwrap();
    }
    store.pin_chat(&pinned.id, true).await.unwrap();
    store.archive_chat(&archived.id, true).await.unwrap();
    store.delete_chat(&deleted.id).await.unwrap();
    store.pin_chat(&both.id, true).await.unwrap();
    store.archive_chat(&both.id, true).await.unwrap();

    assert_eq!(
        list(&store, ChatView::Active).await,
        [pinned.id.clone(), plain.id.clone()]
    );
    assert_eq!(list(&store, ChatView::Pinned).await, std::slice::from_ref(&pinned.id));
    assert_eq!(
        list(&store, ChatView::Archived).await,
        [both.id.clone(), archived.id.clone()]
    );
    assert_eq!(list(&store, ChatView::Trash).await, std::slice::from_ref(&deleted.id));

    store.restore_chat(&deleted.id).await.unwrap();
    store.archive_chat(&both.id, false).await.unwrap();
    assert_eq!(list(&store, ChatView::Trash).await, []);
    assert_eq!(list(&store, ChatView::Pinned).await, [both.id, pinned.id]);
}

#[tokio::test]
async fn last_activity_never_moves_backwards() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    home.clock.advance(TimeDelta::hours(-5));
    let renamed = store
        .rename_chat(&turn.chat.id, "Later, on an earlier clock")
        .await
        .unwrap();
    assert!(renamed.updated_at >= turn.chat.updated_at);
    let next = follow_up(&store, &turn, "q2", "a2").await;
    assert!(next.chat.updated_at > turn.chat.updated_at);
    assert!(next.question.created_at > turn.answer.created_at);
}

#[rstest]
#[case::empty("  ", false)]
#[case::longest(&"é".repeat(500), true)]
#[case::too_long(&"é".repeat(501), false)]
#[tokio::test]
async fn titles_have_1_to_500_characters(#[case] title: &str, #[case] is_kept: bool) {
    let (_home, store) = home().await;
    let chat = ask(&store, "before").await.chat;
    let renamed = store.rename_chat(&chat.id, title).await;
    assert_eq!(renamed.is_ok(), is_kept);
    let kept = store.lookup_chat(&chat.id).await.unwrap().unwrap().title;
    assert_eq!(kept, if is_kept { title } else { "before" });
}

#[tokio::test]
async fn changing_an_unknown_chat_says_so_and_leaves_no_trace() {
    let (_home, store) = home().await;
    let unknown = ChatId::new();
    let errors = [
        store.rename_chat(&unknown, "t").await.unwrap_err(),
        store.pin_chat(&unknown, true).await.unwrap_err(),
        store.archive_chat(&unknown, true).await.unwrap_err(),
        store.delete_chat(&unknown).await.unwrap_err(),
        store.restore_chat(&unknown).await.unwrap_err(),
        store.delete_chat_forever(&unknown).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert!(error.to_string().contains(unknown.as_str()));
    }
    assert_eq!(store.lookup_chat(&unknown).await.unwrap(), None);
    assert_eq!(store.count_outbox().await.unwrap(), 0);
}

#[tokio::test]
async fn trash_is_emptied_of_what_has_been_there_for_30_days_and_of_nothing_else() {
    let (home, store) = home().await;
    let old = answered(&store, "old", "a").await.chat;
    let young = answered(&store, "young", "a").await.chat;
    let kept = answered(&store, "kept", "a").await.chat;
    store.delete_chat(&old.id).await.unwrap();
    home.clock.advance(TimeDelta::days(2));
    store.delete_chat(&young.id).await.unwrap();
    // Deleting again does not start the 30 days anew.
    store.delete_chat(&old.id).await.unwrap();
    home.clock.advance(TimeDelta::days(29));

    assert_eq!(store.purge_deleted(TimeDelta::days(30)).await.unwrap(), 1);
    assert_eq!(store.lookup_chat(&old.id).await.unwrap(), None);
    assert!(store.lookup_chat(&young.id).await.unwrap().is_some());
    assert!(store.lookup_chat(&kept.id).await.unwrap().is_some());
    assert_eq!(store.list_messages(&old.id, None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_chat_deleted_for_ever_takes_only_its_own_pages_along() {
    let (_home, store) = home().await;
    let shared = page("https://example.com/shared", "Both read this.");
    let own = page("https://example.com/own", "Only one read this.");
    let doomed = ask(&store, "one").await;
    journal_pages(&store, &doomed.answer.id, &[shared.clone(), own.clone()]).await;
    store.finish_answer(&doomed.answer.id, complete("Yes.")).await.unwrap();
    let other = ask(&store, "two").await;
    journal_pages(&store, &other.answer.id, std::slice::from_ref(&shared)).await;

    store.delete_chat_forever(&doomed.chat.id).await.unwrap();
    assert!(store.lookup_page(&shared.id).await.unwrap().is_some());
    assert_eq!(store.lookup_page(&own.id).await.unwrap(), None);
}

#[tokio::test]
async fn of_a_chat_deleted_for_ever_only_its_deletion_is_synced() {
    let (_home, store) = home().await;
    let chat = answered(&store, "q", "a").await.chat;
    store.delete_chat_forever(&chat.id).await.unwrap();
    let outbox = store.list_outbox(10).await.unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(
        (outbox[0].entity, outbox[0].operation),
        (Entity::Chat, Operation::Delete)
    );
    assert_eq!(outbox[0].entity_id, chat.id.as_str());
}
