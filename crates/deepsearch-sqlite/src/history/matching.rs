//! Matching: where a query's phrases lie in a text, how well the text answers them, and what of it to show.

use deepsearch_core::text::Span;

use super::query::{Phrase, Query};
use super::tokens::{TokenKind, Tokens};

/// What is scored of a text, in bytes: a page is about what it says first.
const SCORED: usize = 8 << 10;
/// A snippet's length, and what of it comes before the first match, in bytes.
const SNIPPET: usize = 240;
const LEAD: usize = 60;
/// What is gone through for a snippet, in bytes.
const SEEN: usize = 256 << 10;
/// How many matches a snippet is chosen from.
const MOST_MATCHES: usize = 400;

/// One phrase of the query, found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Match {
    phrase: usize,
    first: usize,
    last: usize,
    source: Span,
}

/// A piece of a text to show, on one line, with the parts that matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snippet {
    pub(super) text: String,
    pub(super) highlights: Vec<Span>,
}

/// How well a text answers the query: 0 to about 2, where 1 is all phrases once. `usual` is a usual text's length in
/// tokens; longer ones weigh less.
pub(super) fn score(text: &str, query: &Query, usual: f64) -> f64 {
    let tokens = Tokens::of(&text[..text.floor_char_boundary(SCORED)]);
    let matches = find(&tokens, text, query, usize::MAX);
    let mut counts = vec![0_u32; query.phrases.len()];
    matches.iter().for_each(|found| counts[found.phrase] += 1);
    let length = 0.25 + 0.75 * tokens.list().len() as f64 / usual;
    let (mut sum, mut whole) = (0.0, 0.0);
    for (phrase, count) in query.phrases.iter().zip(&counts) {
        let weight = phrase.weight();
        let count = f64::from(*count);
        // BM25 without the rarity of the words: every candidate holds them all.
        sum += weight * count * 2.2 / (count + 1.2 * length);
        whole += weight;
    }
    let together = if are_together(&matches, query.phrases.len()) {
        0.5
    } else {
        0.0
    };
    sum / f64::max(whole, f64::MIN_POSITIVE) + together
}

/// How much of the query's weight a text holds at all: 0 to 1.
pub(super) fn coverage(text: &str, query: &Query) -> f64 {
    let tokens = Tokens::of(&text[..text.floor_char_boundary(SCORED)]);
    let matches = find(&tokens, text, query, usize::MAX);
    let weight = |(_, phrase): &(usize, &Phrase)| phrase.weight();
    let phrases = || query.phrases.iter().enumerate();
    let held: f64 = phrases()
        .filter(|(number, _)| matches.iter().any(|found| found.phrase == *number))
        .map(|p| weight(&p))
        .sum();
    held / f64::max(phrases().map(|p| weight(&p)).sum(), f64::MIN_POSITIVE)
}

/// The part of the text that holds most of the query, or its beginning where nothing matches.
pub(super) fn snippet(text: &str, query: &Query) -> Snippet {
    // The beginning mostly holds all of the query, and a long page is slow to go through.
    let mut matches = find_within(text, query, SCORED);
    if text.len() > SCORED && distinct(&matches) < query.phrases.len() as u32 {
        matches = find_within(text, query, SEEN);
    }
    let best = (0..matches.len())
        .map(|first| within_reach(&matches[first..]))
        .enumerate()
        .max_by_key(|(first, reach)| (distinct(reach), std::cmp::Reverse(*first)));
    let (start, end) = best.map_or((0, 0), |(first, reach)| {
        let end = reach.iter().map(|found| found.source.end).max().unwrap_or_default();
        (matches[first].source.start as usize, end as usize)
    });
    let start = word_boundary_before(text, start);
    let end = word_boundary_after(text, end.max(start + SNIPPET));
    cut(text, start, end, &matches)
}

impl Phrase {
    fn weight(&self) -> f64 {
        if self.is_filler() { 0.2 } else { 1.0 }
    }

    fn starts_at(&self, tokens: &Tokens, at: usize) -> bool {
        let Some(candidates) = tokens.list().get(at..at + self.tokens.len()) else {
            return false;
        };
        let last = self.tokens.len() - 1;
        self.tokens
            .iter()
            .zip(candidates)
            .enumerate()
            .all(|(number, (wanted, token))| {
                let token = tokens.text(token);
                token == wanted || (self.is_prefix && number == last && token.starts_with(wanted.as_str()))
            })
    }
}

