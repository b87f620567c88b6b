//! Chats as files: what other assistants give to who leaves them, read; and ours, written and read again.
//!
//! Formats in, formats out. Readers and writers are passed in: nothing here opens a file (but the system's fonts, for a
//! PDF), knows the store or makes a request. Everything that is read was written by strangers: it is bounded, and it is data.

mod chat;

mod import;

mod export;

pub use chat::{ArchivedChat, ArchivedMessage, PageOfSource};
pub use export::{
    Bundle, Format, JSON_END, PdfError, Typesetter, ending_of_many, file_ending, file_name, file_name_of_many, html,
    json_chat, json_start, markdown,
};
pub use import::{ArchiveError, Found, Limits, Note, Origin, Reason, import};
