//! The one way out of this computer. Every HTTP client is made here, so that two things cannot be forgotten: private
//! mode, which lets nothing reach another computer, and the ledger, which says what an answer sent to whom.
//!
//! Elsewhere the lints refuse to make a client or to send a request past [`Client::send`] (`clippy.toml`). Leaves out
//! what a request means, and how often it is made: that is its sender's.

mod client;
mod decode;
mod lookup;
mod network;
mod recorder;

pub use client::{Client, Response, SendError};
pub use decode::{ACCEPTED, Body, BodyLimits, DecodeError};
pub use lookup::{Lookup, SystemLookup};
pub use network::{Leaves, Network, Place, host_of, is_local, leaves};
pub use recorder::{Entry, Purpose, Recorder, TextEntry, carried, contact, sent};
