//! What is to be done next: a function of the state alone, so that a research goes on after a kill as if there had been
//! none.

use deepsearch_core::ResearchState;
use deepsearch_core::research::{PartStage, ResearchEnd, ResearchPhase};

use super::review::MOST_REVIEWS;

/// One task, after which the state is kept. Doing it again after a kill does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Plan,
    /// Wait until the person agrees to the plan.
    Agree,
    Search(u32),
    Read(u32),
    Note(u32),
    Review,
    Outline(ResearchEnd),
    Lead,
    Section(u32),
    Close,
}

impl Task {
    /// The part it works on.
    pub(super) fn part(self) -> Option<u32> {
        match self {
            Self::Search(part) | Self::Read(part) | Self::Note(part) | Self::Section(part) => Some(part),
            _ => None,
        }
    }
}

/// `None` when the report is written.
pub(super) fn next(state: &ResearchState) -> Option<Task> {
    match state.phase {
        ResearchPhase::Plan => Some(Task::Plan),
        ResearchPhase::Agree => Some(Task::Agree),
        ResearchPhase::Gather => Some(gather(state)),
        ResearchPhase::Write => Some(write(state)),
        ResearchPhase::Done => None,
    }
}

fn gather(state: &ResearchState) -> Task {
    let first = |stage: PartStage| state.parts.iter().find(|part| part.stage == stage).map(|part| part.id);
    if let Some(part) = first(PartStage::Read) {
        return Task::Note(part);
    }
    if let Some(end) = state.ended.or_else(|| exhausted(state)) {
        // Pages that were read for others may speak of what is not searched for any more.
        let rest = first(PartStage::Found).or_else(|| first(PartStage::Planned));
        return rest.map_or(Task::Outline(end), Task::Note);
    }
    if let Some(part) = first(PartStage::Found) {
        return Task::Read(part);
    }
    if let Some(part) = first(PartStage::Planned) {
        return Task::Search(part);
    }
    if state.reviews < MOST_REVIEWS {
        return Task::Review;
    }
    Task::Outline(ResearchEnd::Enough)
}

fn write(state: &ResearchState) -> Task {
    if state.lead.is_none() {
        return Task::Lead;
    }
    let unwritten = state.parts.iter().find(|part| part.section.is_none());
    unwritten.map_or(Task::Close, |part| Task::Section(part.id))
}

// The rest of the time and of the tokens is for writing.
const TIME_FOR_GATHERING: f64 = 0.6;
const TOKENS_FOR_GATHERING: f64 = 0.4;

/// The part of the budget that is spent, as far as searching and reading may spend it.
fn exhausted(state: &ResearchState) -> Option<ResearchEnd> {
    let (budget, spent) = (&state.budget, &state.spent);
    let milliseconds = f64::from(budget.seconds) * 1_000.0 * TIME_FOR_GATHERING;
    // Where no model is to be asked, none can be asked too much.
    let tokens = (f64::from(budget.tokens) * TOKENS_FOR_GATHERING).max(1.0);
    if spent.steps >= budget.steps && !state.parts.iter().any(|part| part.stage == PartStage::Found) {
        return Some(ResearchEnd::Steps);
    }
    if spent.pages >= budget.pages {
        return Some(ResearchEnd::Pages);
    }
    if f64::from(spent.milliseconds) >= milliseconds {
        return Some(ResearchEnd::Time);
    }
    if f64::from(spent.usage.total) >= tokens {
        return Some(ResearchEnd::Tokens);
    }
    match (budget.money, spent.money) {
        (Some(budget), Some(spent)) if spent > 0.0 && spent >= budget * TOKENS_FOR_GATHERING => {
            Some(ResearchEnd::Money)
        }
        _ => None,
    }
}
