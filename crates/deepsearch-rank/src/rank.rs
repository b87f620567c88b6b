//! Ranking: the few passages of many pages that an answer is written from, within what a model can read.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deepsearch_core::text::{Term, Vocabulary, content_terms};
use deepsearch_core::{Page, Passage};

use crate::bm25::{self, Counts};
use crate::canonical::canonical_host;
use crate::duplicates::{Shingles, hash};
use crate::meaning;
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

/// The best passages of `pages` for a question; see [`Ranking::choose`].
pub fn rank(question: &str, queries: &[String], pages: &[Page], options: &RankOptions) -> Vec<Passage> {
    let ranking = Ranking::new(question, queries, options.clone());
    let counted: Vec<CountedPage> = pages.iter().map(|page| ranking.count(page)).collect();
    ranking.choose(pages, &counted)
}

/// A question that pages are held against as they come: most of the work on a page needs no other page.
#[derive(Debug, Clone)]
pub struct Ranking {
    question: String,
    query: Query,
    options: RankOptions,
}

/// A page as [`Ranking::count`] leaves it.
#[derive(Debug, Clone)]
pub struct CountedPage {
    host: String,
    runs: Vec<CountedRun>,
}

#[derive(Debug, Clone)]
struct CountedRun {
    run: Run,
    counts: Counts,
    /// Only of a run that has a word of the question.
    found: Option<Found>,
}

/// What is compared and spent when runs are chosen.
#[derive(Debug, Clone)]
struct Found {
    shingles: Shingles,
    tokens: usize,
}

impl Ranking {
    /// `queries` are what was searched for; their terms count half where the question lacks them.
    pub fn new(question: &str, queries: &[String], options: RankOptions) -> Self {
        Self {
            query: Query::new(question, queries),
            question: question.to_owned(),
            options,
        }
    }

    pub fn question(&self) -> &str {
        &self.question
    }

    /// Splits a page and counts the question's terms in its passages.
    pub fn count(&self, page: &Page) -> CountedPage {
        let split = SplitOptions {
            tokens: self.options.passage_tokens,
            ..SplitOptions::default()
        };
        let mut counting = Counting::new(&self.query, page);
        CountedPage {
            host: canonical_host(page.host()),
            runs: runs(page, &split).into_iter().map(|run| counting.count(run)).collect(),
        }
    }

    /// The best passages of all pages, best first, their scores from 1 (the best) down. `counted` has what
    /// [`Ranking::count`] made of each page; the pages' order is the engines' order.
    ///
    /// Copies are folded into the one of the better page, hosts are mixed, and no token budget is exceeded. Where no
    /// passage has a word of the question, the start of each page is given, with score 0.
    pub fn choose(&self, pages: &[Page], counted: &[CountedPage]) -> Vec<Passage> {
        self.choose_by(&[], pages, counted)
    }

    /// As [`Ranking::choose`], with the passages that [`Ranking::foremost`] gave in the order of `nearness` to the
    /// question, which has a number for each of them.
    pub fn choose_by(&self, nearness: &[f32], pages: &[Page], counted: &[CountedPage]) -> Vec<Passage> {
        let options = &self.options;
        let mut candidates = candidates(&self.query, pages, counted, options);
        if candidates.is_empty() {
            return page_starts(pages, counted, options);
        }
        reorder(&mut candidates, nearness, options);
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

    /// The best passages by their words alone, before it is decided which of them fit: at most so many, best first.
    pub fn foremost<'a>(&self, most: usize, pages: &'a [Page], counted: &'a [CountedPage]) -> Vec<&'a str> {
        let candidates = candidates(&self.query, pages, counted, &self.options);
        let texts = candidates.into_iter().map(|candidate| candidate.text());
        texts.take(most).collect()
    }
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

#[derive(Debug, Clone)]
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
}

/// One page being counted.
struct Counting<'a> {
    query: &'a Query,
    page: &'a Page,
    vocabulary: Vocabulary<'a>,
    /// Of each term of the vocabulary: its place in the query, and its hash.
    known: Vec<(Option<usize>, u64)>,
    title: Vec<Term>,
}

impl<'a> Counting<'a> {
    fn new(query: &'a Query, page: &'a Page) -> Self {
        let mut vocabulary = Vocabulary::new();
        Self {
            query,
            page,
            title: vocabulary.read(&page.title),
            vocabulary,
            known: Vec::new(),
        }
    }

    fn count(&mut self, run: Run) -> CountedRun {
        let text = self.page.quote(run.span);
        let terms = self.read(text);
        let mut counts = Counts {
            terms: vec![0.0; self.query.weights.len()],
            length: terms.iter().filter(|term| term.is_content).count() as f32,
        };
        self.add(&terms, 1.0, &mut counts);
        // A title alone is no evidence: it only lifts a passage that has a word of the question itself.
        if !counts.terms.iter().any(|count| *count > 0.0) {
            let found = None;
            return CountedRun { run, counts, found };
        }
        self.add(&self.title, TITLE_WEIGHT, &mut counts);
        if let Some(heading) = run.heading {
            let heading = self.read(self.page.quote(heading));
            self.add(&heading, HEADING_WEIGHT, &mut counts);
        }
        let hashes: Vec<u64> = terms.iter().map(|term| self.known[term.id].1).collect();
        let found = Found {
            shingles: Shingles::of(&hashes),
            tokens: estimate_tokens(text),
        };
        CountedRun {
            run,
            counts,
            found: Some(found),
        }
    }

