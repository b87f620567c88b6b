//! Ledger: what left this computer for one answer, and what came in. It counts what was said, not what carries it.
//!
//! Bytes are those of the content: of a request its address and its body, of an answer its body as it came, still
//! compressed. Headers and encryption come on top. Of a model it is the text of the messages and of what it wrote.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::message::{MessageId, Role};

/// What a host was contacted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// A search engine was asked.
    Search,
    /// The cache of search results that a team shares.
    SearchCache,
    /// A page was read.
    Page,
    /// What a site asks of programs, before a page of it is read.
    Robots,
    /// A site's small picture.
    Icon,
    /// A picture of a page.
    Picture,
    /// A language model was given text.
    Model,
    /// A provider was asked which models it has.
    ModelList,
    /// The sign-in server.
    Gateway,
    /// The shared database.
    Database,
}

impl Errand {
    pub const ALL: [Self; 10] = [
        Self::Search,
        Self::SearchCache,
        Self::Page,
        Self::Robots,
        Self::Icon,
        Self::Picture,
        Self::Model,
        Self::ModelList,
        Self::Gateway,
        Self::Database,
    ];

    /// As it is stored and as the command prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::SearchCache => "search_cache",
            Self::Page => "page",
            Self::Robots => "robots",
            Self::Icon => "icon",
            Self::Picture => "picture",
            Self::Model => "model",
            Self::ModelList => "model_list",
            Self::Gateway => "gateway",
            Self::Database => "database",
        }
    }

    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|errand| errand.as_str() == text)
    }
}

/// One host, contacted for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Contact {
    /// With its port, where that is not the scheme's own.
    pub host: String,
    pub errand: Errand,
    /// The engine or provider it stands for; empty where the host says it all.
    pub service: String,
    /// Whether it is this very computer, so that nothing left it.
    pub local: bool,
    pub requests: u32,
    pub bytes_out: u64,
    pub bytes_in: u64,
}

/// One message that a model was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SentTurn {
    pub role: Role,
    pub content: String,
}

/// A text that was given to a model, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SentText {
    /// `provider/name`.
    pub model: String,
    pub host: String,
    /// Whether the model runs on this computer, so that the text did not leave it.
    pub local: bool,
    /// How often it was sent: an attempt that failed is made again.
    pub times: u32,
    /// Of the messages' text, together.
    pub bytes: u64,
    /// SHA-256 of the messages' text, one after the other, in hexadecimal.
    pub sha256: String,
    /// The messages; none where they were too large to keep.
    pub turns: Option<Vec<SentTurn>>,
}

/// All that is known of what one answer sent and received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Ledger {
    /// In the order they were first made.
    pub contacts: Vec<Contact>,
    pub texts: Vec<SentText>,
    /// Contacts that were too many to be listed; they are counted here.
    pub unlisted: u32,
}

/// The ledger of an answer, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct AnswerLedger {
    pub message_id: MessageId,
    /// When the answer was written.
    pub at: DateTime<Utc>,
    /// Whether private mode was on.
    pub private: bool,
    pub ledger: Ledger,
}

impl Ledger {
    /// Adds what was sent later for the same answer.
    pub fn add(&mut self, later: Self) {
        for contact in later.contacts {
            let is_it = |known: &&mut Contact| {
                known.host == contact.host && known.errand == contact.errand && known.service == contact.service
            };
            match self.contacts.iter_mut().find(is_it) {
                Some(known) => {
                    known.requests = known.requests.saturating_add(contact.requests);
                    known.bytes_out += contact.bytes_out;
                    known.bytes_in += contact.bytes_in;
                }
                None => self.contacts.push(contact),
            }
        }
        for text in later.texts {
            let is_it = |known: &&mut SentText| {
                known.sha256 == text.sha256 && known.model == text.model && known.host == text.host
            };
            match self.texts.iter_mut().find(is_it) {
                Some(known) => known.times = known.times.saturating_add(text.times),
                None => self.texts.push(text),
            }
        }
        self.unlisted = self.unlisted.saturating_add(later.unlisted);
    }

    /// The hosts that are not this computer.
    pub fn hosts_elsewhere(&self) -> usize {
        let mut hosts: Vec<&str> = self.elsewhere().map(|contact| contact.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.len()
    }

    /// Bytes that left this computer, and that came into it.
    pub fn bytes_elsewhere(&self) -> (u64, u64) {
        self.elsewhere().fold((0, 0), |(out, back), contact| {
            (out + contact.bytes_out, back + contact.bytes_in)
        })
    }

    fn elsewhere(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.iter().filter(|contact| !contact.local)
    }
}
