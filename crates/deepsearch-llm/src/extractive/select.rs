//! Which sentences the answer is made of, and in what order: the best first, each later one for what it adds.

use std::collections::HashSet;

use super::question::{Kind as Asked, Question};
use super::score::Score;
use super::sentence::{Kind, Sentence};

/// Sentences that belong together, by position: one that leans with the one it leans on, a step with its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) sentences: Vec<usize>,
    /// Further sources that say the same.
    pub(super) also: Vec<u32>,
}

/// The chosen units: the first leads, the others support it, grouped by source and in its order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) lead: Unit,
    pub(super) support: Vec<Unit>,
}

/// Below this share of the question, by weight, a sentence speaks of something else.
const ENOUGH: f32 = 0.5;
const UNITS: usize = 6;
/// Characters of an answer when the caller sets no limit.
const LENGTH: usize = 1_600;

/// `None` when the passages do not answer the question.
pub(super) fn select(
    question: &Question,
    sentences: &[Sentence<'_>],
    scores: &[Score],
    sides: Option<&[Vec<Score>; 2]>,
    max_tokens: Option<u32>,
) -> Option<Chosen> {
    let of_sides = on_both_sides(question, sentences, sides);
    let mut order = in_order(sentences, scores);
    // What is said of either side alone holds only a part of the question, and answers it all the same.
    if order.is_empty() {
        order.extend(&of_sides);
    }
    let best = *order
        .iter()
        .find(|&&at| sentences[at].kind == Kind::Prose)
        .or(order.first())?;
    // A list item or a line of code leads only where it is far better than any prose.
    let first = match order.first() {
        Some(&first) if scores[first].total > scores[best].total + 0.3 => first,
        _ => best,
    };
    let mut picker = Picker {
        question,
        sentences,
        taken: HashSet::new(),
        units: Vec::new(),
        room: max_tokens.map_or(LENGTH, |tokens| (tokens as usize).saturating_mul(3).min(LENGTH)),
    };
    picker.take(first);
    of_sides.iter().for_each(|&at| picker.take(at));
    let floor = scores[first].total * 0.6;
    for &at in order.iter().filter(|&&at| scores[at].total >= floor) {
        if picker.units.len() >= UNITS {
            break;
        }
        picker.take(at);
    }
    let mut units = picker.units.into_iter();
    let lead = units.next()?;
    Some(Chosen {
        lead,
        support: grouped(sentences, units.collect()),
    })
}

/// The sentences that could be an answer, best first.
fn in_order(sentences: &[Sentence<'_>], scores: &[Score]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sentences.len())
        .filter(|&at| matches!(sentences[at].kind, Kind::Prose | Kind::ListItem | Kind::Code))
        .filter(|&at| scores[at].coverage >= ENOUGH && !sentences[at].text.ends_with(['?', '？']))
        .collect();
    order.sort_by(|&a, &b| scores[b].total.total_cmp(&scores[a].total).then(a.cmp(&b)));
    order
}

/// Of a comparison: the best sentence about each side that does not speak of the other; none where one has none.
fn on_both_sides(question: &Question, sentences: &[Sentence<'_>], scores: Option<&[Vec<Score>; 2]>) -> Vec<usize> {
    let (Some(sides), Some(scores)) = (question.sides.as_deref(), scores) else {
        return Vec::new();
    };
    let best = |side: usize| {
        let others = &sides[1 - side].terms;
        let own = &sides[side].terms;
        in_order(sentences, &scores[side]).into_iter().find(|&at| {
            let holds = |terms: &[String]| terms.iter().any(|term| sentences[at].terms.contains(term));
            sentences[at].kind == Kind::Prose && holds(own) && !holds(others)
        })
    };
    match (best(0), best(1)) {
        (Some(one), Some(other)) => vec![one, other],
        _ => Vec::new(),
    }
}

struct Picker<'a> {
    question: &'a Question,
    sentences: &'a [Sentence<'a>],
    taken: HashSet<usize>,
    units: Vec<Unit>,
    room: usize,
}

impl Picker<'_> {
    fn take(&mut self, at: usize) {
        if self.taken.contains(&at) {
            return;
        }
        if let Some(same) = self.says_the_same(at) {
            let (number, unit) = (self.sentences[at].number, &mut self.units[same]);
            let cited = unit.sentences.iter().any(|&own| self.sentences[own].number == number);
            if !cited && !unit.also.contains(&number) {
                unit.also.push(number);
            }
            return;
        }
        let Some(mut members) = self.with_what_it_leans_on(at) else {
            return;
        };
        members.extend(self.with_what_follows(at));
        members.retain(|member| !self.taken.contains(member));
        let length: usize = members.iter().map(|&member| self.sentences[member].text.len()).sum();
        if length > self.room && !self.units.is_empty() {
            return;
        }
        self.room = self.room.saturating_sub(length);
        self.taken.extend(&members);
        self.units.push(Unit {
            sentences: members,
            also: Vec::new(),
        });
    }

    /// The unit that already says what this sentence says.
    fn says_the_same(&self, at: usize) -> Option<usize> {
        let alike = |unit: &Unit| {
            unit.sentences
                .iter()
                .any(|&own| similarity(&self.sentences[own], &self.sentences[at]) >= 0.7)
        };
        self.units.iter().position(alike)
    }

    /// The sentence, with the one before it where it means nothing alone; `None` where that one is missing.
    fn with_what_it_leans_on(&self, at: usize) -> Option<Vec<usize>> {
        let sentence = &self.sentences[at];
        if !sentence.leans {
            return Some(vec![at]);
        }
        let before = at.checked_sub(1).filter(|&before| {
            let before = &self.sentences[before];
            before.passage == sentence.passage
                && before.kind == Kind::Prose
                && sentence.line - before.line <= 2
                && !before.leans
        });
        match before {
            Some(before) => Some(vec![before, at]),
            // The very first sentence must stand, or there would be no answer; the others can be done without.
            None if self.units.is_empty() => Some(vec![at]),
            None => None,
        }
    }

    /// The steps or the code that a sentence announces; after a how-to sentence also without a colon.
    fn with_what_follows(&self, at: usize) -> Vec<usize> {
        let sentence = &self.sentences[at];
        let announces = sentence.text.ends_with([':', '：']);
        let instructs = matches!(self.question.kind, Asked::HowTo | Asked::List);
        if !announces && !instructs {
            return Vec::new();
        }
        // Steps stand together: from the middle of a list the rest of it follows too.
        let next = self.sentences.iter().enumerate().skip(at + 1);
        next.take_while(|(_, next)| {
            let listed = matches!(next.kind, Kind::Code)
                || (next.kind == Kind::ListItem && (announces || sentence.kind == Kind::ListItem && next.numbered));
            next.passage == sentence.passage && listed
        })
        .map(|(position, _)| position)
        .take(12)
        .collect()
    }
}

/// The share of terms two sentences have in common (Jaccard).
fn similarity(a: &Sentence<'_>, b: &Sentence<'_>) -> f32 {
    let common = a.terms.intersection(&b.terms).count();
    let all = a.terms.len() + b.terms.len() - common;
    if all == 0 { 0.0 } else { common as f32 / all as f32 }
}

/// Sources in the order of their best sentence; within one, the order of the page.
fn grouped(sentences: &[Sentence<'_>], mut units: Vec<Unit>) -> Vec<Unit> {
    let number = |unit: &Unit| sentences[unit.sentences[0]].number;
    let mut sources: Vec<u32> = Vec::new();
    for unit in &units {
        if !sources.contains(&number(unit)) {
            sources.push(number(unit));
        }
    }
    units.sort_by_key(|unit| {
        let rank = sources.iter().position(|source| *source == number(unit));
        (rank, sentences[unit.sentences[0]].at)
    });
    units
}
