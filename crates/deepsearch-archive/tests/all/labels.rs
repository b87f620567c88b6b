//! How chats are sorted, in a file that anybody may have written: names that cannot be given cost no chat.

use deepsearch_archive::{JSON_END, Reason, json_chat, json_start};
use deepsearch_core::collection::TAGS_OF_A_CHAT;
use deepsearch_core::{Labels, Role};
use serde_json::{Value, json};

use crate::support::{Read, chat_of, now, read};

/// A chat with these labels, as it is read.
fn read_with(labels: Option<Value>) -> Read {
    let chat = chat_of("Tower", &[(Role::User, "How high?"), (Role::Assistant, "330 m.")]);
    let mut chat: Value = serde_json::from_str(&json_chat(&chat, true).expect("it is JSON")).expect("it is JSON");
    assert!(
        chat.get("labels").is_none(),
        "a chat that is not sorted says nothing of it"
    );
    if let Some(labels) = labels {
        chat["labels"] = labels;
    }
    let document = format!("{}{chat}{JSON_END}", json_start(now()));
    let (read, done) = read("chats.json", document.as_bytes());
    done.expect("it is whole");
    assert_eq!(read.chats.len(), 1, "the chat comes in: {:?}", read.notes);
    read
}

fn labels(read: &Read) -> (Option<&str>, Vec<&str>) {
    let Labels { collection, tags } = &read.chats[0].labels;
    (collection.as_deref(), tags.iter().map(String::as_str).collect())
}

#[test]
fn a_file_from_before_there_were_any_is_read_as_ever() {
    let read = read_with(None);
    assert!(read.chats[0].labels.is_empty() && read.notes.is_empty());
}

#[test]
fn names_are_made_fit_and_doubles_are_one() {
    let read = read_with(Some(json!({
        "collection": "  Second\thome\u{202E} ",
        "tags": ["Physics", "PHYSICS", "to\nread"],
        "colour": "of a version to come",
    })));
    assert_eq!(labels(&read), (Some("Second home"), vec!["Physics", "to read"]));
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

#[test]
fn what_cannot_be_given_is_counted_and_left_out() {
    let too_long = "x".repeat(81);
    for (hostile, kept, count) in [
        (
            json!({"collection": too_long, "tags": ["a", "", 7, null, {"b": []}]}),
            (None, vec!["a"]),
            5,
        ),
        (json!({"collection": ["a"], "tags": "b"}), (None, vec![]), 2),
        (json!("Research"), (None, vec![]), 1),
        (json!({"collection": null, "tags": null}), (None, vec![]), 0),
        (json!(null), (None, vec![]), 0),
    ] {
        let read = read_with(Some(hostile.clone()));
        assert_eq!(labels(&read), kept, "{hostile}");
        let left_out: u32 = read.notes.iter().map(|note| note.count).sum();
        assert_eq!(left_out, count, "{hostile}: {:?}", read.notes);
        assert!(read.reasons().iter().all(|reason| *reason == Reason::Label));
    }
}

#[test]
fn a_hundred_thousand_tags_are_cut_to_what_a_chat_may_have() {
    let tags: Vec<String> = (0..100_000).map(|number| format!("tag {number}")).collect();
    let read = read_with(Some(json!({ "tags": tags })));
    assert_eq!(read.chats[0].labels.tags, tags[..TAGS_OF_A_CHAT as usize]);
    assert_eq!(read.notes[0].count as usize, tags.len() - TAGS_OF_A_CHAT as usize);
}
