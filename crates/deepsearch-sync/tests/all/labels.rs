//! Collections and tags between two devices: what one sorts the other shows, and what has no room is not lost.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::sync::{FlagsRow, Push, PushAnswer, PushRow, SyncRemote};
use deepsearch_core::{Chat, ChatId, Labels};
use deepsearch_sqlite::BulkChange;

use crate::device::{Device, advance};
use crate::engine::{Pair, pair, sync};

async fn names(device: &Device) -> Vec<(String, u32)> {
    let all = device.store.list_collections().await.unwrap();
    all.into_iter().map(|each| (each.name, each.chats)).collect()
}

/// Where a chat is and its tags, as the person sees them.
async fn shown(device: &Device, chat: &ChatId) -> (Option<String>, Vec<String>) {
    let labels = device.store.list_labels(std::slice::from_ref(chat)).await.unwrap();
    let Some(labels) = labels.into_iter().next() else {
        return (None, Vec::new());
    };
    let collection = match labels.collection {
        Some(id) => device.store.find_collection(id.as_str()).await.unwrap(),
        None => None,
    };
    (collection.map(|found| found.name), labels.tags)
}

async fn file(device: &Device, chat: &ChatId, name: &str) {
    let collection = match device.store.find_collection(name).await.unwrap() {
        Some(found) => found.id,
        None => device.store.add_collection(name).await.unwrap().id,
    };
    let collection = Some(collection);
    device.change(chat, BulkChange::Move { collection }).await;
}

async fn tag(device: &Device, chat: &ChatId, name: &str, on: bool) {
    let name = name.to_owned();
    device.change(chat, BulkChange::Tag { name, on }).await;
}

fn on_server(pair: &Pair, chat: &ChatId) -> Labels {
    let state = pair.server.state.lock().unwrap();
    state.tables.flags[chat].labels.clone().unwrap()
}

/// Another device's flags, pinned and now.
async fn push(pair: &Pair, chat: &ChatId, labels: Option<Labels>, seen_at: Option<DateTime<Utc>>) -> Vec<PushAnswer> {
    let push = {
        let mut state = pair.server.state.lock().unwrap();
        let row = FlagsRow {
            labels,
            pinned: true,
            at: state.now,
            ..state.tables.flags[chat].clone()
        };
        Push {
            epoch: state.info().epoch,
            seen: 0,
            protocol: 1,
            rows: vec![PushRow::Flags { row, seen_at }],
        }
    };
    pair.server.push(&push).await.unwrap().answers
}

/// Two devices with the same chats.
async fn with_chats(count: usize) -> (Pair, Vec<Chat>) {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    for _ in 0..count {
        pair.a.new_chat().await;
    }
    both(&mut pair).await;
    let chats = pair.b.all_chats().await;
    assert_eq!(chats.len(), count);
    (pair, chats)
}

async fn both(pair: &mut Pair) {
    for _ in 0..2 {
        advance(&pair.server, &pair.time, TimeDelta::seconds(1));
        sync(&mut pair.a).await;
        sync(&mut pair.b).await;
    }
    assert_eq!((pair.a.counts().await.outbox, pair.b.counts().await.outbox), (0, 0));
}

#[tokio::test]
async fn a_chat_sorted_on_one_device_is_sorted_on_the_other_and_follows_its_collection() {
    let (mut pair, chats) = with_chats(2).await;
    pair.b.store.add_collection("Here first").await.unwrap();
    for chat in &chats {
        file(&pair.a, &chat.id, "Work").await;
    }
    tag(&pair.a, &chats[0].id, "Rust", true).await;
    pair.a.store.add_collection("Empty").await.unwrap();
    both(&mut pair).await;
    assert_eq!(names(&pair.b).await, [("Here first".into(), 0), ("Work".into(), 2)]);
    assert_eq!(
        shown(&pair.b, &chats[0].id).await,
        (Some("Work".into()), vec!["Rust".into()])
    );

    // Renamed on the one that did not make it: no empty one of the old name stays on the other.
    let work = pair.b.store.find_collection("work").await.unwrap().unwrap();
    pair.b.store.rename_collection(&work.id, "Job").await.unwrap();
    tag(&pair.b, &chats[0].id, "RUST", false).await;
    both(&mut pair).await;
    assert_eq!(names(&pair.a).await, [("Empty".into(), 0), ("Job".into(), 2)]);
    assert_eq!(shown(&pair.a, &chats[0].id).await, (Some("Job".into()), vec![]));

    let job = pair.a.store.find_collection("Job").await.unwrap().unwrap();
    pair.a.store.delete_collection(&job.id).await.unwrap();
    both(&mut pair).await;
    assert_eq!(names(&pair.b).await, [("Here first".into(), 0)]);
    assert_eq!(shown(&pair.b, &chats[1].id).await, (None, vec![]));
}

