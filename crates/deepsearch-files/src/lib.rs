//! The person's own folders as a place to search: walked, watched, indexed and read, all on this machine.
//!
//! Read in the order a file takes: `walk` finds it, `kind` says whether it is one that is read, `scan` compares it with what
//! the index knows, `read` gets its text, `index` keeps what is needed to find it again, `watch` notices when it changes,
//! and `engine` searches and reads for an answer. The index is a file of its own, made anew whenever it cannot be used:
//! nothing in it is a person's only copy, so it is in no backup and never leaves the machine.

mod engine;
mod error;
mod files;
mod index;
mod kind;
mod read;
mod scan;
mod walk;
mod watch;

pub use engine::{ID, SCHEME};
pub use error::FilesError;
pub use files::{Files, FilesOptions, Folder, FolderProblem, FolderProgress, Report, Rules, name_of};
