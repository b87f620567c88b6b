//! A web, engines and a model that do what a test tells them, behind core's traits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeZone, Utc};
use deepsearch_answer::{Answer, AnswerError, Limits, Pipeline, Question, Step};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::model::ModelStream;
use deepsearch_core::text::sentences;
use deepsearch_core::{
    Attempt, ChatModel, ChatRequest, Clock, FetchError, MediaType, ModelError, ModelEvent, ModelInfo, Page,
    PageFetcher, PageId, SearchError, SearchHit, SearchOutcome, SearchQuery, SearchResults, Searcher, TokenUsage,
};
use futures::StreamExt;
use tokio::sync::mpsc;
use url::Url;

#[derive(Debug)]
pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
    }
}

pub(crate) fn page(url: &str, title: &str, text: &str) -> Page {
    Page {
        id: PageId::new(),
        url: Url::parse(url).unwrap(),
        title: title.into(),
        author: None,
        site_name: None,
        published_at: None,
        favicon: None,
        picture: None,
        language: Some("en".into()),
        media_type: MediaType::Html,
        text: text.into(),
        sentences: sentences(text),
        html: None,
        fetched_at: FixedClock.now(),
        content_hash: format!("{:x}", text.len() * 31 + text.bytes().map(usize::from).sum::<usize>()),
    }
}

/// Pages by address; each may be late or missing.
#[derive(Default)]
pub(crate) struct FakeWeb {
    pub(crate) pages: HashMap<String, Page>,
    pub(crate) late: HashMap<String, Duration>,
    pub(crate) fetched: AtomicUsize,
}

impl FakeWeb {
    pub(crate) fn of(pages: impl IntoIterator<Item = Page>) -> Self {
        Self {
            pages: pages.into_iter().map(|page| (page.url.to_string(), page)).collect(),
            ..Self::default()
        }
    }
}

#[async_trait]
impl PageFetcher for FakeWeb {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        if let Some(late) = self.late.get(url.as_str()) {
            tokio::time::sleep(*late).await;
        }
        self.pages.get(url.as_str()).cloned().ok_or_else(|| FetchError::Status {
            url: url.clone(),
            status: 404,
        })
    }
}

/// Finds the same addresses for every query, or fails.
pub(crate) struct FakeSearcher {
    pub(crate) hits: Vec<SearchHit>,
    pub(crate) error: fn() -> SearchError,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl FakeSearcher {
    pub(crate) fn finding<'a>(urls: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        let hit = |url: &str| SearchHit {
            title: url.into(),
            url: url.into(),
            snippet: String::new(),
            favicon: None,
            published_at: None,
        };
        let hits = urls.into_iter().map(hit).collect();
        Arc::new(Self {
            hits,
            error: || SearchError::NoResults { engine: "fake".into() },
            asked: Mutex::default(),
        })
    }

    pub(crate) fn failing(error: fn() -> SearchError) -> Arc<Self> {
        Arc::new(Self {
            hits: Vec::new(),
            error,
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Searcher for FakeSearcher {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        self.asked.lock().unwrap().push(query.text.clone());
        if self.hits.is_empty() {
            let attempt = Attempt {
                engine: "fake".into(),
                error: (self.error)(),
            };
            return SearchOutcome {
                attempts: vec![attempt],
                ..SearchOutcome::default()
            };
        }
        let results = SearchResults {
            engine: "fake".into(),
            query: query.text.clone(),
            hits: self.hits.clone(),
        };
        SearchOutcome {
            results: vec![results],
            ..SearchOutcome::default()
        }
    }
}

/// Says what it is told to, piece by piece, and remembers what it was asked.
pub(crate) struct FakeModel {
    info: ModelInfo,
    pieces: Vec<&'static str>,
    breaks: bool,
    plan: Option<&'static str>,
    pub(crate) asked: Mutex<Vec<ChatRequest>>,
}

impl FakeModel {
    pub(crate) fn saying(pieces: &[&'static str]) -> Self {
        let info = ModelInfo {
            id: "fake/one".into(),
            provider: "fake".into(),
            local: true,
            context_tokens: 8_192,
        };
        Self {
            info,
            pieces: pieces.to_vec(),
            breaks: false,
            plan: None,
            asked: Mutex::default(),
        }
    }

    pub(crate) fn breaking(mut self) -> Self {
        self.breaks = true;
        self
    }

    pub(crate) fn with_context(mut self, tokens: usize) -> Self {
        self.info.context_tokens = tokens;
        self
    }

    pub(crate) fn elsewhere(mut self) -> Self {
        self.info.local = false;
        self
    }

    pub(crate) fn planning(mut self, plan: &'static str) -> Self {
        self.plan = Some(plan);
        self
    }
}

#[async_trait]
impl ChatModel for FakeModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        use deepsearch_core::Purpose::{Answer, FollowUps, Plan, Title};
        let purpose = request.purpose;
        self.asked.lock().unwrap().push(request);
        let text = |text: &'static str| Ok(ModelEvent::Text(text.into()));
        let events: Vec<Result<ModelEvent, ModelError>> = match purpose {
            Plan => vec![
                text(self.plan.unwrap_or("a reworded question")),
                Ok(ModelEvent::Usage(TokenUsage {
                    prompt: 40,
                    completion: 5,
                    total: 45,
                })),
            ],
            Title => vec![text("\"A Short Title\"\n")],
            FollowUps => vec![text(
                "1. What comes next?\n2. Why is that so?\nnot a question\n- And who says so?\n- One more?",
            )],
            Answer => {
                let broken = || ModelError::BrokenOff {
                    provider: "fake".into(),
                    source: "the wire was cut".into(),
                };
                let pieces = self.pieces.iter().map(|piece| text(piece));
                pieces.chain(self.breaks.then(|| Err(broken()))).collect()
            }
        };
        Ok(futures::stream::iter(events).boxed())
    }
}

pub(crate) fn pipeline(web: FakeWeb, searcher: Arc<FakeSearcher>, model: FakeModel) -> (Pipeline, Arc<FakeModel>) {
    let model = Arc::new(model);
    let pipeline = Pipeline {
        searchers: vec![searcher],
        fallback: Vec::new(),
        fetcher: Arc::new(web),
        model: Arc::clone(&model) as Arc<dyn ChatModel>,
        embedder: None,
        clock: Arc::new(FixedClock),
        limits: Limits::default(),
    };
    (pipeline, model)
}

/// Runs one question to its end and gives everything that came out.
pub(crate) async fn run(pipeline: &Pipeline, question: &Question) -> (Result<Answer, AnswerError>, Vec<AnswerEvent>) {
    let (sender, mut receiver) = mpsc::channel(4);
    let listening = tokio::spawn(async move {
        let mut events = Vec::new();
        while let Some(step) = receiver.recv().await {
            if let Step::Event(event) = step {
                events.push(*event);
            }
        }
        events
    });
    let answer = pipeline.answer(question, sender).await;
    (answer, listening.await.unwrap())
}

pub(crate) fn told(events: &[AnswerEvent]) -> String {
    let text = |event: &AnswerEvent| match event {
        AnswerEvent::Token { text } => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}
