//! One attempt at an answer: from the request to a stream of pieces, each waited for within its deadline.
//!
//! An attempt that has brought no text may be repeated; one that has may not, so that nobody reads a sentence twice.

use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::model::ModelStream;
use deepsearch_core::{ModelError, ModelEvent, TokenUsage};
use deepsearch_net::{Entry, Network, TextEntry};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use genai::adapter::AdapterKind;
use genai::chat::{ChatStreamEvent, StopReason, StreamEnd};
use tokio::time::{Instant, timeout_at};

use crate::config::Deadlines;
use crate::errors::{Cause, classify, is_unsent};
use crate::provider::Provider;

/// What one attempt needs to know. Cheap to clone; lives as long as its stream.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) provider: Arc<Provider>,
    pub(crate) model: String,
    pub(crate) deadlines: Deadlines,
    /// When the whole answer must be there, retries included.
    pub(crate) until: Instant,
    pub(crate) network: Network,
    pub(crate) noted: Noted,
}

/// What the ledger says of an attempt.
#[derive(Clone)]
pub(crate) struct Noted {
    /// Its line, to which what comes in is added.
    pub(crate) entry: Entry,
    pub(crate) text: TextEntry,
    pub(crate) bytes: u64,
}

impl Noted {
    /// Nobody was reached.
    fn take_back(&self) {
        self.entry.not_sent(self.bytes);
        self.text.not_sent();
    }
}

/// A provider's stream with how far it has come.
struct Pieces {
    attempt: Attempt,
    events: BoxStream<'static, genai::Result<ChatStreamEvent>>,
    /// The provider has shown a sign of life, so the shorter deadline counts.
    alive: bool,
    ended: bool,
    /// What is to be given before the stream is asked again.
    waiting: std::collections::VecDeque<ModelEvent>,
}

impl Attempt {
    /// Waits for the first piece. What it gives back is a stream that has already begun.
    pub(crate) async fn begin(
        self,
        events: impl futures::Stream<Item = genai::Result<ChatStreamEvent>> + Send + 'static,
    ) -> Result<ModelStream, ModelError> {
        let mut pieces = Pieces {
            attempt: self,
            events: events.boxed(),
            alive: false,
            ended: false,
            waiting: std::collections::VecDeque::new(),
        };
        let Some(first) = pieces.next().await? else {
            return Err(pieces.attempt.wrote_nothing());
        };
        if matches!(first, ModelEvent::Usage(_)) && !pieces.waiting.contains(&ModelEvent::Truncated) {
            return Err(pieces.attempt.wrote_nothing());
        }
        Ok(pieces.after(first))
    }

    fn wrote_nothing(&self) -> ModelError {
        ModelError::Provider {
            provider: self.provider.id.clone(),
            status: None,
            detail: "it ended the answer before it had begun".into(),
        }
    }

    fn broken_off(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ModelError {
        ModelError::BrokenOff {
            provider: self.provider.id.clone(),
            source: source.into(),
        }
    }
}

impl Pieces {
    /// The rest of the stream behind its first piece. From here on every failure is [`ModelError::BrokenOff`].
    fn after(self, first: ModelEvent) -> ModelStream {
        let rest = futures::stream::try_unfold(self, |mut pieces| async move {
            match pieces.next().await {
                Ok(event) => Ok(event.map(|event| (event, pieces))),
                Err(error @ ModelError::BrokenOff { .. }) => Err(error),
                Err(error) => Err(pieces.attempt.broken_off(error)),
            }
        });
        futures::stream::once(async { Ok(first) })
            .chain(rest.into_stream())
            .boxed()
    }

