//! Review: when every part was looked for, what is still missing or contradicted, and what the pages go into that nobody
//! asked for yet. What comes of it is searched for in the next round.

use deepsearch_core::Purpose;
use deepsearch_core::research::{PartOrigin, PartStage, ResearchEnd, ResearchPart};
use deepsearch_core::text::content_terms;

use super::facets::Outlined;
use super::gather::{about, topic_words};
use super::subquestions::{MOST_PLANNED, questions_in, tidy};
use super::{Desk, edits, facets};
use crate::plan::{first_chars, query_from};

/// Rounds after the first.
pub(super) const MOST_REVIEWS: u32 = 3;
// A part that three searches did not answer will not be by a fourth.
const MOST_QUERIES: usize = 3;
// Below this many sites nobody confirms what one says.
const ENOUGH_HOSTS: u32 = 2;
const NEW_BY_MODEL: usize = 2;
const NEW_BY_READING: usize = 6;

impl Desk<'_> {
    pub(super) async fn review(&mut self) {
        self.state.reviews += 1;
        let before = self
            .state
            .parts
            .iter()
            .filter(|part| part.stage == PartStage::Planned)
            .count();
        self.look_for_gaps().await;
        self.look_into_conflicts();
        if self.state.reviews == 1 {
            self.add_parts().await;
        }
        let planned = self
            .state
            .parts
            .iter()
            .filter(|part| part.stage == PartStage::Planned)
            .count();
        if planned == before {
            self.state.ended = Some(ResearchEnd::Enough);
        }
    }

    async fn look_for_gaps(&mut self) {
        let open: Vec<u32> = self
            .state
            .parts
            .iter()
            .filter(|part| is_open(part))
            .map(|part| part.id)
            .collect();
        for id in open {
            let Some(part) = self.state.part(id).cloned() else {
                continue;
            };
            let mut query = None;
            // A model knows other words for a thing; code only leaves words out.
            if part.notes.is_empty() || !part.missing.is_empty() {
                query = self.ask_for_query(&part).await;
            }
            let query = query.or_else(|| narrower(&part, &self.state.question));
            self.search_for(id, query);
        }
    }

    async fn ask_for_query(&mut self, part: &ResearchPart) -> Option<String> {
        let tried = part.queries.join("\n");
        let missing = part.missing.join(", ");
        let user = format!(
            "Question: {}\nFor a report on: {}\nSearches that were tried:\n{tried}\nNothing was found about: {missing}",
            part.question,
            first_chars(&self.state.question, 500)
        );
        let request = self.short(Purpose::Plan, QUERY, user, 60);
        let answer = self.ask(request, self.research.limits.short).await?;
        // What has not a word of either is no search for it: a small model says "none", or talks of itself.
        let mut wanted = content_terms(&self.state.question);
        wanted.extend(content_terms(&part.question));
        let fits = |line: &String| content_terms(line).iter().any(|term| wanted.contains(term));
        answer
            .lines()
            .filter_map(tidy)
            .find(fits)
            .and_then(|line| query_from(&line))
    }

    /// What others say, where two sources disagree: once for each.
    fn look_into_conflicts(&mut self) {
        let open: Vec<(usize, u32, String)> = self
            .state
            .conflicts
            .iter()
            .enumerate()
            .filter(|(_, conflict)| !conflict.searched)
            .map(|(at, conflict)| (at, conflict.part, without_numbers(&conflict.one.quote)))
            .collect();
        for (at, part, query) in open {
            self.state.conflicts[at].searched = true;
            let fits = self
                .state
                .part(part)
                .is_some_and(|part| part.queries.len() < MOST_QUERIES);
            if fits {
                self.search_for(part, query_from(&query));
            }
        }
    }

    async fn add_parts(&mut self) {
        let room = MOST_PLANNED.saturating_sub(self.state.parts.len());
        if room == 0 {
            return;
        }
        let (mut new, mut origin) = (self.ask_for_more().await, PartOrigin::Model);
        new.truncate(NEW_BY_MODEL);
        // A plan that a model made has its parts; one that code made knows only the question.
        let planned_by_model = self.state.parts.iter().any(|part| part.origin == PartOrigin::Model);
        if new.is_empty() && !planned_by_model {
            (new, origin) = (self.met_while_reading().await, PartOrigin::Reading);
        }
        for question in new.into_iter().take(room) {
            let part = edits::part(&mut self.state, question, origin);
            self.state.parts.push(part);
        }
    }

    async fn ask_for_more(&mut self) -> Vec<String> {
        let known: Vec<String> = self.state.parts.iter().map(|part| part.question.clone()).collect();
        let user = format!(
            "The report: {}\nIts questions:\n{}",
            first_chars(&self.state.question, 1_000),
            known.join("\n")
        );
        let request = self.short(Purpose::Plan, MORE, user, 100);
        let answer = self.ask(request, self.research.limits.short).await.unwrap_or_default();
        let known: Vec<&str> = known
            .iter()
            .map(String::as_str)
            .chain([self.state.question.as_str()])
            .collect();
        // What has not a word of the topic is about something else: small models wander.
        let topic = content_terms(&self.state.question);
        let mut new = questions_in(&answer, &known);
        new.retain(|question| content_terms(question).iter().any(|term| topic.contains(term)));
        new
    }

    async fn met_while_reading(&self) -> Vec<String> {
        let noted = |id| {
            self.state
                .parts
                .iter()
                .flat_map(|part| &part.notes)
                .any(|note| note.page == id)
        };
        let pages: Vec<_> = self
            .read_pages()
            .filter(|(note, _)| noted(note.page.clone()))
            .map(|(note, page)| (note.host.clone(), std::sync::Arc::clone(page)))
            .collect();
        let question = self.state.question.clone();
        let known: Vec<String> = self.state.parts.iter().map(|part| part.question.clone()).collect();
        crate::pipeline::blocking(move || {
            let pages: Vec<Outlined<'_>> = pages.iter().map(|(site, page)| Outlined { page, site }).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            facets::of_pages(&question, &pages, &known, NEW_BY_READING)
        })
        .await
    }

    /// Plans another search for a part, unless it was made already.
    fn search_for(&mut self, id: u32, query: Option<String>) {
        let Some(query) = query else { return };
        let Some(part) = self.state.part_mut(id) else { return };
        let same = |known: &String| known.eq_ignore_ascii_case(&query);
        if !part.queries.iter().any(same) {
            part.query = Some(query);
            part.stage = PartStage::Planned;
        }
    }
}

