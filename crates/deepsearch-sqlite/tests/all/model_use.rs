use chrono::TimeDelta;
use deepsearch_core::{MessageMetadata, MessageState, TokenUsage};
use deepsearch_sqlite::{ChatUse, FinishedAnswer, ModelUse, Store, Turn};
use sqlx::AssertSqlSafe;

use crate::support::{Home, ask, complete, home};

/// An answer of a model that told what it used.
async fn answered(store: &Store, question: &str, model: &str, tokens: (u32, u32)) -> Turn {
    let turn = ask(store, question).await;
    let finished = told(complete("An answer."), model, tokens);
    store.finish_answer(&turn.answer.id, finished).await.unwrap();
    turn
}

fn spent(model: &str, (prompt, completion): (u32, u32), before: Option<&MessageMetadata>) -> MessageMetadata {
    let mut metadata = MessageMetadata {
        model: Some(model.into()),
        ..MessageMetadata::default()
    };
    let tokens = TokenUsage {
        prompt,
        completion,
        total: prompt + completion,
    };
    metadata.book(before, tokens);
    metadata
}

fn told(finished: FinishedAnswer, model: &str, tokens: (u32, u32)) -> FinishedAnswer {
    let metadata = spent(model, tokens, None);
    FinishedAnswer {
        metadata: Some(metadata),
        ..finished
    }
}

fn used(model: &str, answers: u32, prompt: u64, completion: u64) -> ModelUse {
    ModelUse {
        model: model.into(),
        answers,
        prompt,
        completion,
    }
}

async fn months(store: &Store, month: Option<&str>) -> Vec<(String, ModelUse)> {
    let rows = store.list_month_use(month, 100).await.unwrap();
    rows.into_iter().map(|row| (row.month, row.of)).collect()
}