    fn read(&mut self, text: &'a str) -> Vec<Term> {
        let terms = self.vocabulary.read(text);
        let new = &self.vocabulary.terms()[self.known.len()..];
        let known = new.iter().map(|term| (self.query.terms.get(term).copied(), hash(term)));
        self.known.extend(known);
        terms
    }

    fn add(&self, terms: &[Term], weight: f32, counts: &mut Counts) {
        let places = terms
            .iter()
            .filter(|term| term.is_content)
            .map(|term| self.known[term.id].0);
        for at in places.flatten() {
            counts.terms[at] += weight;
        }
    }
}

#[derive(Clone, Copy)]
struct Candidate<'a> {
    source: &'a Page,
    page: usize,
    host: &'a str,
    counted: &'a CountedRun,
    score: f32,
}

impl<'a> Candidate<'a> {
    fn text(self) -> &'a str {
        self.source.quote(self.counted.run.span)
    }

    fn into_passage(self) -> Passage {
        Passage {
            page_id: self.source.id.clone(),
            page: self.page,
            span: self.counted.run.span,
            text: self.text().to_owned(),
            score: self.score,
        }
    }
}

/// Every passage of every page, unscored.
fn all<'a>(pages: &'a [Page], counted: &'a [CountedPage]) -> Vec<Candidate<'a>> {
    let all = pages.iter().zip(counted).enumerate();
    all.flat_map(|(page, (source, counted))| {
        counted.runs.iter().map(move |run| Candidate {
            source,
            page,
            host: &counted.host,
            counted: run,
            score: 0.0,
        })
    })
    .collect()
}

/// The passages that have a word of the question, best first.
fn candidates<'a>(
    query: &Query,
    pages: &'a [Page],
    counted: &'a [CountedPage],
    options: &RankOptions,
) -> Vec<Candidate<'a>> {
    let mut candidates = all(pages, counted);
    let collection: Vec<&Counts> = candidates.iter().map(|candidate| &candidate.counted.counts).collect();
    let scores = bm25::scores(&collection, &query.weights);
    let coverage = bm25::coverage(&collection, &query.weights);
    for ((candidate, score), covered) in candidates.iter_mut().zip(scores).zip(coverage) {
        let score = score * (1.0 - COVERAGE_SHARE + COVERAGE_SHARE * covered);
        candidate.score = score * place(candidate.page) * freshness(candidate.source, options);
    }
    candidates.retain(|candidate| candidate.score > 0.0);
    candidates.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(a.page.cmp(&b.page))
            .then(a.counted.run.span.cmp(&b.counted.run.span))
    });
    candidates.truncate(MOST_CANDIDATES);
    candidates
}

/// Puts the first candidates in another order. The scores stay where they are, each for the place that it earned: what
/// follows weighs them against each other, and a nearness is on no scale that it knows.
fn reorder(candidates: &mut [Candidate], nearness: &[f32], options: &RankOptions) {
    let count = nearness.len().min(candidates.len());
    let before = candidates[..count].to_vec();
    let order = meaning::order(&nearness[..count], |at| freshness(before[at].source, options));
    for (place, at) in order.into_iter().enumerate() {
        let score = before[place].score;
        candidates[place] = Candidate { score, ..before[at] };
    }
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

/// A candidate with what it is worth beside those already chosen.
struct Open<'a> {
    candidate: Candidate<'a>,
    found: &'a Found,
    value: f32,
}

/// Takes the best candidate again and again, each time holding back what repeats the chosen ones.
fn select(candidates: Vec<Candidate>, options: &RankOptions) -> Vec<Passage> {
    let open = candidates.into_iter().filter_map(|candidate| {
        Some(Open {
            found: candidate.counted.found.as_ref()?,
            value: candidate.score,
            candidate,
        })
    });
    let mut open = fold_copies(open);
    let mut budget = Budget::new(options);
    let mut chosen = Vec::new();
    while let Some(best) = open
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.value.total_cmp(&b.1.value).then(b.0.cmp(&a.0)))
        .map(|(at, _)| at)
    {
        let Open { candidate, found, .. } = open.remove(best);
        if !budget.take(candidate.page, found.tokens) {
            continue;
        }
        for other in &mut open {
            if other.candidate.host == candidate.host {
                other.value *= SAME_HOST;
            }
            other.value *= 1.0 - OVERLAP_LOSS * other.found.shingles.overlap(&found.shingles);
        }
        chosen.push(candidate.into_passage());
    }
    chosen
}

/// Of passages that are copies of each other, the one of the better page is kept, with the best score of them.
fn fold_copies<'a>(open: impl Iterator<Item = Open<'a>>) -> Vec<Open<'a>> {
    let mut kept: Vec<Open> = Vec::new();
    for next in open {
        let copy = kept
            .iter_mut()
            .find(|known| known.found.shingles.is_copy_of(&next.found.shingles));
        match copy {
            Some(known) if next.candidate.page < known.candidate.page => {
                let best = known.value.max(next.value);
                *known = next;
                known.candidate.score = best;
                known.value = best;
            }
            Some(_) => {}
            None => kept.push(next),
        }
    }
    kept
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

fn page_starts(pages: &[Page], counted: &[CountedPage], options: &RankOptions) -> Vec<Passage> {
    let mut budget = Budget::new(options);
    let mut last_page = None;
    all(pages, counted)
        .into_iter()
        .filter(|candidate| last_page.replace(candidate.page) != Some(candidate.page))
        .filter(|candidate| budget.take(candidate.page, estimate_tokens(candidate.text())))
        .map(Candidate::into_passage)
        .collect()
}
