//! Collections, tags, saved searches, and changes to many chats that can be undone to the letter.

use deepsearch_core::{ChatId, CollectionId, ErrorCode};
use deepsearch_sqlite::{
    Before, BulkChange, ChatFilter, ChatLabels, ChatView, Entity, HistoryFilter, HistoryQuery, SavedQuery, Store,
};

use crate::support::{answered, home};

async fn chats(store: &Store, count: usize) -> Vec<ChatId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(
            answered(store, &format!("magnets {number}"), "They attract.")
                .await
                .chat
                .id,
        );
    }
    ids
}

async fn collection(store: &Store, name: &str) -> CollectionId {
    store.add_collection(name).await.unwrap().id
}

fn tag(name: &str, on: bool) -> BulkChange {
    BulkChange::Tag { name: name.into(), on }
}

async fn names(store: &Store) -> Vec<(String, u32)> {
    let all = store.list_collections().await.unwrap();
    all.into_iter().map(|each| (each.name, each.chats)).collect()
}

async fn tags(store: &Store) -> Vec<(String, u32)> {
    let all = store.list_tags().await.unwrap();
    all.into_iter().map(|each| (each.name, each.chats)).collect()
}

/// All that a bulk change may touch, of every chat, in an order that does not depend on it.
async fn everything(store: &Store, ids: &[ChatId]) -> (Vec<deepsearch_core::Chat>, Vec<ChatLabels>) {
    let mut chats = Vec::new();
    for id in ids {
        chats.push(store.lookup_chat(id).await.unwrap().unwrap());
    }
    (chats, store.list_labels(ids).await.unwrap())
}

#[tokio::test]
async fn collections_have_an_order_and_names_that_differ_in_more_than_case() {
    let (_home, store) = home().await;
    let work = collection(&store, "  Work\tand\nplay ").await;
    let home_ = collection(&store, "Ärzte").await;
    collection(&store, "旅行").await;
    assert_eq!(
        names(&store).await,
        [("Work and play".into(), 0), ("Ärzte".into(), 0), ("旅行".into(), 0)]
    );

    for taken in ["work AND play", "ärzte", "A\u{308}RZTE"] {
        let error = store.add_collection(taken).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Invalid, "{taken}");
    }
    assert!(store.rename_collection(&home_, "WORK and PLAY").await.is_err());
    store.rename_collection(&work, "WORK and PLAY").await.unwrap();
    for bad in ["", " \u{202E}\t", &"x".repeat(81)] {
        assert_eq!(store.add_collection(bad).await.unwrap_err().code(), ErrorCode::Invalid);
    }

    store.order_collection(&work, 99).await.unwrap();
    store.order_collection(&home_, 1).await.unwrap();
    let order: Vec<_> = names(&store).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(order, ["旅行", "Ärzte", "WORK and PLAY"]);
    assert_eq!(store.find_collection("ÄRZTE").await.unwrap().unwrap().id, home_);
    assert_eq!(store.find_collection(work.as_str()).await.unwrap().unwrap().id, work);

    let unknown = CollectionId::new();
    assert_eq!(
        store.order_collection(&unknown, 0).await.unwrap_err().code(),
        ErrorCode::NotFound
    );
    assert_eq!(
        store.delete_collection(&unknown).await.unwrap_err().code(),
        ErrorCode::NotFound
    );
}

