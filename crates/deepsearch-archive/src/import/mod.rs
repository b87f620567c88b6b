//! Reading an archive: what kind of file it is, and its chats one after the other.
//!
//! A chat that cannot be read is told of and spoils nothing after it. Nothing is written here, so no path in an archive
//! can lead anywhere; one that tries is refused all the same.

mod chatgpt;
mod claude;
mod draft;
mod ids;
mod markdown;
mod open_webui;
mod perplexity;
mod scan;
mod zipped;

mod values;

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use self::scan::{Raw, Scanner};
use crate::chat::ArchivedChat;

/// Whose format a chat came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, specta::Type)]
#[serde(rename = "ArchiveOrigin", rename_all = "snake_case")]
pub enum Origin {
    DeepSearch,
    ChatGpt,
    Claude,
    Perplexity,
    OpenWebUi,
    Markdown,
}

impl Origin {
    /// Part of the ids of what was imported: never to be changed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeepSearch => "deepsearch",
            Self::ChatGpt => "chatgpt",
            Self::Claude => "claude",
            Self::Perplexity => "perplexity",
            Self::OpenWebUi => "open-webui",
            Self::Markdown => "markdown",
        }
    }
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, specta::Type)]
#[serde(rename = "LeftOutReason", rename_all = "snake_case")]
pub enum Reason {
    /// The JSON of this chat is broken.
    Malformed,
    /// No format that we know.
    Unknown,
    /// Nobody says anything in it.
    Empty,
    /// Messages that follow each other in a circle, or one that comes later.
    Circle,
    /// Longer than a chat may be.
    TooLarge,
    /// A message was longer than one may be, and was cut.
    Shortened,
    /// Pictures, files and sounds.
    Attachment,
    /// What tools were told and said, hidden thoughts, instructions.
    Hidden,
    /// Evidence whose page is not in the file, or does not say what is quoted of it.
    Evidence,
    /// A file of the archive that holds no chats.
    OtherFile,
    /// A path that leads out of the archive.
    HostilePath,
    /// The file ends in the middle.
    CutOff,
    /// What the store does not take, as the note says.
    Refused,
    /// The chat lies in Trash here, and stays there.
    InTrash,
    /// A collection or a tag that cannot be made; the chat came without it.
    Label,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename = "LeftOutNote")]
pub struct Note {
    /// The chat or the file, as the archive calls it.
    pub what: String,
    pub reason: Reason,
    pub count: u32,
}

impl Note {
    pub fn new(what: impl Into<String>, reason: Reason) -> Self {
        let what: String = what.into();
        let shown = what.chars().filter(|letter| !letter.is_control()).take(120).collect();
        Self {
            what: shown,
            reason,
            count: 1,
        }
    }

    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = u32::try_from(count).unwrap_or(u32::MAX);
        self
    }
}

/// What was come upon.
#[derive(Debug)]
pub enum Found {
    Chat(Origin, Box<ArchivedChat>),
    LeftOut(Note),
}

/// Why a file cannot be read at all. What was found before stays found.
#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("the file cannot be read")]
    Io(#[from] std::io::Error),
    #[error("the archive is damaged or was not downloaded to its end")]
    Damaged(#[from] zip::result::ZipError),
    #[error("the file ends in the middle")]
    CutOff,
    #[error("the file is no valid JSON")]
    NotJson,
    #[error("the file is of no kind that holds chats")]
    UnknownKind,
    #[error("the archive unpacks to far more than it should, as one does that is made to fill a disk")]
    Bomb,
    #[error("the archive unpacks to more than {} MB, and what is behind that was not read", .limit >> 20)]
    TooLarge { limit: u64 },
    #[error("our own format, in version {version}, which a newer DeepSearch wrote")]
    Newer { version: u64 },
}

/// What an archive may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of JSON of one chat of another assistant.
    pub chat: usize,
    /// Bytes of JSON of one of our own chats, which carries its pages.
    pub own_chat: usize,
    /// Files in a zip.
    pub files: usize,
    /// How many times larger than packed a file may be.
    pub ratio: u64,
    /// Below this the ratio says nothing.
    pub small: u64,
    /// Bytes that all files of a zip unpack to together.
    pub unpacked: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chat: 32 << 20,
            own_chat: 256 << 20,
            files: 100_000,
            ratio: 300,
            small: 16 << 20,
            unpacked: 4 << 30,
        }
    }
}

