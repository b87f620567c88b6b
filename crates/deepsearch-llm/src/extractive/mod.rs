//! The extractive writer: an answer made of the best sentences of the sources, for where there is no model.
//!
//! Every sentence is the source's own, followed by its `[n]`, so nothing is claimed that is not written there. It knows
//! no language better than word lists do, and takes nothing from the prompt: only the question and the passages count.

mod question;
mod sentence;

mod score;
mod select;

mod compose;

use async_trait::async_trait;
use deepsearch_core::model::ModelStream;
use deepsearch_core::{ChatModel, ChatRequest, ModelError, ModelEvent, ModelInfo, Purpose};
use futures::StreamExt;

pub(crate) const ID: &str = "extractive";

/// Writes without a model. Always there, works offline, gives the same answer to the same question and passages.
#[derive(Debug, Clone)]
pub struct ExtractiveWriter {
    info: ModelInfo,
}

impl Default for ExtractiveWriter {
    fn default() -> Self {
        Self { info: info() }
    }
}

pub(crate) fn info() -> ModelInfo {
    ModelInfo {
        id: ID.into(),
        provider: "built-in".into(),
        local: true,
        // It reads any number of passages; this only keeps callers from handing it whole libraries.
        context_tokens: 128_000,
    }
}

#[async_trait]
impl ChatModel for ExtractiveWriter {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn follows_instructions(&self) -> bool {
        false
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        if request.purpose != Purpose::Answer {
            return Err(ModelError::Provider {
                provider: self.info.provider.clone(),
                status: None,
                detail: "the extractive writer only answers questions from sources, and follows no other instruction"
                    .into(),
            });
        }
        let text = write(&request);
        Ok(futures::stream::iter(pieces(&text))
            .map(|piece| Ok(ModelEvent::Text(piece)))
            .boxed())
    }
}

fn write(request: &ChatRequest) -> String {
    let question = question::Question::parse(&request.question).put_to(&request.passages);
    let sentences = sentence::cut(&request.passages);
    let scored = score::score(&question, &sentences, &request.passages);
    let sides = question.sides.as_deref().map(|sides| {
        let score = |side| score::score(side, &sentences, &request.passages);
        [score(&sides[0]), score(&sides[1])]
    });
    match select::select(&question, &sentences, &scored, sides.as_ref(), request.max_tokens) {
        Some(chosen) => compose::markdown(&sentences, &chosen),
        None => question.not_answered().to_owned(),
    }
}

/// A few words each, as a model would send them, so that every face of the app shows both alike.
fn pieces(text: &str) -> Vec<String> {
    const PIECE: usize = 24;
    let mut pieces = vec![String::new()];
    for word in text.split_inclusive(char::is_whitespace) {
        let last = pieces.last_mut().expect("there is always a last piece");
        if last.len() >= PIECE {
            pieces.push(word.to_owned());
        } else {
            last.push_str(word);
        }
    }
    pieces
}
