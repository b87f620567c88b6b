//! How well each sentence answers: what of the question it holds, weighed by how telling each term is among the
//! passages, and whether it has the form of an answer to that kind of question.

use std::collections::HashMap;

use deepsearch_core::{NumberedPassage, text};

use super::question::{Kind as Asked, Question};
use super::sentence::{Kind, Sentence};

/// A sentence's worth. `coverage` is 0 to 1; `total` only orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Score {
    /// The share of the question, by weight, that the sentence, its heading and its page's title hold.
    pub(super) coverage: f32,
    pub(super) total: f32,
}

/// One score per sentence. Terms weigh by their rarity; one that no passage has weighs most, so that a question whose
/// point is missing from the sources is seen as unanswered.
pub(super) fn score(question: &Question, sentences: &[Sentence<'_>], passages: &[NumberedPassage]) -> Vec<Score> {
    let weights = weights(question, sentences);
    let all: f32 = weights.values().sum::<f32>().max(f32::EPSILON);
    let best_passage = passages
        .iter()
        .map(|passage| passage.score)
        .fold(f32::EPSILON, f32::max);
    let titles: Vec<Vec<String>> = passages
        .iter()
        .map(|passage| text::content_terms(&passage.title))
        .collect();
    let scored = sentences.iter().map(|sentence| {
        let own = |term: &str| sentence.terms.contains(term);
        let near = |term: &str| {
            let mut headings = sentence.heading.iter().chain(&sentence.section);
            let headed = headings.any(|&heading| sentences[heading].terms.contains(term));
            headed || titles[sentence.passage].iter().any(|title| title == term)
        };
        let share = |held: &dyn Fn(&str) -> bool| {
            let held = weights.iter().filter(|(term, _)| held(term)).map(|(_, weight)| weight);
            held.sum::<f32>() / all
        };
        let (direct, around) = (share(&own), share(&|term| !own(term) && near(term)));
        let near_worth = if sentence.explains || sentence.replies {
            0.8
        } else {
            0.4
        };
        let passage = passages[sentence.passage].score.max(0.0) / best_passage;
        let form = if direct + around > 0.0 {
            form(question, sentence)
        } else {
            0.0
        };
        Score {
            coverage: direct + around,
            total: direct + near_worth * around + 0.3 * passage + form + place(sentence) - flaws(sentence),
        }
    });
    scored.collect()
}

fn weights<'q>(question: &'q Question, sentences: &[Sentence<'_>]) -> HashMap<&'q str, f32> {
    // A missing term counts for more than any other, but not for so much that one missing verb hides an answer.
    const MISSING: f32 = 1.3;
    let rarity = |term: &str| {
        let among = sentences
            .iter()
            .filter(|sentence| sentence.terms.contains(term))
            .count();
        (among > 0).then(|| (1.0 + sentences.len() as f32 / (among as f32 + 0.5)).ln())
    };
    let rarities: Vec<(&str, Option<f32>)> = question
        .terms
        .iter()
        .map(|term| (term.as_str(), rarity(term)))
        .collect();
    let rarest = rarities.iter().filter_map(|(_, rarity)| *rarity).fold(0.0, f32::max);
    let weigh = |(term, rarity): (&'q str, Option<f32>)| (term, rarity.unwrap_or(MISSING * rarest.max(1.0)));
    rarities.into_iter().map(weigh).collect()
}

/// Whether the sentence looks like an answer to what is asked.
fn form(question: &Question, sentence: &Sentence<'_>) -> f32 {
    let lower = sentence.text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let has_number = sentence.text.chars().any(char::is_numeric);
    let bonus = |holds: bool, worth: f32| if holds { worth } else { 0.0 };
    match question.kind {
        Asked::Definition => bonus(defines(question, &lower), 0.45),
        Asked::HowTo => {
            let told = says(&[
                "you can", "to do", "use ", "using ", "run ", "call ", "set ", "click", "open ", "choose", "install",
                "add ", "can be ", "step", "kann", "pour ", "puede", "可以", "使用", "ます",
            ]);
            bonus(told, 0.2)
                + bonus(sentence.text.ends_with(':'), 0.1)
                + bonus(matches!(sentence.kind, Kind::ListItem | Kind::Code), 0.1)
        }
        Asked::When => bonus(has_year(sentence.text), 0.35).max(bonus(has_number || says(MONTHS), 0.15)),
        Asked::HowMany => bonus(has_number || says(NUMBERS), 0.3),
        Asked::Who => bonus(names_someone(sentence.text), 0.2),
        Asked::Why => bonus(
            says(&[
                "because",
                "since ",
                "due to",
                "in order to",
                "so that",
                "reason",
                "therefore",
                "caused by",
                "weil",
                "damit",
                "parce que",
                "porque",
                "因为",
                "由于",
                "ため",
                "から",
            ]),
            0.3,
        ),
        Asked::Where => bonus(says(&[" in ", " at ", " on ", "located", "under ", "在", "に"]), 0.1),
        Asked::List => bonus(
            sentence.kind == Kind::ListItem
                || says(&["include", "such as", "following", "are:"])
                || lower.matches(", ").count() > 1,
            0.2,
        ),
        Asked::Other => 0.0,
    }
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const NUMBERS: &[&str] = &[
    " one ",
    " two ",
    " three ",
    " four ",
    " five ",
    " six ",
    " seven ",
    " eight ",
    " ten ",
    " dozen",
    " no limit",
];

/// `X is a …`: most of the question stands before a word that defines.
fn defines(question: &Question, lower: &str) -> bool {
    const MARKS: &[&str] = &[
        " is ",
        " are ",
        " was ",
        " were ",
        " means ",
        " refers to ",
        " denotes ",
        " stands for ",
        " provides ",
        " describes ",
        " returns ",
        " ist ",
        " sind ",
        " bezeichnet ",
        " est ",
        " sont ",
        " désigne ",
        " es ",
        " son ",
        "是",
        "とは",
        "は",
    ];
    let Some(mark) = MARKS
        .iter()
        .filter_map(|mark| lower.find(mark))
        .min()
        .filter(|at| *at <= 90)
    else {
        return false;
    };
    let subject = text::content_terms(&lower[..mark]);
    let held = question.terms.iter().filter(|term| subject.contains(term)).count();
    held > 0 && held * 2 >= question.terms.len()
}

fn has_year(sentence: &str) -> bool {
    text::words(sentence).any(|(_, word)| word.len() == 4 && matches!(word.parse(), Ok(1000..2200)))
        || sentence.contains('年')
}

/// Two capitalised words in a row that do not begin the sentence, or a name in another script's brackets.
fn names_someone(sentence: &str) -> bool {
    let capital = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    let words: Vec<&str> = text::words(sentence).map(|(_, word)| word).collect();
    words.windows(2).any(|pair| capital(pair[0]) && capital(pair[1])) || sentence.chars().any(text::is_unsegmented)
}

/// Pages open with what they are about.
fn place(sentence: &Sentence<'_>) -> f32 {
    if sentence.at < 400 { 0.08 } else { 0.0 }
}

fn flaws(sentence: &Sentence<'_>) -> f32 {
    let words = text::words(sentence.text).count();
    let characters = sentence.text.chars().count();
    let unsegmented = sentence.text.chars().any(text::is_unsegmented);
    let short = if unsegmented { characters < 6 } else { words < 5 };
    let long = if unsegmented { characters > 160 } else { words > 55 };
    let whole = sentence
        .text
        .ends_with(['.', '!', ':', ';', '。', '！', '"', '”', ')', '」']);
    let asks = sentence.text.ends_with(['?', '？']);
    let flaw = |holds: bool, worth: f32| if holds { worth } else { 0.0 };
    flaw(short, 0.25)
        + flaw(long, 0.2)
        + flaw(!whole && sentence.kind == Kind::Prose, 0.2)
        + flaw(asks, 0.5)
        + flaw(sentence.leans, 0.1)
        + flaw(sentence.kind == Kind::Code, 0.25)
        + flaw(sentence.kind == Kind::ListItem, 0.05)
}