/// Where what was found goes; it says when it has enough.
pub(crate) struct Sink<'a> {
    found: &'a mut dyn FnMut(Found) -> ControlFlow<()>,
    now: DateTime<Utc>,
    limits: Limits,
    stopped: bool,
}

impl Sink<'_> {
    fn give(&mut self, found: Found) {
        if !self.stopped {
            self.stopped = (self.found)(found).is_break();
        }
    }

    fn leave_out(&mut self, what: &str, reason: Reason) {
        self.give(Found::LeftOut(Note::new(what, reason)));
    }

    fn draft(&mut self, draft: draft::Draft) {
        let (origin, title) = (draft.origin, draft.title.clone());
        match draft.finish(self.now) {
            Err(reason) => self.leave_out(&title, reason),
            Ok((chat, notes)) => {
                self.give(Found::Chat(origin, Box::new(chat)));
                notes.into_iter().for_each(|note| self.give(Found::LeftOut(note)));
            }
        }
    }
}

/// Reads an archive from its start: a zip, JSON or Markdown, told apart by what is in it. `name` is the file's.
///
/// # Errors
/// [`ArchiveError`] when no more can be read; what was found until then was told.
pub fn import(
    mut input: impl Read + Seek,
    name: &str,
    now: DateTime<Utc>,
    limits: Limits,
    found: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<(), ArchiveError> {
    let mut sink = Sink {
        found,
        now,
        limits,
        stopped: false,
    };
    let mut magic = [0; 4];
    let length = input.by_ref().take(4).read(&mut magic)?;
    input.seek(SeekFrom::Start(0))?;
    if magic[..length].starts_with(b"PK") {
        return zipped::read(input, &mut sink);
    }
    document(BufReader::with_capacity(1 << 16, input), name, &mut sink)
}

/// One file: JSON, or Markdown.
fn document(mut input: impl BufRead, name: &str, sink: &mut Sink<'_>) -> Result<(), ArchiveError> {
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let is_markdown = [".md", ".markdown", ".txt"]
        .iter()
        .any(|end| name.to_ascii_lowercase().ends_with(end));
    if is_markdown {
        return markdown::read(input, name, sink);
    }
    let mut scanner = Scanner::new(input);
    match scanner.peek()? {
        Some(b'[') => {
            scanner.take(b'[')?;
            let limit = sink.limits.chat;
            elements(&mut scanner, limit, sink, &conversation)
        }
        Some(b'{') => object(&mut scanner, sink),
        Some(_) => Err(ArchiveError::UnknownKind),
        None => Err(ArchiveError::CutOff),
    }
}

/// The elements of a list that was opened, each for itself.
fn elements(
    scanner: &mut Scanner<impl BufRead>,
    limit: usize,
    sink: &mut Sink<'_>,
    read: &dyn Fn(&[u8], &mut Sink<'_>),
) -> Result<(), ArchiveError> {
    if scanner.take(b']')? {
        return Ok(());
    }
    let mut number: u64 = 0;
    loop {
        number += 1;
        match scanner.value(limit)? {
            Raw::TooLarge => sink.leave_out(&format!("#{number}"), Reason::TooLarge),
            Raw::Whole(bytes) => read(&bytes, sink),
        }
        if sink.stopped || !scanner.more(b']')? {
            return Ok(());
        }
    }
}

/// A document that is an object: ours, one that holds a list of conversations, or one conversation.
fn object(scanner: &mut Scanner<impl BufRead>, sink: &mut Sink<'_>) -> Result<(), ArchiveError> {
    scanner.take(b'{')?;
    let mut members = serde_json::Map::new();
    let mut held = 0;
    let mut had_list = false;
    if scanner.take(b'}')? {
        return Err(ArchiveError::UnknownKind);
    }
    loop {
        let key: String = match scanner.value(1_000)? {
            Raw::Whole(key) => serde_json::from_slice(&key).map_err(|_| ArchiveError::NotJson)?,
            Raw::TooLarge => return Err(ArchiveError::NotJson),
        };
        if !scanner.take(b':')? {
            return Err(ArchiveError::NotJson);
        }
        let is_ours = members.get("format").and_then(Value::as_str) == Some(crate::export::FORMAT);
        let is_list = matches!(key.as_str(), "chats" | "conversations") && scanner.peek()? == Some(b'[');
        if is_list {
            had_list = true;
            scanner.take(b'[')?;
            if is_ours {
                let version = members.get("version").and_then(Value::as_u64).unwrap_or_default();
                if version > crate::export::VERSION {
                    return Err(ArchiveError::Newer { version });
                }
                let limit = sink.limits.own_chat;
                elements(scanner, limit, sink, &own)?;
            } else {
                let limit = sink.limits.chat;
                elements(scanner, limit, sink, &conversation)?;
            }
            if sink.stopped {
                return Ok(());
            }
        } else {
            // What is not a list of chats may be a chat itself, and is held to the length of one.
            match scanner.value(sink.limits.chat.saturating_sub(held))? {
                Raw::TooLarge => return Err(ArchiveError::UnknownKind),
                Raw::Whole(bytes) => {
                    held += bytes.len();
                    let value = serde_json::from_slice(&bytes).map_err(|_| ArchiveError::NotJson)?;
                    members.insert(key, value);
                }
            }
        }
        if !scanner.more(b'}')? {
            break;
        }
    }
    if had_list {
        return Ok(());
    }
    match draft_of(&Value::Object(members)) {
        Some(draft) => {
            sink.draft(draft);
            Ok(())
        }
        None => Err(ArchiveError::UnknownKind),
    }
}

/// A conversation of another assistant, whose one is told by what it holds.
fn conversation(bytes: &[u8], sink: &mut Sink<'_>) {
    match serde_json::from_slice::<Value>(bytes) {
        Err(_) => sink.leave_out(&name_in(bytes), Reason::Malformed),
        Ok(value) => match draft_of(&value) {
            Some(draft) => sink.draft(draft),
            None => sink.leave_out(&name_in(bytes), Reason::Unknown),
        },
    }
}

fn draft_of(value: &Value) -> Option<draft::Draft> {
    chatgpt::read(value)
        .or_else(|| claude::read(value))
        .or_else(|| open_webui::read(value))
        .or_else(|| perplexity::read(value))
}

fn own(bytes: &[u8], sink: &mut Sink<'_>) {
    match serde_json::from_slice::<ArchivedChat>(bytes) {
        Err(_) => sink.leave_out(&name_in(bytes), Reason::Malformed),
        Ok(chat) if !chat.has_valid_ids() => sink.leave_out(&name_in(bytes), Reason::Malformed),
        Ok(mut chat) => {
            let dropped = [
                (Reason::Circle, chat.drop_circles()),
                (Reason::Evidence, chat.drop_false_evidence()),
                (Reason::Label, chat.labels.keep_valid()),
            ];
            let title = chat.chat.title.clone();
            sink.give(Found::Chat(Origin::DeepSearch, Box::new(chat)));
            for (reason, count) in dropped.into_iter().filter(|(_, count)| *count > 0) {
                sink.give(Found::LeftOut(Note::new(title.clone(), reason).times(count as u64)));
            }
        }
    }
}

/// What a chat that cannot be read is to be called: how it begins.
fn name_in(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned()
}
