//! A tally: the tokens that a model's provider told of, kept outside of what uses the model, so that they are known however
//! that ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use deepsearch_core::model::ModelStream;
use deepsearch_core::{ChatModel, ChatRequest, MessageMetadata, ModelError, ModelEvent, ModelInfo, TokenUsage};
use futures::StreamExt as _;

/// Cloning it gives another handle on the same tally.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Told>>);

#[derive(Clone, Default)]
struct Told {
    model: Option<String>,
    usage: TokenUsage,
}

impl Tally {
    /// The model, with what it tells counted here.
    pub(crate) fn on(&self, model: Arc<dyn ChatModel>) -> Arc<dyn ChatModel> {
        self.lock().model = Some(model.info().id.clone());
        Arc::new(Tallied {
            model,
            tally: self.clone(),
        })
    }

    pub(crate) fn told(&self) -> TokenUsage {
        self.lock().usage
    }

    /// As an answer keeps it; `None` where nothing was told.
    pub(crate) fn metadata(&self) -> Option<MessageMetadata> {
        let Told { model, usage } = self.lock().clone();
        let mut metadata = MessageMetadata {
            model,
            ..MessageMetadata::default()
        };
        metadata.book(None, usage);
        metadata.tokens.is_some().then_some(metadata)
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Tallied {
    model: Arc<dyn ChatModel>,
    tally: Tally,
}

#[async_trait]
impl ChatModel for Tallied {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    fn follows_instructions(&self) -> bool {
        self.model.follows_instructions()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        let tally = self.tally.clone();
        let count = move |event: &Result<ModelEvent, ModelError>| {
            if let Ok(ModelEvent::Usage(usage)) = event {
                let mut told = tally.lock();
                told.usage = told.usage + *usage;
            }
        };
        Ok(self.model.stream(request).await?.inspect(count).boxed())
    }
}
