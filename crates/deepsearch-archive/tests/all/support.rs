//! What the tests read with: a fixed time, everything that was found in order.

use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use deepsearch_archive::{ArchiveError, ArchivedChat, ArchivedMessage, Found, Limits, Note, Reason, import};
use deepsearch_core::{Chat, ChatId, Labels, Message, MessageId, MessageState, Role};
use zip::write::SimpleFileOptions;

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000).expect("a time")
}

#[derive(Default, Debug)]
pub(crate) struct Read {
    pub(crate) chats: Vec<ArchivedChat>,
    pub(crate) notes: Vec<Note>,
}

impl Read {
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.notes.iter().map(|note| note.reason).collect()
    }
}

pub(crate) fn read(name: &str, bytes: &[u8]) -> (Read, Result<(), ArchiveError>) {
    read_within(Limits::default(), name, bytes)
}

pub(crate) fn read_within(limits: Limits, name: &str, bytes: &[u8]) -> (Read, Result<(), ArchiveError>) {
    let mut read = Read::default();
    let done = import(Cursor::new(bytes), name, now(), limits, &mut |found| {
        match found {
            Found::Chat(_, chat) => read.chats.push(*chat),
            Found::LeftOut(note) => read.notes.push(note),
        }
        ControlFlow::Continue(())
    });
    (read, done)
}

pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a file");
        archive.write_all(bytes).expect("room");
    }
    archive.finish().expect("an end").into_inner()
}

/// A chat in which this is said, one after the other, without sources.
pub(crate) fn chat_of(title: &str, said: &[(Role, &str)]) -> ArchivedChat {
    let id = |at: usize| MessageId::from_stored(format!("msg_{}", at + 1));
    let messages = said.iter().enumerate().map(|(at, (role, content))| {
        ArchivedMessage::bare(Message {
            id: id(at),
            chat_id: ChatId::from_stored("chat_1"),
            parent: at.checked_sub(1).map(id),
            role: *role,
            content: (*content).to_owned(),
            sources: None,
            metadata: None,
            created_at: now(),
            state: MessageState::Complete,
        })
    });
    ArchivedChat {
        chat: Chat {
            id: ChatId::from_stored("chat_1"),
            title: title.into(),
            created_at: now(),
            updated_at: now(),
            deleted_at: None,
            pinned: false,
            archived: false,
            leaf: said.len().checked_sub(1).map(id),
        },
        labels: Labels::default(),
        messages: messages.collect(),
        pages: Vec::new(),
    }
}
