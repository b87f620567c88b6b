//! The rows that travel between a device and the shared database.
//!
//! Tolerant as the tables are: a role, a setting or a JSON member that we do not know goes through unharmed. Times keep
//! the server's microseconds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use crate::chat::ChatId;
use crate::citation::{Citation, SentenceCheck};
use crate::labels::Labels;
use crate::message::MessageId;
use crate::page::MediaType;

/// What an entry of the feed is about. The names are those the server's feed uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// Its id is the setting's key.
    Setting,
    Chat,
    /// Its id is the chat's.
    Flags,
    Message,
}

impl EntityKind {
    pub const ALL: [Self; 4] = [Self::Setting, Self::Chat, Self::Flags, Self::Message];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setting => "setting",
            Self::Chat => "chat",
            Self::Flags => "flags",
            Self::Message => "message",
        }
    }

    /// `None` for a kind of a later protocol.
    pub fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Row {
    Chat(ChatRow),
    Flags(FlagsRow),
    Message(Box<MessageRow>),
    Setting(SettingRow),
}

/// A chat as the shared table has it (seed 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRow {
    pub id: ChatId,
    pub title: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// In Trash since then.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What the shared table has no column for: how a person keeps a chat. One clock for all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagsRow {
    pub chat_id: ChatId,
    pub pinned: bool,
    pub archived: bool,
    /// The end of the branch that is shown; it may arrive before its message.
    pub leaf: Option<MessageId>,
    pub at: DateTime<Utc>,
    /// `None` where whoever wrote the row knows no labels, which is no word on what they are.
    /// So it is where one of them cannot be read: a later version's, which are not taken for fewer.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "readable")]
    pub labels: Option<Labels>,
}

fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Labels>, D::Error> {
    Ok(Option::deserialize(deserializer)?.filter(Labels::are_readable))
}

/// A message as the shared table has it (seed 3.2), with what is kept beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    pub id: MessageId,
    pub chat_id: ChatId,
    pub role: String,
    pub content: String,
    /// JSON as it was written; SQL NULL is `None`.
    pub sources: Option<String>,
    /// JSON as it was written.
    pub metadata: Option<String>,
    pub created_at: DateTime<Utc>,
    /// `None` for a message that another program wrote: it follows what comes before it in time.
    pub extras: Option<MessageExtras>,
}

/// What only our app knows of a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageExtras {
    /// `None` for the first message of a chat.
    pub parent: Option<MessageId>,
    /// Stopped before its end; its text may still grow.
    #[serde(default)]
    pub interrupted: bool,
    /// Questions to ask next.
    #[serde(default)]
    pub follow_ups: Vec<String>,
    /// `None` where there is none, or where pages do not travel.
    #[serde(default)]
    pub evidence: Option<MessageEvidence>,
}

/// What an answer rests on. Pages are named by number, as `[n]` names them: each device has ids of its own for them, so
/// the page ids inside citations and checks say nothing here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageEvidence {
    pub pages: Vec<PageRef>,
    pub citations: Vec<Citation>,
    pub checks: Vec<SentenceCheck>,
}

/// A saved page without its text, which is kept once for all pages that read the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRef {
    /// `[number]` cites it.
    pub number: u32,
    pub content_hash: String,
    pub url: Url,
    pub title: String,
    pub author: Option<String>,
    pub site_name: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub favicon: Option<Url>,
    pub language: Option<String>,
    pub media_type: MediaType,
    pub fetched_at: DateTime<Utc>,
}

/// The text of a saved page. Whoever reads it holds the hash against the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageBody {
    /// Lower-case hex SHA-256 of `text`.
    pub content_hash: String,
    pub text: String,
    /// Left out where both together are above the limit.
    pub html: Option<String>,
}

/// One setting of a person (seed 3.4), each with a clock of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingRow {
    /// One of [`SETTING_KEYS`], or a later one, which is passed over.
    pub key: String,
    /// The column's value: a string, a number, a truth value, or null.
    pub value: Value,
    pub at: DateTime<Utc>,
}

/// The columns of the seed's `user_settings` that hold a choice.
pub const SETTING_KEYS: [&str; 5] = [
    "theme",
    "language",
    "default_model",
    "enable_search_by_default",
    "max_search_results",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_of_a_later_version_are_no_word_on_what_they_are() {
        let read = |labels: Value| {
            let row = json!({ "chat_id": "c", "pinned": true, "archived": false, "leaf": null,
                "at": "2026-01-01T00:00:00Z", "labels": labels });
            serde_json::from_value::<FlagsRow>(row).unwrap().labels
        };
        let known = Labels {
            collection: Some("Work".into()),
            tags: vec!["a".into()],
        };
        assert_eq!(read(json!({ "collection": "Work", "tags": ["a"] })), Some(known));
        assert_eq!(read(json!({ "collection": null, "tags": [] })), Some(Labels::default()));
        for later in [
            json!({ "collection": "Work", "tags": ["a", { "name": "b", "colour": "red" }] }),
            json!({ "collection": { "name": "Work" }, "tags": ["a"] }),
            json!("Work"),
        ] {
            assert_eq!(read(later.clone()), None, "{later}");
        }
        assert_eq!(read(Value::Null), None);
    }
}
