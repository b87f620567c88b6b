//! Token estimates: how much of a model's context a text will take, without any model's vocabulary.
//!
//! Every model cuts text its own way, so this leans high: an estimate that is too low overflows a context, one that is
//! too high costs a passage.

use deepsearch_core::text::is_unsegmented;

/// About how many tokens a text takes, leaning high.
///
/// Fitted to the vocabularies cl100k and o200k on documentation, code and program messages in 14 languages. Models with
/// small vocabularies need more than this for scripts other than Latin.
pub fn estimate_tokens(text: &str) -> usize {
    let mut tenths = 0;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let class = Class::of(first);
        let length = rest.find(|c| Class::of(c) != class).unwrap_or(rest.len());
        tenths += class.tenths(&rest[..length]);
        rest = &rest[length..];
    }
    tenths.div_ceil(10)
}

/// Characters that vocabularies treat alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Space,
    Sign,
    /// Letters of Greek and Cyrillic.
    Eastern,
    /// Scripts of many characters: Han, Kana, Hangul, and those without spaces.
    Dense,
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' => Self::Letter,
            '0'..='9' => Self::Digit,
            ' ' | '\t' | '\n' | '\r' => Self::Space,
            '!'..='~' => Self::Sign,
            '\u{370}'..='\u{52F}' => Self::Eastern,
            '\u{AC00}'..='\u{D7AF}' => Self::Dense,
            c if is_unsegmented(c) => Self::Dense,
            _ => Self::Other,
        }
    }

    /// Tenths of a token for a run of one class.
    fn tenths(self, run: &str) -> usize {
        match self {
            Self::Letter => word_tenths(run),
            // Some vocabularies hold three digits together, some one.
            Self::Digit => 10 * run.len().div_ceil(2),
            // One space joins the next word.
            Self::Space if run == " " => 0,
            Self::Space => 10 + 10 * (run.len() / 16),
            Self::Sign => sign_tenths(run),
            Self::Eastern => 3 + 6 * run.chars().count(),
            Self::Dense => 13 * run.chars().count(),
            Self::Other => 22 * run.chars().count(),
        }
    }
}

/// Common words are one token; long ones, foreign ones and joined names are cut.
fn word_tenths(word: &str) -> usize {
    let foreign = word.chars().filter(|c| !c.is_ascii()).count();
    let humps = word
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .count();
    let per_byte = if foreign > 0 { 4 } else { 3 };
    10 + per_byte * word.len().saturating_sub(4) + 9 * foreign + 4 * humps
}

/// Repeated signs (rules, indents) are held together, mixed ones are not.
fn sign_tenths(run: &str) -> usize {
    let changes = run.as_bytes().windows(2).filter(|pair| pair[0] != pair[1]).count();
    8 + 7 * changes + run.len() / 2
}
