//! What a research is tried on: pages that are found by their words, a model that answers what it is asked, a notebook
//! in memory that keeps JSON as the store does, and dies when it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_answer::research::{Kept, Notebook, NotebookError, Research, ResearchLimits};
use deepsearch_answer::{Answer, AnswerError, Limits, Pipeline, Question, Step};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::model::ModelStream;
use deepsearch_core::research::ResearchEnd;
use deepsearch_core::text::content_terms;
use deepsearch_core::{
    ChatModel, ChatRequest, ModelError, ModelEvent, ModelInfo, Page, PlanEdit, Purpose, ResearchBudget, ResearchState,
    SearchHit, SearchOutcome, SearchQuery, SearchResults, Searcher,
};
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::fakes::{FakeWeb, FixedClock, page};

pub(crate) const QUESTION: &str = "How was the Halden lighthouse built and how does it work?";

/// Eight pages on one lighthouse, from sites that do not all agree.
pub(crate) fn lighthouse() -> Vec<Page> {
    let dated = |mut page: Page, day: &str| {
        page.published_at = Some(format!("{day}T08:00:00Z").parse().unwrap());
        page
    };
    vec![
        dated(
            page(
                "https://harbour.example/history",
                "History of the Halden lighthouse",
                "Construction\nThe Halden lighthouse was built by the engineer Maren Voss from local granite.\n\
                 The construction of the Halden lighthouse took six summers.\n\
                 Height\nThe Halden lighthouse is 41 metres high.\n",
            ),
            "2019-05-02",
        ),
        dated(
            page(
                "https://museum.example/halden",
                "Halden lighthouse",
                "Construction\nMaren Voss built the Halden lighthouse with forty stonemasons from the islands.\n\
                 Height\nThe Halden lighthouse is 38 metres high.\n\
                 Lens\nThe lens of the Halden lighthouse is a Fresnel lens of the second order.\n",
            ),
            "2023-11-20",
        ),
        page(
            "https://optics.example/lens",
            "The lens of Halden",
            "Lens\nThe Fresnel lens of the Halden lighthouse bundles the light of one lamp into four beams.\n\
             The lens floats on a bath of mercury, so that a child can turn it.\n",
        ),
        page(
            "https://light.example/lamp",
            "The lamp of the Halden lighthouse",
            "Lamp\nThe lamp of the Halden lighthouse burned paraffin until it was made electric.\n\
             Today a single electric lamp works behind the lens of the Halden lighthouse.\n",
        ),
        page(
            "https://keepers.example/keepers",
            "The keepers of Halden",
            "Keepers\nThree keepers lived at the Halden lighthouse with their families.\n\
             The last keeper left the Halden lighthouse when the lamp was automated.\n",
        ),
        page(
            "https://coast.example/automation",
            "Automation on the coast",
            "Keepers\nThe Halden lighthouse has no keepers any more: its keepers were replaced by a timer.\n\
             Lamp\nThe electric lamp of the Halden lighthouse is watched from the mainland.\n",
        ),
        page(
            "https://bananas.example/",
            "Bananas",
            "Bananas ripen in spring.\nTheir peel is yellow.\n",
        ),
        page(
            "https://foghorn.example/horn",
            "Foghorn",
            "The Halden lighthouse drives its foghorn by compressed air from a cellar.\n",
        ),
    ]
}

