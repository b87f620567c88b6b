//! Which topics of the guide a question is about: BM25 over sections, and a threshold below which it is about none.

use std::collections::{HashMap, HashSet};

use deepsearch_core::text::content_terms;

use super::topic::Topic;
use super::words::index_terms;

/// Share of a question, weighed by how telling its words are, that a topic must speak of: little when the question
/// names what only this topic is called after, more when it shares a word of a heading, most when of the text alone.
const COVERAGE_NAMED: f32 = 0.35;
const COVERAGE_HEADED: f32 = 0.5;
const COVERAGE_TEXT: f32 = 0.75;
/// A word of a title or heading counts as often as this many in the text.
const TITLE_WEIGHT: u32 = 4;
const HEADING_WEIGHT: u32 = 2;
/// BM25's usual constants.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// The guide's sections, ready to be searched.
pub(super) struct Index {
    sections: Vec<Section>,
    topics: Vec<Names>,
    /// In how many topics a term occurs.
    topics_with: HashMap<String, u32>,
    mean_length: f32,
}

struct Section {
    topic: usize,
    section: usize,
    counts: HashMap<String, u32>,
    length: f32,
}

/// The terms a topic is called by.
struct Names {
    title: HashSet<String>,
    headings: HashSet<String>,
}

/// A topic and its best section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) topic: usize,
    pub(super) section: usize,
    score: f32,
}

impl Index {
    pub(super) fn over(topics: &[Topic]) -> Self {
        let mut sections = Vec::new();
        let mut topics_with: HashMap<String, u32> = HashMap::new();
        for (at, topic) in topics.iter().enumerate() {
            let first = sections.len();
            sections.extend((0..topic.sections.len()).map(|section| Section::of(topic, at, section)));
            let terms: HashSet<_> = sections[first..]
                .iter()
                .flat_map(|section| section.counts.keys())
                .collect();
            for term in terms {
                *topics_with.entry(term.clone()).or_default() += 1;
            }
        }
        let total: f32 = sections.iter().map(|section| section.length).sum();
        Self {
            mean_length: (total / sections.len().max(1) as f32).max(1.0),
            topics: topics.iter().map(Names::of).collect(),
            topics_with,
            sections,
        }
    }

    /// The topics that a question is about, best first; none when the guide has nothing about it.
    pub(super) fn search(&self, question: &str) -> Vec<Found> {
        self.found(question, |covers, needed| covers >= needed)
    }

    /// The topics that share any telling word with a question, best first.
    pub(super) fn nearest(&self, question: &str) -> Vec<Found> {
        self.found(question, |covers, _| covers > 0.0)
    }

    /// `is_about` is told what share of the question a topic covers, and what share it would need.
    fn found(&self, question: &str, is_about: impl Fn(f32, f32) -> bool) -> Vec<Found> {
        let terms: HashSet<String> = index_terms(content_terms(question)).collect();
        let weight_of_question: f32 = terms.iter().map(|term| self.weight(term)).sum();
        let mut best: HashMap<usize, Found> = HashMap::new();
        let mut shared: HashMap<usize, HashSet<&str>> = HashMap::new();
        for section in &self.sections {
            let common = terms.iter().filter(|term| section.counts.contains_key(*term));
            shared
                .entry(section.topic)
                .or_default()
                .extend(common.map(String::as_str));
            let found = Found {
                topic: section.topic,
                section: section.section,
                score: self.score(section, &terms),
            };
            let known = best.entry(section.topic).or_insert(found);
            if known.score < found.score {
                *known = found;
            }
        }
        let is_wanted = |found: &Found| {
            let shared = &shared[&found.topic];
            let weight: f32 = shared.iter().map(|term| self.weight(term)).sum();
            weight > 0.0 && is_about(weight / weight_of_question, self.needed(found.topic, shared))
        };
        let mut found: Vec<_> = best.into_values().filter(is_wanted).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.topic.cmp(&b.topic)));
        found
    }

    fn needed(&self, topic: usize, shared: &HashSet<&str>) -> f32 {
        let names = &self.topics[topic];
        let called = |term: &str| self.topics.iter().filter(|names| names.title.contains(term)).count();
        if shared
            .iter()
            .any(|term| names.title.contains(*term) && called(term) == 1)
        {
            COVERAGE_NAMED
        } else if shared
            .iter()
            .any(|term| names.title.contains(*term) || names.headings.contains(*term))
        {
            COVERAGE_HEADED
        } else {
            COVERAGE_TEXT
        }
    }

    fn score(&self, section: &Section, terms: &HashSet<String>) -> f32 {
        let length = K1 * (1.0 - B + B * section.length / self.mean_length);
        let score_of = |term: &String| {
            let count = section.counts.get(term).copied().unwrap_or_default() as f32;
            self.weight(term) * count * (K1 + 1.0) / (count + length)
        };
        terms.iter().map(score_of).sum()
    }

    /// How telling a term is; one that the guide does not know as much as one that it says once.
    fn weight(&self, term: &str) -> f32 {
        let with = self.topics_with.get(term).copied().unwrap_or(1) as f32;
        (1.0 + (self.topics.len() as f32 - with + 0.5) / (with + 0.5)).ln()
    }
}

impl Section {
    fn of(topic: &Topic, at: usize, section: usize) -> Self {
        let part = &topic.sections[section];
        let mut counts: HashMap<String, u32> = HashMap::new();
        let mut length = 0;
        for (text, times) in [
            (&topic.title, TITLE_WEIGHT),
            (&part.heading, HEADING_WEIGHT),
            (&part.text, 1),
        ] {
            for term in index_terms(content_terms(text)) {
                *counts.entry(term).or_default() += times;
                length += 1;
            }
        }
        Self {
            topic: at,
            section,
            counts,
            length: length as f32,
        }
    }
}

impl Names {
    fn of(topic: &Topic) -> Self {
        let terms = |text: &str| index_terms(content_terms(text)).collect::<Vec<_>>();
        Self {
            title: terms(&topic.title).into_iter().collect(),
            headings: topic
                .sections
                .iter()
                .flat_map(|section| terms(&section.heading))
                .collect(),
        }
    }
}
