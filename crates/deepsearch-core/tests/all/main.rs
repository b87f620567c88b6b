//! The rules that the nouns keep: strict on the way in, tolerant on the way out.

mod chat;
mod error;
mod ids;
mod message;
mod text;
