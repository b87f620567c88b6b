//! Similarity: how far a sentence of a page says what a sentence of an answer says.
//!
//! By words, without a language model: what matters of a claim must be found in the evidence, and numbers, names,
//! negations and opposites are taken strictly, because that is where an answer goes wrong unnoticed. Meaning that
//! shares no words with the claim is not seen: the verdict then is too low, not too high.

mod contradiction;
mod lexicon;
mod numbers;
mod statement;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use deepsearch_core::{Page, Span, Verdict};

pub use self::contradiction::{Assertion, Disagreement, contradicts};
use self::statement::{Amount, Kind, Statement, Term, title_terms};

/// From this score on, the evidence says what the claim says. Chosen, as [`PARTLY`], on half of the labelled pairs in
/// `tests/all/similarity.rs`.
pub const SUPPORTED: f32 = 0.7;
/// From this score on, it says a part of it.
pub const PARTLY: f32 = 0.4;

/// The most that evidence gets which has another number, or says the opposite.
const CONTRADICTED: f32 = 0.5;
/// What a term is worth that only the page's title has.
const IN_TITLE: f32 = 0.85;
/// What two neighbouring sentences together are worth, against one that says it all.
const PAIR: f32 = 0.95;
/// What the first term, which mostly is the subject, counts against the others.
const SUBJECT: f32 = 1.4;
const NUMBER_WEIGHT: f32 = 1.5;
/// How many sentences of a page are compared in full, of those that share most words.
const CANDIDATES: usize = 6;

/// The verdict that a score stands for.
pub fn verdict(score: f32) -> Verdict {
    match score {
        score if score >= SUPPORTED => Verdict::Supported,
        score if score >= PARTLY => Verdict::Partly,
        _ => Verdict::NotFound,
    }
}

/// How far `evidence` says what `claim` says, 0 (nothing in common) to 1 (says the same).
pub fn similarity(claim: &str, evidence: &str) -> f32 {
    compare(&Statement::of(claim), &[&Statement::of(evidence)], &[])
}

/// The sentence that comes nearest to a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// One sentence, in bytes of the page's text.
    pub span: Span,
    /// 0 to 1, to be read with [`verdict`]. A neighbouring sentence and the page's title may have helped.
    pub score: f32,
}

/// A page whose sentences are ready to be compared with many claims.
#[derive(Debug, Clone)]
pub struct PreparedPage {
    spans: Vec<Span>,
    statements: Vec<Statement>,
    title: Vec<String>,
    /// Which sentences have a term, by what its forms share.
    postings: HashMap<u64, Vec<u32>>,
}

impl PreparedPage {
    /// Prepares a page; its title tells what "it" is in its sentences.
    pub fn new(page: &Page) -> Self {
        let mut prepared = Self::from_text(&page.text, &page.sentences);
        prepared.title = title_terms(&page.title);
        prepared
    }

    pub fn from_text(text: &str, sentences: &[Span]) -> Self {
        let statements: Vec<Statement> = sentences.iter().map(|span| Statement::of(span.slice(text))).collect();
        let mut postings: HashMap<u64, Vec<u32>> = HashMap::new();
        for (at, statement) in (0_u32..).zip(&statements) {
            let mut keys: Vec<u64> = keys(statement).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                postings.entry(key).or_default().push(at);
            }
        }
        Self {
            spans: sentences.to_vec(),
            statements,
            title: Vec::new(),
            postings,
        }
    }

    /// The sentence nearest to `claim`, among those inside `within` where that is given; `None` where not even one
    /// word is shared.
    pub fn best_sentence(&self, claim: &str, within: Option<Span>) -> Option<Best> {
        let claim = Statement::of(claim);
        let mut best: Option<(Best, f32)> = None;
        for at in self.candidates(&claim, within) {
            let alone = compare(&claim, &[&self.statements[at]], &self.title);
            let score = self.with_neighbours(&claim, at, within, alone);
            let span = self.spans[at];
            // Two neighbours that complete each other have one score; what says more of the claim by itself is meant.
            let rank = |best: Best, alone: f32| (best.score, alone, std::cmp::Reverse(best.span));
            let next = Best { span, score };
            if score > 0.0 && best.is_none_or(|(known, known_alone)| rank(next, alone) > rank(known, known_alone)) {
                best = Some((next, alone));
            }
        }
        best.map(|(best, _)| best)
    }

    /// The sentences that share most with the claim.
    fn candidates(&self, claim: &Statement, within: Option<Span>) -> Vec<usize> {
        let mut shared = vec![0_u32; self.spans.len()];
        for key in keys(claim) {
            for at in self.postings.get(&key).into_iter().flatten() {
                shared[*at as usize] += 1;
            }
        }
        let inside = |at: &usize| within.is_none_or(|within| within.contains(self.spans[*at]));
        let mut ranked: Vec<(usize, u32)> = shared
            .into_iter()
            .enumerate()
            .filter(|(at, count)| *count > 0 && inside(at))
            .collect();
        ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(CANDIDATES);
        ranked.into_iter().map(|(at, _)| at).collect()
    }

    /// The score of one sentence, `alone` or with a neighbour that completes it.
    fn with_neighbours(&self, claim: &Statement, at: usize, within: Option<Span>, alone: f32) -> f32 {
        if alone >= PAIR {
            return alone;
        }
        let neighbours = [at.checked_sub(1), Some(at + 1)];
        let with_neighbour = neighbours
            .into_iter()
            .flatten()
            .filter(|other| {
                self.spans
                    .get(*other)
                    .is_some_and(|span| within.is_none_or(|within| within.contains(*span)))
            })
            .map(|other| PAIR * compare(claim, &[&self.statements[at], &self.statements[other]], &self.title));
        with_neighbour.fold(alone, f32::max)
    }
}

