use std::collections::BTreeSet;

use deepsearch_core::MessageId;
use deepsearch_core::sync::MessageRow;
use tokio::sync::broadcast::error::TryRecvError;

use crate::support::{answered, home};

#[tokio::test]
async fn what_sync_brings_is_told_once_it_is_kept() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let row = |content: &str| MessageRow {
        id: MessageId::from_stored("from-the-web"),
        chat_id: turn.chat.id.clone(),
        role: "user".into(),
        content: content.into(),
        sources: None,
        metadata: None,
        created_at: turn.chat.updated_at,
        extras: None,
    };
    let mut told = store.watch_brought();
    for content in ["a new one", "in other words"] {
        let mut tx = store.begin_sync().await.unwrap();
        if content == "a new one" {
            tx.add_messages(&[row(content)]).await.unwrap();
        } else {
            tx.put_message(&row(content)).await.unwrap();
        }
        assert_eq!(told.try_recv(), Err(TryRecvError::Empty), "nothing is kept yet");
        tx.commit().await.unwrap();
        let brought = told.try_recv().unwrap();
        assert_eq!(brought.chats, BTreeSet::from([turn.chat.id.clone()]), "{content}");
    }
}
