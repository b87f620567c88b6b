//! A provider's model behind [`ChatModel`]: what is asked, how often it is tried, and when the provider rests.

use std::sync::Arc;

use async_trait::async_trait;
use backon::Retryable;
use deepsearch_core::model::ModelStream;
use deepsearch_core::{ChatModel, ChatRequest, Errand, ModelError, ModelInfo, Role, SentTurn};
use deepsearch_net::{Network, Purpose, host_of};
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ReasoningEffort};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use recloser::AsyncRecloser;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::attempt::{Attempt, Noted, waits};
use crate::config::{Deadlines, Retry};
use crate::errors::{classify, is_illness, is_passing};
use crate::provider::Provider;

/// One model of one provider. The client and the breaker are shared by all models of the provider.
pub(crate) struct ProviderModel {
    pub(crate) info: ModelInfo,
    /// As the provider calls it.
    pub(crate) name: String,
    pub(crate) provider: Arc<Provider>,
    pub(crate) client: Client,
    pub(crate) breaker: AsyncRecloser,
    pub(crate) deadlines: Deadlines,
    pub(crate) retry: Retry,
    pub(crate) network: Network,
}

#[async_trait]
impl ChatModel for ProviderModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        let until = Instant::now() + self.deadlines.overall;
        if self.network.is_private() && !self.info.local {
            return Err(ModelError::Private {
                model: self.info.id.clone(),
            });
        }
        let (turns, options) = (turns(&request), self.options(&request));
        let said: Vec<SentTurn> = request.turns.iter().map(said).collect();
        let attempt = || async {
            let attempt = self.attempt(turns.clone(), &said, &options, until);
            match self.breaker.call_with(is_illness, attempt).await {
                Ok(stream) => Ok(stream),
                Err(recloser::Error::Inner(error)) => Err(error),
                Err(recloser::Error::Rejected) => Err(ModelError::Resting {
                    provider: self.provider.id.clone(),
                }),
            }
        };
        attempt
            .retry(
                waits(self.retry.first_wait, self.retry.longest_wait, self.retry.tries)
                    .collect::<Vec<_>>()
                    .into_iter(),
            )
            .when(is_passing)
            .adjust(|error, wait| {
                let asked = match error {
                    ModelError::RateLimited { retry_after, .. } => *retry_after,
                    _ => None,
                };
                let wait = wait.map(|wait| asked.map_or(wait, |asked| asked.max(wait)))?;
                // To wait past the deadline would only turn this error into a worse one.
                (Instant::now() + wait < until).then_some(wait)
            })
            .notify(|error, wait| tracing::debug!(provider = self.provider.id, %error, ?wait, "trying again"))
            .await
    }
}

impl ProviderModel {
    async fn attempt(
        &self,
        turns: genai::chat::ChatRequest,
        said: &[SentTurn],
        options: &ChatOptions,
        until: Instant,
    ) -> Result<ModelStream, ModelError> {
        let response = self
            .client
            .exec_chat_stream(self.target(), turns, Some(options))
            .await
            .map_err(|error| classify(&self.provider, &self.name, error))?;
        let attempt = Attempt {
            provider: self.provider.clone(),
            model: self.name.clone(),
            deadlines: self.deadlines,
            until,
            network: self.network.clone(),
            noted: self.write_down(said),
        };
        attempt.begin(response.stream).await
    }

    /// Tells the ledger what is sent. The library below sends it with the stream's first step.
    fn write_down(&self, said: &[SentTurn]) -> Noted {
        let host = host_of(&self.provider.url);
        let bytes = said.iter().map(|turn| turn.content.len() as u64).sum();
        let purpose = Purpose::new(Errand::Model, &self.provider.id);
        Noted {
            // Of a model that its server runs elsewhere, the text does not stay here either.
            text: deepsearch_net::sent(&self.info.id, &host, self.info.local, said),
            entry: deepsearch_net::contact(purpose, &host, self.info.local, bytes),
            bytes,
        }
    }

    /// Where the question goes, in full: left to itself, the client guesses the provider from the model's name, sends
    /// every unknown name to Ollama, and takes keys from the environment.
    fn target(&self) -> ServiceTarget {
        let key = self.provider.key.as_ref().map_or("none", |key| key.expose_secret());
        ServiceTarget {
            endpoint: Endpoint::from_owned(self.provider.url.as_str()),
            auth: AuthData::from_single(key),
            model: ModelIden::new(self.provider.adapter, self.name.clone()),
        }
    }

    fn options(&self, request: &ChatRequest) -> ChatOptions {
        let mut options = ChatOptions::default().with_capture_usage(true);
        let speaks_openai = !matches!(
            self.provider.adapter,
            AdapterKind::Anthropic | AdapterKind::Gemini | AdapterKind::Ollama
        );
        if speaks_openai {
            // A model may be named `…-high`; without this the client takes that for a setting and cuts it off.
            options = options.with_reasoning_effort(ReasoningEffort::Budget(0));
        }
        if let Some(max_tokens) = request.max_tokens {
            options = options.with_max_tokens(max_tokens);
        }
        match request.temperature {
            Some(temperature) if !self.fixes_temperature() => options.with_temperature(temperature),
            _ => options,
        }
    }

    /// OpenAI's reasoning models answer any temperature with an error.
    fn fixes_temperature(&self) -> bool {
        let name = self.name.strip_prefix("openai/").unwrap_or(&self.name);
        ["gpt-5", "gpt-6", "o1", "o3", "o4"]
            .iter()
            .any(|family| name.starts_with(family))
    }
}

fn turns(request: &ChatRequest) -> genai::chat::ChatRequest {
    let message = |turn: &deepsearch_core::Turn| match turn.role {
        Role::System => ChatMessage::system(turn.content.as_str()),
        Role::Assistant => ChatMessage::assistant(turn.content.as_str()),
        Role::User => ChatMessage::user(turn.content.as_str()),
    };
    genai::chat::ChatRequest::new(request.turns.iter().map(message).collect())
}

fn said(turn: &deepsearch_core::Turn) -> SentTurn {
    SentTurn {
        role: turn.role,
        content: turn.content.clone(),
    }
}