#[tokio::test]
async fn what_both_sorted_while_apart_is_put_together_and_the_later_collection_holds() {
    let (mut pair, chats) = with_chats(1).await;
    let chat = &chats[0].id;
    tag(&pair.a, chat, "kept", true).await;
    tag(&pair.a, chat, "dropped", true).await;
    both(&mut pair).await;
    tag(&pair.a, chat, "from a", true).await;
    file(&pair.a, chat, "Of A").await;
    advance(&pair.server, &pair.time, TimeDelta::seconds(5));
    tag(&pair.b, chat, "from b", true).await;
    tag(&pair.b, chat, "dropped", false).await;
    file(&pair.b, chat, "Of B").await;
    both(&mut pair).await;
    let expected = (
        Some("Of B".into()),
        vec!["from a".into(), "from b".into(), "kept".into()],
    );
    for device in [&pair.a, &pair.b] {
        assert_eq!(shown(device, chat).await, expected, "{}", device.name);
    }
}

#[tokio::test]
async fn what_was_sorted_before_the_server_keeps_labels_is_sent_once_it_does() {
    let mut pair = pair().await;
    pair.server.state.lock().unwrap().protocol = (1, 1);
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    pair.a.new_chat().await;
    pair.a.new_chat().await;
    both(&mut pair).await;
    let chats = pair.a.all_chats().await;
    file(&pair.a, &chats[0].id, "Work").await;
    tag(&pair.b, &chats[0].id, "b", true).await;
    tag(&pair.b, &chats[1].id, "b", true).await;
    pair.b.store.pin_chat(&chats[1].id, true).await.unwrap();
    both(&mut pair).await;
    assert_eq!(shown(&pair.b, &chats[0].id).await, (None, vec!["b".into()]));
    assert!(pair.a.all_chats().await[1].pinned, "the other flags go on as before");
    {
        let state = pair.server.state.lock().unwrap();
        assert!(state.tables.flags.values().all(|row| row.labels.is_none()));
    }

    pair.server.state.lock().unwrap().protocol = (1, 2);
    both(&mut pair).await;
    for device in [&pair.a, &pair.b] {
        let sorted = shown(device, &chats[0].id).await;
        assert_eq!(sorted, (Some("Work".into()), vec!["b".into()]), "{}", device.name);
        assert_eq!(shown(device, &chats[1].id).await.1, ["b"]);
    }
}

#[tokio::test]
async fn a_collection_that_has_no_room_is_none_here_and_stays_where_it_is() {
    let (mut pair, chats) = with_chats(2).await;
    for number in 0..200 {
        pair.b.store.add_collection(&format!("{number}")).await.unwrap();
    }
    for number in 0..30 {
        tag(&pair.b, &chats[0].id, &format!("b{number:02}"), true).await;
    }
    for chat in &chats {
        file(&pair.a, &chat.id, "One more").await;
        tag(&pair.a, &chat.id, "a", true).await;
    }
    both(&mut pair).await;
    let (collection, tags) = shown(&pair.b, &chats[0].id).await;
    assert_eq!((collection, tags.len()), (None, 30));
    assert!(!tags.contains(&"a".into()));
    assert_eq!(shown(&pair.b, &chats[1].id).await, (None, vec!["a".into()]));

    // What b goes on to change says nothing of what it could not keep.
    pair.b.store.pin_chat(&chats[0].id, true).await.unwrap();
    tag(&pair.b, &chats[0].id, "b00", false).await;
    both(&mut pair).await;
    let there = on_server(&pair, &chats[0].id);
    assert_eq!(there.collection.as_deref(), Some("One more"));
    assert_eq!(there.tags.len(), 30, "29 of b's and a's one");
    assert!(there.tags.contains(&"a".into()) && !there.tags.contains(&"b00".into()));
    assert_eq!(shown(&pair.a, &chats[0].id).await.0.as_deref(), Some("One more"));

    // By now there is room for the tag, and soon there is for the collection.
    assert!(shown(&pair.b, &chats[0].id).await.1.contains(&"a".into()));
    let first = pair.b.store.find_collection("0").await.unwrap().unwrap();
    pair.b.store.delete_collection(&first.id).await.unwrap();
    pair.a.store.pin_chat(&chats[1].id, true).await.unwrap();
    both(&mut pair).await;
    assert_eq!(shown(&pair.b, &chats[1].id).await.0.as_deref(), Some("One more"));
    // Where the person puts the chat holds.
    file(&pair.b, &chats[0].id, "7").await;
    both(&mut pair).await;
    assert_eq!(shown(&pair.a, &chats[0].id).await.0.as_deref(), Some("7"));
}

