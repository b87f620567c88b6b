//! The ledger: what asking the model has cost, and whether it may be asked again.

use std::time::Duration;

use deepsearch_core::research::ResearchSpent;
use deepsearch_core::{ChatRequest, Failure, ModelError, ModelEvent, ResearchState, TokenUsage};
use deepsearch_rank::estimate_tokens;
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::{Desk, Research};

/// What a million tokens cost, in whatever currency the person reckons in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    pub prompt: f64,
    pub completion: f64,
}

impl Prices {
    fn of(self, usage: TokenUsage) -> f64 {
        (f64::from(usage.prompt) * self.prompt + f64::from(usage.completion) * self.completion) / 1_000_000.0
    }
}

// A model that failed so often in a row is not asked any more in this run.
const MOST_FAILURES: u32 = 2;

#[derive(Debug)]
pub(super) struct Ledger {
    prices: Option<Prices>,
    /// Spent since it was last booked.
    pending: TokenUsage,
    failures: u32,
    follows: bool,
    /// It runs on this machine, where tokens cost nothing.
    local: bool,
}

impl Ledger {
    pub(super) fn new(research: &Research) -> Self {
        Self {
            prices: research.prices,
            pending: TokenUsage::default(),
            failures: 0,
            follows: research.pipeline.model.follows_instructions(),
            local: research.pipeline.model.info().local,
        }
    }

    /// The model is not asked any more.
    pub(super) fn rest(&mut self) {
        self.follows = false;
    }

    pub(super) fn may_ask(&self, state: &ResearchState) -> bool {
        let spent = state.spent.usage.total.saturating_add(self.pending.total);
        let money = match (state.budget.money, self.prices) {
            (None, _) => true,
            (Some(budget), Some(prices)) => state.spent.money.unwrap_or_default() + prices.of(self.pending) < budget,
            // What a model elsewhere costs without a known price may be more than anything.
            (Some(_), None) => self.local,
        };
        self.follows && self.failures < MOST_FAILURES && spent < state.budget.tokens && money
    }

    pub(super) fn add(&mut self, usage: TokenUsage) {
        self.pending = self.pending + usage;
    }

    pub(super) fn book(&mut self, spent: &mut ResearchSpent) {
        let usage = std::mem::take(&mut self.pending);
        spent.usage = spent.usage + usage;
        if let Some(prices) = self.prices {
            spent.money = Some(spent.money.unwrap_or_default() + prices.of(usage));
        }
    }
}

impl Desk<'_> {
    /// What the model writes, as far as it comes in time; `None` where it may not be asked, or wrote nothing.
    pub(super) async fn ask(&mut self, request: ChatRequest, limit: Duration) -> Option<String> {
        if !self.ledger.may_ask(&self.state) {
            return None;
        }
        let asked: usize = request
            .turns
            .iter()
            .map(|turn| estimate_tokens(&turn.content) + 4)
            .sum();
        let limit = limit.min(self.time_left());
        let mut heard = Heard::default();
        let error = heard.listen(self, request, limit).await.err();
        self.ledger.add(heard.usage(asked));
        let text = without_thinking(&heard.text).trim().to_owned();
        match error {
            None => self.ledger.failures = 0,
            Some(error) => {
                self.ledger.failures += 1;
                tracing::info!(%error, "the model failed at a question of a research");
                self.trouble(Failure::from(&error));
            }
        }
        (!text.is_empty()).then_some(text)
    }

    /// What is left of the budget's time. A little is always left, because to be asked is to be given a chance.
    pub(super) fn time_left(&self) -> Duration {
        let budget = Duration::from_secs(self.state.budget.seconds.into());
        let spent = Duration::from_millis(self.state.spent.milliseconds.into());
        budget.saturating_sub(spent).max(Duration::from_secs(1))
    }
}

#[derive(Default)]
struct Heard {
    text: String,
    told: TokenUsage,
}

// No short answer and no section is longer.
const MOST_BYTES: usize = 24_000;

impl Heard {
    async fn listen(&mut self, desk: &Desk<'_>, request: ChatRequest, limit: Duration) -> Result<(), ModelError> {
        let model = &desk.research.pipeline.model;
        let until = Instant::now() + limit;
        let timed_out = || ModelError::TimedOut {
            provider: model.info().provider.clone(),
            limit,
        };
        let mut stream = timeout_at(until, model.stream(request))
            .await
            .map_err(|_| timed_out())??;
        loop {
            match timeout_at(until, stream.next()).await {
                Ok(Some(Ok(ModelEvent::Text(piece)))) => self.text.push_str(&piece),
                Ok(Some(Ok(ModelEvent::Usage(usage)))) => self.told = self.told + usage,
                Ok(Some(Ok(ModelEvent::Truncated))) => {}
                Ok(Some(Err(error))) => return Err(error),
                Ok(None) => return Ok(()),
                // What came in time is used.
                Err(_) if self.text.is_empty() => return Err(timed_out()),
                Err(_) => return Ok(()),
            }
            if self.text.len() > MOST_BYTES {
                return Ok(());
            }
        }
    }

    /// What it cost as the provider tells it, or else about what it must have been.
    fn usage(&self, asked: usize) -> TokenUsage {
        if self.told != TokenUsage::default() {
            return self.told;
        }
        let (prompt, completion) = (asked as u32, estimate_tokens(&self.text) as u32);
        TokenUsage {
            prompt,
            completion,
            total: prompt + completion,
        }
    }
}

/// Some local models think aloud before they answer.
fn without_thinking(text: &str) -> &str {
    match text.trim_start().strip_prefix("<think>") {
        Some(thought) => thought.split_once("</think>").map_or("", |(_, after)| after),
        None => text,
    }
}
