//! Which topics of the guide a question is about: BM25 over sections, and a threshold below which it is about none.

use std::collections::{HashMap, HashSet};

use deepsearch_core::text::content_terms;

use super::topic::Topic;

/// Share of a question, weighed by how telling its words are, that a topic must speak of.
const COVERAGE: f32 = 0.5;
/// A word of a title or heading counts as often as this many in the text.
const TITLE_WEIGHT: u32 = 4;
const HEADING_WEIGHT: u32 = 2;
/// BM25's usual constants.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// The guide's sections, ready to be searched.
pub(super) struct Index {
    sections: Vec<Entry>,
    /// In how many topics a term occurs.
    topics_with: HashMap<String, u32>,
    topics: usize,
    mean_length: f32,
}

struct Entry {
    topic: usize,
    section: usize,
    counts: HashMap<String, u32>,
    length: f32,
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
            sections.extend((0..topic.sections.len()).map(|section| Entry::of(topic, at, section)));
            let terms: HashSet<_> = sections[first..].iter().flat_map(|entry| entry.counts.keys()).collect();
            for term in terms {
                *topics_with.entry(term.clone()).or_default() += 1;
            }
        }
        let total: f32 = sections.iter().map(|entry| entry.length).sum();
        Self {
            mean_length: (total / sections.len().max(1) as f32).max(1.0),
            topics: topics.len(),
            topics_with,
            sections,
        }
    }

    /// The topics that a question is about, best first; none when the guide has nothing about it.
    pub(super) fn search(&self, question: &str) -> Vec<Found> {
        let terms: HashSet<String> = content_terms(question).into_iter().map(synonym).collect();
        let weight_of_question: f32 = terms.iter().map(|term| self.weight(term)).sum();
        let mut best: HashMap<usize, Found> = HashMap::new();
        let mut covered: HashMap<usize, HashSet<&str>> = HashMap::new();
        for entry in &self.sections {
            let shared = terms.iter().filter(|term| entry.counts.contains_key(*term));
            covered
                .entry(entry.topic)
                .or_default()
                .extend(shared.map(String::as_str));
            let found = Found {
                topic: entry.topic,
                section: entry.section,
                score: self.score(entry, &terms),
            };
            let known = best.entry(entry.topic).or_insert(found);
            if known.score < found.score {
                *known = found;
            }
        }
        let is_about = |found: &Found| {
            let weight: f32 = covered[&found.topic].iter().map(|term| self.weight(term)).sum();
            weight > 0.0 && weight >= COVERAGE * weight_of_question
        };
        let mut found: Vec<_> = best.into_values().filter(is_about).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.topic.cmp(&b.topic)));
        found
    }

    fn score(&self, entry: &Entry, terms: &HashSet<String>) -> f32 {
        let length = K1 * (1.0 - B + B * entry.length / self.mean_length);
        let score_of = |term: &String| {
            let count = entry.counts.get(term).copied().unwrap_or_default() as f32;
            self.weight(term) * count * (K1 + 1.0) / (count + length)
        };
        terms.iter().map(score_of).sum()
    }

    /// How telling a term is; most of all one that the guide does not know.
    fn weight(&self, term: &str) -> f32 {
        let with = self.topics_with.get(term).copied().unwrap_or_default() as f32;
        (1.0 + (self.topics as f32 - with + 0.5) / (with + 0.5)).ln()
    }
}

impl Entry {
    fn of(topic: &Topic, at: usize, section: usize) -> Self {
        let part = &topic.sections[section];
        let mut counts: HashMap<String, u32> = HashMap::new();
        let mut length = 0;
        for (text, times) in [
            (&topic.title, TITLE_WEIGHT),
            (&part.heading, HEADING_WEIGHT),
            (&part.text, 1),
        ] {
            for term in content_terms(text) {
                *counts.entry(synonym(term)).or_default() += times;
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

/// The word the index has for a term, so that a question may use another one than the guide does.
fn synonym(term: String) -> String {
    // Stemmed, as `content_terms` gives them.
    const SAME: &[(&str, &str)] = &[
        ("searx", "searxng"),
        ("ddg", "duckduckgo"),
        ("token", "key"),
        ("apikey", "key"),
        ("llm", "model"),
        ("ai", "model"),
        ("gpt", "openai"),
        ("chatgpt", "openai"),
        ("claud", "anthrop"),
        ("erase", "delet"),
        ("eras", "delet"),
        ("remov", "delet"),
        ("convers", "chat"),
        ("discuss", "chat"),
        ("configur", "set"),
        ("setup", "set"),
        ("option", "set"),
        ("prefer", "set"),
        ("internet", "network"),
        ("onlin", "network"),
        ("directori", "folder"),
        ("locat", "folder"),
        ("citat", "cite"),
        ("refer", "cite"),
        ("cli", "command"),
        ("terminal", "command"),
        ("cost", "bill"),
        ("price", "bill"),
        ("pay", "bill"),
    ];
    match SAME.iter().find(|(word, _)| *word == term) {
        Some((_, guide)) => (*guide).to_owned(),
        None => term,
    }
}