fn is_open(part: &ResearchPart) -> bool {
    let is_thin = part.hosts < ENOUGH_HOSTS || !part.missing.is_empty();
    part.stage == PartStage::Noted && is_thin && part.queries.len() < MOST_QUERIES
}

/// Another search without a model: what is missing, with the topic; then the part's words alone.
fn narrower(part: &ResearchPart, question: &str) -> Option<String> {
    let topic = topic_words(question);
    let candidates = [
        format!("{topic} {}", part.missing.join(" ")),
        topic_words(&about(&part.question, question)),
        topic,
    ];
    let tried = |query: &String| {
        part.queries
            .iter()
            .any(|known| known.trim().eq_ignore_ascii_case(query.trim()))
    };
    candidates
        .into_iter()
        .find(|query| !query.trim().is_empty() && !tried(query))
        .and_then(|query| query_from(&query))
}

/// A sentence as a search for what others say of the same: its words, without the numbers in dispute.
fn without_numbers(sentence: &str) -> String {
    let words = sentence
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let telling = words.filter(|word| !word.is_empty() && !word.contains(|c: char| c.is_ascii_digit()));
    telling.take(14).collect::<Vec<_>>().join(" ")
}

const QUERY: &str = "Write one web search that could find what is still missing, in other words than the searches that were tried. \
Write only the search, on one line.";

const MORE: &str = "Which important question is still missing from this report? Write at most two, one on each line, ending with a \
question mark, in the language of the report. If none is missing, write only: none";
