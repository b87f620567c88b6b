//! Splitting: a page becomes passages, each a run of whole sentences that can be cited byte by byte.
//!
//! Blocks and headings are only known by their lines, because a page's text is plain.

use deepsearch_core::text::{is_unsegmented, sentences, words};
use deepsearch_core::{Page, Passage, Span};

use crate::tokens::estimate_tokens;

/// How a page is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitOptions {
    /// About how many tokens a passage has; one sentence of more is cut into passages of its own.
    pub tokens: usize,
    /// Whether a passage repeats the last sentence of the one before, where a paragraph had to be parted.
    pub overlap: bool,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self {
            tokens: 240,
            overlap: false,
        }
    }
}

/// The passages of a page in reading order, unscored. `page_index` is the page's place in the caller's list.
pub fn passages(page_index: usize, page: &Page, options: &SplitOptions) -> Vec<Passage> {
    runs(page, options)
        .into_iter()
        .map(|run| Passage {
            page_id: page.id.clone(),
            page: page_index,
            span: run.span,
            text: page.quote(run.span).to_owned(),
            score: 0.0,
        })
        .collect()
}

/// The lines of a page that read like headings, in order.
pub fn headings(page: &Page) -> Vec<Span> {
    let pieces = pieces(page, SplitOptions::default().tokens);
    pieces
        .into_iter()
        .filter(|piece| piece.heading)
        .map(|piece| piece.span)
        .collect()
}

/// A passage-to-be: where it lies, and the heading it stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) span: Span,
    /// The nearest heading above or at the start.
    pub(crate) heading: Option<Span>,
}

pub(crate) fn runs(page: &Page, options: &SplitOptions) -> Vec<Run> {
    let pieces = pieces(page, options.tokens.max(1));
    let mut runs = Vec::new();
    let mut heading = None;
    let mut start = 0;
    while start < pieces.len() {
        let end = run_end(&pieces, start, options.tokens);
        if pieces[start].heading {
            heading = Some(pieces[start].span);
        }
        runs.push(Run {
            span: Span::new(pieces[start].span.range().start, pieces[end - 1].span.range().end),
            heading,
        });
        heading = pieces[start..end]
            .iter()
            .rev()
            .find(|piece| piece.heading)
            .map(|piece| piece.span)
            .or(heading);
        start = if options.overlap && repeats_last(&pieces, start, end) {
            end - 1
        } else {
            end
        };
    }
    runs
}

/// A sentence, or a part of one that is too long.
struct Piece {
    span: Span,
    tokens: usize,
    /// Whether a line break stands before it.
    starts_block: bool,
    heading: bool,
    cut: bool,
}

/// Where the run that starts at `start` ends: when the budget is spent, before a heading, and never right after one.
fn run_end(pieces: &[Piece], start: usize, budget: usize) -> usize {
    let mut tokens = pieces[start].tokens;
    let mut end = start + 1;
    while end < pieces.len() && !pieces[start].cut && !pieces[end].cut {
        let next = &pieces[end];
        let begins_section = next.heading && !pieces[end - 1].heading && tokens * 3 >= budget;
        if tokens + next.tokens > budget || begins_section {
            break;
        }
        tokens += next.tokens;
        end += 1;
    }
    let headless = (start + 1..end)
        .rev()
        .find(|at| !pieces[*at].heading)
        .map_or(end, |at| at + 1);
    if end < pieces.len() { headless } else { end }
}

fn repeats_last(pieces: &[Piece], start: usize, end: usize) -> bool {
    end < pieces.len() && end - start > 1 && !pieces[end].starts_block && !pieces[end].cut
}

fn pieces(page: &Page, budget: usize) -> Vec<Piece> {
    let spans = valid_sentences(page);
    let mut pieces = Vec::with_capacity(spans.len());
    let mut last_end = 0;
    for (at, span) in spans.iter().enumerate() {
        let text = page.quote(*span);
        let starts_block = at == 0 || page.text[last_end..span.range().start].contains('\n');
        last_end = span.range().end;
        let tokens = estimate_tokens(text);
        if tokens <= budget {
            let heading = starts_block && ends_block(page, &spans, at) && is_heading(text);
            pieces.push(Piece {
                span: *span,
                tokens,
                starts_block,
                heading,
                cut: false,
            });
        } else {
            pieces.extend(cut(*span, text, budget).into_iter().map(|span| Piece {
                span,
                tokens: estimate_tokens(page.quote(span)),
                starts_block: false,
                heading: false,
                cut: true,
            }));
        }
    }
    pieces
}

/// The page's sentences as far as they fit its text, which a damaged row can break; cut anew where there are none.
fn valid_sentences(page: &Page) -> Vec<Span> {
    let mut last_end = 0;
    let mut valid: Vec<Span> = Vec::with_capacity(page.sentences.len());
    for span in &page.sentences {
        if span.start >= last_end && !span.slice(&page.text).is_empty() {
            last_end = span.end;
            valid.push(*span);
        }
    }
    if valid.is_empty() { sentences(&page.text) } else { valid }
}

fn ends_block(page: &Page, spans: &[Span], at: usize) -> bool {
    match spans.get(at + 1) {
        Some(next) => page.text[spans[at].range().end..next.range().start].contains('\n'),
        None => false,
    }
}

/// Whether a line of its own reads like a heading: short, and not ended like a sentence or a list item that goes on.
fn is_heading(line: &str) -> bool {
    const MOST_WORDS: usize = 12;
    let ends_open = line
        .chars()
        .next_back()
        .is_some_and(|last| last.is_alphanumeric() || matches!(last, ')' | '?' | '？' | '`' | '"'));
    let starts_well = line
        .chars()
        .next()
        .is_some_and(|first| first.is_uppercase() || first.is_numeric() || is_unsegmented(first) || first == '#');
    ends_open && starts_well && line.len() <= 120 && words(line).take(MOST_WORDS + 1).count() <= MOST_WORDS
}

/// Parts of at most `budget` tokens, cut after white space where there is some near the end, else between characters.
fn cut(span: Span, text: &str, budget: usize) -> Vec<Span> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = start + part_len(&text[start..], budget);
        let part = text[start..end].trim();
        if !part.is_empty() {
            let from = span.range().start + (part.as_ptr() as usize - text.as_ptr() as usize);
            parts.push(Span::new(from, from + part.len()));
        }
        start = end;
    }
    parts
}

/// How many bytes of `text` make a part: at least one character.
fn part_len(text: &str, budget: usize) -> usize {
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take(budget * 8)
        .collect();
    let fitting = ends
        .partition_point(|end| estimate_tokens(&text[..*end]) <= budget)
        .max(1);
    let hard_end = ends[fitting - 1];
    if hard_end == text.len() {
        return hard_end;
    }
    match text[..hard_end].rfind(char::is_whitespace) {
        Some(space) if space * 2 > hard_end => space,
        _ => hard_end,
    }
}
