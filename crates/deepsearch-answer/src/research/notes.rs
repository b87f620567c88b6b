//! Notes: which passages of all pages say something about a part, what they leave open, and where they disagree.

use std::collections::HashSet;
use std::sync::Arc;

use deepsearch_core::research::{Conflict, ConflictKind, PartStage, PassageNote, ReadNote, Saying};
use deepsearch_core::text::content_terms;
use deepsearch_core::{Page, Passage, Span};
use deepsearch_rank::{Assertion, Disagreement, RankOptions, Ranking};

use super::Desk;
use super::gather::about;
use crate::pipeline::blocking;
use crate::plan::asks_for_news;
use crate::rerank::Held;

// What is held against each other: the sentences of the notes, bounded.
const SENTENCES: usize = 90;
const MOST_CONFLICTS: usize = 12;

impl Desk<'_> {
    pub(super) async fn note(&mut self, id: u32) {
        let Some(part) = self.state.part(id) else { return };
        let asked = Asked::of(&part.question, &self.state.question);
        let subject = about(&part.question, &self.state.question);
        let held = Held {
            ranking: Arc::new(Ranking::new(&subject, &[], self.rank_options())),
            pages: self.read_pages().map(|(_, page)| Page::clone(page)).collect(),
            counted: Vec::new(),
        };
        let (pages, mut passages) = self.research.pipeline.choose(held, &self.steps).await;
        let notes: Vec<ReadNote> = self.state.pages.clone();
        let noted = blocking(move || {
            passages.retain(|passage| asked.is_spoken_of(passage, &pages[passage.page]));
            Noted::of(&asked, &passages, &pages, &notes)
        })
        .await;
        let Noted {
            notes,
            missing,
            hosts,
            conflicts,
        } = noted;
        let Some(part) = self.state.part_mut(id) else { return };
        part.notes = notes;
        part.missing = missing;
        part.hosts = hosts;
        part.leads.clear();
        part.stage = PartStage::Noted;
        for (about, one, other) in conflicts {
            self.add_conflict(id, about, one, other);
        }
    }

    fn add_conflict(&mut self, part: u32, about: ConflictKind, one: Saying, other: Saying) {
        let same =
            |known: &Conflict| (known.one == one && known.other == other) || (known.one == other && known.other == one);
        if self.state.conflicts.len() < MOST_CONFLICTS && !self.state.conflicts.iter().any(same) {
            self.state.conflicts.push(Conflict {
                about,
                one,
                other,
                part,
                searched: false,
            });
        }
    }

    pub(super) fn rank_options(&self) -> RankOptions {
        let pipeline = &self.research.pipeline;
        let mut options = RankOptions::new(pipeline.clock.now());
        options.answer_tokens = self
            .research
            .limits
            .section_tokens
            .min(pipeline.evidence_tokens(&self.state.question));
        options.page_tokens = options.answer_tokens.div_ceil(2);
        options.passage_tokens = options.passage_tokens.min(options.answer_tokens.div_ceil(4));
        options.prefer_fresh = asks_for_news(&self.state.question);
        options
    }

    /// The pages that were read, in the order they were, with their texts.
    pub(super) fn read_pages(&self) -> impl Iterator<Item = (&ReadNote, &Arc<Page>)> {
        self.state
            .pages
            .iter()
            .filter_map(|note| Some((note, self.pages.get(&note.page)?)))
    }
}

/// The words of a part by which it is known whether something speaks of it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// What only this part asks; all of it where it is the whole question.
    own: Vec<(String, String)>,
    topic: Vec<String>,
}

impl Asked {
    pub(super) fn of(part: &str, question: &str) -> Self {
        let topic = content_terms(question);
        let is_own = |(term, _): &(String, String)| !topic.contains(term);
        let all = with_words(part);
        let mut own: Vec<(String, String)> = all.iter().filter(|term| is_own(term)).cloned().collect();
        if own.is_empty() {
            own = all;
        }
        Self { own, topic }
    }