    /// The next event that means something to us; `None` after the end.
    async fn next(&mut self) -> Result<Option<ModelEvent>, ModelError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.provider_event().await? {
                Some(ChatStreamEvent::Chunk(chunk)) if !chunk.content.is_empty() => {
                    self.alive = true;
                    self.attempt.noted.entry.received(chunk.content.len());
                    return Ok(Some(ModelEvent::Text(chunk.content)));
                }
                Some(ChatStreamEvent::End(end)) => self.end(end)?,
                // The client says "start" before it has sent anything.
                Some(ChatStreamEvent::Start) => {}
                // Thinking is not shown, but it came, and it is a sign of life.
                Some(ChatStreamEvent::ReasoningChunk(chunk)) => {
                    self.alive = true;
                    self.attempt.noted.entry.received(chunk.content.len());
                }
                Some(_) => self.alive = true,
                None => {
                    return Err(self
                        .attempt
                        .broken_off(Cause("the stream ended without its end mark".into())));
                }
            }
        }
    }

    async fn provider_event(&mut self) -> Result<Option<ChatStreamEvent>, ModelError> {
        let patience = match self.alive {
            true => self.attempt.deadlines.idle,
            false => self.attempt.deadlines.first_token,
        };
        let deadline = self.attempt.until.min(Instant::now() + patience);
        let attempt = &self.attempt;
        // The first step connects and sends; private mode may have been turned on since the last one.
        let step = attempt.network.through(&attempt.provider.url, self.events.try_next());
        let step = timeout_at(deadline, step).await;
        match step {
            Ok(Err(_)) => Err(ModelError::Private {
                model: format!("{}/{}", attempt.provider.id, attempt.model),
            }),
            Ok(Ok(event)) => event.map_err(|error| {
                if is_unsent(&error) {
                    attempt.noted.take_back();
                }
                classify(&attempt.provider, &attempt.model, error)
            }),
            Err(_) => Err(ModelError::TimedOut {
                provider: attempt.provider.id.clone(),
                limit: if deadline == attempt.until {
                    attempt.deadlines.overall
                } else {
                    patience
                },
            }),
        }
    }

    fn end(&mut self, end: StreamEnd) -> Result<(), ModelError> {
        self.ended = true;
        // Where the connection just closes, the client makes up an end for these two, without a reason in it.
        let made_up = matches!(self.attempt.provider.adapter, AdapterKind::Ollama | AdapterKind::Gemini);
        if made_up && end.captured_stop_reason.is_none() {
            return Err(self
                .attempt
                .broken_off(Cause("the stream ended without its end mark".into())));
        }
        if matches!(end.captured_stop_reason, Some(StopReason::ContentFilter(_))) {
            return Err(ModelError::Provider {
                provider: self.attempt.provider.id.clone(),
                status: None,
                detail: "its content filter held the answer back".into(),
            });
        }
        self.waiting
            .extend(end.captured_usage.map(usage).map(ModelEvent::Usage));
        if matches!(end.captured_stop_reason, Some(StopReason::MaxTokens(_))) {
            self.waiting.push_back(ModelEvent::Truncated);
        }
        Ok(())
    }
}

fn usage(usage: genai::chat::Usage) -> TokenUsage {
    let count = |tokens: Option<i32>| tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(0);
    let (prompt, completion) = (count(usage.prompt_tokens), count(usage.completion_tokens));
    TokenUsage {
        prompt,
        completion,
        total: count(usage.total_tokens).max(prompt.saturating_add(completion)),
    }
}

/// The waits between attempts: each drawn from below a ceiling that doubles ("full jitter"), so that many programs
/// that failed together do not come back together.
pub(crate) fn waits(first: Duration, longest: Duration, tries: usize) -> impl Iterator<Item = Duration> + Send {
    let ceilings = std::iter::successors(Some(first), move |ceiling| Some((*ceiling * 2).min(longest)));
    ceilings
        .take(tries.saturating_sub(1))
        .map(|ceiling| ceiling.mul_f64(fastrand::f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_lies_below_a_ceiling_that_doubles_up_to_its_limit() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(2));
        let ceilings = [500, 1000, 2000, 2000].map(Duration::from_millis);
        for _ in 0..200 {
            let waits: Vec<Duration> = waits(first, longest, 5).collect();
            assert_eq!(waits.len(), ceilings.len(), "the first attempt is not waited for");
            assert!(
                waits.iter().zip(&ceilings).all(|(wait, ceiling)| wait <= ceiling),
                "{waits:?}"
            );
        }
        assert_ne!(
            waits(first, longest, 5).collect::<Vec<_>>(),
            waits(first, longest, 5).collect::<Vec<_>>()
        );
    }
}