#[tokio::test]
async fn a_chat_is_in_one_collection_and_stays_when_that_is_deleted() {
    let (_home, store) = home().await;
    let ids = chats(&store, 4).await;
    let (red, blue) = (collection(&store, "Red").await, collection(&store, "Blue").await);
    let to = |to: &CollectionId| BulkChange::Move {
        collection: Some(to.clone()),
    };
    store.change_chats(&ids[..3], &to(&red)).await.unwrap();
    store.change_chats(&ids[2..], &to(&blue)).await.unwrap();
    store.archive_chat(&ids[0], true).await.unwrap();
    assert_eq!(names(&store).await, [("Red".into(), 1), ("Blue".into(), 2)]);

    let listed = async |view, collection: &CollectionId| {
        let filter = ChatFilter {
            view,
            collection: Some(collection.clone()),
            tag: None,
        };
        let chats = store.list_chats(filter, None, 10).await.unwrap();
        chats.into_iter().map(|chat| chat.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(ChatView::Active, &red).await, [ids[1].clone()]);
    assert_eq!(listed(ChatView::Archived, &red).await, [ids[0].clone()]);

    store.delete_collection(&blue).await.unwrap();
    assert_eq!(names(&store).await, [("Red".into(), 1)]);
    assert_eq!(store.list_labels(&ids[2..]).await.unwrap(), []);
    assert_eq!(
        store.list_chats(ChatFilter::default(), None, 10).await.unwrap().len(),
        3
    );

    let gone = store.change_chats(&ids, &to(&blue)).await.unwrap_err();
    assert_eq!(gone.code(), ErrorCode::NotFound);
    assert_eq!(names(&store).await, [("Red".into(), 1)], "nothing of it was done");
}

#[tokio::test]
async fn a_tag_has_one_spelling_and_is_there_while_a_chat_has_it() {
    let (_home, store) = home().await;
    let ids = chats(&store, 3).await;
    store.change_chats(&ids, &tag("Physics", true)).await.unwrap();
    store.change_chats(&ids[..1], &tag("PHYSICS", true)).await.unwrap();
    store.change_chats(&ids[..1], &tag("to read", true)).await.unwrap();
    assert_eq!(tags(&store).await, [("Physics".into(), 3), ("to read".into(), 1)]);
    let labels = store.list_labels(&ids[..1]).await.unwrap();
    assert_eq!(labels[0].tags, ["Physics", "to read"]);

    store.delete_chat(&ids[0]).await.unwrap();
    assert_eq!(tags(&store).await, [("Physics".into(), 2), ("to read".into(), 0)]);
    store.delete_chat_forever(&ids[0]).await.unwrap();
    assert_eq!(tags(&store).await, [("Physics".into(), 2)]);
    store.change_chats(&ids[1..], &tag("physics", false)).await.unwrap();
    assert_eq!(tags(&store).await, []);
}

#[tokio::test]
async fn the_list_and_the_search_are_narrowed_to_a_collection_and_a_tag() {
    let (_home, store) = home().await;
    // More than are named to the index, so that the rows are sifted too.
    let ids = chats(&store, 80).await;
    let red = collection(&store, "Red").await;
    let to_red = BulkChange::Move {
        collection: Some(red.clone()),
    };
    store.change_chats(&ids[..70], &to_red).await.unwrap();
    store.change_chats(&ids[68..72], &tag("Late", true)).await.unwrap();

    let listed = async |collection: Option<&CollectionId>, tag: Option<&str>, limit| {
        let filter = ChatFilter {
            view: ChatView::Active,
            collection: collection.cloned(),
            tag: tag.map(Into::into),
        };
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = store.list_chats(filter.clone(), cursor.as_ref(), limit).await.unwrap();
            let Some(last) = page.last() else { break found };
            cursor = Some(deepsearch_sqlite::ChatCursor::after(last));
            found.extend(page.into_iter().map(|chat| chat.id));
        }
    };
    let sorted = |mut ids: Vec<ChatId>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(listed(Some(&red), None, 9).await), sorted(ids[..70].to_vec()));
    assert_eq!(
        sorted(listed(None, Some("LATE"), 3).await),
        sorted(ids[68..72].to_vec())
    );
    assert_eq!(
        sorted(listed(Some(&red), Some("late"), 1).await),
        sorted(ids[68..70].to_vec())
    );
    assert_eq!(listed(None, Some("never"), 3).await, []);

    let found = async |collection: Option<&CollectionId>, tag: Option<&str>| {
        let mut query = HistoryQuery {
            text: "magnets".into(),
            filter: HistoryFilter {
                collection: collection.cloned(),
                tag: tag.map(Into::into),
                ..HistoryFilter::default()
            },
            limit: 100,
            after: None,
        };
        let mut found = std::collections::BTreeSet::new();
        loop {
            let page = store.search_history(&query).await.unwrap();
            found.extend(page.hits.into_iter().map(|hit| hit.chat_id));
            query.after = page.next;
            if query.after.is_none() {
                break found.into_iter().collect::<Vec<_>>();
            }
        }
    };
    assert_eq!(found(Some(&red), None).await, sorted(ids[..70].to_vec()));
    assert_eq!(found(None, Some("LATE")).await, sorted(ids[68..72].to_vec()));
    assert_eq!(found(Some(&red), Some("late")).await, sorted(ids[68..70].to_vec()));
    assert_eq!(found(None, Some("never")).await, []);
    assert_eq!(found(Some(&CollectionId::new()), None).await, []);
}