    /// Whether a passage holds words of the part, and its page words of the question.
    fn is_spoken_of(&self, passage: &Passage, page: &Page) -> bool {
        let told: HashSet<String> = content_terms(&passage.text).into_iter().collect();
        let mut around = told.clone();
        around.extend(content_terms(&page.title));
        let own = self.own.iter().filter(|(term, _)| around.contains(term)).count();
        let in_text = self.own.iter().any(|(term, _)| told.contains(term));
        // The words of a page are many: most of the topic has to be among them.
        let whole: HashSet<String> = content_terms(&page.text).into_iter().collect();
        let topic = self
            .topic
            .iter()
            .filter(|term| whole.contains(*term) || around.contains(*term))
            .count();
        in_text && own * 3 >= self.own.len() && topic * 2 >= self.topic.len()
    }

    /// How much of what only this part asks a text holds, 0 to 1.
    pub(super) fn share(&self, text: &str) -> f32 {
        let told: HashSet<String> = content_terms(text).into_iter().collect();
        let held = self.own.iter().filter(|(term, _)| told.contains(term)).count();
        held as f32 / self.own.len().max(1) as f32
    }

    fn missing<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Vec<String> {
        let told: HashSet<String> = texts.flat_map(content_terms).collect();
        let open = self.own.iter().filter(|(term, _)| !told.contains(term));
        open.map(|(_, word)| word.clone()).collect()
    }
}

/// The telling terms of a text, each with the word it stands for.
fn with_words(text: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        for term in content_terms(word) {
            if !all.iter().any(|(known, _)| *known == term) {
                all.push((term, word.to_owned()));
            }
        }
    }
    all
}

struct Noted {
    notes: Vec<PassageNote>,
    missing: Vec<String>,
    hosts: u32,
    conflicts: Vec<(ConflictKind, Saying, Saying)>,
}

impl Noted {
    fn of(asked: &Asked, passages: &[Passage], pages: &[Page], read: &[ReadNote]) -> Self {
        let hosts: HashSet<_> = passages.iter().map(|passage| site(&pages[passage.page])).collect();
        let texts = passages
            .iter()
            .flat_map(|passage| [passage.text.as_str(), pages[passage.page].title.as_str()]);
        let note = |passage: &Passage| PassageNote {
            page: passage.page_id.clone(),
            span: passage.span,
            score: passage.score,
        };
        Self {
            missing: asked.missing(texts),
            hosts: hosts.len() as u32,
            conflicts: conflicts(passages, pages, read),
            notes: passages.iter().map(note).collect(),
        }
    }
}

/// Sentences of two sources that cannot both be so.
fn conflicts(passages: &[Passage], pages: &[Page], read: &[ReadNote]) -> Vec<(ConflictKind, Saying, Saying)> {
    let sentences = passages.iter().flat_map(|passage| {
        let page = &pages[passage.page];
        let inside = page.sentences.iter().filter(|span| passage.span.contains(**span));
        inside.map(|span| (passage.page, *span))
    });
    let said: Vec<(usize, Span, Assertion)> = sentences
        .take(SENTENCES)
        .map(|(page, span)| (page, span, Assertion::of(pages[page].quote(span))))
        .collect();
    let saying = |page: usize, span: Span| Saying {
        page: pages[page].id.clone(),
        span,
        quote: pages[page].quote(span).to_owned(),
    };
    let mut found = Vec::new();
    for (at, (page, span, one)) in said.iter().enumerate() {
        for (other_page, other_span, other) in &said[at + 1..] {
            if page == other_page || !are_two_voices(&pages[*page], &pages[*other_page], read) {
                continue;
            }
            if let Some(kind) = one.contradicts(other) {
                found.push((about_what(kind), saying(*page, *span), saying(*other_page, *other_span)));
            }
        }
    }
    found
}

/// Who speaks: a host and the port it speaks at.
fn site(page: &Page) -> (&str, Option<u16>) {
    (page.host(), page.url.port())
}

/// Two sites, or one at two times.
fn are_two_voices(one: &Page, other: &Page, read: &[ReadNote]) -> bool {
    let published = |page: &Page| {
        read.iter()
            .find(|note| note.page == page.id)
            .and_then(|note| note.published_at)
    };
    site(one) != site(other) || matches!((published(one), published(other)), (Some(one), Some(other)) if one != other)
}

fn about_what(kind: Disagreement) -> ConflictKind {
    match kind {
        Disagreement::Number => ConflictKind::Number,
        Disagreement::Date => ConflictKind::Date,
        Disagreement::Denial => ConflictKind::Denial,
    }
}
