//! Tokens: what a text is indexed and searched by, with where each lies in the text.
//!
//! Words are folded (case, diacritics, compatibility forms). A script that writes no spaces, and Korean, whose
//! particles cling to their words, is cut into one token a character: the character with the one after it, the last
//! of a run alone. So the n-th token is at the n-th character, any part of a text of two characters or more is a
//! phrase of pairs, and a single character is the prefix of the pairs that begin with it.

use deepsearch_core::text::{Span, fold, is_unsegmented, words};
use unicode_normalization::UnicodeNormalization;

/// The longest token, in bytes: what is longer is data (hashes, keys), and found by its beginning.
const LONGEST: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    /// A character and the one after it.
    Pair,
    /// The last character of a run.
    Tail,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Bytes of the text it was made from.
    pub(super) source: Span,
    folded: Span,
}

/// The tokens of a text, in order.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// All tokens, with a space after each: what the index is given.
    folded: String,
    list: Vec<Token>,
}

impl Tokens {
    pub(super) fn of(text: &str) -> Self {
        let mut tokens = Self {
            folded: String::with_capacity(text.len() + text.len() / 8),
            list: Vec::with_capacity(text.len() / 6),
        };
        for (start, word) in words(text) {
            if word.is_ascii() {
                tokens.push(TokenKind::Word, Span::new(start, start + word.len()), |folded| {
                    folded.extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
                });
            } else {
                tokens.add_mixed(start, word);
            }
        }
        tokens
    }

    pub(super) fn list(&self) -> &[Token] {
        &self.list
    }

    pub(super) fn text(&self, token: &Token) -> &str {
        token.folded.slice(&self.folded)
    }

    pub(super) fn into_folded(self) -> String {
        self.folded
    }

    /// A run of letters that are not all of one kind: `2024年`, `Ｔシャツ`, `café`.
    fn add_mixed(&mut self, start: usize, word: &str) {
        let mut rest = word;
        let mut start = start;
        while let Some(first) = rest.chars().next() {
            let paired = is_paired(first);
            let end = rest.find(|c| is_paired(c) != paired).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            if paired {
                self.add_pairs(start, part);
            } else {
                self.push(TokenKind::Word, Span::new(start, start + end), |folded| {
                    // A compatibility form may bring punctuation (`⑴` is `(1)`), at which the index would split.
                    folded.extend(
                        fold(part)
                            .chars()
                            .filter(|c| !c.is_ascii_punctuation() && !c.is_whitespace()),
                    );
                });
            }
            start += end;
            rest = after;
        }
    }

    fn add_pairs(&mut self, start: usize, run: &str) {
        // Not `fold`, which would take the voicing off kana and the vowels off Thai.
        let mut characters = run.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().copied();
            let end = next.map_or(at + character.len_utf8(), |(at, next)| at + next.len_utf8());
            let kind = if next.is_some() {
                TokenKind::Pair
            } else {
                TokenKind::Tail
            };
            self.push(kind, Span::new(start + at, start + end), |folded| {
                let pair = std::iter::once(character).chain(next.map(|(_, next)| next));
                folded.extend(
                    pair.flat_map(|c| std::iter::once(c).nfkc())
                        .flat_map(char::to_lowercase),
                );
            });
        }
    }

    fn push(&mut self, kind: TokenKind, source: Span, write: impl FnOnce(&mut String)) {
        let start = self.folded.len();
        write(&mut self.folded);
        if self.folded.len() - start > LONGEST {
            self.folded.truncate(self.folded.floor_char_boundary(start + LONGEST));
        }
        if self.folded.len() == start {
            return;
        }
        let folded = Span::new(start, self.folded.len());
        self.folded.push(' ');
        self.list.push(Token { kind, source, folded });
    }
}

/// Whether a character is indexed together with its neighbour.
fn is_paired(c: char) -> bool {
    is_unsegmented(c) || matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{FF66}'..='\u{FF9F}')
}