#[tokio::test]
async fn tokens_are_counted_by_month_and_model_and_stay_counted_when_the_chat_is_gone() {
    let (home, store) = home().await;
    let first = answered(&store, "a", "openai/x", (100, 10)).await;
    answered(&store, "b", "openai/x", (50, 5)).await;
    answered(&store, "c", "ollama/y", (7, 1)).await;
    // From 14 November 2023 into December.
    home.clock.advance(TimeDelta::days(20));
    answered(&store, "d", "openai/x", (1, 1)).await;
    store.delete_chat_forever(&first.chat.id).await.unwrap();
    assert_eq!(
        months(&store, None).await,
        [
            ("2023-12".into(), used("openai/x", 1, 1, 1)),
            ("2023-11".into(), used("openai/x", 2, 150, 15)),
            ("2023-11".into(), used("ollama/y", 1, 7, 1)),
        ]
    );
    assert_eq!(months(&store, Some("2023-12")).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_goes_on_is_counted_once_and_to_each_model_what_it_used() {
    let (_home, store) = home().await;
    let turn = ask(&store, "a").await;
    let id = &turn.answer.id;
    let stopped = |text: &str, model: &str, tokens| {
        let cut = FinishedAnswer {
            state: MessageState::Interrupted,
            ..complete(text)
        };
        told(cut, model, tokens)
    };
    store
        .finish_answer(id, stopped("A", "openai/x", (20, 2)))
        .await
        .unwrap();
    store.begin_continue(id).await.unwrap();
    store
        .finish_answer(id, stopped("An", "openai/x", (50, 5)))
        .await
        .unwrap();
    store.begin_continue(id).await.unwrap();
    let before = spent("openai/x", (50, 5), None);
    let whole = FinishedAnswer {
        metadata: Some(spent("ollama/y", (20, 4), Some(&before))),
        ..complete("An answer.")
    };
    store.finish_answer(id, whole).await.unwrap();
    assert_eq!(
        months(&store, None).await,
        [
            ("2023-11".into(), used("openai/x", 1, 50, 5)),
            ("2023-11".into(), used("ollama/y", 1, 20, 4)),
        ]
    );
    let chat = store.list_chat_use(Some(&turn.chat.id), 10).await.unwrap();
    let of_chat: Vec<ModelUse> = chat.into_iter().map(|row| row.of).collect();
    assert_eq!(of_chat, [used("openai/x", 1, 50, 5), used("ollama/y", 1, 20, 4)]);
}

#[tokio::test]
async fn metadata_of_any_kind_is_passed_by_in_what_chats_used() {
    let (home, store) = home().await;
    let chat = answered(&store, "a", "openai/x", (10, 1)).await.chat.id;
    let mut raw = home.raw().await;
    for odd in [
        "null",
        "'no json'",
        "'[1]'",
        "'{\"model\":5,\"tokens\":{\"prompt\":1,\"completion\":1}}'",
        "'{\"model\":\"m\",\"tokens\":{\"prompt\":\"many\"}}'",
        "'{\"model\":\"m\",\"tokens\":\"many\"}'",
        "'{\"tokensByModel\":{\"m\":\"many\",\"n\":{\"prompt\":1}}}'",
    ] {
        let odd = format!("update message set metadata = {odd} where role = 'assistant'");
        sqlx::raw_sql(AssertSqlSafe(odd)).execute(&mut raw).await.unwrap();
        assert_eq!(store.list_chat_use(Some(&chat), 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn chats_are_told_by_what_they_used_and_one_without_a_word_of_it_is_not() {
    let (_home, store) = home().await;
    let little = answered(&store, "little", "openai/x", (10, 1)).await;
    let much = answered(&store, "much", "openai/x", (1_000, 100)).await;
    crate::support::answered(&store, "untold", "Nobody says.").await;
    let chats = store.list_chat_use(None, 10).await.unwrap();
    let told: Vec<_> = chats.iter().map(|chat| (&chat.chat_id, chat.of.prompt)).collect();
    assert_eq!(told, [(&much.chat.id, 1_000), (&little.chat.id, 10)]);
    assert_eq!(store.list_chat_use(None, 1).await.unwrap().len(), 1);
    let one: Vec<ChatUse> = store.list_chat_use(Some(&little.chat.id), 10).await.unwrap();
    assert_eq!(one[0].of, used("openai/x", 1, 10, 1));
}

#[tokio::test]
async fn what_was_used_before_it_was_counted_is_counted_when_the_store_is_brought_up_to_date() {
    let (home, store) = home().await;
    answered(&store, "a", "openai/x", (100, 10)).await;
    answered(&store, "b", "openai/x", (50, 5)).await;
    crate::support::answered(&store, "c", "Nobody says.").await;
    store.close().await;
    take_back(&home).await;
    let store = home.open().await;
    assert_eq!(
        months(&store, None).await,
        [("2023-11".into(), used("openai/x", 2, 150, 15))]
    );
}

async fn take_back(home: &Home) {
    let mut raw = home.raw().await;
    // What is no metadata of ours is passed by.
    for odd in [
        "null",
        "'no json'",
        "'{\"model\":5}'",
        "'{\"model\":\"m\",\"tokens\":{\"prompt\":\"many\"}}'",
    ] {
        let odd = format!("update message set metadata = {odd} where content = 'Nobody says.'");
        sqlx::raw_sql(AssertSqlSafe(odd)).execute(&mut raw).await.unwrap();
    }
    for down in [
        include_str!("../../../../migrations/sqlite/0010_attached_files.down.sql"),
        include_str!("../../../../migrations/sqlite/0009_synced_labels.down.sql"),
        include_str!("../../../../migrations/sqlite/0008_pictures.down.sql"),
        include_str!("../../../../migrations/sqlite/0007_collections.down.sql"),
        include_str!("../../../../migrations/sqlite/0006_recheck.down.sql"),
        include_str!("../../../../migrations/sqlite/0005_research.down.sql"),
        include_str!("../../../../migrations/sqlite/0004_ledger.down.sql"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(down)).execute(&mut raw).await.unwrap();
    }
    let forget = sqlx::query("delete from _sqlx_migrations where version >= 4");
    forget.execute(&mut raw).await.unwrap();
}
