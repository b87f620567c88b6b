use deepsearch_core::{ChatId, ErrorCode, Message, MessageId, MessageMetadata, MessageState, Role, Source};
use deepsearch_sqlite::Store;
use rstest::rstest;

use crate::support::{answered, ask, follow_up, home};

fn message(chat_id: &ChatId, parent: Option<MessageId>, content: &str, millis: i64) -> Message {
    Message {
        id: MessageId::new(),
        chat_id: chat_id.clone(),
        parent,
        role: Role::User,
        content: content.into(),
        sources: None,
        metadata: None,
        created_at: chrono::DateTime::from_timestamp_millis(millis).unwrap(),
        state: MessageState::Complete,
    }
}

fn chain(chat_id: &ChatId, start: &MessageId, count: usize, millis: i64) -> Vec<Message> {
    let mut parent = start.clone();
    let messages = (0..count).map(|number| {
        let next = message(chat_id, Some(parent.clone()), &format!("number {number}"), millis);
        parent = next.id.clone();
        next
    });
    messages.collect()
}

async fn contents(store: &Store, chat: &ChatId, before: Option<&MessageId>, limit: u32) -> Vec<String> {
    let messages = store.list_messages(chat, before, limit).await.unwrap();
    messages.into_iter().map(|message| message.content).collect()
}

#[tokio::test]
async fn a_chat_opens_with_its_newest_messages_and_older_ones_follow_on_demand() {
    let (_home, store) = home().await;
    let first = answered(&store, "q1", "a1").await;
    let second = follow_up(&store, &first, "q2", "a2").await;
    follow_up(&store, &first, "q3", "a3").await;
    let chat = &first.chat.id;

    assert_eq!(contents(&store, chat, None, 3).await, ["a2", "q3", "a3"]);
    assert_eq!(contents(&store, chat, Some(&second.answer.id), 2).await, ["a1", "q2"]);
    assert_eq!(contents(&store, chat, Some(&first.answer.id), 2).await, ["q1"]);
    assert_eq!(contents(&store, chat, Some(&first.question.id), 2).await, [""; 0]);
    assert_eq!(contents(&store, chat, None, 0).await, [""; 0]);
}

#[tokio::test]
async fn what_is_unknown_is_none_or_empty() {
    let (_home, store) = home().await;
    let (chat, message) = (ChatId::new(), MessageId::new());
    assert_eq!(store.lookup_message(&message).await.unwrap(), None);
    assert_eq!(store.list_messages(&chat, None, 10).await.unwrap(), []);
    assert_eq!(store.list_messages(&chat, Some(&message), 10).await.unwrap(), []);
    assert_eq!(store.list_siblings(&message).await.unwrap(), []);
    assert_eq!(
        store.show_branch(&message).await.unwrap_err().code(),
        ErrorCode::NotFound
    );
}

