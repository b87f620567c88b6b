//! Ranking: the few passages of many pages that an answer is written from, within what a model can read.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deepsearch_core::text::content_terms;
use deepsearch_core::{Page, Passage};

use crate::bm25::{self, Counts};
use crate::canonical::canonical_host;
use crate::duplicates::Shingles;
use crate::split::{Run, SplitOptions, runs};
use crate::tokens::estimate_tokens;

/// How much is chosen, and what is preferred.
#[derive(Debug, Clone, PartialEq)]
pub struct RankOptions {
    /// Tokens of all passages together, as [`estimate_tokens`] counts them.
    pub answer_tokens: usize,
    /// Tokens of one page's passages together, so that no single page fills the answer.
    pub page_tokens: usize,
    /// About how many tokens a passage has.
    pub passage_tokens: usize,
    /// What time it is, for freshness.
    pub now: DateTime<Utc>,
    /// Whether newer pages go first: for questions about what is happening now.
    pub prefer_fresh: bool,
}

impl RankOptions {
    /// 4,000 tokens an answer, 1,200 a page, 240 a passage, no preference for fresh pages.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            answer_tokens: 4_000,
            page_tokens: 1_200,
            passage_tokens: 240,
            now,
            prefer_fresh: false,
        }
    }
}

/// The best passages of `pages` for a question, best first, their scores from 1 (the best) down. `queries` are what
/// was searched for; their terms count half where the question lacks them. The pages' order is the engines' order.
///
/// Copies are folded into the one of the better page, hosts are mixed, and no token budget is exceeded. Where no
/// passage has a word of the question, the start of each page is given, with score 0.
pub fn rank(question: &str, queries: &[String], pages: &[Page], options: &RankOptions) -> Vec<Passage> {
    let query = Query::new(question, queries);
    let mut candidates = candidates(&query, pages, options);
    if candidates.iter().all(|candidate| candidate.score <= 0.0) {
        return page_starts(candidates, options);
    }
    candidates.retain(|candidate| candidate.score > 0.0);
    candidates.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(a.page.cmp(&b.page))
            .then(a.run.span.cmp(&b.run.span))
    });
    candidates.truncate(MOST_CANDIDATES);
    let mut passages = select(candidates, options);
    let best = passages
        .iter()
        .map(|passage| passage.score)
        .fold(f32::MIN_POSITIVE, f32::max);
    for passage in &mut passages {
        passage.score /= best;
    }
    passages
}

/// How many of the best-scored passages are looked at for copies and diversity.
const MOST_CANDIDATES: usize = 200;
/// What a term that only the queries have is worth.
const QUERY_WEIGHT: f32 = 0.5;
/// What a term counts in the heading and in the page's title, against once in the body.
const HEADING_WEIGHT: f32 = 0.5;
const TITLE_WEIGHT: f32 = 1.0;
/// How much a page loses by its place: place n keeps `1 / (1 + n × this)`.
const PLACE_LOSS: f32 = 0.05;
/// How much of the score depends on what share of the question's telling terms a passage has.
const COVERAGE_SHARE: f32 = 0.5;
/// Days after which a page has lost half of what freshness gives.
const FRESH_HALF_LIFE: f32 = 30.0;
/// How much of the score freshness decides, when it is preferred.
const FRESH_SHARE: f32 = 0.5;
/// What is kept of the score for each passage of the host already chosen.
const SAME_HOST: f32 = 0.97;
/// How much an overlap in words with a chosen passage costs.
const OVERLAP_LOSS: f32 = 0.5;

struct Query {
    terms: HashMap<String, usize>,
    weights: Vec<f32>,
}

impl Query {
    fn new(question: &str, queries: &[String]) -> Self {
        let mut query = Self {
            terms: HashMap::new(),
            weights: Vec::new(),
        };
        query.add(question, 1.0);
        for text in queries {
            query.add(text, QUERY_WEIGHT);
        }
        query
    }

    fn add(&mut self, text: &str, weight: f32) {
        for term in content_terms(text) {
            let next = self.weights.len();
            if *self.terms.entry(term).or_insert(next) == next {
                self.weights.push(weight);
            }
        }
    }

    fn count(&self, text: &str, weight: f32, counts: &mut Counts) {
        for term in content_terms(text) {
            if let Some(at) = self.terms.get(&term) {
                counts.terms[*at] += weight;
            }
        }
    }
}

struct Candidate<'a> {
    source: &'a Page,
    page: usize,
    host: String,
    run: Run,
    score: f32,
}

impl Candidate<'_> {
    fn text(&self) -> &str {
        self.source.quote(self.run.span)
    }

    fn into_passage(self) -> Passage {
        Passage {
            page_id: self.source.id.clone(),
            page: self.page,
            span: self.run.span,
            text: self.text().to_owned(),
            score: self.score,
        }
    }
}

