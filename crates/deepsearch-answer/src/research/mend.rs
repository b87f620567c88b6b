//! Mending what a model wrote: its headings below ours, its last sentence whole, a citation at each sentence that a source
//! says, and nothing that neither cites nor stands in a source. Where too little is left, it was not written from them.
//!
//! A sentence that cites is left as it is, also where its source does not say that: the check marks it for whoever reads.

use std::ops::Range;

use deepsearch_core::Span;
use deepsearch_rank::SUPPORTED;

use crate::claims::{Claim, claims};
use crate::evidence::Evidence;
use crate::plan::first_chars;

// A text of which less is in the sources was not written from them.
const LEAST_SUPPORTED: f32 = 0.34;
const LONGEST_SECTION: usize = 3_500;

/// A model's text as a section; `None` where too little of it is in the sources.
pub(super) fn mended(text: &str, evidence: &Evidence) -> Option<String> {
    // A message holds so many sections only while each is one.
    let text = whole_sentences(first_chars(&below_our_headings(text), LONGEST_SECTION));
    let mut shown: Vec<u32> = evidence.passages.iter().map(|passage| passage.number).collect();
    shown.dedup();
    let source = |claim: &Claim| {
        let scored = shown
            .iter()
            .filter_map(|number| Some((*number, evidence.nearest(*number, &claim.text)?.score)));
        let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.filter(|(_, score)| *score >= SUPPORTED).map(|(number, _)| number)
    };
    keep_what_stands(&text, source)
}

/// The text with what `source` says of each claim; what has neither a citation nor a source is left out.
fn keep_what_stands(text: &str, source: impl Fn(&Claim) -> Option<u32>) -> Option<String> {
    let judge = |claim: Claim| Judged {
        source: source(&claim),
        claim,
    };
    let judged: Vec<Judged> = claims(text).into_iter().map(judge).collect();
    let supported = judged.iter().filter(|judged| judged.source.is_some()).count();
    if judged.is_empty() || (supported as f32 / judged.len() as f32) < LEAST_SUPPORTED {
        return None;
    }
    let mut lines: Vec<Line> = Vec::new();
    let (mut at, mut is_code) = (0, false);
    for raw in text.split_inclusive('\n') {
        let own = Span::new(at, at + raw.len());
        at += raw.len();
        let is_fence = raw.trim_start().starts_with("```") || raw.trim_start().starts_with("~~~");
        is_code ^= is_fence;
        let mine: Vec<&Judged> = judged.iter().filter(|judged| own.contains(judged.claim.span)).collect();
        lines.push(Line::of(raw, own.start as usize, &mine, is_code || is_fence));
    }
    leave_out_what_leads_nowhere(&mut lines);
    lines.retain(|line| !line.is_gone);
    lines.dedup_by(|line, before| line.kind == Kind::Blank && before.kind == Kind::Blank);
    let kept: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    Some(kept.join("\n").trim().to_owned())
}

struct Judged {
    claim: Claim,
    /// The source that says it.
    source: Option<u32>,
}

impl Judged {
    fn is_out(&self) -> bool {
        self.claim.markers.is_empty() && self.source.is_none()
    }
}

/// A line on its way into the section.
struct Line {
    text: String,
    kind: Kind,
    /// It holds a claim that stays.
    claims: bool,
    is_gone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Code,
    Heading,
    /// It announces what comes after it, and ends in a colon.
    Announcing,
    Item,
    Row,
    /// Between a table's head and its rows.
    Rule,
    Prose,
}

impl Line {
    fn of(raw: &str, offset: usize, judged: &[&Judged], is_code: bool) -> Self {
        let mut text = raw.trim_end().to_owned();
        let kind = if is_code { Kind::Code } else { Kind::of(&text) };
        let place = |judged: &Judged| {
            let span = judged.claim.span;
            (span.start as usize - offset, span.end as usize - offset)
        };
        for (at, one) in judged.iter().enumerate().rev() {
            let (start, end) = place(one);
            let floor = at.checked_sub(1).map_or(0, |before| place(judged[before]).1.min(start));
            match one.source {
                // A row that lost a cell is no row any more.
                _ if one.is_out() && kind != Kind::Row => cut(&mut text, floor, start..end),
                Some(number) if one.claim.markers.is_empty() => {
                    // Behind its last bar, a table shows nothing.
                    let end = text[..end].trim_end_matches(['|', ' ']).len();
                    text.insert_str(end, &format!(" [{number}]"));
                }
                _ => {}
            }
        }
        let claims = judged.iter().any(|judged| !judged.is_out());
        // What is left of it may still announce what follows.
        let rest = if kind == Kind::Row { kind } else { Kind::of(&text) };
        let is_gone = !judged.is_empty() && !claims && rest != Kind::Announcing;
        Self {
            text,
            kind: if is_code || is_gone { kind } else { rest },
            claims,
            is_gone,
        }
    }
}

impl Kind {
    fn of(line: &str) -> Self {
        let bare = line.trim();
        let numbered = bare.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_numbered = numbered.len() < bare.len() && (numbered.starts_with(". ") || numbered.starts_with(") "));
        if bare.is_empty() {
            Self::Blank
        } else if bare.starts_with('#') {
            Self::Heading
        } else if bare.starts_with('|') {
            let is_rule = bare.contains('-') && bare.chars().all(|c| "|-: ".contains(c));
            if is_rule { Self::Rule } else { Self::Row }
        } else if bare.trim_end_matches('*').ends_with([':', '：']) && bare.chars().any(char::is_alphabetic) {
            Self::Announcing
        } else if is_numbered || bare.starts_with("- ") || bare.starts_with("* ") || bare.starts_with("+ ") {
            Self::Item
        } else {
            Self::Prose
        }
    }
}

