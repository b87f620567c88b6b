//! A chat that is imported is sorted as it was where it came from, as far as there is room, and only once.

use deepsearch_core::{ChatId, Labels, Message, MessageId, MessageState, Role};
use deepsearch_sqlite::{BulkChange, Imported, ImportedMessage, Store};

use crate::support::{answered, home};

fn labels(collection: Option<&str>, tags: &[&str]) -> Labels {
    Labels {
        collection: collection.map(Into::into),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

/// Imports a chat of one question; tells what came of it and what it was refused.
async fn import(store: &Store, id: &str, labels: &Labels) -> (Imported, Vec<String>) {
    let mut chat = answered(store, "a pattern", "of a chat").await.chat;
    store.delete_chat_forever(&chat.id).await.ok();
    chat.id = ChatId::from_stored(id.to_owned());
    let question = Message {
        id: MessageId::from_stored(format!("msg_{id}")),
        chat_id: chat.id.clone(),
        parent: None,
        role: Role::User,
        content: "How high is it?".into(),
        sources: None,
        metadata: None,
        created_at: chat.created_at,
        state: MessageState::Complete,
    };
    chat.leaf = Some(question.id.clone());
    let imported = ImportedMessage {
        message: question,
        pages: Vec::new(),
        citations: Vec::new(),
        checks: Vec::new(),
        follow_ups: Vec::new(),
    };
    store.import_chat(&chat, labels, &[imported], &[]).await.unwrap()
}

async fn sorted(store: &Store, id: &str) -> Labels {
    let id = ChatId::from_stored(id.to_owned());
    store.lookup_labels(&id).await.unwrap()
}

#[tokio::test]
async fn a_collection_is_made_by_its_name_or_found_by_it_in_whatever_case() {
    let (_home, store) = home().await;
    store.add_collection("Physics").await.unwrap();
    let one = import(&store, "chat_one", &labels(Some("PHYSICS"), &["To read"])).await;
    let two = import(&store, "chat_two", &labels(Some("旅行"), &["to READ", "later"])).await;
    assert_eq!((one, two), ((Imported::New, vec![]), (Imported::New, vec![])));
    assert_eq!(sorted(&store, "chat_one").await, labels(Some("Physics"), &["To read"]));
    assert_eq!(
        sorted(&store, "chat_two").await,
        labels(Some("旅行"), &["later", "To read"])
    );
    let made = store.list_collections().await.unwrap();
    assert_eq!(made.iter().map(|each| each.chats).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(store.list_tags().await.unwrap().len(), 2);
}

#[tokio::test]
async fn imported_again_a_chat_stays_where_it_was_put_since() {
    let (_home, store) = home().await;
    let as_it_was = labels(Some("Old"), &["old"]);
    import(&store, "chat_one", &as_it_was).await;
    let chat = [ChatId::from_stored("chat_one")];
    let out = BulkChange::Move { collection: None };
    let untag = BulkChange::Tag {
        name: "old".into(),
        on: false,
    };
    store.change_chats(&chat, &out).await.unwrap();
    store.change_chats(&chat, &untag).await.unwrap();
    let old = store.find_collection("Old").await.unwrap().unwrap();
    store.delete_collection(&old.id).await.unwrap();

    let again = import(&store, "chat_one", &as_it_was).await;
    assert_eq!(again, (Imported::Unchanged, vec![]));
    assert!(sorted(&store, "chat_one").await.is_empty());
    assert!(
        store.list_collections().await.unwrap().is_empty(),
        "and nothing is made"
    );
}

#[tokio::test]
async fn where_there_is_no_room_the_chat_comes_without_and_it_is_told() {
    let (_home, store) = home().await;
    for number in 0..200 {
        store.add_collection(&format!("collection {number}")).await.unwrap();
    }
    let full = import(&store, "chat_one", &labels(Some("One more"), &["kept"])).await;
    assert_eq!(full, (Imported::New, vec!["One more".into()]));
    assert_eq!(sorted(&store, "chat_one").await, labels(None, &["kept"]));
    let known = import(&store, "chat_two", &labels(Some("Collection 7"), &[])).await;
    assert_eq!(known, (Imported::New, vec![]), "one that is there takes any");

    let many: Vec<String> = (0..31).map(|number| format!("tag {number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (came, refused) = import(
        &store,
        "chat_three",
        &labels(None, &[&["", "\u{202E}"], &many[..]].concat()),
    )
    .await;
    assert_eq!((came, refused.len()), (Imported::New, 3), "{refused:?}");
    assert_eq!(sorted(&store, "chat_three").await.tags.len(), 30);
}
