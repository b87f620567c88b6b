//! What answering itself costs: the time to the first word beside the critical path of search, pages and model.
//!
//! All three are simulated with fixed delays, so what the ratio has above 1 is ours: planning, fusing, parsing, ranking,
//! keeping. Once through core's traits alone, once through the whole app over loopback: engine, robots.txt, crawler,
//! parsers, store, journal, model client. The pages are real documents, other ones for each question.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use deepsearch_answer::{Limits, Pipeline, Question, SearchMode, Step};
use deepsearch_app::{App, AppOptions, AskRequest, Config, Scope};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::model::ModelStream;
use deepsearch_core::{
    ChatModel, ChatRequest, FetchError, ModelError, ModelEvent, ModelInfo, Page, PageFetcher, SearchHit, SearchOutcome,
    SearchQuery, SearchResults, Searcher, SystemClock,
};
use deepsearch_crawl::{ParserOptions, Reader};
use deepsearch_tests::local_index::{Document, LocalIndex};
use deepsearch_tests::local_web::Site;
use deepsearch_tests::model_server::{MODEL, ModelServer, Script};
use deepsearch_tests::needs;
use deepsearch_tests::scripted_server::{Asked, Reply, ScriptedServer};
use futures::StreamExt;
use futures::future::try_join_all;
use serde_json::json;
use tokio::sync::mpsc;
use url::{Url, form_urlencoded};

const SEARCH: Duration = Duration::from_millis(300);
/// Each page; they are read side by side.
const PAGE: Duration = Duration::from_millis(400);
const FIRST_TOKEN: Duration = Duration::from_millis(250);
const CRITICAL: Duration = Duration::from_millis(950);

/// As many as the pipeline reads for one answer.
const PAGES: usize = 8;
const ANSWER: &str = "It is as the first source says [1].\nThe second one adds to that [2].\n";

const QUESTIONS: &[&str] = &[
    "How do I sort a list of dictionaries?",
    "What does the vacuum command do?",
    "How are regular expressions compiled?",
    "How do I parse JSON text?",
    "What is a generator expression?",
    "How does a B-tree index work?",
    "How do I read a file line by line?",
    "What are window functions for?",
    "How do I start a subprocess and read its output?",
    "How is a trigger created?",
    "What is the write-ahead log?",
    "How do I format a date and time?",
    "When is an exception raised in a thread?",
    "How do I create a virtual environment?",
    "What do transaction isolation levels mean?",
    "How do I copy files and directories?",
    "What is a foreign key constraint?",
    "How do I write a unit test?",
    "How does full text search rank documents?",
    "What is asynchronous iteration?",
    "How do I set up streaming replication?",
    "How are strings encoded as bytes?",
    "What is a partial index?",
    "How do I log messages to a file?",
];

fn main() -> Result<ExitCode> {
    // The crawler starts this very program again to parse pages.
    if std::env::args().nth(1).is_some_and(|first| first == "__parse") {
        return Ok(deepsearch_crawl::run_parser());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())?;
    Ok(ExitCode::SUCCESS)
}

async fn run() -> Result<()> {
    let Some(corpus) = needs::corpus() else {
        println!("answer: left out, the documents are missing");
        return Ok(());
    };
    let site = Site::serve(&corpus).await?;
    let index = LocalIndex::of(&[&site], &["/python/library/", "/postgresql/", "/sqlite/"])?;
    measure_traits(&index, &corpus).await?;
    measure_app(Arc::new(index), &corpus).await
}

async fn measure_traits(index: &LocalIndex, corpus: &Path) -> Result<()> {
    let (engine, web) = fakes(index, corpus).await?;
    let bytes: usize = web.0.values().map(|page| page.text.len()).sum();
    println!(
        "answer: {} questions, {} kB of text read for each",
        QUESTIONS.len(),
        bytes / QUESTIONS.len() / 1_000
    );
    let pipeline = Pipeline {
        searchers: vec![Arc::new(engine)],
        fallback: Vec::new(),
        fetcher: Arc::new(web),
        model: Arc::new(Model::default()),
        embedder: None,
        clock: Arc::new(SystemClock),
        limits: Limits::default(),
    };
    let mut took = Vec::new();
    for question in QUESTIONS {
        took.push(
            first_word(&pipeline, question)
                .await
                .with_context(|| format!("asking: {question}"))?,
        );
    }
    report("through the traits", &mut took);
    Ok(())
}

