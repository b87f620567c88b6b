//! Contradiction: whether two sentences say of one thing what cannot both be so: another number, another date, or the
//! one denies what the other says.
//!
//! Strict on purpose. Two sentences that differ in more than one number mostly speak of two things ("3.12 came in 2023",
//! "3.13 came in 2024"), and so do two that each name somebody whom the other does not. What is missed is shown as two
//! statements all the same; what is wrongly called a contradiction misleads.

use deepsearch_core::text::{fold, words};

use super::numbers::Number;
use super::statement::{Amount, Kind, Statement};
use super::{TermMatch, best_match};

/// In what two sentences disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    Number,
    Date,
    Denial,
}

/// A sentence that is ready to be held against others.
#[derive(Debug, Clone)]
pub struct Assertion {
    statement: Statement,
    /// It says whom it speaks of, and does not leave that to the sentence before it.
    stands_alone: bool,
}

/// In what `one` and `other` disagree, if they speak of the same thing and cannot both be right.
pub fn contradicts(one: &str, other: &str) -> Option<Disagreement> {
    Assertion::of(one).contradicts(&Assertion::of(other))
}

// How much of the fuller and of the shorter sentence the other has to share, by weight, to speak of the same thing.
const SHARED_MOST: f32 = 0.7;
const SHARED_LEAST: f32 = 0.45;
// To deny is one small word: everything else has to be the same.
const DENIED_MOST: f32 = 0.85;
const DENIED_LEAST: f32 = 0.6;
const FEWEST_TERMS: usize = 2;
const FEWEST_TERMS_DENIED: usize = 3;

impl Assertion {
    pub fn of(sentence: &str) -> Self {
        Self {
            statement: Statement::of(sentence),
            stands_alone: !leans(sentence),
        }
    }

    /// As [`contradicts`].
    pub fn contradicts(&self, other: &Self) -> Option<Disagreement> {
        let (a, b) = (&self.statement, &other.statement);
        let fewest = a.terms.len().min(b.terms.len());
        let speaks = self.stands_alone && other.stands_alone && !a.question && !b.question;
        if !speaks || fewest < FEWEST_TERMS || !one_subject(a, b) {
            return None;
        }
        let (of_a, of_b) = (TermMatch::of(a, &[b], &[]), TermMatch::of(b, &[a], &[]));
        // Whom only the one names and whom only the other names are two.
        if of_a.names_missing > 0.0 && of_b.names_missing > 0.0 {
            return None;
        }
        let share = |terms: &TermMatch| terms.found / terms.total.max(f32::MIN_POSITIVE);
        let (least, most) = (share(&of_a).min(share(&of_b)), share(&of_a).max(share(&of_b)));
        let turned = of_a.turned_round && of_b.turned_round;
        let (left, right) = apart(a, b);
        if left.is_empty() && right.is_empty() {
            let denies = turned && most >= DENIED_MOST && least >= DENIED_LEAST && fewest >= FEWEST_TERMS_DENIED;
            return denies.then_some(Disagreement::Denial);
        }
        let same_thing = most >= SHARED_MOST && least >= SHARED_LEAST && !turned;
        same_thing.then(|| numbers_apart(&left, &right)).flatten()
    }
}

/// Whether the first thing that either sentence names stands in the other.
fn one_subject(a: &Statement, b: &Statement) -> bool {
    let named = |one: &Statement, other: &Statement| {
        let name = one
            .terms
            .iter()
            .find(|term| term.kind == Kind::Name)
            .or(one.terms.first());
        name.is_some_and(|name| best_match(name, &[other]).is_some())
    };
    named(a, b) && named(b, a)
}

/// What a number is of, as far as it decides what it may be held against.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    Year,
    Month,
    Day,
    /// A version or a clause's number: part of what is spoken of.
    Label,
    Amount(Option<&'static str>),
}

fn of(amount: &Amount, statement: &Statement) -> Of {
    let number = &amount.number;
    let has_month = statement
        .numbers
        .iter()
        .any(|other| other.number.dimension() == Some("month"));
    match number.dimension() {
        Some("month") => Of::Month,
        None if number.is_label() => Of::Label,
        None if number.is_between(1000.0, 2199.0) => Of::Year,
        None if has_month && number.is_between(1.0, 31.0) => Of::Day,
        dimension => Of::Amount(dimension),
    }
}

/// The numbers that one sentence has and the other has not.
type Apart<'a> = Vec<(Of, &'a Number)>;

/// The numbers that each has and the other has not. Words for numbers count only against words for numbers.
fn apart<'a>(a: &'a Statement, b: &'a Statement) -> (Apart<'a>, Apart<'a>) {
    let roughly = a.roughly || b.roughly;
    let both_soft = |one: &Statement, other: &Statement| {
        one.numbers.iter().all(|own| own.soft) && other.numbers.iter().all(|own| own.soft)
    };
    let soft_counts = both_soft(a, b);
    let lacks = |one: &'a Statement, other: &Statement| {
        let known = |amount: &&Amount| {
            !other
                .numbers
                .iter()
                .any(|own| own.number.supports(&amount.number, roughly) || amount.number.supports(&own.number, roughly))
        };
        let counts = |amount: &&Amount| soft_counts || !amount.soft;
        let apart = one.numbers.iter().filter(known).filter(counts);
        apart.map(|amount| (of(amount, one), &amount.number)).collect()
    };
    (lacks(a, b), lacks(b, a))
}

fn numbers_apart(left: &[(Of, &Number)], right: &[(Of, &Number)]) -> Option<Disagreement> {
    let is_date = |of: &Of| matches!(of, Of::Year | Of::Month | Of::Day);
    let dates = |side: &[(Of, &Number)]| side.iter().filter(|(of, _)| is_date(of)).count();
    let rest = |side: &[(Of, &Number)]| {
        side.iter()
            .map(|(of, _)| *of)
            .filter(|of| !is_date(of))
            .collect::<Vec<_>>()
    };
    let (left_rest, right_rest) = (rest(left), rest(right));
    match (left_rest.as_slice(), right_rest.as_slice()) {
        // A date that both give and that differs says that they speak of two times.
        ([Of::Amount(one)], [Of::Amount(other)]) if one == other && (dates(left) == 0 || dates(right) == 0) => {
            Some(Disagreement::Number)
        }
        ([], []) => {
            let has = |side: &[(Of, &Number)], kind: Of| side.iter().any(|(of, _)| *of == kind);
            let differ = [Of::Year, Of::Month, Of::Day]
                .into_iter()
                .any(|kind| has(left, kind) && has(right, kind));
            differ.then_some(Disagreement::Date)
        }
        _ => None,
    }
}

/// Whether a sentence begins with a word that stands for something said before.
fn leans(sentence: &str) -> bool {
    const LEANING: &[&str] = &[
        "ce", "celle", "celui", "cela", "cette", "das", "dem", "diese", "dieser", "dieses", "el", "ella", "elle",
        "ello", "er", "es", "esta", "este", "esto", "he", "here", "il", "ils", "it", "its", "ces", "sa", "she", "sie",
        "son", "su", "that", "their", "there", "these", "they", "this", "those",
    ];
    // Articles of some languages are spelt as pronouns are: before a noun they lean on nothing.
    let mut folded = words(sentence).map(|(_, word)| fold(word));
    let (first, second) = (folded.next().unwrap_or_default(), folded.next().unwrap_or_default());
    let is_article = matches!(first.as_str(), "das" | "el" | "dem") && second.chars().count() > 3;
    LEANING.contains(&first.as_str()) && !is_article
}
