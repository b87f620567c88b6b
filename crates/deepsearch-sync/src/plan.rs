//! Plan: what is to be done, decided by pure functions.

mod merge;
mod outgoing;
mod schedule;
mod server;

pub(crate) use merge::{merge_chat, merge_flags};
pub(crate) use outgoing::{chat_row, flags_row, outgoing_chat, outgoing_flags};
pub(crate) use schedule::Schedule;
pub(crate) use server::{Contact, may_write, meet};
