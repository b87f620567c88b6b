//! The pipeline itself: one question in, steps out while it runs, one answer at the end.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deepsearch_core::error::sentence;
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{
    ChatModel, Citation, Clock, Embedder, ErrorCode, Failure, MessageMetadata, ModelError, Page, PageFetcher,
    SearchHit, SearchQuery, Searcher, SentenceCheck, Source, TimeRange, TokenUsage, Turn,
};
use deepsearch_rank::{CountedPage, Ranking};
use thiserror::Error;
use tokio::sync::mpsc;
use url::Url;

use crate::afterwards::{Afterwards, afterwards};
use crate::evidence::Evidence;
use crate::plan::{Plan, plan};
use crate::read::{ReadLimits, ReadPage, read};
use crate::rerank::Held;
use crate::research::NotebookError;
use crate::retrieve::{Retrieved, retrieve};
use crate::write::{Draft, write};

/// When to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchMode {
    /// The question decides: small talk and work on the chat itself need no search.
    #[default]
    Auto,
    Always,
    Never,
}

/// What is asked, with what the pipeline must know of the chat.
#[derive(Debug, Clone)]
pub struct Question {
    pub text: String,
    /// The turns before it, oldest first.
    pub history: Vec<Turn>,
    pub search: SearchMode,
    pub locale: Option<String>,
    pub time_range: Option<TimeRange>,
    /// How many hits each search brings.
    pub results: usize,
    /// Whether addresses in the question are read, which asks the web.
    pub reads_addresses: bool,
    /// What is read first, whatever is searched for: files that came with the question.
    pub named: Vec<Url>,
    /// The text and pages of an answer that was interrupted and is to be continued.
    pub so_far: Option<SoFar>,
}

impl Question {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            history: Vec::new(),
            search: SearchMode::Auto,
            locale: None,
            time_range: None,
            results: 10,
            reads_addresses: true,
            named: Vec::new(),
            so_far: None,
        }
    }
}

/// An interrupted answer: what came, and the pages its `[n]` cite, in order.
#[derive(Debug, Clone, Default)]
pub struct SoFar {
    pub content: String,
    pub pages: Vec<Page>,
}

/// Bounds of one answer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For rewording a follow-up.
    pub plan: Duration,
    pub read: ReadLimits,
    /// For an embedding model to put the passages in order; then their words have.
    pub rerank: Duration,
    /// For the title and the follow-up questions, after the answer.
    pub afterwards: Duration,
    /// Most tokens of evidence that a model is shown; fewer where its context is small.
    pub evidence_tokens: usize,
    /// Most tokens of the answer.
    pub answer_tokens: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            plan: Duration::from_secs(6),
            read: ReadLimits {
                pages: 8,
                enough: 4,
                grace: Duration::from_millis(1500),
                total: Duration::from_secs(15),
            },
            rerank: Duration::from_secs(2),
            afterwards: Duration::from_secs(20),
            evidence_tokens: 6_000,
            answer_tokens: 2_048,
        }
    }
}

/// What leaves the pipeline while it runs.
#[derive(Debug)]
pub enum Step {
    Event(Box<AnswerEvent>),
    /// The sources and their pages, before the first word: whoever keeps them now can keep a broken-off answer whole.
    Evidence {
        sources: Vec<Source>,
        pages: Vec<Page>,
    },
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub content: String,
    pub sources: Vec<Source>,
    pub citations: Vec<Citation>,
    pub checks: Vec<SentenceCheck>,
    pub metadata: MessageMetadata,
    pub follow_ups: Vec<String>,
    /// A better title for a new chat, where a model wrote one.
    pub title: Option<String>,
    /// The model reached its token limit: there is more to say, and it can be continued.
    pub truncated: bool,
}

