//! Claims: the sentences of an answer that say something, each with the `[n]` that belong to it.

use deepsearch_core::Span;
use deepsearch_core::text::{content_terms, sentences};

/// One sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Bytes of the content, its markers included.
    pub(crate) span: Span,
    /// The sentence without its markers.
    pub(crate) text: String,
    pub(crate) markers: Vec<Marker>,
}

/// One `[n]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) number: u32,
    pub(crate) span: Span,
}

/// The claims of Markdown, in order. Code, headings and rules claim nothing; neither does a line that announces a list.
pub(crate) fn claims(content: &str) -> Vec<Claim> {
    Lines::default().claims(content, content.len())
}

/// Claims of text that grows, each line read once.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    read: usize,
    in_fence: bool,
}

impl Lines {
    /// The claims between where the last call ended and `end`, which is the end of a line or of all.
    pub(crate) fn claims(&mut self, content: &str, end: usize) -> Vec<Claim> {
        let mut claims = Vec::new();
        for line in content[self.read.min(end)..end].split_inclusive('\n') {
            let bare = line.trim_start();
            if bare.starts_with("```") || bare.starts_with("~~~") {
                self.in_fence = !self.in_fence;
            } else if !self.in_fence && !bare.starts_with('#') {
                let text = without_number(bare.trim_start_matches(['>', '-', '*', '+', ' ', '\t', '|']));
                claims_of_line(text, self.read + (line.len() - text.len()), &mut claims);
            }
            self.read += line.len();
        }
        claims
    }
}

/// A line without the number that it has in a list: `1.` is no sentence.
fn without_number(line: &str) -> &str {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let after = line[digits..].strip_prefix(['.', ')']);
    let item = after.filter(|rest| (1..=3).contains(&digits) && rest.starts_with(' '));
    item.map_or(line, str::trim_start)
}

fn claims_of_line(line: &str, offset: usize, claims: &mut Vec<Claim>) {
    let (bare, markers) = without_markers(line, offset);
    let spans = sentences(&bare.text);
    for (at, span) in spans.iter().enumerate() {
        let text = span.slice(&bare.text);
        let next = spans.get(at + 1).map_or(usize::MAX, |next| next.start as usize);
        // A marker after the full stop belongs to the sentence before it.
        let is_mine = |position: usize| (position > span.start as usize || at == 0) && position <= next;
        let mine: Vec<Marker> = markers
            .iter()
            .filter(|(position, _)| is_mine(*position))
            .map(|(_, marker)| *marker)
            .collect();
        let announces = text.trim_end_matches(['*', '_']).ends_with([':', '：']) && mine.is_empty();
        if announces || content_terms(text).is_empty() {
            continue;
        }
        // The span takes in the sentence's markers, on whichever side they stand.
        let start = mine
            .iter()
            .map(|marker| marker.span.start as usize)
            .fold(bare.original(span.start as usize, true) + offset, usize::min);
        let end = mine
            .iter()
            .map(|marker| marker.span.end as usize)
            .fold(bare.original(span.end as usize, false) + offset, usize::max);
        claims.push(Claim {
            span: Span::new(start, end),
            text: text.to_owned(),
            markers: mine,
        });
    }
}

/// A line without its markers, and the way back to where each byte was.
struct Bare {
    text: String,
    /// Position in `text` and in the line, where a marker was cut.
    cuts: Vec<(usize, usize)>,
}

impl Bare {
    /// Where a byte of `text` stands in the line; `after` says on which side of a marker that was cut right there.
    fn original(&self, at: usize, after: bool) -> usize {
        let before = |cut: &&(usize, usize)| if after { cut.0 <= at } else { cut.0 < at };
        self.cuts
            .iter()
            .rev()
            .find(before)
            .map_or(at, |(cut, line)| line + (at - cut))
    }
}

fn without_markers(line: &str, offset: usize) -> (Bare, Vec<(usize, Marker)>) {
    let mut bare = Bare {
        text: String::with_capacity(line.len()),
        cuts: Vec::new(),
    };
    let mut markers = Vec::new();
    let mut in_code = false;
    let mut at = 0;
    while let Some(first) = line[at..].chars().next() {
        match marker(&line[at..]).filter(|_| !in_code) {
            Some((number, length)) => {
                let span = Span::new(offset + at, offset + at + length);
                markers.push((bare.text.len(), Marker { number, span }));
                at += length;
                bare.cuts.push((bare.text.len(), at));
            }
            None => {
                in_code ^= first == '`';
                bare.text.push(first);
                at += first.len_utf8();
            }
        }
    }
    (bare, markers)
}

/// `[n]` at the start of `text`: the number and the length. The stream's filter left only this form.
fn marker(text: &str) -> Option<(u32, usize)> {
    let inside = text.strip_prefix('[')?;
    let digits = inside.bytes().take_while(u8::is_ascii_digit).count();
    let number = inside[..digits].parse().ok()?;
    inside[digits..].starts_with(']').then_some((number, digits + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Vec<(&str, Vec<u32>)> {
        claims(content)
            .iter()
            .map(|claim| {
                (
                    claim.span.slice(content),
                    claim.markers.iter().map(|m| m.number).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn a_marker_belongs_to_the_sentence_before_it() {
        let content = "Rust is fast.[1] It is safe. [2][3] Nobody cites this. It ends [1].";
        assert_eq!(
            read(content),
            [
                ("Rust is fast.[1]", vec![1]),
                ("It is safe. [2][3]", vec![2, 3]),
                ("Nobody cites this.", vec![]),
                ("It ends [1].", vec![1]),
            ]
        );
    }

    #[test]
    fn code_headings_and_announcements_claim_nothing() {
        let content = "# Heading [1]\nThere are two ways:\n**Above all:**\n方法有两种：\n- Use `a[1]` here. [2]\n```\nlet x = y[1];\n```\nDone well. [1]\n";
        assert_eq!(
            read(content),
            [("Use `a[1]` here. [2]", vec![2]), ("Done well. [1]", vec![1])]
        );
    }

    #[test]
    fn the_number_of_an_item_is_no_claim() {
        assert_eq!(
            read("1. Rust is fast. [1]\n12) It is safe."),
            [("Rust is fast. [1]", vec![1]), ("It is safe.", vec![])]
        );
    }

    #[test]
    fn a_marker_at_the_start_of_a_line_cites_its_first_sentence() {
        assert_eq!(read("[1] Rust is fast."), [("[1] Rust is fast.", vec![1])]);
    }
}
