//! Message, Source and MessageMetadata (seed 3.2), and where a message stands while it is being written.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::ChatId;
use crate::validate::{Invalid, absolute_url, message_content};

crate::ids::id!(
    /// A message: `msg_` and a UUID version 7.
    MessageId, "msg_"
);

/// Who speaks (seed 8.1, `role_check`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Assistant,
    System,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = Invalid;

    fn from_str(role: &str) -> Result<Self, Invalid> {
        match role {
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "system" => Ok(Self::System),
            other => Err(Invalid::Malformed {
                field: "role",
                value: other.into(),
                expected: "role (user, assistant, system)",
            }),
        }
    }
}

/// Whether a message's text is whole. Ours; the shared table knows only complete ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// Being written now; its text so far is in the journal.
    Streaming,
    Complete,
    /// Stopped by the user, by an error or by a crash; the text that came is kept and can be continued.
    Interrupted,
}

/// One turn of a chat. Messages form a tree by `parent`: an edit or a new answer is a sibling, nothing is overwritten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Message {
    pub id: MessageId,
    pub chat_id: ChatId,
    pub parent: Option<MessageId>,
    pub role: Role,
    /// Markdown; in an answer `[n]` cites `sources[n - 1]`.
    pub content: String,
    pub sources: Option<Vec<Source>>,
    pub metadata: Option<MessageMetadata>,
    /// Whole milliseconds, strictly rising within a chat (seed R11).
    pub created_at: DateTime<Utc>,
    pub state: MessageState,
}

impl Message {
    /// Holds the message against seed 8.2.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn validate(&self) -> Result<(), Invalid> {
        // An interrupted answer may have been stopped before its first word.
        if self.state == MessageState::Complete {
            message_content(&self.content)?;
        }
        self.sources.iter().flatten().try_for_each(Source::validate)?;
        self.metadata.iter().try_for_each(MessageMetadata::validate)
    }
}

/// A source of an answer, as the seed keeps it beside the message (seed part 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Source {
    pub title: String,
    pub url: String,
    /// May be empty.
    pub snippet: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub favicon: Option<String>,
}

impl Source {
    /// The sources in a row's JSON. One that does not read as ours becomes as much of one as it holds: leaving it out
    /// would shift the numbers that `[n]` cites.
    pub fn all_of(json: Vec<Value>) -> Vec<Self> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let source = |value: Value| Self {
            title: text(&value, "title").unwrap_or_default(),
            url: text(&value, "url").unwrap_or_default(),
            snippet: text(&value, "snippet").unwrap_or_default(),
            favicon: text(&value, "favicon"),
        };
        json.into_iter().map(source).collect()
    }

    /// # Errors
    /// [`Invalid`] when `url` or `favicon` is no URL.
    pub fn validate(&self) -> Result<(), Invalid> {
        absolute_url("source url", &self.url)?;
        self.favicon
            .iter()
            .try_for_each(|favicon| absolute_url("source favicon", favicon))
    }
}

/// What is known of how an answer came to be (seed part 3); members we do not know are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct MessageMetadata {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_query: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawled_urls: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenUsage>,
    /// What `tokens` is the sum of, where that was not all spent on `model`: an answer may be continued by another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tokens_by_model: BTreeMap<String, TokenUsage>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_time: Option<f64>,
    /// Whether it rests on a search that was past its time, because no engine answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_search: Option<bool>,
    #[serde(flatten)]
    #[specta(skip)]
    pub other: serde_json::Map<String, Value>,
}

/// The member that marks another assistant's question.
const BY_ASSISTANT: &str = "byAssistant";

impl MessageMetadata {
    /// What is known of a question that another assistant asked. It goes with the question wherever it goes: whoever has
    /// it answered anew, the text is not a person's.
    pub fn by_assistant() -> Self {
        let mut metadata = Self::default();
        metadata.other.insert(BY_ASSISTANT.into(), true.into());
        metadata
    }

    pub fn is_by_assistant(&self) -> bool {
        self.other.get(BY_ASSISTANT) == Some(&Value::Bool(true))
    }

    /// The tokens by the models that they were spent on, where that was told.
    pub fn spent(&self) -> BTreeMap<String, TokenUsage> {
        if self.tokens_by_model.is_empty() {
            self.model.clone().zip(self.tokens).into_iter().collect()
        } else {
            self.tokens_by_model.clone()
        }
    }

    /// Books what was spent on its model, beside what an answer that goes on had spent `before`.
    pub fn book(&mut self, before: Option<&Self>, spent: TokenUsage) {
        let mut by_model = before.map(Self::spent).unwrap_or_default();
        if let Some(model) = self.model.clone().filter(|_| spent != TokenUsage::default()) {
            let of_model = by_model.entry(model).or_default();
            *of_model = *of_model + spent;
        }
        self.tokens = by_model.values().copied().reduce(std::ops::Add::add);
        let is_of_its_model = by_model.keys().all(|model| Some(model) == self.model.as_ref());
        self.tokens_by_model = if is_of_its_model { BTreeMap::new() } else { by_model };
    }

    /// The metadata in a row's JSON. With a member of another type than ours, all are kept as ones we do not know.
    pub fn of(json: serde_json::Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(json.clone())).unwrap_or_else(|_| Self {
            other: json,
            ..Self::default()
        })
    }

    /// # Errors
    /// [`Invalid`] when the time is negative or not a number.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self.processing_time {
            Some(time) if !time.is_finite() || time < 0.0 => Err(Invalid::Malformed {
                field: "processingTime",
                value: time.to_string(),
                expected: "number of milliseconds",
            }),
            _ => Ok(()),
        }
    }
}

/// Tokens that an answer cost; integers from 0 (seed R10).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct TokenUsage {
    pub prompt: u32,
    pub completion: u32,
    pub total: u32,
}

impl TokenUsage {
    /// What this is more than another; never less than nothing.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self {
            prompt: self.prompt.saturating_sub(other.prompt),
            completion: self.completion.saturating_sub(other.completion),
            total: self.total.saturating_sub(other.total),
        }
    }

    /// The larger of each count.
    #[must_use]
    pub fn at_least(self, other: Self) -> Self {
        Self {
            prompt: self.prompt.max(other.prompt),
            completion: self.completion.max(other.completion),
            total: self.total.max(other.total),
        }
    }
}

impl std::ops::Add for TokenUsage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            prompt: self.prompt.saturating_add(other.prompt),
            completion: self.completion.saturating_add(other.completion),
            total: self.total.saturating_add(other.total),
        }
    }
}