/// Headings, announcements and heads of tables whose matter was left out go with it, from the last to the first.
fn leave_out_what_leads_nowhere(lines: &mut [Line]) {
    for at in (0..lines.len()).rev() {
        let after = || lines[at + 1..].iter().filter(|line| line.kind != Kind::Blank);
        let next = after().find(|line| !line.is_gone).map(|line| line.kind);
        let lost_next = after().next().is_some_and(|line| line.is_gone);
        let is_head = next_is(lines, at, Kind::Rule);
        lines[at].is_gone = match lines[at].kind {
            // The head of a table says what its columns are, and claims nothing.
            Kind::Row if is_head => lines[at + 1].is_gone,
            Kind::Rule => next != Some(Kind::Row),
            _ if lines[at].is_gone => true,
            Kind::Heading => next.is_none_or(|next| next == Kind::Heading),
            Kind::Announcing if !lines[at].claims => match next {
                None | Some(Kind::Heading) => true,
                Some(next) => lost_next && !matches!(next, Kind::Item | Kind::Row | Kind::Code),
            },
            _ => false,
        };
    }
}

fn next_is(lines: &[Line], at: usize, kind: Kind) -> bool {
    lines.get(at + 1).is_some_and(|line| line.kind == kind)
}

/// Takes a sentence out of its line, with the emphasis that begins right before it and the blanks after it. What stands
/// before `floor` is another's.
fn cut(line: &mut String, floor: usize, sentence: Range<usize>) {
    let is_emphasis = |byte: &u8| matches!(byte, b'*' | b'_');
    let before = line.as_bytes()[floor..sentence.start].iter().rev();
    let before = before.take_while(|byte| is_emphasis(byte)).count();
    let after = line.as_bytes()[sentence.end..].iter();
    let own = line.as_bytes()[sentence.clone()]
        .iter()
        .take_while(|byte| is_emphasis(byte))
        .count();
    let after = after.take_while(|byte| is_emphasis(byte)).count().min(before + own);
    let end = sentence.end + after;
    let blanks = line.as_bytes()[end..].iter().take_while(|byte| **byte == b' ').count();
    line.replace_range(sentence.start - before..end + blanks, "");
    line.truncate(line.trim_end().len());
}

fn below_our_headings(text: &str) -> String {
    let line = |line: &str| match line.trim_start().strip_prefix('#') {
        Some(rest) => format!("### {}", rest.trim_start_matches('#').trim()),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Without the half sentence that a limit left at the end.
fn whole_sentences(text: &str) -> String {
    let text = text.trim_end();
    let ends = |c: char| {
        matches!(
            c,
            '.' | '!' | '?' | ']' | ')' | '。' | '！' | '？' | '؟' | '|' | '`' | '"' | '”' | '*'
        )
    };
    if text.ends_with(ends) {
        return text.to_owned();
    }
    let end = text.rfind(['.', '!', '?', ']', '。', '！', '？']).map(|at| {
        let last = text[at..].chars().next().map_or(1, char::len_utf8);
        at + last
    });
    // A list of bare words has no sentence to cut back to.
    match end {
        Some(end) if !text[end..].contains('\n') => text[..end].to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is true is in the second source.
    fn kept(text: &str) -> Option<String> {
        keep_what_stands(text, |claim| claim.text.contains("true").then_some(2))
    }

    #[test]
    fn what_neither_cites_nor_stands_in_a_source_is_left_out() {
        assert_eq!(
            kept("This is invented. This is true. **Invented boldly.** All of it is true [1]. Invented again [3].")
                .as_deref(),
            Some("This is true. [2] All of it is true [1]. Invented again [3].")
        );
        assert_eq!(
            kept("It is true. It is invented. It is invented again. And again. And once more."),
            None,
            "too little of it is in the sources"
        );
        assert_eq!(kept("### Nothing but a heading"), None);
    }

    #[test]
    fn lists_tables_and_headings_go_with_what_they_are_of() {
        let text = "There are two ways:\n\n1. This is true.\n2. This is invented.\n3. That is true [1].\n\n\
                    ### An empty heading\n\nWhat is invented:\n- invented entirely\n\n### A full heading\n\nIt is true.\n\n\
                    | Name | Height |\n|---|---|\n| Invented | made up |\n| The true one | 3 m |\n\n\
                    | Name | Depth |\n|---|---|\n| Invented | made up |\n\nIt is true at last.";
        assert_eq!(
            kept(text).as_deref(),
            Some(
                "There are two ways:\n\n1. This is true. [2]\n3. That is true [1].\n\n### A full heading\n\nIt is true. [2]\n\n\
                 | Name | Height |\n|---|---|\n| The true one | 3 m [2] |\n\nIt is true at last. [2]"
            )
        );
    }

    #[test]
    fn code_is_left_as_it_is_and_a_sentence_before_an_announcement_is_cut_alone() {
        let text = "It was invented. You write, and it is true [1]:\n\n```\n# invented\n# twice\n```\nIt is true.";
        assert_eq!(
            kept(text).as_deref(),
            Some("You write, and it is true [1]:\n\n```\n# invented\n# twice\n```\nIt is true. [2]")
        );
    }
}
