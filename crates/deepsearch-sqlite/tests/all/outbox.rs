use deepsearch_core::UserSettings;
use deepsearch_sqlite::{Entity, Operation, OutboxEntry, Store};
use sqlx::AssertSqlSafe;

use crate::support::{answered, ask, complete, home, journal_pages, page};

async fn entries(store: &Store) -> Vec<OutboxEntry> {
    store.list_outbox(100).await.unwrap()
}

#[tokio::test]
async fn each_change_leaves_a_row_and_a_later_one_replaces_it() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let settings = UserSettings {
        theme: "light".into(),
        ..UserSettings::default()
    };
    store.update_user_settings(&settings).await.unwrap();
    let before = entries(&store).await;
    let seen: Vec<(Entity, &str)> = before
        .iter()
        .map(|entry| (entry.entity, entry.entity_id.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Entity::Message, turn.question.id.as_str()),
            (Entity::Message, turn.answer.id.as_str()),
            (Entity::Chat, turn.chat.id.as_str()),
            (Entity::UserSettings, "theme"),
        ]
    );
    store.rename_chat(&turn.chat.id, "Another").await.unwrap();
    store.pin_chat(&turn.chat.id, true).await.unwrap();
    let after = entries(&store).await;
    assert_eq!(after.len(), before.len());
    assert_eq!(after[3].entity_id, turn.chat.id.as_str());
    assert!(after[3].seq > before[3].seq);
    assert!(after.iter().all(|entry| entry.operation == Operation::Upsert));
}

#[tokio::test]
async fn acknowledging_what_was_sent_keeps_what_has_changed_since() {
    let (_home, store) = home().await;
    let chat = answered(&store, "q", "a").await.chat;
    let sent = entries(&store).await;
    store.rename_chat(&chat.id, "Renamed while sending").await.unwrap();
    store.delete_outbox(sent.last().unwrap().seq).await.unwrap();
    let left = entries(&store).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].entity_id, chat.id.as_str());
    assert_eq!(store.count_outbox().await.unwrap(), 1);
}

#[tokio::test]
async fn numbers_are_not_used_again_after_the_outbox_was_emptied() {
    let (_home, store) = home().await;
    let chat = answered(&store, "q", "a").await.chat;
    let last = entries(&store).await.last().unwrap().seq;
    store.delete_outbox(last).await.unwrap();
    store.pin_chat(&chat.id, true).await.unwrap();
    assert!(entries(&store).await[0].seq > last);
}

#[tokio::test]
async fn an_answer_is_not_synced_before_it_has_ended() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    store.journal_text(&turn.answer.id, "so far").await.unwrap();
    let is_noted = |entries: &[OutboxEntry]| entries.iter().any(|entry| entry.entity_id == turn.answer.id.as_str());
    assert!(!is_noted(&entries(&store).await));
    store
        .finish_answer(&turn.answer.id, crate::support::interrupted("so far"))
        .await
        .unwrap();
    assert!(is_noted(&entries(&store).await));
    store.begin_continue(&turn.answer.id).await.unwrap();
    assert!(!is_noted(&entries(&store).await));
    store
        .finish_answer(&turn.answer.id, complete("so far, so good"))
        .await
        .unwrap();
    assert!(is_noted(&entries(&store).await));
}

/// Makes every further write to a table fail, as a full disk would in the middle of a transaction.
async fn forbid(home: &crate::support::Home, table: &str) {
    let mut raw = home.raw().await;
    let trigger = format!(
        "create trigger forbidden before insert on {table} begin select raise(abort, 'forbidden by the test'); end"
    );
    sqlx::query(AssertSqlSafe(trigger)).execute(&mut raw).await.unwrap();
}

#[tokio::test]
async fn a_change_that_cannot_be_noted_is_not_made() {
    let (home, store) = home().await;
    let turn = ask(&store, "before").await;
    forbid(&home, "outbox").await;
    store.rename_chat(&turn.chat.id, "after").await.unwrap_err();
    store.delete_chat(&turn.chat.id).await.unwrap_err();
    store.finish_answer(&turn.answer.id, complete("a")).await.unwrap_err();
    let unchanged = store.lookup_chat(&turn.chat.id).await.unwrap().unwrap();
    assert_eq!((unchanged.title.as_str(), unchanged.deleted_at), ("before", None));
    assert_eq!(store.lookup_message(&turn.answer.id).await.unwrap(), Some(turn.answer));
    assert_eq!(store.list_messages(&turn.chat.id, None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_that_fails_half_way_leaves_no_row() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let source = page("https://example.com/", "A sentence.");
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&source)).await;
    store.journal_text(&turn.answer.id, "kept").await.unwrap();
    let before = entries(&store).await;
    forbid(&home, "sentence_check").await;
    let mut finished = complete("The answer.");
    finished.checks = vec![deepsearch_core::SentenceCheck {
        sentence: deepsearch_core::Span::new(0, 11),
        verdict: deepsearch_core::Verdict::NotFound,
        evidence: None,
    }];
    store.finish_answer(&turn.answer.id, finished).await.unwrap_err();
    assert_eq!(entries(&store).await, before);
    assert_eq!(
        store.lookup_message(&turn.answer.id).await.unwrap().unwrap().content,
        "kept"
    );
}