async fn first_word(pipeline: &Pipeline, question: &str) -> Result<Duration> {
    let (sender, mut steps) = mpsc::channel(64);
    let mut question = Question::new(question);
    question.search = SearchMode::Always;
    let pipeline = pipeline.clone();
    let started = Instant::now();
    let answering = tokio::spawn(async move { pipeline.answer(&question, sender).await });
    let mut first = None;
    while let Some(step) = steps.recv().await {
        if let Step::Event(event) = step
            && matches!(*event, AnswerEvent::Token { .. })
        {
            first.get_or_insert_with(|| started.elapsed());
        }
    }
    let answer = answering.await??;
    anyhow::ensure!(
        answer.citations.len() == 2,
        "the answer cites {} sources",
        answer.citations.len()
    );
    first.context("no word came")
}

/// The engine and the web in this process, with what they have for the questions.
async fn fakes(index: &LocalIndex, corpus: &Path) -> Result<(Engine, Web)> {
    let reader = Reader::new(ParserOptions::default(), Arc::new(SystemClock));
    let (mut hits, mut pages) = (HashMap::new(), HashMap::new());
    for question in QUESTIONS {
        let found = index.search(question, PAGES);
        for document in &found {
            let html = std::fs::read(corpus.join(document.url.path().trim_start_matches('/')))?;
            let page = reader.parse(&html, Some("text/html"), &document.url).await;
            pages.insert(
                document.url.clone(),
                page.with_context(|| format!("reading {}", document.url))?,
            );
        }
        hits.insert((*question).to_owned(), found.into_iter().map(hit).collect());
    }
    Ok((Engine(hits), Web(pages)))
}

fn hit(document: &Document) -> SearchHit {
    SearchHit {
        title: document.title.clone(),
        url: document.url.to_string(),
        snippet: document.snippet.clone(),
        favicon: None,
        published_at: None,
    }
}

struct Engine(HashMap<String, Vec<SearchHit>>);

#[async_trait]
impl Searcher for Engine {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        tokio::time::sleep(SEARCH).await;
        let results = SearchResults {
            engine: "fake".into(),
            query: query.text.clone(),
            hits: self.0.get(&query.text).cloned().unwrap_or_default(),
        };
        SearchOutcome {
            results: vec![results],
            ..SearchOutcome::default()
        }
    }
}

struct Web(HashMap<Url, Page>);

#[async_trait]
impl PageFetcher for Web {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        tokio::time::sleep(PAGE).await;
        self.0
            .get(url)
            .cloned()
            .ok_or_else(|| FetchError::Unknown { url: url.clone() })
    }
}

struct Model(ModelInfo);

impl Default for Model {
    fn default() -> Self {
        Self(ModelInfo {
            id: "fake/one".into(),
            provider: "fake".into(),
            local: false,
            context_tokens: 32_000,
        })
    }
}

#[async_trait]
impl ChatModel for Model {
    fn info(&self) -> &ModelInfo {
        &self.0
    }

    async fn stream(&self, _: ChatRequest) -> Result<ModelStream, ModelError> {
        tokio::time::sleep(FIRST_TOKEN).await;
        let pieces = ANSWER
            .split_inclusive(' ')
            .map(|piece| Ok(ModelEvent::Text(piece.to_owned())));
        Ok(futures::stream::iter(pieces.collect::<Vec<_>>()).boxed())
    }
}

async fn measure_app(index: Arc<LocalIndex>, corpus: &Path) -> Result<()> {
    let web = try_join_all((0..PAGES).map(|_| page_server(corpus))).await?;
    let engine = engine(index, web.iter().map(|server| server.base().clone()).collect()).await?;
    let model = ModelServer::always(Script::text(ANSWER).first_token_after(FIRST_TOKEN)).await?;
    let folder = tempfile::tempdir()?;
    let app = app(folder.path(), engine.base(), &model.base()).await?;
    let mut took = Vec::new();
    for question in QUESTIONS {
        took.push(
            first_word_of(&app, question)
                .await
                .with_context(|| format!("asking: {question}"))?,
        );
    }
    app.close().await;
    // The parsers are started for the first question, as for each one that the command is asked.
    let cold = took.remove(0);
    println!(
        "answer through the app, first of all: {:.0} ms (ratio {:.3})",
        milliseconds(cold),
        ratio(cold)
    );
    report("through the app", &mut took);
    Ok(())
}

