//! Rerank: the passages that an answer is written from, in the order of their words, or in the one in which an embedding
//! model of this computer finds them near the question.
//!
//! The model only orders what words have found, within a deadline; where it fails, that is told and the words decide.
//! Leaves out which model it is, and what its server says: `deepsearch-llm` knows.

use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{Embedder, Failure, ModelError, Page, Passage};
use deepsearch_rank::{CountedPage, Ranking, nearness};
use futures::future::{Either, select};

use crate::pipeline::{Pipeline, Steps, blocking};

/// The passages that are embedded: with the question as many texts as servers take at once.
const FOREMOST: usize = 31;
/// How long a model may take to be loaded, while pages are searched and read. It is not waited for.
const LOADED_WITHIN: Duration = Duration::from_secs(30);

/// Pages that were read, held against what is asked of them.
pub(crate) struct Held {
    pub(crate) ranking: Arc<Ranking>,
    pub(crate) pages: Vec<Page>,
    /// What the ranking made of each page; of all, or of none yet.
    pub(crate) counted: Vec<CountedPage>,
}

impl Held {
    fn count(&mut self) {
        if self.counted.len() != self.pages.len() {
            self.counted = self.pages.iter().map(|page| self.ranking.count(page)).collect();
        }
    }
}

impl Pipeline {
    /// The best passages, and their pages back.
    pub(crate) async fn choose(&self, mut held: Held, steps: &Steps) -> (Vec<Page>, Vec<Passage>) {
        let mut near = Vec::new();
        if let Some(embedder) = &self.embedder {
            let foremost = blocking(move || {
                held.count();
                let texts = held.ranking.foremost(FOREMOST, &held.pages, &held.counted);
                let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
                (held, texts)
            });
            let texts;
            (held, texts) = foremost.await;
            near = self.nearness(embedder, held.ranking.question(), texts, steps).await;
        }
        blocking(move || {
            held.count();
            let passages = held.ranking.choose_by(&near, &held.pages, &held.counted);
            (held.pages, passages)
        })
        .await
    }

    /// How near each text is to the question; nothing where the model does not say.
    async fn nearness(
        &self,
        embedder: &Arc<dyn Embedder>,
        question: &str,
        mut texts: Vec<String>,
        steps: &Steps,
    ) -> Vec<f32> {
        if texts.len() < 2 {
            return Vec::new();
        }
        let passages = texts.len() as u32;
        texts.insert(0, question.to_owned());
        let embedded = embedder.embed(&texts, self.limits.rerank).await;
        let failure = embedded.as_ref().err().map(failure);
        steps
            .event(AnswerEvent::Reranked {
                model: embedder.id().to_owned(),
                passages,
                failure,
            })
            .await;
        match embedded.as_deref() {
            Ok([question, passages @ ..]) => nearness(question, passages),
            _ => Vec::new(),
        }
    }

    /// Does `work`, and has the model loaded meanwhile: a server that has it on its disk only would let the deadline go by.
    pub(crate) async fn while_loading<T>(&self, question: &str, work: impl Future<Output = T>) -> T {
        let Some(embedder) = &self.embedder else {
            return work.await;
        };
        let question = [question.to_owned()];
        let loading = embedder.embed(&question, LOADED_WITHIN);
        match select(Box::pin(work), loading).await {
            Either::Left((done, _)) => done,
            // Should it have failed, the ranking will say so.
            Either::Right((_, work)) => work.await,
        }
    }
}

fn failure(error: &ModelError) -> Failure {
    tracing::debug!(%error, "passages are not reranked");
    Failure::from(error)
}
