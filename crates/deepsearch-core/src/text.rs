//! Spans, sentences and terms: the one way text is cut, so that the crawler, the ranker, the writer and the check agree.

use std::borrow::Cow;
use std::collections::HashMap;

use icu_segmenter::SentenceSegmenter;
use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A half-open range of bytes of some UTF-8 text, on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, specta::Type)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// # Panics
    /// When `end` lies before `start`, or past 4 GiB.
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end, "a span ends at or after its start");
        let byte = |at: usize| u32::try_from(at).expect("texts are smaller than 4 GiB");
        Self {
            start: byte(start),
            end: byte(end),
        }
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The text of the span; empty when it does not fit `text`, which a damaged row can bring about.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    pub fn len(self) -> usize {
        self.range().len()
    }

    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Where each sentence of `text` lies (Unicode UAX #29, mended for abbreviations). A line break always ends one.
/// Spans are trimmed of white space, in order, and never overlap.
pub fn sentences(text: &str) -> Vec<Span> {
    let segmenter = SentenceSegmenter::new(Default::default());
    let mut spans = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let mut start = 0;
        for end in segmenter.segment_str(&without_notes(line)).skip(1) {
            if end < line.len() && continues_after(&line[start..end], &line[end..]) {
                continue;
            }
            push_trimmed(&mut spans, text, line_start + start, line_start + end);
            start = end;
        }
        // The last boundary is the line's end, so nothing is left over.
        line_start += line.len();
    }
    spans
}

/// A line in which the marks of notes are blanks of the same length, so that `France.[3] It` is cut after them.
fn without_notes(line: &str) -> Cow<'_, str> {
    let mut blanked = Cow::Borrowed(line);
    for (open, _) in line.match_indices('[') {
        if let Some(after) = after_note(&line[open..]) {
            let end = line.len() - after.len();
            blanked.to_mut().replace_range(open..end, &" ".repeat(end - open));
        }
    }
    blanked
}

/// What follows an encyclopedia's note (`[12]`, `[a]`, `[citation needed]`) at the beginning of `text`.
pub fn after_note(text: &str) -> Option<&str> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    let number = (1..=3).contains(&inner.len()) && inner.chars().all(|c| c.is_ascii_digit());
    let letter = inner.len() == 1 && inner.chars().all(|c| c.is_ascii_lowercase());
    (number || letter || matches!(inner, "citation needed" | "edit" | "who?" | "when?")).then_some(after)
}

/// Words of a page on one line, kept from being read as Markdown or as citations: a page's own notes go, and a backslash
/// stands before each of `anywhere`, before what opens a tag, and before any of `first` where the line begins.
pub fn unmarked(text: &str, anywhere: &[char], first: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = after_note(rest) {
            rest = after;
            continue;
        }
        let opens_tag = next == '<' && rest[1..].starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '!'));
        if anywhere.contains(&next) || opens_tag || (shown.is_empty() && first.contains(&next)) {
            shown.push('\\');
        }
        shown.push(next);
        rest = &rest[next.len_utf8()..];
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn push_trimmed(spans: &mut Vec<Span>, text: &str, start: usize, end: usize) {
    let piece = &text[start..end];
    let trimmed = piece.trim();
    if !trimmed.is_empty() {
        let start = start + (piece.len() - piece.trim_start().len());
        spans.push(Span::new(start, start + trimmed.len()));
    }
}

/// Whether a full stop here belongs to an abbreviation or an initial, and the sentence goes on.
fn continues_after(sentence: &str, rest: &str) -> bool {
    const ABBREVIATIONS: &[&str] = &[
        "dr", "mr", "mrs", "ms", "prof", "st", "sr", "jr", "vs", "etc", "e.g", "i.e", "eg", "ie", "cf", "al", "fig",
        "figs", "eq", "no", "vol", "pp", "ed", "eds", "approx", "ca", "inc", "ltd", "co", "corp", "u.s", "u.k", "u.n",
        "a.m", "p.m", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "z.b",
        "d.h", "bzw", "usw", "nr", "gen", "col", "sgt", "capt", "rev", "hon", "gov", "sen", "rep",
    ];
    let Some(stem) = sentence.trim_end().strip_suffix('.') else {
        return false;
    };
    let word = stem
        .rsplit(|c: char| c.is_whitespace() || c == '(' || c == '[')
        .next()
        .unwrap_or_default();
    let next_is_lower = rest.trim_start().chars().next().is_some_and(char::is_lowercase);
    let mut letters = word.chars();
    let is_initial = matches!((letters.next(), letters.next()), (Some(first), None) if first.is_uppercase());
    let lower = word.to_lowercase();
    // "etc." and "U.S." also end sentences: they only continue one where the next word does not start a new one.
    let may_end = matches!(
        lower.as_str(),
        "etc" | "inc" | "ltd" | "co" | "corp" | "u.s" | "u.k" | "u.n" | "a.m" | "p.m" | "usw" | "no"
    );
    is_initial || next_is_lower || (ABBREVIATIONS.contains(&lower.as_str()) && !may_end)
}

/// The terms of a text for matching: runs of letters and digits, folded and stemmed; scripts that write no spaces
/// (Chinese, Japanese, Thai, Lao, Khmer, Burmese) as overlapping pairs of characters.
pub fn terms(text: &str) -> Vec<String> {
    terms_where(text, |_| true)
}

/// As [`terms`], without the words that carry no meaning of their own (of, and, der, les, …).
pub fn content_terms(text: &str) -> Vec<String> {
    terms_where(text, |folded| !is_stop_word(folded))
}

fn terms_where(text: &str, keep: impl Fn(&str) -> bool) -> Vec<String> {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut terms = Vec::new();
    for folded in words(text).map(|(_, word)| fold(word)).filter(|folded| keep(folded)) {
        push_terms(&mut terms, &stemmer, folded);
    }
    terms
}

