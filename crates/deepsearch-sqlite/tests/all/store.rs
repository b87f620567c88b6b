use deepsearch_core::{ErrorCode, Failure, MessageState};
use deepsearch_sqlite::{NewTurn, Store, StoreOptions};

use crate::support::{Home, answered, ask, home};

#[tokio::test]
async fn what_was_written_is_there_after_closing_and_opening() {
    let (home, store) = home().await;
    let turn = answered(&store, "How do magnets work?", "By their fields.").await;
    store.close().await;
    let store = home.open().await;
    assert_eq!(store.lookup_message(&turn.answer.id).await.unwrap(), Some(turn.answer));
}

#[tokio::test]
async fn closing_leaves_one_database_file_and_no_claim_on_it() {
    let (home, store) = home().await;
    answered(&store, "q", "a").await;
    store.close().await;
    let names: Vec<_> = std::fs::read_dir(home.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-opening") && !name.ends_with("-ballast"))
        .collect();
    assert_eq!(names, ["deepsearch.sqlite"]);
}

#[tokio::test]
async fn two_programs_that_write_at_the_same_time_lose_nothing() {
    let (home, first) = home().await;
    let second = home.open().await;
    let chat = answered(&first, "the start", "yes").await.chat;
    let write = |store: Store, name: &'static str| {
        let chat = chat.id.clone();
        tokio::spawn(async move {
            for number in 0..40 {
                let turn = NewTurn {
                    chat: Some(chat.clone()),
                    question: format!("{name} {number}"),
                    ..NewTurn::default()
                };
                let turn = store.begin_answer(turn).await.unwrap();
                store.journal_text(&turn.answer.id, "partly").await.unwrap();
            }
        })
    };
    let (one, two) = tokio::join!(write(first.clone(), "first"), write(second, "second"));
    one.unwrap();
    two.unwrap();

    let mut raw = home.raw().await;
    let (messages, times): (i64, i64) =
        sqlx::query_as("select count(*), count(distinct created_at) from message where chat_id = ?")
            .bind(chat.id.as_str())
            .fetch_one(&mut raw)
            .await
            .unwrap();
    assert_eq!(
        (messages, times),
        (162, 162),
        "2 and 2 × 40 turns, each at a time of its own"
    );
}

#[tokio::test]
async fn many_programs_can_open_a_new_store_at_once() {
    let home = Home::new();
    let opened = futures::future::join_all((0..6).map(|_| home.open())).await;
    answered(&opened[0], "q", "a").await;
    assert_eq!(
        opened[5].list_chats(Default::default(), None, 10).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn opening_does_not_interrupt_what_a_living_program_writes() {
    let (home, first) = home().await;
    let turn = ask(&first, "a long one").await;
    let second = home.open().await;
    let seen = second.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(seen.state, MessageState::Streaming);
    first.journal_text(&turn.answer.id, "still writing").await.unwrap();
}

#[tokio::test]
async fn one_program_cannot_write_the_answer_of_another() {
    let (home, first) = home().await;
    let turn = ask(&first, "mine").await;
    let second = home.open().await;
    let error = second.journal_text(&turn.answer.id, "yours?").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_a_clear_failure() {
    let home = Home::new();
    std::fs::write(home.path(), "not a folder").unwrap();
    let error = Store::open(home.path().join("deepsearch.sqlite"), StoreOptions::default())
        .await
        .unwrap_err();
    let failure = Failure::from(&error);
    assert_eq!(failure.code, ErrorCode::Storage);
    assert!(failure.hint.unwrap().contains("data folder"));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_may_read_the_file_and_its_log() {
    use std::os::unix::fs::PermissionsExt;
    let (home, store) = home().await;
    answered(&store, "private", "indeed").await;
    for suffix in ["", "-wal"] {
        let path = home.path().with_file_name(format!("deepsearch.sqlite{suffix}"));
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "deepsearch.sqlite{suffix}");
    }
}
