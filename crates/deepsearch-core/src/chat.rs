//! Chat: a conversation (seed 3.1), with what only this device knows of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::message::MessageId;
use crate::validate::{Invalid, TITLE_LIMIT, chars_between};

crate::ids::id!(
    /// A chat: `chat_` and a UUID version 7.
    ChatId, "chat_"
);

/// A conversation. `pinned`, `archived` and `leaf` are ours; the rest is the seed's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Chat {
    pub id: ChatId,
    /// At most 500 code points.
    pub title: String,
    pub created_at: DateTime<Utc>,
    /// Last activity: moves with each message and rename, never backwards (seed R14).
    pub updated_at: DateTime<Utc>,
    /// In Trash since then (seed 8.3, R9).
    pub deleted_at: Option<DateTime<Utc>>,
    pub pinned: bool,
    pub archived: bool,
    /// The newest message of the branch that is shown.
    pub leaf: Option<MessageId>,
}

/// Where a page of the list of chats ended. Two chats may have one time, so the id belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct ChatCursor {
    pub updated_at: DateTime<Utc>,
    pub id: ChatId,
}

impl ChatCursor {
    /// The cursor for what comes after `chat`.
    pub fn after(chat: &Chat) -> Self {
        Self {
            updated_at: chat.updated_at,
            id: chat.id.clone(),
        }
    }
}

/// A title that may be written: trimmed, 1 to 500 code points.
///
/// # Errors
/// [`Invalid`] when nothing is left, or too much.
pub fn valid_title(title: &str) -> Result<&str, Invalid> {
    let title = title.trim();
    chars_between("the title", title, 1, TITLE_LIMIT)?;
    Ok(title)
}

/// The first title of a chat: its question on one line, cut at a word within 80 characters.
pub fn title_from_question(question: &str) -> String {
    const WIDTH: usize = 80;
    let line = question.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDTH {
        return if line.is_empty() { "New Chat".into() } else { line };
    }
    let cut: String = line.chars().take(WIDTH).collect();
    let end = cut.rfind(' ').filter(|at| *at > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ';', ':', ' ']))
}