async fn first_word_of(app: &App, question: &str) -> Result<Duration> {
    let request = AskRequest {
        question: question.into(),
        scope: Some(Scope::Web),
        model: Some(format!("bench/{MODEL}")),
        ..AskRequest::default()
    };
    let started = Instant::now();
    let (mut first, mut read) = (None, 0);
    let timeline = std::env::var_os("DEEPSEARCH_BENCH_TIMELINE").is_some();
    app.ask(request, |event| {
        if timeline {
            println!("  {:>7.1} ms {}", milliseconds(started.elapsed()), name(&event));
        }
        match event {
            AnswerEvent::SourceRead { .. } => read += 1,
            AnswerEvent::Token { .. } => {
                first.get_or_insert_with(|| started.elapsed());
            }
            _ => {}
        }
    })
    .await?;
    anyhow::ensure!(read >= PAGES, "only {read} pages were read");
    first.context("no word came")
}

/// The event's type, as its JSON has it.
fn name(event: &AnswerEvent) -> String {
    let json = serde_json::to_value(event).unwrap_or_default();
    json["type"].as_str().unwrap_or_default().to_owned()
}

async fn app(home: &Path, engine: &Url, model: &Url) -> Result<App> {
    let home = home.to_string_lossy();
    let settings = [
        ("HOME", home.as_ref()),
        ("CRAWL__ALLOW_PRIVATE", "true"),
        ("ENGINES__ORDER", "searxng"),
        ("ENGINES__SEARXNG__URL", engine.as_str()),
        ("MODELS__BENCH__URL", model.as_str()),
        ("MODELS__DISCOVER_LOCAL", "false"),
    ];
    let config = Config::load(settings.map(|(name, value)| (format!("DEEPSEARCH_{name}"), value.to_owned())))?;
    Ok(App::open(AppOptions::new(config)).await?)
}

/// A host with every document; its robots.txt comes at once, each page late.
async fn page_server(corpus: &Path) -> Result<ScriptedServer> {
    let corpus = corpus.to_owned();
    ScriptedServer::start(move |asked: &Asked| {
        if asked.target == "/robots.txt" {
            return Reply::new(200, "text/plain", b"User-agent: *\nAllow: /\n".to_vec());
        }
        match std::fs::read(corpus.join(asked.target.trim_start_matches('/'))) {
            Ok(html) => Reply::new(200, "text/html", html).after(PAGE),
            Err(_) => Reply::status(404),
        }
    })
    .await
}

/// A SearXNG whose results lie on a host each, so that no page waits politely for another.
async fn engine(index: Arc<LocalIndex>, hosts: Vec<Url>) -> Result<ScriptedServer> {
    ScriptedServer::start(move |asked: &Asked| {
        let pairs = form_urlencoded::parse(asked.target.split_once('?').map_or("", |(_, pairs)| pairs).as_bytes());
        let query = pairs
            .into_iter()
            .find(|(name, _)| name == "q")
            .map_or_else(String::new, |(_, value)| value.into());
        let found = index.search(&query, hosts.len());
        let results = found.iter().zip(&hosts).map(|(document, host)| {
            let url = host.join(document.url.path()).expect("a path makes a URL");
            json!({ "url": url, "title": document.title, "content": document.snippet, "engine": "local" })
        });
        let results: Vec<_> = results.collect();
        Reply::json(&json!({ "query": query, "results": results, "unresponsive_engines": [] })).after(SEARCH)
    })
    .await
}

fn report(path: &str, took: &mut [Duration]) {
    took.sort_unstable();
    for percent in [50, 95] {
        let at = took[(took.len() - 1) * percent / 100];
        println!(
            "answer {path}, first word p{percent}: {:.0} ms (ratio {:.3} of {} ms, aim ≤ 1.05)",
            milliseconds(at),
            ratio(at),
            CRITICAL.as_millis()
        );
    }
}

fn ratio(took: Duration) -> f64 {
    took.as_secs_f64() / CRITICAL.as_secs_f64()
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
