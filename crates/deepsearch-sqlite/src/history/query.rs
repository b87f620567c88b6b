//! Query: what a person typed, as phrases to look for. Whatever is typed is data: nothing in it is an operator but
//! the quotation marks around a phrase, and nothing can be wrong about it.

use deepsearch_core::text::{fold, is_stop_word, terms};

use super::tokens::{Token, TokenKind, Tokens};

/// What is read of a query, in characters and in phrases: nobody types more, and a pasted page must cost no more.
const LONGEST: usize = 400;
const MOST_PHRASES: usize = 12;

/// Tokens that follow one another; mostly just one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) tokens: Vec<String>,
    /// Whether the last token may go on.
    pub(super) is_prefix: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) phrases: Vec<Phrase>,
}

impl Query {
    pub(super) fn parse(typed: &str) -> Self {
        let typed: String = typed.chars().take(LONGEST).collect();
        let mut phrases = Vec::new();
        // Every second piece stood between quotation marks; the last of them may still be open.
        let pieces: Vec<&str> = typed.split(['"', '“', '”', '„', '«', '»']).collect();
        for (number, piece) in pieces.iter().enumerate() {
            let is_last = number + 1 == pieces.len() && !piece.ends_with(char::is_whitespace);
            if number % 2 == 1 {
                phrases.extend(Phrase::of(piece, is_last));
                continue;
            }
            let mut words = piece.split_whitespace().peekable();
            while let Some(word) = words.next() {
                phrases.extend(Phrase::of(word, is_last && words.peek().is_none()));
            }
        }
        phrases.truncate(MOST_PHRASES);
        Self { phrases }
    }

    /// Each word for itself, with its other forms, for when nothing holds all that was asked for.
    pub(super) fn relaxed(&self) -> Self {
        let mut phrases: Vec<Phrase> = Vec::new();
        for word in self.phrases.iter().filter(|phrase| !phrase.is_filler()) {
            let loosened = word.loosened();
            if !phrases.contains(&loosened) {
                phrases.push(loosened);
            }
        }
        Self { phrases }
    }

    /// Whether this is one letter, which everything would match.
    pub(super) fn is_single_letter(&self) -> bool {
        match self.phrases.as_slice() {
            [phrase] => phrase.is_prefix && phrase.tokens.len() == 1 && phrase.tokens[0].len() == 1,
            _ => false,
        }
    }
}

impl Phrase {
    fn of(piece: &str, may_go_on: bool) -> Option<Self> {
        let tokens = Tokens::of(piece);
        let mut list = tokens.list();
        // In the text, more of the run may follow; then its last character is not alone.
        if let [
            ..,
            Token {
                kind: TokenKind::Pair, ..
            },
            Token {
                kind: TokenKind::Tail, ..
            },
        ] = list
        {
            list = &list[..list.len() - 1];
        }
        let last = list.last()?;
        Some(Self {
            is_prefix: last.kind == TokenKind::Tail || (may_go_on && last.kind == TokenKind::Word),
            tokens: list.iter().map(|token| tokens.text(token).to_owned()).collect(),
        })
    }

    /// `"best effort"`, or `"best eff" *` while it is typed.
    pub(super) fn expression(&self) -> String {
        let tokens = self.tokens.join(" ").replace('"', "\"\"");
        let star = if self.is_prefix { " *" } else { "" };
        format!("\"{tokens}\"{star}")
    }

    /// The beginning of a word that is still being typed, where it stands alone.
    pub(super) fn growing_word(&self) -> Option<&str> {
        match self.tokens.as_slice() {
            [word] if self.is_prefix => Some(word),
            _ => None,
        }
    }

    pub(super) fn is_filler(&self) -> bool {
        !self.is_prefix && self.tokens.len() == 1 && is_stop_word(&self.tokens[0])
    }

    /// `searches` finds `searching` through what they share.
    fn loosened(&self) -> Self {
        const SHORTEST_STEM: usize = 4;
        let mut phrase = self.clone();
        if let [word] = phrase.tokens.as_mut_slice()
            && word.is_ascii()
            && let Some(stem) = terms(&fold(word)).pop()
            && stem.len() >= SHORTEST_STEM
            && word.starts_with(&stem)
        {
            *word = stem;
            phrase.is_prefix = true;
        }
        phrase
    }
}