#[tokio::test]
async fn every_change_of_many_chats_is_undone_to_the_letter_and_done_again() {
    let (home, store) = home().await;
    let ids = chats(&store, 6).await;
    let (red, blue) = (collection(&store, "Red").await, collection(&store, "Blue").await);
    let to = |to: Option<&CollectionId>| BulkChange::Move {
        collection: to.cloned(),
    };
    // A mixed bag, so that undoing has something to get wrong.
    store.pin_chat(&ids[0], true).await.unwrap();
    store.archive_chat(&ids[1], true).await.unwrap();
    store.delete_chat(&ids[2]).await.unwrap();
    store.change_chats(&ids[3..4], &to(Some(&red))).await.unwrap();
    store.change_chats(&ids[4..5], &tag("Kept", true)).await.unwrap();

    for change in [
        BulkChange::Pin { on: true },
        BulkChange::Pin { on: false },
        BulkChange::Archive { on: true },
        BulkChange::Archive { on: false },
        BulkChange::Trash { on: true },
        BulkChange::Trash { on: false },
        to(Some(&blue)),
        to(None),
        tag("KEPT", true),
        tag("kept", false),
        tag("New one", true),
    ] {
        // Times that are given back must be the old ones.
        home.clock.advance(chrono::TimeDelta::hours(1));
        let before = everything(&store, &ids).await;
        let tags_before = tags(&store).await;
        let done = store.change_chats(&ids, &change).await.unwrap();
        let after = everything(&store, &ids).await;
        assert_ne!(before, after, "{change:?}");
        let again = store.change_chats(&ids, &change).await.unwrap();
        assert_eq!((again.changed.len(), again.undo), (0, Vec::new()), "{change:?}");

        let count = done.undo.len();
        assert_eq!(done.changed.len(), count);
        // As it comes back from a window or from a file.
        let undo: Vec<Before> = serde_json::from_str(&serde_json::to_string(&done.undo).unwrap()).unwrap();
        let undone = store.undo_bulk(undo).await.unwrap();
        assert_eq!(everything(&store, &ids).await, before, "{change:?}");
        assert_eq!(tags(&store).await.len(), tags_before.len());
        assert_eq!(undone.undo.len(), count);

        let redone = store.undo_bulk(undone.undo).await.unwrap();
        assert_eq!(everything(&store, &ids).await, after, "{change:?}");
        store.undo_bulk(redone.undo).await.unwrap();
        assert_eq!(everything(&store, &ids).await, before, "{change:?}");
    }
}

#[tokio::test]
async fn an_undo_leaves_alone_what_is_gone_and_what_others_did() {
    let (_home, store) = home().await;
    let ids = chats(&store, 3).await;
    let red = collection(&store, "Red").await;
    let to_red = BulkChange::Move {
        collection: Some(red.clone()),
    };
    store.change_chats(&ids, &to_red).await.unwrap();
    let out = store
        .change_chats(&ids, &BulkChange::Move { collection: None })
        .await
        .unwrap();
    store.delete_chat_forever(&ids[0]).await.unwrap();
    store.pin_chat(&ids[1], true).await.unwrap();
    store.delete_collection(&red).await.unwrap();
    let undone = store.undo_bulk(out.undo).await.unwrap();
    assert_eq!(undone.missing, [ids[0].clone()]);
    assert_eq!(undone.changed.len(), 0, "the collection is gone, so they are in none");
    assert!(store.lookup_chat(&ids[1]).await.unwrap().unwrap().pinned);
}

/// Empties the outbox, and tells the chats that were in it.
async fn send_all(store: &Store) -> Vec<String> {
    let waiting = store.list_outbox(100).await.unwrap();
    if let Some(last) = waiting.last() {
        store.delete_outbox(last.seq).await.unwrap();
    }
    let chats = waiting.into_iter().filter(|entry| entry.entity == Entity::Chat);
    let mut ids: Vec<String> = chats.map(|entry| entry.entity_id).collect();
    ids.sort();
    ids
}

