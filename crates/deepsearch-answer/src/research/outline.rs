//! The outline: which passage is told in which section, and which number each source has.

use std::collections::HashMap;

use deepsearch_core::research::{PassageNote, ResearchEnd, ResearchPhase};
use deepsearch_core::{PageId, Span};

use super::Desk;
use super::notes::Asked;

// A section is written from few passages: what comes after them says little more.
const MOST_PASSAGES: usize = 8;

impl Desk<'_> {
    pub(super) async fn outline(&mut self, end: ResearchEnd) {
        self.state.ended = Some(end);
        let owners = self.owners();
        for at in 0..self.state.parts.len() {
            // What is written stays as it is.
            if self.state.parts[at].section.is_some() {
                continue;
            }
            let part = &self.state.parts[at];
            let is_mine = |note: &&PassageNote| owners.get(&key(note)) == Some(&part.id);
            let mut chosen: Vec<PassageNote> = part.notes.iter().filter(is_mine).cloned().collect();
            if chosen.is_empty() {
                // What is told elsewhere too is better than a section that says that nothing was found.
                chosen.extend(part.notes.first().cloned());
            }
            chosen.truncate(MOST_PASSAGES);
            self.state.parts[at].chosen = chosen;
        }
        let cited = self
            .state
            .parts
            .iter()
            .flat_map(|part| &part.chosen)
            .map(|note| note.page.clone());
        let in_dispute = self
            .state
            .conflicts
            .iter()
            .flat_map(|conflict| [&conflict.one.page, &conflict.other.page]);
        let all: Vec<PageId> = cited.chain(in_dispute.cloned()).collect();
        for page in all {
            if !self.state.sources.contains(&page) {
                self.state.sources.push(page);
            }
        }
        self.state.phase = ResearchPhase::Write;
    }

    /// Of the parts that want a passage, the one whose own words it holds most of; of equals, the first.
    fn owners(&self) -> HashMap<(PageId, Span), u32> {
        let mut best: HashMap<(PageId, Span), (f32, u32)> = HashMap::new();
        for part in &self.state.parts {
            let asked = Asked::of(&part.question, &self.state.question);
            // The whole question asks for everything; what asks for something goes before it.
            let is_whole = part.question == self.state.question;
            for note in &part.notes {
                let Some(page) = self.pages.get(&note.page) else {
                    continue;
                };
                let share = asked.share(page.quote(note.span)) * if is_whole { 0.5 } else { 1.0 };
                let known = best.entry(key(note)).or_insert((share, part.id));
                if share > known.0 {
                    *known = (share, part.id);
                }
            }
        }
        best.into_iter().map(|(key, (_, part))| (key, part)).collect()
    }
}

fn key(note: &PassageNote) -> (PageId, Span) {
    (note.page.clone(), note.span)
}