fn find_within(text: &str, query: &Query, length: usize) -> Vec<Match> {
    let tokens = Tokens::of(&text[..text.floor_char_boundary(length)]);
    find(&tokens, text, query, MOST_MATCHES)
}

fn find(tokens: &Tokens, text: &str, query: &Query, most: usize) -> Vec<Match> {
    let mut matches = Vec::new();
    for at in 0..tokens.list().len() {
        for (number, phrase) in query.phrases.iter().enumerate() {
            if phrase.starts_at(tokens, at) {
                let last = at + phrase.tokens.len() - 1;
                matches.push(Match {
                    phrase: number,
                    first: at,
                    last,
                    source: source_of(tokens, text, phrase, at, last),
                });
            }
        }
        if matches.len() >= most {
            break;
        }
    }
    matches
}

/// A single character that found a pair is highlighted without the other.
fn source_of(tokens: &Tokens, text: &str, phrase: &Phrase, first: usize, last: usize) -> Span {
    let (first, last) = (tokens.list()[first], tokens.list()[last]);
    let mut end = last.source.end as usize;
    let wanted = phrase.tokens.last().map_or("", String::as_str);
    if last.kind == TokenKind::Pair && tokens.text(&last) != wanted {
        let start = last.source.start as usize;
        end = start + text[start..].chars().next().map_or(0, char::len_utf8);
    }
    Span::new(first.source.start as usize, end)
}

/// Whether the whole query stands in the text as it was typed.
fn are_together(matches: &[Match], phrases: usize) -> bool {
    phrases > 1
        && matches.iter().filter(|found| found.phrase == 0).any(|start| {
            let mut next = start.last + 1;
            (1..phrases).all(|number| {
                let follows = matches
                    .iter()
                    .find(|found| found.phrase == number && found.first == next);
                follows.inspect(|found| next = found.last + 1).is_some()
            })
        })
}

fn within_reach(matches: &[Match]) -> &[Match] {
    let reach = matches[0].source.start as usize + SNIPPET - LEAD;
    let count = matches
        .iter()
        .take_while(|found| found.source.end as usize <= reach)
        .count();
    &matches[..count.max(1)]
}

fn distinct(matches: &[Match]) -> u32 {
    // A query has at most twelve phrases.
    matches
        .iter()
        .fold(0_u32, |seen, found| seen | 1 << found.phrase)
        .count_ones()
}

fn word_boundary_before(text: &str, at: usize) -> usize {
    let from = text.floor_char_boundary(at.saturating_sub(LEAD));
    if from == 0 {
        return 0;
    }
    let space = text[from..at].find(char::is_whitespace);
    space.map_or(from, |space| {
        let rest = &text[from + space..at];
        from + space + (rest.len() - rest.trim_start().len())
    })
}

fn word_boundary_after(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let to = text.ceil_char_boundary(at);
    let from = text.floor_char_boundary(to.saturating_sub(LEAD / 2));
    text[from..to]
        .rfind(char::is_whitespace)
        .map_or(to, |space| from + space)
}

/// Copies a part of the text with every run of white space as one space, and moves the highlights along.
fn cut(text: &str, start: usize, end: usize, matches: &[Match]) -> Snippet {
    let mut snippet = Snippet::default();
    if start > 0 {
        snippet.text.push('…');
    }
    let mut inside = matches.iter().filter(|found| {
        let source = found.source.range();
        start <= source.start && source.end <= end
    });
    let mut next = inside.next();
    let mut at = start;
    while at < end {
        if let Some(found) = next
            && found.source.start as usize <= at
        {
            // A match that begins inside the one before it was copied with it.
            let source = found.source.range();
            let from = snippet.text.len().saturating_sub(at - source.start);
            if source.end > at {
                snippet.text.push_str(&text[at..source.end]);
                at = source.end;
            }
            highlight(&mut snippet, from, source.len());
            next = inside.next();
            continue;
        }
        let character = text[at..].chars().next().unwrap_or(' ');
        if !character.is_whitespace() {
            snippet.text.push(character);
        } else if !snippet.text.ends_with(' ') && !snippet.text.is_empty() {
            snippet.text.push(' ');
        }
        at += character.len_utf8();
    }
    snippet.text.truncate(snippet.text.trim_end().len());
    if end < text.len() {
        snippet.text.push('…');
    }
    snippet
}

fn highlight(snippet: &mut Snippet, start: usize, length: usize) {
    let end = start + length;
    match snippet.highlights.last_mut() {
        Some(last) if start <= last.end as usize => last.end = last.end.max(Span::new(start, end).end),
        _ => snippet.highlights.push(Span::new(start, end)),
    }
}
