//! ChatModel: one trait over hosted models, local models and the extractive writer that needs none.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::{ErrorCode, Failure, PRIVATE_HINT, sentence};
use crate::message::{Role, TokenUsage};
use crate::page::PageId;
use crate::text::Span;

/// `provider/name` (`openai/gpt-5-mini`, `ollama/llama3.2`), or `extractive`.
pub type ModelId = String;

/// A model that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct ModelInfo {
    pub id: ModelId,
    /// `openai`, `ollama`, …, `built-in`.
    pub provider: String,
    /// Runs on this machine, so nothing leaves it.
    pub local: bool,
    /// Tokens that prompt and answer may have together.
    pub context_tokens: usize,
}

/// What a request is for; the extractive writer does only `Answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Makes a follow-up question stand alone and names what to search for.
    Plan,
    Answer,
    Title,
    FollowUps,
}

/// One turn of the conversation that a model is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub role: Role,
    pub content: String,
}

/// A passage as a model is shown it: `[number]` and text.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedPassage {
    /// The number of the source, from 1; several passages may share one.
    pub number: u32,
    pub page_id: PageId,
    pub title: String,
    pub url: String,
    /// Bytes of the page's text.
    pub span: Span,
    pub text: String,
    pub score: f32,
}

/// What a model is asked. `turns` is the whole prompt; `question` and `passages` are the same in parts, for a writer
/// that works on evidence and not on prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    pub purpose: Purpose,
    pub question: String,
    pub turns: Vec<Turn>,
    pub passages: Vec<NumberedPassage>,
    pub max_tokens: Option<u32>,
    pub temperature: Option<f64>,
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelEvent {
    Text(String),
    /// What the call cost, at its end, where the provider tells.
    Usage(TokenUsage),
    /// The answer ended because `max_tokens` was reached.
    Truncated,
}

/// Why a model did not answer.
#[derive(Debug, Error)]
pub enum ModelError {
    #[error("no model named `{model}` is known")]
    Unknown { model: ModelId },
    #[error("{provider} has no key")]
    KeyMissing { provider: String },
    #[error("{provider} refused the key")]
    KeyRefused { provider: String },
    #[error("{provider} says we ask too often")]
    RateLimited {
        provider: String,
        retry_after: Option<Duration>,
    },
    #[error("{provider} says the key's allowance is used up")]
    QuotaExceeded { provider: String },
    #[error("{provider} did not answer within {limit:?}")]
    TimedOut { provider: String, limit: Duration },
    #[error("{provider} cannot be reached")]
    Unreachable {
        provider: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the question does not fit the context of `{model}`")]
    ContextExceeded { model: ModelId },
    #[error("{provider} answered with an error: {detail}")]
    Provider {
        provider: String,
        status: Option<u16>,
        detail: String,
    },
    #[error("{provider} broke off in the midst of the answer")]
    BrokenOff {
        provider: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{provider} rests until it has recovered from its last failures")]
    Resting { provider: String },
    #[error("`{model}` is not on this computer, and private mode is on")]
    Private { model: ModelId },
    #[error("`{model}` is not on this computer, and only a model of this computer may compare passages")]
    Elsewhere { model: ModelId },
}

impl ModelError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown { .. } => ErrorCode::NotFound,
            Self::KeyMissing { .. } | Self::KeyRefused { .. } => ErrorCode::KeyRefused,
            Self::RateLimited { .. } | Self::Resting { .. } => ErrorCode::RateLimited,
            Self::QuotaExceeded { .. } => ErrorCode::QuotaExceeded,
            Self::TimedOut { .. } => ErrorCode::TimedOut,
            Self::Unreachable { .. } => ErrorCode::Offline,
            Self::ContextExceeded { .. } => ErrorCode::TooLarge,
            Self::Provider { .. } | Self::BrokenOff { .. } => ErrorCode::Upstream,
            Self::Private { .. } => ErrorCode::Private,
            Self::Elsewhere { .. } => ErrorCode::Refused,
        }
    }

    /// The provider or, where it is about one, the model.
    fn subject(&self) -> &str {
        match self {
            Self::Unknown { model }
            | Self::ContextExceeded { model }
            | Self::Private { model }
            | Self::Elsewhere { model } => model,
            Self::KeyMissing { provider }
            | Self::KeyRefused { provider }
            | Self::RateLimited { provider, .. }
            | Self::QuotaExceeded { provider }
            | Self::TimedOut { provider, .. }
            | Self::Unreachable { provider, .. }
            | Self::Provider { provider, .. }
            | Self::BrokenOff { provider, .. }
            | Self::Resting { provider } => provider,
        }
    }
}

impl From<&ModelError> for Failure {
    fn from(error: &ModelError) -> Self {
        let said = match error {
            // A provider writes its own name as it likes; a sentence begins with a capital.
            ModelError::Unknown { .. } => sentence(&error.to_string()),
            _ => format!("{error}."),
        };
        let failure = Self::new(error.code(), said).with(error.subject());
        match error {
            ModelError::Unknown { .. } => failure.hint("`deepsearch models` lists the models that can be used."),
            ModelError::KeyMissing { provider } | ModelError::KeyRefused { provider } => failure.hint(format!(
                "Set its key: `deepsearch settings set models.{provider}.key KEY`."
            )),
            ModelError::Unreachable { .. } => {
                failure.hint("Check that it runs and that its address is right: `deepsearch doctor`.")
            }
            ModelError::Private { .. } => failure.hint(PRIVATE_HINT),
            ModelError::Elsewhere { .. } => {
                failure.hint("Name an embedding model of Ollama, LM Studio or llama.cpp on this computer.")
            }
            ModelError::BrokenOff { .. } => failure.hint("What came is kept; continue or ask again."),
            ModelError::QuotaExceeded { .. } => {
                failure.hint("Choose another model, or wait for the allowance to renew.")
            }
            _ => failure,
        }
    }
}

/// The pieces of an answer. An error ends the stream.
pub type ModelStream = BoxStream<'static, Result<ModelEvent, ModelError>>;

/// Something that writes. Implemented by the providers, by the extractive writer and by fakes.
#[async_trait]
pub trait ChatModel: Send + Sync {
    fn info(&self) -> &ModelInfo;

    /// Whether it can follow any instruction. The extractive writer cannot: it only orders sentences of `passages`.
    fn follows_instructions(&self) -> bool {
        true
    }

    /// Starts an answer. Retries happen inside, and only before the first piece; dropping the stream stops it.
    ///
    /// # Errors
    /// [`ModelError`].
    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError>;
}
