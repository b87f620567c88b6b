//! Reranking: which embedding model puts passages in order, which could, and whether the chosen one works now.

use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::{Embedder, Failure, ModelError, ModelId};
use serde::Serialize;

use crate::app::{App, Wired};
use crate::error::AppError;

/// The setting that names the model.
pub(crate) const KEY: &str = "rank.embedding_model";

/// How long it is waited for when nobody waits for an answer: it may have to be loaded first.
const TRIED_WITHIN: Duration = Duration::from_secs(5);

/// How passages are put in order, as things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct Reranking {
    /// The model that was chosen; `None` where the words decide alone.
    pub model: Option<ModelId>,
    /// Models of this computer that are known to embed.
    pub offered: Vec<ModelId>,
    /// Why the chosen one does not work.
    pub failure: Option<Failure>,
}

impl App {
    /// How passages are put in order; asks the chosen model whether it works.
    pub async fn reranking(&self) -> Reranking {
        let wired = self.wired();
        let chosen = wired.embedder();
        let tried = async {
            let embedder = chosen.as_ref()?;
            let tried = embedder.embed(&["DeepSearch".to_owned()], TRIED_WITHIN).await;
            tried.err().map(|error| advised(&error))
        };
        let (offered, failure) = tokio::join!(wired.models.list_embedders(), tried);
        Reranking {
            model: chosen.map(|embedder| embedder.id().to_owned()),
            offered,
            failure,
        }
    }

    /// The model that was chosen to put passages in order, and those of this computer that are known to be able to.
    pub async fn embedding_models(&self) -> (Option<ModelId>, Vec<ModelId>) {
        let wired = self.wired();
        let chosen = wired.settings.text(KEY).map(str::to_owned);
        (chosen, wired.models.list_embedders().await)
    }
}

impl Wired {
    /// What puts passages in order by what they mean, where the person chose something.
    pub(crate) fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        let id = self.settings.text(KEY)?;
        Some(Arc::new(self.models.embedder(id)))
    }

    /// Holds a model against what is set up, before it is chosen.
    pub(crate) fn check_embedder(&self, id: &str) -> Result<(), AppError> {
        Ok(self.models.embedder(id).check()?)
    }
}

/// A model that Ollama does not have can be had.
fn advised(error: &ModelError) -> Failure {
    let failure = Failure::from(error);
    match error {
        ModelError::Unknown { model } => match model.strip_prefix("ollama/") {
            Some(name) => failure.hint(format!("`ollama pull {name}` brings it.")),
            None => failure,
        },
        _ => failure,
    }
}