fn strings(ids: &[ChatId]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_happens_to_a_collection_is_told_to_sync_of_its_chats() {
    let (_home, store) = home().await;
    let ids = chats(&store, 3).await;
    let red = collection(&store, "Red").await;
    let into = BulkChange::Move {
        collection: Some(red.clone()),
    };
    let done = store.change_chats(&ids[..2], &into).await.unwrap();
    send_all(&store).await;

    store.rename_collection(&red, "Blue").await.unwrap();
    assert_eq!(send_all(&store).await, strings(&ids[..2]));
    store.order_collection(&red, 5).await.unwrap();
    collection(&store, "Green").await;
    assert_eq!(
        send_all(&store).await,
        [""; 0],
        "an order, and one without chats, are this device's own"
    );
    store.undo_bulk(done.undo).await.unwrap();
    assert_eq!(send_all(&store).await, strings(&ids[..2]));
    store.change_chats(&ids[1..], &into).await.unwrap();
    send_all(&store).await;
    store.delete_collection(&red).await.unwrap();
    assert_eq!(send_all(&store).await, strings(&ids[1..]));
}

#[tokio::test]
async fn a_change_of_many_is_all_or_nothing_bounded_and_told_to_sync_where_it_belongs() {
    let (_home, store) = home().await;
    let ids = chats(&store, 3).await;
    send_all(&store).await;
    store.change_chats(&ids, &tag("mine", true)).await.unwrap();
    assert_eq!(send_all(&store).await, strings(&ids));
    store.change_chats(&ids, &tag("MINE", true)).await.unwrap();
    assert_eq!(send_all(&store).await, [""; 0], "they have it already");
    store
        .change_chats(&ids[..2], &BulkChange::Archive { on: true })
        .await
        .unwrap();
    assert_eq!(send_all(&store).await, strings(&ids[..2]));

    let many = vec![ids[0].clone(); 1_001];
    let refused = store
        .change_chats(&many, &BulkChange::Pin { on: true })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Invalid);
    for number in 0..29 {
        store
            .change_chats(&ids[2..], &tag(&format!("t{number}"), true))
            .await
            .unwrap();
    }
    // The third has thirty: the first two are left without it too.
    assert!(store.change_chats(&ids, &tag("one more", true)).await.is_err());
    assert!(!tags(&store).await.iter().any(|(name, _)| name == "one more"));

    let unknown = ChatId::parse("chat_nothing").unwrap();
    let done = store
        .change_chats(&[unknown.clone(), ids[2].clone()], &BulkChange::Pin { on: true })
        .await
        .unwrap();
    assert_eq!((done.changed.len(), done.missing), (1, vec![unknown]));
}

#[tokio::test]
async fn a_saved_search_keeps_its_words_and_its_filter_under_one_name() {
    let (_home, store) = home().await;
    let red = collection(&store, "Red").await;
    let query = SavedQuery {
        text: " magnets ".into(),
        filter: HistoryFilter {
            host: Some("example.org".into()),
            pinned: true,
            collection: Some(red),
            tag: Some("Physics".into()),
            ..HistoryFilter::default()
        },
        days: Some(7),
    };
    let saved = store.save_search("Magnets", &query).await.unwrap();
    assert_eq!(saved.query.text, "magnets");
    assert_eq!(saved.query.filter, query.filter);
    let other = SavedQuery {
        text: "poles".into(),
        ..SavedQuery::default()
    };
    let again = store.save_search("MAGNETS", &other).await.unwrap();
    assert_eq!(again.id, saved.id, "the name has one search");
    assert_eq!(store.list_saved_searches().await.unwrap(), std::slice::from_ref(&again));
    assert_eq!(store.find_saved_search("magnets").await.unwrap().unwrap().query, other);

    for text in ["  ".to_owned(), "x".repeat(1_001)] {
        let query = SavedQuery {
            text,
            ..SavedQuery::default()
        };
        assert!(store.save_search("Bad", &query).await.is_err());
    }
    store.delete_saved_search(&again.id).await.unwrap();
    assert_eq!(
        store.delete_saved_search(&again.id).await.unwrap_err().code(),
        ErrorCode::NotFound
    );
}
