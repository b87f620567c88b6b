//! Chats as files: what other assistants give to who leaves them, read; and ours, written and read again.
//!
//! Formats in, formats out. Readers and writers are passed in: nothing here opens a file, knows the store or makes a
//! request. Everything that is read was written by strangers: it is bounded, and it is data.

mod chat;

mod import;

mod export;

pub use chat::{ArchivedChat, ArchivedMessage, PageOfSource};
pub use export::{Format, JSON_END, file_name, html, json_chat, json_start, markdown};
pub use import::{ArchiveError, Found, Limits, Note, Origin, Reason, import};