#[tokio::test]
async fn names_that_nobody_can_give_are_passed_over_and_stop_nothing() {
    let (mut pair, chats) = with_chats(1).await;
    let chat = &chats[0].id;
    let steers = "\u{202E}krow";
    let labels = Labels {
        collection: Some(steers.into()),
        tags: vec![" padded ".into(), "fine".into(), steers.into(), "two\nlines".into()],
    };
    advance(&pair.server, &pair.time, TimeDelta::seconds(1));
    let now = pair.server.state.lock().unwrap().now;
    let answers = push(&pair, chat, Some(labels.clone()), Some(now)).await;
    assert!(matches!(answers[..], [PushAnswer::Applied { .. }]), "{answers:?}");
    both(&mut pair).await;
    assert_eq!(shown(&pair.b, chat).await, (None, vec!["fine".into()]));
    assert_eq!(names(&pair.b).await, []);
    tag(&pair.b, chat, "mine", true).await;
    both(&mut pair).await;
    let there = on_server(&pair, chat);
    let all = labels.tags.iter().cloned().chain(["mine".into()]);
    assert_eq!(there, Labels::new(labels.collection.clone(), all));

    // A program that knows no labels takes none away.
    pair.a.store.pin_chat(chat, false).await.unwrap();
    both(&mut pair).await;
    advance(&pair.server, &pair.time, TimeDelta::seconds(1));
    push(&pair, chat, None, None).await;
    both(&mut pair).await;
    assert!(pair.a.all_chats().await[0].pinned);
    assert_eq!(on_server(&pair, chat), there);
    assert_eq!(shown(&pair.a, chat).await.1, ["fine", "mine"]);
}

#[tokio::test]
async fn a_name_that_changes_its_capital_letters_alone_changes_them_everywhere() {
    let (mut pair, chats) = with_chats(2).await;
    for chat in &chats {
        file(&pair.a, &chat.id, "work").await;
    }
    tag(&pair.a, &chats[0].id, "rust", true).await;
    both(&mut pair).await;

    let work = pair.b.store.find_collection("work").await.unwrap().unwrap();
    pair.b.store.rename_collection(&work.id, "WORK").await.unwrap();
    tag(&pair.b, &chats[0].id, "rust", false).await;
    tag(&pair.b, &chats[0].id, "Rust", true).await;
    both(&mut pair).await;
    for device in [&pair.a, &pair.b] {
        assert_eq!(names(device).await, [("WORK".into(), 2)], "{}", device.name);
        let sorted = shown(device, &chats[0].id).await;
        assert_eq!(sorted, (Some("WORK".into()), vec!["Rust".into()]), "{}", device.name);
    }
    for chat in &chats {
        assert_eq!(on_server(&pair, &chat.id).collection.as_deref(), Some("WORK"));
    }

    // Of two spellings the later one holds, and what one changed beside it is kept.
    let renamed = async |device: &Device, name: &str| {
        let work = device.store.find_collection("work").await.unwrap().unwrap();
        device.store.rename_collection(&work.id, name).await.unwrap();
    };
    renamed(&pair.a, "Work").await;
    advance(&pair.server, &pair.time, TimeDelta::seconds(5));
    renamed(&pair.b, "WoRK").await;
    tag(&pair.b, &chats[1].id, "new", true).await;
    both(&mut pair).await;
    for device in [&pair.a, &pair.b] {
        assert_eq!(names(device).await, [("WoRK".into(), 2)], "{}", device.name);
        assert_eq!(shown(device, &chats[1].id).await.1, ["new"], "{}", device.name);
    }
}

#[tokio::test]
async fn who_spelled_a_name_otherwise_before_they_met_takes_the_one_that_was_there() {
    let (mut pair, chats) = with_chats(2).await;
    file(&pair.a, &chats[0].id, "Work").await;
    sync(&mut pair.a).await;
    file(&pair.b, &chats[1].id, "work").await;
    both(&mut pair).await;
    // Nothing goes to and fro: what is changed next is all that is sent.
    pair.b.store.pin_chat(&chats[0].id, true).await.unwrap();
    both(&mut pair).await;
    let spelled = names(&pair.a).await;
    assert_eq!((spelled.len(), spelled[0].1), (1, 2));
    assert_eq!(names(&pair.b).await, spelled);
}
