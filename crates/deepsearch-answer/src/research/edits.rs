//! What a person changes of a plan. An edit that no longer fits (its part has gone) changes nothing.

use deepsearch_core::ResearchState;
use deepsearch_core::research::{
    PartOrigin, PartStage, PlanEdit, ResearchBudget, ResearchEnd, ResearchPart, ResearchPhase,
};

use super::subquestions::tidy;

/// A plan has no more parts than this, whoever adds them.
pub(super) const MOST_PARTS: usize = 20;

/// Changes the plan. What was found and written for other parts stays.
pub fn apply(state: &mut ResearchState, edit: PlanEdit) {
    match edit {
        PlanEdit::Add { question, before } => add(state, &question, before),
        PlanEdit::Reword { part, question } => reword(state, part, &question),
        PlanEdit::Remove { part } => remove(state, part),
        PlanEdit::Order { parts } => {
            let place = |part: &ResearchPart| parts.iter().position(|id| *id == part.id).unwrap_or(parts.len());
            state.parts.sort_by_key(place);
        }
        PlanEdit::Budget { budget } => change_budget(state, budget.bounded()),
        PlanEdit::Agree if state.phase == ResearchPhase::Agree => state.phase = ResearchPhase::Gather,
        PlanEdit::Agree => {}
        PlanEdit::Finish => {
            state.ended.get_or_insert(ResearchEnd::Person);
            if state.phase == ResearchPhase::Agree {
                state.phase = ResearchPhase::Gather;
            }
        }
    }
}

/// What was ended by the smaller budget goes on with the larger one, also when its report was begun: a part that was never
/// searched for, and has no section yet, still is.
fn change_budget(state: &mut ResearchState, budget: ResearchBudget) {
    state.budget = budget;
    if state.ended == Some(ResearchEnd::Person) {
        return;
    }
    let ended = state.ended.take();
    if ended == Some(ResearchEnd::Enough) || state.phase != ResearchPhase::Write {
        return;
    }
    let never_searched =
        |part: &&mut ResearchPart| part.queries.is_empty() && part.section.as_deref().unwrap_or_default().is_empty();
    let mut any = false;
    for part in state.parts.iter_mut().filter(never_searched) {
        part.stage = PartStage::Planned;
        part.section = None;
        any = true;
    }
    if any {
        search_again(state);
    }
}

/// A new part, planned.
pub(super) fn part(state: &mut ResearchState, question: String, origin: PartOrigin) -> ResearchPart {
    let id = state.next_part;
    state.next_part += 1;
    ResearchPart {
        id,
        question,
        origin,
        stage: PartStage::Planned,
        queries: Vec::new(),
        query: None,
        leads: Vec::new(),
        notes: Vec::new(),
        missing: Vec::new(),
        hosts: 0,
        chosen: Vec::new(),
        section: None,
    }
}

fn add(state: &mut ResearchState, question: &str, before: Option<u32>) {
    let Some(question) = tidy(question) else { return };
    if state.parts.len() >= MOST_PARTS || state.parts.iter().any(|part| part.question == question) {
        return;
    }
    let new = part(state, question, PartOrigin::Person);
    let at = before.and_then(|before| state.parts.iter().position(|part| part.id == before));
    state.parts.insert(at.unwrap_or(state.parts.len()), new);
    search_again(state);
}

fn reword(state: &mut ResearchState, id: u32, question: &str) {
    let Some(question) = tidy(question) else { return };
    let Some(old) = state.part_mut(id) else { return };
    if old.question == question {
        return;
    }
    old.question = question;
    old.origin = PartOrigin::Person;
    old.stage = PartStage::Planned;
    old.query = None;
    old.leads.clear();
    old.notes.clear();
    old.chosen.clear();
    old.missing.clear();
    old.section = None;
    state.conflicts.retain(|conflict| conflict.part != id);
    search_again(state);
}

fn remove(state: &mut ResearchState, id: u32) {
    // A report of nothing is none.
    if state.parts.len() > 1 {
        state.parts.retain(|part| part.id != id);
        state.conflicts.retain(|conflict| conflict.part != id);
        write_again(state);
        if state.phase == ResearchPhase::Done {
            state.phase = ResearchPhase::Write;
        }
    }
}

/// A part that is to be searched for takes the research back to gathering; the budget still decides.
fn search_again(state: &mut ResearchState) {
    if matches!(state.phase, ResearchPhase::Write | ResearchPhase::Done) {
        state.phase = ResearchPhase::Gather;
    }
    if matches!(state.ended, Some(ResearchEnd::Enough | ResearchEnd::Person)) {
        state.ended = None;
    }
    write_again(state);
}

/// What is made of all parts is made anew.
fn write_again(state: &mut ResearchState) {
    state.lead = None;
    state.closing = None;
}
