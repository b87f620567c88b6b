//! What the tests read with: a fixed time, everything that was found in order.

use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use deepsearch_archive::{ArchiveError, ArchivedChat, Found, Limits, Note, Reason, import};
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
    let mut read = Read::default();
    let done = import(Cursor::new(bytes), name, now(), Limits::default(), &mut |found| {
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