fn candidates<'a>(query: &Query, pages: &'a [Page], options: &RankOptions) -> Vec<Candidate<'a>> {
    let split = SplitOptions {
        tokens: options.passage_tokens,
        ..SplitOptions::default()
    };
    let mut candidates = Vec::new();
    let mut collection = Vec::new();
    for (page, source) in pages.iter().enumerate() {
        for run in runs(source, &split) {
            collection.push(counts(query, source, &run));
            candidates.push(Candidate {
                source,
                page,
                host: canonical_host(source.host()),
                run,
                score: 0.0,
            });
        }
    }
    let scores = bm25::scores(&collection, &query.weights);
    let coverage = bm25::coverage(&collection, &query.weights);
    for ((candidate, score), covered) in candidates.iter_mut().zip(scores).zip(coverage) {
        let score = score * (1.0 - COVERAGE_SHARE + COVERAGE_SHARE * covered);
        candidate.score = score * place(candidate.page) * freshness(candidate.source, options);
    }
    candidates
}

fn counts(query: &Query, page: &Page, run: &Run) -> Counts {
    let text = page.quote(run.span);
    let mut counts = Counts {
        terms: vec![0.0; query.weights.len()],
        length: 0.0,
    };
    for term in content_terms(text) {
        counts.length += 1.0;
        if let Some(at) = query.terms.get(&term) {
            counts.terms[*at] += 1.0;
        }
    }
    // A title alone is no evidence: it only lifts a passage that has a word of the question itself.
    if counts.terms.iter().any(|count| *count > 0.0) {
        query.count(&page.title, TITLE_WEIGHT, &mut counts);
        if let Some(heading) = run.heading {
            query.count(page.quote(heading), HEADING_WEIGHT, &mut counts);
        }
    }
    counts
}

fn place(page: usize) -> f32 {
    1.0 / (1.0 + PLACE_LOSS * page as f32)
}

/// 1 for a page of today, less for an older one; a page without a date counts as one half-life old.
fn freshness(page: &Page, options: &RankOptions) -> f32 {
    if !options.prefer_fresh {
        return 1.0;
    }
    let days = page.published_at.map_or(FRESH_HALF_LIFE, |date| {
        ((options.now - date).num_hours() as f32 / 24.0).max(0.0)
    });
    1.0 - FRESH_SHARE + FRESH_SHARE * 0.5_f32.powf(days / FRESH_HALF_LIFE)
}

/// Takes the best candidate again and again, each time holding back what repeats the chosen ones.
fn select(candidates: Vec<Candidate>, options: &RankOptions) -> Vec<Passage> {
    let mut open: Vec<(Candidate, Shingles, f32)> = candidates
        .into_iter()
        .map(|candidate| {
            let shingles = Shingles::of(candidate.text());
            let value = candidate.score;
            (candidate, shingles, value)
        })
        .collect();
    fold_copies(&mut open);
    let mut budget = Budget::new(options);
    let mut chosen = Vec::new();
    while let Some(best) = open
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.2.total_cmp(&b.1.2).then(b.0.cmp(&a.0)))
        .map(|(at, _)| at)
    {
        let (candidate, shingles, _) = open.remove(best);
        if !budget.take(candidate.page, estimate_tokens(candidate.text())) {
            continue;
        }
        for (other, others, value) in &mut open {
            if other.host == candidate.host {
                *value *= SAME_HOST;
            }
            *value *= 1.0 - OVERLAP_LOSS * others.overlap(&shingles);
        }
        chosen.push(candidate.into_passage());
    }
    chosen
}

/// Of passages that are copies of each other, the one of the better page is kept, with the best score of them.
fn fold_copies(open: &mut Vec<(Candidate, Shingles, f32)>) {
    let mut kept: Vec<(Candidate, Shingles, f32)> = Vec::with_capacity(open.len());
    for next in open.drain(..) {
        match kept.iter_mut().find(|known| known.1.is_copy_of(&next.1)) {
            Some(known) if next.0.page < known.0.page => {
                let best = known.2.max(next.2);
                *known = next;
                known.0.score = best;
                known.2 = best;
            }
            Some(_) => {}
            None => kept.push(next),
        }
    }
    *open = kept;
}

/// What may still be taken.
struct Budget {
    answer: usize,
    per_page: usize,
    pages: HashMap<usize, usize>,
}

impl Budget {
    fn new(options: &RankOptions) -> Self {
        Self {
            answer: options.answer_tokens,
            per_page: options.page_tokens,
            pages: HashMap::new(),
        }
    }

    /// Spends the tokens where they fit.
    fn take(&mut self, page: usize, tokens: usize) -> bool {
        let spent = self.pages.entry(page).or_default();
        if tokens > self.answer || *spent + tokens > self.per_page {
            return false;
        }
        self.answer -= tokens;
        *spent += tokens;
        true
    }
}

fn page_starts(candidates: Vec<Candidate>, options: &RankOptions) -> Vec<Passage> {
    let mut budget = Budget::new(options);
    let mut last_page = None;
    candidates
        .into_iter()
        .filter(|candidate| last_page.replace(candidate.page) != Some(candidate.page))
        .filter(|candidate| budget.take(candidate.page, estimate_tokens(candidate.text())))
        .map(Candidate::into_passage)
        .collect()
}