/// Finds the pages that share most words with the query.
pub(crate) struct Index {
    pages: Vec<Page>,
    shows: usize,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Index {
    pub(crate) fn of(pages: &[Page], shows: usize) -> Arc<Self> {
        Arc::new(Self {
            shows,
            pages: pages.to_vec(),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Searcher for Index {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        self.asked.lock().unwrap().push(query.text.clone());
        let wanted = content_terms(&query.text);
        let shared = |page: &Page| {
            let own = content_terms(&format!("{} {}", page.title, page.text));
            wanted.iter().filter(|term| own.contains(term)).count()
        };
        let mut found: Vec<(usize, &Page)> = self.pages.iter().map(|page| (shared(page), page)).collect();
        found.retain(|(count, _)| *count > 0);
        found.sort_by_key(|(count, page)| (std::cmp::Reverse(*count), page.url.clone()));
        // A real engine shows its best, and no more.
        let hits = found.into_iter().take(self.shows).map(|(_, page)| SearchHit {
            title: page.title.clone(),
            url: page.url.to_string(),
            snippet: String::new(),
            favicon: None,
            published_at: None,
        });
        let results = SearchResults {
            engine: "index".into(),
            query: query.text.clone(),
            hits: hits.collect(),
        };
        SearchOutcome {
            results: vec![results],
            ..SearchOutcome::default()
        }
    }
}

type Script = dyn Fn(&ChatRequest) -> Result<String, ModelError> + Send + Sync;

/// Answers as its script says.
pub(crate) struct Scripted {
    info: ModelInfo,
    follows: bool,
    script: Box<Script>,
    pub(crate) asked: AtomicUsize,
}

impl Scripted {
    pub(crate) fn model(
        script: impl Fn(&ChatRequest) -> Result<String, ModelError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            info: ModelInfo {
                id: "scripted/one".into(),
                provider: "scripted".into(),
                local: true,
                context_tokens: 4_096,
            },
            follows: true,
            script: Box::new(script),
            asked: AtomicUsize::new(0),
        })
    }

    /// As the extractive writer: it takes sentences of the passages that share words with the question, and their `[n]`.
    pub(crate) fn extractive() -> Arc<Self> {
        let script = |request: &ChatRequest| {
            if request.purpose != Purpose::Answer {
                return Err(refused());
            }
            Ok(sentences_of(request))
        };
        Arc::new(Self {
            info: ModelInfo {
                id: "extractive".into(),
                provider: "built-in".into(),
                local: true,
                context_tokens: 128_000,
            },
            follows: false,
            script: Box::new(script),
            asked: AtomicUsize::new(0),
        })
    }
}

pub(crate) fn refused() -> ModelError {
    ModelError::KeyRefused {
        provider: "scripted".into(),
    }
}

/// The first sentence of each passage that is one, with its `[n]`.
pub(crate) fn sentences_of(request: &ChatRequest) -> String {
    let lines = request.passages.iter().filter_map(|passage| {
        let sentence = passage.text.lines().find(|line| line.ends_with('.'))?;
        Some(format!("{sentence} [{}]", passage.number))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[async_trait]
impl ChatModel for Scripted {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn follows_instructions(&self) -> bool {
        self.follows
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let text = (self.script)(&request)?;
        Ok(futures::stream::iter([Ok(ModelEvent::Text(text))]).boxed())
    }
}

/// When the notebook dies: at its n-th keeping, before or after it wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    pub(crate) at: usize,
    pub(crate) written: bool,
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) state: Mutex<Option<String>>,
    pub(crate) text: Mutex<String>,
    pub(crate) pages: Mutex<Vec<Page>>,
    pub(crate) edits: Mutex<Vec<(i64, PlanEdit)>>,
    pub(crate) kept: AtomicUsize,
    pub(crate) death: Mutex<Option<Death>>,
    /// Edits that a person makes after so many keepings.
    pub(crate) later: Mutex<Vec<(usize, PlanEdit)>>,
}

impl Memory {
    pub(crate) fn state(&self) -> ResearchState {
        serde_json::from_str(self.state.lock().unwrap().as_ref().expect("something was kept")).unwrap()
    }

    pub(crate) fn add_edit(&self, edit: PlanEdit) {
        let mut edits = self.edits.lock().unwrap();
        let next = edits.last().map_or(1, |(number, _)| number + 1);
        edits.push((next, edit));
    }
}

#[async_trait]
impl Notebook for Memory {
    async fn save(&self, pages: Vec<Page>) -> Result<Vec<Page>, NotebookError> {
        let mut known = self.pages.lock().unwrap();
        for page in &pages {
            if !known.iter().any(|other| other.content_hash == page.content_hash) {
                known.push(page.clone());
            }
        }
        Ok(pages)
    }

    async fn keep(&self, kept: Kept<'_>) -> Result<Vec<(i64, PlanEdit)>, NotebookError> {
        let count = self.kept.fetch_add(1, Ordering::Relaxed) + 1;
        let death = self.death.lock().unwrap().filter(|death| death.at == count);
        if death.is_some_and(|death| !death.written) {
            return Err("killed before it was written".into());
        }
        *self.state.lock().unwrap() = Some(serde_json::to_string(kept.state).unwrap());
        *self.text.lock().unwrap() = kept.text.to_owned();
        self.edits.lock().unwrap().retain(|(number, _)| *number > kept.edited);
        if death.is_some() {
            return Err("killed after it was written".into());
        }
        let due: Vec<PlanEdit> = {
            let mut later = self.later.lock().unwrap();
            let (due, rest) = later.drain(..).partition(|(at, _)| *at <= count);
            *later = rest;
            let due: Vec<(usize, PlanEdit)> = due;
            due.into_iter().map(|(_, edit)| edit).collect()
        };
        due.into_iter().for_each(|edit| self.add_edit(edit));
        Ok(self.edits.lock().unwrap().clone())
    }

    async fn has_edits(&self) -> Result<bool, NotebookError> {
        Ok(!self.edits.lock().unwrap().is_empty())
    }

    async fn pages(&self) -> Result<Vec<Page>, NotebookError> {
        Ok(self.pages.lock().unwrap().clone())
    }
}

/// Everything that one test looks at.
pub(crate) struct World {
    pub(crate) research: Research,
    pub(crate) memory: Arc<Memory>,
    pub(crate) index: Arc<Index>,
    pub(crate) question: Question,
}

pub(crate) struct Outcome {
    pub(crate) answer: Result<Answer, AnswerError>,
    pub(crate) events: Vec<AnswerEvent>,
    /// The text as a watcher has put it together.
    pub(crate) told: String,
}

impl World {
    pub(crate) fn of(pages: Vec<Page>, model: Arc<Scripted>) -> Self {
        Self::with_web(FakeWeb::of(pages.clone()), &pages, model)
    }

    pub(crate) fn with_web(web: FakeWeb, pages: &[Page], model: Arc<Scripted>) -> Self {
        let (index, memory) = (Index::of(pages, 3), Arc::new(Memory::default()));
        let pipeline = Pipeline {
            searchers: vec![index.clone()],
            fallback: Vec::new(),
            fetcher: Arc::new(web),
            model,
            embedder: None,
            clock: Arc::new(FixedClock),
            limits: Limits::default(),
        };
        let research = Research {
            pipeline,
            extractive: Scripted::extractive(),
            notebook: memory.clone(),
            prices: None,
            limits: ResearchLimits {
                agree: Duration::from_secs(5),
                agree_every: Duration::from_millis(10),
                ..ResearchLimits::default()
            },
        };
        Self {
            research,
            memory,
            index,
            question: Question::new(QUESTION),
        }
    }

    pub(crate) fn fresh(&self, budget: ResearchBudget) -> ResearchState {
        ResearchState::new(self.question.text.clone(), budget)
    }

    pub(crate) async fn run(&self, state: ResearchState, told: &str) -> Outcome {
        let (sender, mut receiver) = mpsc::channel(4);
        let already = told.to_owned();
        let listening = tokio::spawn(async move {
            let (mut events, mut told) = (Vec::new(), already);
            while let Some(step) = receiver.recv().await {
                let Step::Event(event) = step else { continue };
                match &*event {
                    AnswerEvent::Token { text } => told.push_str(text),
                    AnswerEvent::Replaced { content } => told.clone_from(content),
                    _ => {}
                }
                events.push(*event);
            }
            (events, told)
        });
        let answer = self.research.run(&self.question, state, told, sender).await;
        let (events, told) = listening.await.unwrap();
        Outcome { answer, events, told }
    }

    /// Goes on from what the notebook has, as a program does that was started again.
    pub(crate) async fn go_on(&self) -> Outcome {
        let text = self.memory.text.lock().unwrap().clone();
        self.run(self.memory.state(), &text).await
    }

    pub(crate) fn ended(&self) -> Option<ResearchEnd> {
        self.memory.state().ended
    }
}

pub(crate) fn headings(content: &str) -> Vec<&str> {
    content.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

/// A model that plans these parts, one on each line, misses nothing, and writes so.
pub(crate) fn planning(
    parts: &'static str,
    write: impl Fn(&ChatRequest) -> String + Send + Sync + 'static,
) -> Arc<Scripted> {
    Scripted::model(move |request| {
        Ok(match request.purpose {
            Purpose::Plan if request.turns[0].content.starts_with("A report shall") => parts.into(),
            Purpose::Plan => "none".into(),
            _ => write(request),
        })
    })
}

/// A model that plans three parts, and writes each section from the passages it is shown.
pub(crate) fn willing() -> Arc<Scripted> {
    Scripted::model(|request| {
        Ok(match request.purpose {
            Purpose::Plan if request.turns[0].content.starts_with("A report shall") => {
                "1. Who built the Halden lighthouse?\n2. How high is the Halden lighthouse?\n3. How does the lens of the Halden lighthouse work?".into()
            }
            Purpose::Plan if request.turns[0].content.starts_with("Which important") => {
                "What happened to the keepers of the Halden lighthouse?".into()
            }
            Purpose::Plan => "Halden lighthouse stonemasons".into(),
            Purpose::Answer => sentences_of(request),
            Purpose::Title => "The Halden lighthouse".into(),
            Purpose::FollowUps => "What became of Maren Voss?".into(),
        })
    })
}