/// Why there is no whole answer. What had come has left as steps already.
#[derive(Debug, Error)]
pub enum AnswerError {
    #[error("the model could not write the answer")]
    Write(#[from] ModelError),
    #[error("what the research found could not be kept")]
    Notebook(#[source] NotebookError),
    #[error("the plan waited for a word, and none came")]
    NotAgreed,
}

impl From<&AnswerError> for Failure {
    fn from(error: &AnswerError) -> Self {
        match error {
            AnswerError::Write(error) => Self::from(error),
            AnswerError::Notebook(_) => Self::new(ErrorCode::Storage, sentence(&error.to_string()))
                .hint("See that the disk has room, then continue it."),
            AnswerError::NotAgreed => Self::new(ErrorCode::Cancelled, sentence(&error.to_string()))
                .hint("The plan is kept: change it if you like, and continue."),
        }
    }
}

/// Everything that answering needs, behind core's traits.
#[derive(Clone)]
pub struct Pipeline {
    /// Asked side by side.
    pub searchers: Vec<Arc<dyn Searcher>>,
    /// Asked when those bring nothing that can be read: what is on this machine. With a model elsewhere, only offline.
    pub fallback: Vec<Arc<dyn Searcher>>,
    pub fetcher: Arc<dyn PageFetcher>,
    pub model: Arc<dyn ChatModel>,
    /// Puts passages in order by what they mean; without one their words alone do.
    pub embedder: Option<Arc<dyn Embedder>>,
    pub clock: Arc<dyn Clock>,
    pub limits: Limits,
}

impl Pipeline {
    /// Answers one question. Dropping the future stops it at once; the steps sent until then stand.
    ///
    /// # Errors
    /// [`AnswerError`] when the model fails; failing engines and pages are steps, not errors.
    pub async fn answer(&self, question: &Question, steps: mpsc::Sender<Step>) -> Result<Answer, AnswerError> {
        let started = Instant::now();
        let steps = Steps(steps);
        let (plan, evidence, searched) = match &question.so_far {
            Some(so_far) => self.resume(question, so_far, &steps).await,
            None => self.gather(question, &steps).await,
        };
        let evidence = Arc::new(evidence);
        let sources = evidence.sources();
        self.tell_sources(&evidence, &sources, &steps).await;
        // Ready when the first line is to be cited, and in nobody's way before: the model is being waited for.
        let preparing = Arc::clone(&evidence);
        drop(tokio::task::spawn_blocking(move || preparing.prepare()));
        let draft = write(self, question, &plan, &evidence, &searched, &steps).await?;
        let (draft, checks) = self.check(draft, &evidence, &steps).await;
        let Afterwards {
            title,
            follow_ups,
            usage,
        } = afterwards(self, question, &plan, &draft.content, &evidence, &steps).await;
        let metadata = self.metadata(
            &plan,
            &evidence,
            plan.usage + draft.usage + usage,
            started.elapsed(),
            &searched,
        );
        let Draft {
            content,
            citations,
            truncated,
            ..
        } = draft;
        Ok(Answer {
            content,
            sources,
            citations,
            checks,
            metadata,
            follow_ups,
            title,
            truncated,
        })
    }

    /// Plan, retrieve, read, rank.
    async fn gather(&self, question: &Question, steps: &Steps) -> (Plan, Evidence, Searched) {
        let plan = plan(question, self.model.as_ref(), self.limits.plan).await;
        steps
            .event(AnswerEvent::Planned {
                question: plan.question.clone(),
                queries: plan.queries.clone(),
            })
            .await;
        if plan.queries.is_empty() && plan.urls.is_empty() {
            return (plan, Evidence::default(), Searched::default());
        }
        let ranking = Arc::new(self.ranking(&plan, None));
        let finding = self.find(question, &plan, &ranking, steps);
        let (pages, searched) = self.while_loading(ranking.question(), finding).await;
        let evidence = self.rank(&plan, &ranking, pages, steps).await;
        (plan, evidence, searched)
    }

    /// Retrieve, read.
    async fn find(
        &self,
        question: &Question,
        plan: &Plan,
        ranking: &Arc<Ranking>,
        steps: &Steps,
    ) -> (Vec<ReadPage>, Searched) {
        let queries: Vec<SearchQuery> = plan.queries.iter().map(|text| self.query(question, text)).collect();
        let retrieved = retrieve(&self.searchers, &queries, steps).await;
        let (offline, failure) = (retrieved.offline, retrieved.failure.clone());
        let mut pages = self.read(ranking, &plan.urls, retrieved, steps).await;
        // Private chats go to a model elsewhere only when they were asked for, and never beside a page of the web.
        if pages.is_empty() && !self.fallback.is_empty() && (offline || self.model.info().local) {
            let local = retrieve(&self.fallback, &queries, steps).await;
            pages = self.read(ranking, &[], local, steps).await;
        }
        let searched = Searched {
            yes: true,
            offline,
            failure,
        };
        (pages, searched)
    }

    /// The evidence of an interrupted answer, numbered as its text cites it.
    async fn resume(&self, question: &Question, so_far: &SoFar, steps: &Steps) -> (Plan, Evidence, Searched) {
        let plan = Plan {
            question: question.text.clone(),
            queries: Vec::new(),
            urls: Vec::new(),
            prefer_fresh: false,
            usage: TokenUsage::default(),
        };
        let pages = so_far.pages.clone();
        let held = Held {
            ranking: Arc::new(self.ranking(&plan, pages.first())),
            pages,
            counted: Vec::new(),
        };
        let (pages, passages) = self.choose(held, steps).await;
        let evidence = Evidence::of_pages(pages, passages);
        let searched = Searched {
            yes: !so_far.pages.is_empty(),
            ..Searched::default()
        };
        (plan, evidence, searched)
    }

    pub(crate) fn query(&self, question: &Question, text: &str) -> SearchQuery {
        SearchQuery {
            text: text.to_owned(),
            locale: question.locale.clone(),
            time_range: question.time_range,
            limit: question.results.clamp(1, 50),
        }
    }

    async fn read(&self, ranking: &Arc<Ranking>, named: &[Url], retrieved: Retrieved, steps: &Steps) -> Vec<ReadPage> {
        let named = named.iter().map(|url| SearchHit {
            title: String::new(),
            url: url.to_string(),
            snippet: String::new(),
            favicon: None,
            published_at: None,
        });
        // A page that would be read as a replacement has its turn, but not without end.
        let most = self.limits.read.pages * 2;
        let mut asked = HashSet::new();
        let hits: Vec<SearchHit> = named
            .chain(deepsearch_rank::pick(retrieved.hits, most, HITS_PER_HOST))
            .filter(|hit| asked.insert(hit.url.clone()))
            .collect();
        let mut seen = HashSet::new();
        let mut pages = read(self.fetcher.as_ref(), ranking, &hits, self.limits.read, steps).await;
        pages.retain(|read| seen.insert(read.page.content_hash.clone()));
        pages
    }

    /// What pages are held against; the first page says it where the question is nothing but its address.
    fn ranking(&self, plan: &Plan, first: Option<&Page>) -> Ranking {
        let mut options = deepsearch_rank::RankOptions::new(self.clock.now());
        options.answer_tokens = self.evidence_tokens(&plan.question);
        options.page_tokens = options.page_tokens.min(options.answer_tokens.div_ceil(2));
        options.prefer_fresh = plan.prefer_fresh;
        Ranking::new(&plan.subject(first), &plan.queries, options)
    }

    async fn rank(&self, plan: &Plan, ranking: &Arc<Ranking>, read: Vec<ReadPage>, steps: &Steps) -> Evidence {
        let (pages, counted): (Vec<Page>, Vec<CountedPage>) =
            read.into_iter().map(|read| (read.page, read.counted)).unzip();
        let mut held = Held {
            ranking: Arc::clone(ranking),
            pages,
            counted,
        };
        if plan.subject(held.pages.first()) != ranking.question() {
            held.ranking = Arc::new(self.ranking(plan, held.pages.first()));
            held.counted.clear();
        }
        let (pages, passages) = self.choose(held, steps).await;
        Evidence::number(pages, passages)
    }

    /// What fits beside the instructions, the chat and the answer.
    pub(crate) fn evidence_tokens(&self, question: &str) -> usize {
        const OVERHEAD: usize = 700;
        // It stands in the prompt once, and once more where it was reworded.
        let asked = 2 * deepsearch_rank::estimate_tokens(question);
        let context = self.model.info().context_tokens;
        let answer = (self.limits.answer_tokens as usize).min(context / 3);
        self.limits
            .evidence_tokens
            .min(context.saturating_sub(answer + asked + OVERHEAD))
            .max(256)
    }

    pub(crate) async fn tell_sources(&self, evidence: &Evidence, sources: &[Source], steps: &Steps) {
        if evidence.is_empty() {
            return;
        }
        steps
            .send(Step::Evidence {
                sources: sources.to_vec(),
                pages: evidence.pages.clone(),
            })
            .await;
        let pages = evidence.pages.iter().map(|page| page.id.clone()).collect();
        steps
            .event(AnswerEvent::Ranked {
                sources: sources.to_vec(),
                pages,
            })
            .await;
    }

    async fn check(&self, draft: Draft, evidence: &Arc<Evidence>, steps: &Steps) -> (Draft, Vec<SentenceCheck>) {
        let evidence = Arc::clone(evidence);
        let (draft, checks) = blocking(move || {
            let checks = crate::check::check(&draft.content, &evidence);
            (draft, checks)
        })
        .await;
        if !checks.is_empty() {
            steps
                .event(AnswerEvent::Checked {
                    sentences: checks.clone(),
                })
                .await;
        }
        (draft, checks)
    }

    fn metadata(
        &self,
        plan: &Plan,
        evidence: &Evidence,
        tokens: TokenUsage,
        took: Duration,
        searched: &Searched,
    ) -> MessageMetadata {
        MessageMetadata {
            search_query: plan.queries.first().cloned(),
            crawled_urls: searched
                .yes
                .then(|| evidence.pages.iter().map(|page| page.url.to_string()).collect()),
            model: Some(self.model.info().id.clone()),
            tokens: (tokens != TokenUsage::default()).then_some(tokens),
            processing_time: Some(took.as_millis() as f64),
            ..MessageMetadata::default()
        }
    }
}

/// Work of some milliseconds, where it holds up nobody else.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

// More of one site than this says the same thing again.
const HITS_PER_HOST: usize = 3;

/// Whether there was a search, and what kept it from bringing anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Searched {
    pub(crate) yes: bool,
    pub(crate) offline: bool,
    pub(crate) failure: Option<Failure>,
}

/// The way out for steps. Nobody listening is no reason to stop: the answer is still to be kept.
#[derive(Debug, Clone)]
pub struct Steps(mpsc::Sender<Step>);

impl Steps {
    pub fn new(sender: mpsc::Sender<Step>) -> Self {
        Self(sender)
    }

    pub(crate) async fn event(&self, event: AnswerEvent) {
        self.send(Step::Event(Box::new(event))).await;
    }

    async fn send(&self, step: Step) {
        // An error only says that the listener has gone.
        let _ = self.0.send(step).await;
    }
}