/// As [`PreparedPage::best_sentence`], for one claim.
pub fn best_sentence(claim: &str, page_text: &str, sentences: &[Span], within: Option<Span>) -> Option<(Span, f32)> {
    let best = PreparedPage::from_text(page_text, sentences).best_sentence(claim, within)?;
    Some((best.span, best.score))
}

/// What two forms of one word share: their first four bytes, as [`Term::likeness`] demands; and the readings of numbers.
fn keys(statement: &Statement) -> impl Iterator<Item = u64> {
    let of_terms = statement.terms.iter().map(|term| {
        let bytes = term.text.as_bytes();
        let length = if term.text.is_ascii() {
            bytes.len().min(4)
        } else {
            bytes.len()
        };
        let mut hasher = DefaultHasher::new();
        bytes[..length].hash(&mut hasher);
        hasher.finish()
    });
    of_terms.chain(statement.numbers.iter().flat_map(|amount| amount.number.keys()))
}

/// How far the parts of the evidence together say what the claim says. `title` holds terms that its subject may have.
fn compare(claim: &Statement, parts: &[&Statement], title: &[String]) -> f32 {
    if claim.is_empty() {
        return 0.0;
    }
    let terms = TermMatch::of(claim, parts, title);
    if terms.found == 0.0 && !claim.terms.is_empty() {
        return 0.0;
    }
    let (numbers_found, numbers_missing) = match_numbers(claim, parts);
    let numbers = claim.numbers.len() as f32 * NUMBER_WEIGHT;
    let mut score = (terms.found + numbers_found as f32 * NUMBER_WEIGHT) / (terms.total + numbers);
    score *= brevity(terms.total + numbers);
    score *= 1.0 - 0.3 * terms.names_missing;
    if numbers_missing {
        score = (score * 0.7).min(CONTRADICTED);
    }
    if terms.turned_round != parts.iter().any(|part| sides_swapped(claim, part)) {
        score = (score * 0.5).min(CONTRADICTED);
    }
    if parts.iter().all(|part| part.question) && !claim.question {
        score *= 0.8;
    }
    score.clamp(0.0, 1.0)
}

/// A claim of one or two terms says so little that to find them proves little.
fn brevity(weight: f32) -> f32 {
    (0.55 + 0.15 * weight).min(1.0)
}

struct TermMatch {
    total: f32,
    found: f32,
    /// The share of the claim's names that the evidence lacks.
    names_missing: f32,
    /// Whether the terms that both have are negated in one only.
    turned_round: bool,
}

impl TermMatch {
    fn of(claim: &Statement, parts: &[&Statement], title: &[String]) -> Self {
        let (mut total, mut found, mut names, mut names_missing) = (0.0, 0.0, 0.0_f32, 0.0);
        let (mut negated_apart, mut negated_alike) = (false, false);
        for (at, term) in claim.terms.iter().enumerate() {
            if claim.terms[..at]
                .iter()
                .any(|earlier| earlier.text == term.text && earlier.negated == term.negated)
            {
                continue;
            }
            let weight = if at == 0 {
                term.weight() * SUBJECT
            } else {
                term.weight()
            };
            total += weight;
            let is_name = term.kind == Kind::Name;
            names += f32::from(u8::from(is_name));
            if let Some((likeness, other)) = best_match(term, parts) {
                found += weight * likeness;
                negated_apart |= term.negated != other.negated;
                negated_alike |= term.negated && other.negated;
            } else if title.contains(&term.text) {
                found += weight * IN_TITLE;
            } else if is_name {
                names_missing += 1.0;
            }
        }
        Self {
            total,
            found,
            names_missing: names_missing / names.max(1.0),
            turned_round: negated_apart && !negated_alike,
        }
    }
}

/// The evidence's term most like the claim's; of equals, one of the same polarity.
fn best_match<'a>(term: &Term, parts: &[&'a Statement]) -> Option<(f32, &'a Term)> {
    parts
        .iter()
        .flat_map(|part| &part.terms)
        .map(|other| (term.likeness(other), other))
        .filter(|(likeness, _)| *likeness > 0.0)
        .reduce(|best, next| {
            let key = |(likeness, other): &(f32, &Term)| (*likeness, other.negated == term.negated);
            if key(&next) > key(&best) { next } else { best }
        })
}

/// How many of the claim's numbers the evidence has, and whether one is missing that no other wording explains.
fn match_numbers(claim: &Statement, parts: &[&Statement]) -> (usize, bool) {
    // A neighbouring sentence only brings its numbers along where it speaks of the same thing.
    let speaks_of_claim =
        |part: &&&Statement| parts.len() == 1 || claim.terms.iter().any(|term| best_match(term, &[**part]).is_some());
    let amounts: Vec<&Amount> = parts
        .iter()
        .filter(speaks_of_claim)
        .flat_map(|part| &part.numbers)
        .collect();
    let (mut found, mut missing) = (0, false);
    for claimed in &claim.numbers {
        if amounts
            .iter()
            .any(|own| own.number.supports(&claimed.number, claim.roughly))
        {
            found += 1;
        } else {
            missing |= !claimed.soft || amounts.iter().any(|own| own.soft);
        }
    }
    (found, missing)
}

/// Whether who is compared with whom, or does what to whom, is the other way round.
fn sides_swapped(claim: &Statement, evidence: &Statement) -> bool {
    let (Some(a), Some(b)) = (&claim.sides, &evidence.sides) else {
        return false;
    };
    let meet = |left: &[String], right: &[String]| left.iter().any(|term| right.contains(term));
    a.comparison == b.comparison
        && meet(&a.first, &b.second)
        && meet(&a.second, &b.first)
        && !meet(&a.second, &b.second)
}
