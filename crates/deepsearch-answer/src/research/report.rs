//! The report as Markdown: the answer in short, a section a part, where sources disagree, and what was not found.

use std::fmt::Write as _;

use deepsearch_core::ResearchState;
use deepsearch_core::research::{ConflictKind, ReadNote, ResearchPhase, Saying};
use deepsearch_core::text::unmarked;

use super::Desk;
use super::words::Words;

/// What is written so far. As sections come in the order of their parts, each text begins with the one before it.
pub(super) fn text(state: &ResearchState) -> String {
    let mut text = state.lead.clone().unwrap_or_default();
    for part in &state.parts {
        let Some(section) = part.section.as_ref().filter(|section| !section.is_empty()) else {
            continue;
        };
        start_block(&mut text);
        let _ = write!(text, "## {}\n\n{section}", part.question);
    }
    if let Some(closing) = state.closing.as_ref().filter(|closing| !closing.is_empty()) {
        start_block(&mut text);
        text.push_str(closing);
    }
    text
}

/// Where the report begins to speak of itself, in bytes of its text.
pub(super) fn own_words(state: &ResearchState, words: &Words) -> Option<usize> {
    if state.sources.is_empty() {
        return Some(0);
    }
    text(state).rfind(&format!("## {}\n", words.not_found))
}

fn start_block(text: &mut String) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
}

impl Desk<'_> {
    pub(super) fn close(&mut self) {
        let mut closing = String::new();
        if let Some(disagreements) = self.disagreements() {
            closing.push_str(&disagreements);
        }
        if let Some(gaps) = self.gaps() {
            start_block(&mut closing);
            closing.push_str(&gaps);
        }
        self.state.closing = Some(closing);
        self.state.phase = ResearchPhase::Done;
    }

    /// Who says what, and when.
    fn disagreements(&self) -> Option<String> {
        let groups = groups(&self.state);
        if groups.is_empty() {
            return None;
        }
        let mut text = format!("## {}", self.words.disagree);
        for (kind, sayings) in groups {
            let what = match kind {
                ConflictKind::Number => self.words.numbers,
                ConflictKind::Date => self.words.dates,
                ConflictKind::Denial => self.words.denials,
            };
            let _ = write!(text, "\n\n{what}\n");
            for saying in sayings {
                let Some(note) = self.state.page(&saying.page) else {
                    continue;
                };
                let Some(at) = self.state.sources.iter().position(|page| *page == saying.page) else {
                    continue;
                };
                let _ = write!(
                    text,
                    "\n- **{}**, {}:\n  - {} [{}]",
                    note.host,
                    self.when(note),
                    quoted(&saying.quote),
                    at + 1
                );
            }
        }
        Some(text)
    }

    fn when(&self, note: &ReadNote) -> String {
        match note.published_at {
            Some(at) => at.format("%Y-%m-%d").to_string(),
            None => self
                .words
                .read_on
                .replace("{}", &note.fetched_at.format("%Y-%m-%d").to_string()),
        }
    }

    /// The questions that no source answers; without any source, the lead has said so.
    fn gaps(&self) -> Option<String> {
        let open: Vec<&str> = self
            .state
            .parts
            .iter()
            .filter(|part| part.chosen.is_empty() && part.section.as_ref().is_none_or(String::is_empty))
            .map(|part| part.question.as_str())
            .collect();
        if open.is_empty() || self.state.sources.is_empty() {
            return None;
        }
        let mut text = format!("## {}\n\n{}\n", self.words.not_found, self.words.no_source);
        for question in open {
            let _ = write!(text, "\n- {question}");
        }
        Some(text)
    }
}

/// Sayings that belong together: who contradicts the same sentence stands beside the others.
fn groups(state: &ResearchState) -> Vec<(ConflictKind, Vec<&Saying>)> {
    let mut groups: Vec<(ConflictKind, Vec<&Saying>)> = Vec::new();
    for conflict in &state.conflicts {
        let pair = [&conflict.one, &conflict.other];
        let known = groups
            .iter_mut()
            .find(|(kind, sayings)| *kind == conflict.about && pair.iter().any(|saying| sayings.contains(saying)));
        match known {
            Some((_, sayings)) => {
                let new: Vec<&Saying> = pair.into_iter().filter(|saying| !sayings.contains(saying)).collect();
                sayings.extend(new);
            }
            None => groups.push((conflict.about, pair.to_vec())),
        }
    }
    groups
}

/// A source's words in one line, kept from being read as Markdown, as a citation or as an address.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 400;
    let text = crate::plan::first_chars(text, LONGEST);
    let shown = unmarked(text, &['*', '[', ']', '`'], &['#', '>', '-', '+']);
    let words = shown.split_whitespace().map(|word| match word.split_once("://") {
        Some((_, address)) => address.split('/').next().unwrap_or_default(),
        None => word,
    });
    words.collect::<Vec<_>>().join(" ")
}
