//! Embedding: vectors of texts from a server on this machine, in Ollama's format or in OpenAI's.
//!
//! The library that speaks to chat models could ask as well, but it reads answers of any size and takes them as they
//! come; here every number is held against what was asked. Only a server of this machine is asked, private mode or not:
//! it is shown passages of whatever was read, the person's own files among them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::{Embedder, Errand, ModelError, ModelId, Role, SentTurn};
use deepsearch_net::{Client, host_of};
use recloser::AsyncRecloser;
use serde::Deserialize;
use serde_json::json;

use crate::asking::{Question, address, json_of, unreadable};
use crate::errors::is_illness;
use crate::listing::runs_here;
use crate::provider::{Listing, Provider};

/// Texts of one request: some servers take no more.
const BATCH: usize = 32;
/// Texts of one call.
const MOST_TEXTS: usize = 256;
/// Characters of one text. Models read some hundred tokens, and not every server cuts off the rest by itself.
const LONGEST_TEXT: usize = 1_200;
/// Numbers of one vector; the largest models have 4,096.
const MOST_NUMBERS: usize = 16_384;
/// A batch of the largest vectors, each number written out in full.
const LONGEST_ANSWER: usize = BATCH * MOST_NUMBERS * 26;

/// One embedding model. The breaker is not that of the provider's chat models: each may be ill alone.
pub struct ProviderEmbedder {
    pub(crate) id: ModelId,
    /// As the provider calls it.
    pub(crate) name: String,
    /// `None` where there is none of that name.
    pub(crate) provider: Option<Arc<Provider>>,
    pub(crate) client: Client,
    pub(crate) breaker: AsyncRecloser,
}

impl ProviderEmbedder {
    /// Whether it may be used at all. Asks nobody.
    ///
    /// # Errors
    /// [`ModelError::Unknown`]; [`ModelError::Elsewhere`] for a model that is not on this machine.
    pub fn check(&self) -> Result<(), ModelError> {
        self.provider().map(drop)
    }

    fn provider(&self) -> Result<&Arc<Provider>, ModelError> {
        let model = || self.id.clone();
        let provider = self.provider.as_ref();
        let provider = provider.ok_or_else(|| ModelError::Unknown { model: model() })?;
        if !runs_here(provider, &self.name) {
            return Err(ModelError::Elsewhere { model: model() });
        }
        Ok(provider)
    }

    async fn embed_all(&self, provider: &Provider, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        if texts.len() > MOST_TEXTS {
            return Err(unreadable(provider, "these are more texts than it is given at once"));
        }
        let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let batch: Vec<&str> = batch.iter().map(|text| cut(text)).collect();
            self.write_down(provider, &batch);
            vectors.extend(self.embed_batch(provider, &batch).await?);
        }
        sound(vectors).ok_or_else(|| unreadable(provider, "what it sent are no vectors of these texts"))
    }

    async fn embed_batch(&self, provider: &Provider, batch: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let is_ollama = provider.listing == Listing::Ollama;
        let (path, body) = if is_ollama {
            (
                "api/embed",
                json!({ "model": self.name, "input": batch, "truncate": true }),
            )
        } else {
            (
                "embeddings",
                json!({ "model": self.name, "input": batch, "encoding_format": "float" }),
            )
        };
        let question = Question {
            errand: Errand::Model,
            model: &self.name,
            request: self.client.post(address(provider, path)).json(&body),
            longest: LONGEST_ANSWER,
        };
        let vectors = if is_ollama {
            let answer: OllamaAnswer = json_of(provider, &self.client, question).await?;
            Some(answer.embeddings).filter(|vectors| vectors.len() == batch.len())
        } else {
            let answer: OpenAiAnswer = json_of(provider, &self.client, question).await?;
            by_index(answer.data, batch.len())
        };
        vectors.ok_or_else(|| unreadable(provider, "it sent not one vector for each text"))
    }

    /// Tells the ledger what is sent; the client counts it.
    fn write_down(&self, provider: &Provider, batch: &[&str]) {
        let turn = |text: &&str| SentTurn {
            role: Role::User,
            content: (*text).to_owned(),
        };
        let turns: Vec<SentTurn> = batch.iter().map(turn).collect();
        deepsearch_net::sent(&self.id, &host_of(&provider.url), true, &turns);
    }
}

#[async_trait]
impl Embedder for ProviderEmbedder {
    fn id(&self) -> &str {
        &self.id
    }

    async fn embed(&self, texts: &[String], within: Duration) -> Result<Vec<Vec<f32>>, ModelError> {
        let provider = self.provider()?;
        let embedding = async {
            let embedding = tokio::time::timeout(within, self.embed_all(provider, texts));
            embedding.await.unwrap_or_else(|_| {
                Err(ModelError::TimedOut {
                    provider: provider.id.clone(),
                    limit: within,
                })
            })
        };
        let embedded = self.breaker.call_with(is_illness, embedding).await;
        embedded.map_err(|error| match error {
            recloser::Error::Inner(error) => error,
            recloser::Error::Rejected => ModelError::Resting {
                provider: provider.id.clone(),
            },
        })
    }
}

#[derive(Deserialize)]
struct OllamaAnswer {
    embeddings: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct OpenAiAnswer {
    data: Vec<OpenAiVector>,
}

#[derive(Deserialize)]
struct OpenAiVector {
    index: usize,
    embedding: Vec<f32>,
}

/// The order in which they come is not promised; each says whose it is.
fn by_index(mut data: Vec<OpenAiVector>, count: usize) -> Option<Vec<Vec<f32>>> {
    data.sort_by_key(|vector| vector.index);
    let is_each_there = data.len() == count && data.iter().enumerate().all(|(at, vector)| vector.index == at);
    is_each_there.then(|| data.into_iter().map(|vector| vector.embedding).collect())
}

/// Vectors of one length, each with a direction.
fn sound(vectors: Vec<Vec<f32>>) -> Option<Vec<Vec<f32>>> {
    let length = vectors.first().map_or(1, Vec::len);
    let is_sound = |vector: &Vec<f32>| {
        vector.len() == length
            && vector.iter().all(|number| number.is_finite())
            && vector.iter().any(|number| *number != 0.0)
    };
    ((1..=MOST_NUMBERS).contains(&length) && vectors.iter().all(is_sound)).then_some(vectors)
}

fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(LONGEST_TEXT)
        .map_or(text, |(end, _)| &text[..end])
}
