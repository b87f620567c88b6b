//! Parsing, in child processes that can be killed: HTML, PDF and office parsers hang, panic, overflow the stack or eat the
//! memory on some input, and such a page must cost one child and nothing else.
//!
//! `frame` is the language of parent and child, `pool` the parent's side, `child` the child's, `confine` what the child
//! gives up before it reads a page. `html`, `pdf`, `office`, `text`, `charset` and `picture` are what runs inside it.

pub(crate) mod charset;
pub(crate) mod child;
mod confine;
mod frame;
mod html;
mod office;
mod pdf;
pub(crate) mod picture;
pub(crate) mod pool;
pub(crate) mod text;

use chrono::{DateTime, Utc};
use deepsearch_core::{MediaType, PictureLink, Span};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::soft::Soft;

/// One document to parse; its bytes travel beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) url: Url,
    pub(crate) kind: Kind,
    /// As the server declared it.
    pub(crate) charset: Option<String>,
    /// After this the child ends itself, should its parent be gone.
    pub(crate) milliseconds: u64,
}

/// What is to be made of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Page(MediaType),
    /// Its text becomes a page of text.
    Office,
    /// Drawn anew, smaller.
    Picture,
}

/// What a document says, ready to become a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parsed {
    pub(crate) title: String,
    pub(crate) author: Option<String>,
    pub(crate) site_name: Option<String>,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) favicon: Option<Url>,
    pub(crate) picture: Option<PictureLink>,
    pub(crate) language: Option<String>,
    pub(crate) text: String,
    pub(crate) sentences: Vec<Span>,
    pub(crate) html: Option<String>,
    pub(crate) content_hash: String,
}

/// Why a document gives no page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    Soft(Soft),
    Unparsable(String),
}

/// What the readers of each format give, before sentences, language and hash are added.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) author: Option<String>,
    pub(crate) site_name: Option<String>,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) favicon: Option<Url>,
    pub(crate) picture: Option<PictureLink>,
    pub(crate) language: Option<String>,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
}