fn push_terms(terms: &mut Vec<String>, stemmer: &Stemmer, folded: String) {
    if folded.is_ascii() {
        terms.push(stemmer.stem(&folded).into_owned());
    } else if folded.chars().any(is_unsegmented) {
        push_unsegmented(terms, &folded);
    } else {
        terms.push(folded);
    }
}

/// The [`terms`] of texts that share words, as the parts of a page do: each word is folded and stemmed only once, which
/// is most of the work.
pub struct Vocabulary<'a> {
    stemmer: Stemmer,
    words: HashMap<&'a str, Word>,
    /// By id.
    terms: Vec<String>,
    ids: HashMap<String, usize>,
}

struct Word {
    terms: Vec<usize>,
    is_stop_word: bool,
}

impl Word {
    fn terms(&self) -> impl Iterator<Item = Term> {
        let is_content = !self.is_stop_word;
        self.terms.iter().map(move |id| Term { id: *id, is_content })
    }
}

/// A term of a text, by its id in the [`Vocabulary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub id: usize,
    /// Whether [`content_terms`] has it.
    pub is_content: bool,
}

impl<'a> Vocabulary<'a> {
    pub fn new() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            words: HashMap::new(),
            terms: Vec::new(),
            ids: HashMap::new(),
        }
    }

    /// The terms of a text, in order.
    pub fn read(&mut self, text: &'a str) -> Vec<Term> {
        let mut read = Vec::new();
        for (_, word) in words(text) {
            if let Some(known) = self.words.get(word) {
                read.extend(known.terms());
            } else {
                let learnt = self.learn(word);
                read.extend(learnt.terms());
                self.words.insert(word, learnt);
            }
        }
        read
    }

    /// Every term that was read, by its id.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    fn learn(&mut self, word: &str) -> Word {
        let folded = fold(word);
        let is_stop_word = is_stop_word(&folded);
        let mut found = Vec::new();
        push_terms(&mut found, &self.stemmer, folded);
        let terms = found.into_iter().map(|term| self.id(term)).collect();
        Word { terms, is_stop_word }
    }

    fn id(&mut self, term: String) -> usize {
        if let Some(id) = self.ids.get(&term) {
            return *id;
        }
        let id = self.terms.len();
        self.terms.push(term.clone());
        self.ids.insert(term, id);
        id
    }
}

impl Default for Vocabulary<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs of letters and digits with the byte where each starts.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_joiner = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    text.split(move |c: char| !is_joiner(c))
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// Lower case without diacritics and in compatibility form, so that `Ｃafé` and `cafe` are one.
pub fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .nfc()
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a character belongs to a script that writes words without spaces between them.
pub fn is_unsegmented(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}'      // Thai, Lao
        | '\u{1000}'..='\u{109F}'    // Myanmar
        | '\u{1780}'..='\u{17FF}'    // Khmer
        | '\u{3040}'..='\u{30FF}'    // Hiragana, Katakana
        | '\u{31F0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}'    // Han
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

fn push_unsegmented(terms: &mut Vec<String>, word: &str) {
    let characters: Vec<char> = word.chars().collect();
    if characters.len() == 1 {
        terms.push(word.into());
    }
    terms.extend(characters.windows(2).map(|pair| pair.iter().collect::<String>()));
}

/// Whether a folded word is too common to say what a text is about.
pub fn is_stop_word(folded: &str) -> bool {
    STOP_WORDS.binary_search(&folded).is_ok()
}

// English, with the commonest of German, Spanish and French. Sorted, for the binary search (a test holds it so).
const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "au", "auf", "aus", "avec",
    "be", "because", "been", "before", "bei", "being", "between", "both", "but", "by", "can", "como", "con", "could",
    "d", "dans", "das", "de", "del", "dem", "den", "der", "des", "did", "die", "do", "does", "doing", "du", "ein",
    "eine", "einem", "einen", "einer", "el", "en", "er", "es", "est", "et", "for", "from", "fur", "had", "has", "have",
    "having", "he", "her", "here", "hers", "him", "his", "how", "i", "ich", "if", "il", "im", "in", "into", "is",
    "ist", "it", "its", "itself", "just", "la", "las", "le", "les", "lo", "los", "may", "me", "might", "mit", "more",
    "most", "must", "my", "nicht", "no", "nor", "not", "o", "of", "off", "on", "only", "or", "other", "ou", "our",
    "out", "over", "own", "para", "pas", "plus", "por", "pour", "que", "qui", "s", "same", "se", "she", "should",
    "sich", "sie", "sind", "so", "some", "son", "such", "sur", "t", "than", "that", "the", "their", "theirs", "them",
    "then", "there", "these", "they", "this", "those", "through", "to", "too", "un", "una", "und", "une", "until",
    "up", "us", "very", "von", "vor", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom",
    "why", "will", "with", "would", "y", "you", "your", "yours", "zu", "zum", "zur",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vocabulary_reads_what_terms_and_content_terms_do() {
        let texts = [
            "The dies are cast: die Würfel sind gefallen, and dying it dies.",
            "Ｃafé CAFÉ café's 東京都は日本の首都です。 x",
            "",
        ];
        let mut vocabulary = Vocabulary::new();
        let read = texts.map(|text| vocabulary.read(text));
        for (text, read) in texts.iter().zip(read) {
            let told = |keep: fn(&Term) -> bool| -> Vec<&str> {
                let kept = read.iter().filter(|term| keep(term));
                kept.map(|term| vocabulary.terms()[term.id].as_str()).collect()
            };
            assert_eq!(told(|_| true), terms(text));
            assert_eq!(told(|term| term.is_content), content_terms(text));
        }
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }
}
