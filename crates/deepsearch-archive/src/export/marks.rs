//! Where an answer cites, carried through the reading of its Markdown as two private characters around an index.

use std::fmt::Write as _;

use crate::chat::ArchivedMessage;

const OPEN: char = '\u{f0e0}';
const CLOSE: char = '\u{f0e1}';

/// A stretch of text, or the place of a citation by its index in the message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Words(&'a str),
    Cite(usize),
}

/// The text of an answer with its markers made private characters; those of the text itself go before.
pub(super) fn marked(archived: &ArchivedMessage) -> String {
    let content = &archived.message.content;
    let mut order: Vec<usize> = (0..archived.citations.len()).collect();
    order.sort_by_key(|&index| archived.citations[index].marker);
    let mut marked = String::with_capacity(content.len());
    let mut from = 0;
    let clean = |text: &str| text.replace([OPEN, CLOSE], "");
    for index in order {
        let marker = archived.citations[index].marker.range();
        // A marker that does not fit the text, which a file of strangers may hold, is left alone.
        if marker.start < from || content.get(marker.clone()).is_none() {
            continue;
        }
        marked.push_str(&clean(content.get(from..marker.start).unwrap_or_default()));
        let _ = write!(marked, "{OPEN}{index}{CLOSE}");
        from = marker.end;
    }
    marked.push_str(&clean(content.get(from..).unwrap_or_default()));
    marked
}

/// Text of such Markdown, taken apart again.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        if !before.is_empty() {
            pieces.push(Piece::Words(before));
        }
        rest = after;
        if let Some((index, after)) = after.split_once(CLOSE) {
            rest = after;
            if let Ok(index) = index.parse() {
                pieces.push(Piece::Cite(index));
            }
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    pieces
}