#[tokio::test]
async fn a_very_long_chat_pages_from_its_end_to_its_start() {
    let (_home, store) = home().await;
    let turn = answered(&store, "start", "first").await;
    let messages = chain(&turn.chat.id, &turn.answer.id, 3_000, 0);
    assert_eq!(store.add_messages(&turn.chat.id, &messages).await.unwrap(), 3_000);

    let mut seen = Vec::new();
    let mut before: Option<MessageId> = None;
    loop {
        let page = store.list_messages(&turn.chat.id, before.as_ref(), 700).await.unwrap();
        let Some(first) = page.first() else { break };
        before = Some(first.id.clone());
        seen.splice(0..0, page.into_iter().map(|message| message.id));
    }
    let expected: Vec<MessageId> = [turn.question.id, turn.answer.id]
        .into_iter()
        .chain(messages.into_iter().map(|message| message.id))
        .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn messages_added_in_one_batch_get_times_that_rise_strictly() {
    let (_home, store) = home().await;
    let turn = answered(&store, "start", "first").await;
    let last = turn.answer.created_at;
    let batch = chain(&turn.chat.id, &turn.answer.id, 20, 1_000);
    store.add_messages(&turn.chat.id, &batch).await.unwrap();
    let added = store.list_messages(&turn.chat.id, None, 20).await.unwrap();
    assert!(added[0].created_at > last);
    assert!(added.windows(2).all(|pair| pair[0].created_at < pair[1].created_at));
}

#[tokio::test]
async fn adding_a_batch_again_adds_nothing() {
    let (_home, store) = home().await;
    let turn = answered(&store, "start", "first").await;
    let mut batch = chain(&turn.chat.id, &turn.answer.id, 3, 0);
    assert_eq!(store.add_messages(&turn.chat.id, &batch).await.unwrap(), 3);
    batch.push(message(&turn.chat.id, Some(batch[2].id.clone()), "one more", 0));
    assert_eq!(store.add_messages(&turn.chat.id, &batch).await.unwrap(), 1);
    assert_eq!(contents(&store, &turn.chat.id, None, 2).await, ["number 2", "one more"]);
    assert_eq!(store.add_messages(&turn.chat.id, &[]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_with_one_bad_message_adds_none() {
    let (_home, store) = home().await;
    let turn = answered(&store, "start", "first").await;
    let mut batch = chain(&turn.chat.id, &turn.answer.id, 3, 0);
    batch[1].content = " ".into();
    let error = store.add_messages(&turn.chat.id, &batch).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Invalid);
    assert_eq!(contents(&store, &turn.chat.id, None, 9).await, ["start", "first"]);
}

#[rstest]
#[case::longest("a".repeat(100_000), true)]
#[case::too_long("a".repeat(100_001), false)]
#[case::longest_in_pairs("😀".repeat(50_000), true)]
#[case::too_long_in_pairs("😀".repeat(50_001), false)]
#[tokio::test]
async fn content_has_at_most_100000_utf16_units(#[case] content: String, #[case] is_kept: bool) {
    let (_home, store) = home().await;
    let chat = ask(&store, "start").await.chat;
    let long = message(&chat.id, None, &content, 0);
    let added = store.add_messages(&chat.id, std::slice::from_ref(&long)).await;
    assert_eq!(added.is_ok(), is_kept);
    assert_eq!(store.lookup_message(&long.id).await.unwrap().is_some(), is_kept);
}

#[tokio::test]
async fn members_of_metadata_that_we_do_not_know_are_kept() {
    let (_home, store) = home().await;
    let chat = ask(&store, "start").await.chat;
    let metadata: MessageMetadata =
        serde_json::from_str(r#"{"model":"m","processingTime":12.5,"colour":{"of":["the","web app"]}}"#).unwrap();
    let mut rich = message(&chat.id, None, "rich", 0);
    rich.metadata = Some(metadata.clone());
    rich.sources = Some(vec![Source {
        title: "T".into(),
        url: "https://example.com/".into(),
        snippet: String::new(),
        favicon: None,
    }]);
    store.add_messages(&chat.id, std::slice::from_ref(&rich)).await.unwrap();
    let read = store.lookup_message(&rich.id).await.unwrap().unwrap();
    assert_eq!(read.metadata, Some(metadata));
    assert_eq!(read.sources, rich.sources);
}

#[tokio::test]
async fn a_row_with_json_that_cannot_be_read_breaks_nothing_around_it() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let mut raw = home.raw().await;
    sqlx::query(
        "update message set sources = '[1, {\"title\": \"kept\", \"url\": 7}]', metadata = '{\"tokens\": \"many\"}'",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    let read = store.list_messages(&turn.chat.id, None, 10).await.unwrap();
    assert_eq!(read.len(), 2);
    let sources = read[1].sources.as_ref().unwrap();
    assert_eq!(
        (sources.len(), sources[1].title.as_str()),
        (2, "kept"),
        "numbers do not shift"
    );
    assert_eq!(read[1].metadata.as_ref().unwrap().other["tokens"], "many");

    sqlx::query("update message set sources = '{', metadata = 'no'")
        .execute(&mut raw)
        .await
        .unwrap();
    let read = store.list_messages(&turn.chat.id, None, 10).await.unwrap();
    assert_eq!(
        (read[1].content.as_str(), &read[1].sources, &read[1].metadata),
        ("a", &None, &None)
    );
}

#[tokio::test]
async fn a_circle_of_parents_in_a_damaged_file_does_not_hang_the_store() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let mut raw = home.raw().await;
    sqlx::query("update message set parent = ? where id = ?")
        .bind(turn.answer.id.as_str())
        .bind(turn.question.id.as_str())
        .execute(&mut raw)
        .await
        .unwrap();
    let page = store.list_messages(&turn.chat.id, None, 10).await.unwrap();
    assert!(page.len() <= 10);
}
