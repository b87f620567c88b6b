//! Passages in the order of what they mean, and in that of their words where a model fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_answer::{Answer, Pipeline, Question, SearchMode, SoFar};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{Embedder, ErrorCode, ModelError};

use crate::fakes::{FakeModel, FakeSearcher, FakeWeb, page, pipeline, run};

const ASKING: &str = "https://a.example/asking";
const SAYING: &str = "https://b.example/saying";
const QUESTION: &str = "How tall is the tower?";

/// Finds "metres" near any question, and nothing else.
#[derive(Default)]
struct ByMetres {
    fails: bool,
    /// Embeds the question alone, as while pages are read, only after this.
    loads_in: Duration,
    was_dropped: Arc<AtomicBool>,
    asked: Mutex<Vec<(Vec<String>, Duration)>>,
}

struct Noticing(Arc<AtomicBool>);

impl Drop for Noticing {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Embedder for ByMetres {
    fn id(&self) -> &str {
        "ollama/all-minilm"
    }

    async fn embed(&self, texts: &[String], within: Duration) -> Result<Vec<Vec<f32>>, ModelError> {
        self.asked.lock().unwrap().push((texts.to_vec(), within));
        if texts.len() == 1 {
            let noticing = Noticing(self.was_dropped.clone());
            tokio::time::sleep(self.loads_in).await;
            std::mem::forget(noticing);
        }
        if self.fails {
            return Err(ModelError::TimedOut {
                provider: "ollama".into(),
                limit: within,
            });
        }
        let vector = |text: &String| {
            if text.contains("metres") || text == QUESTION {
                vec![1.0, 0.1]
            } else {
                vec![0.1, 1.0]
            }
        };
        Ok(texts.iter().map(vector).collect())
    }
}

fn with(embedder: &Arc<ByMetres>) -> Pipeline {
    reading_for(embedder, Duration::ZERO)
}

fn reading_for(embedder: &Arc<ByMetres>, late: Duration) -> Pipeline {
    let mut web = FakeWeb::of([
        page(
            ASKING,
            "The tower",
            "How tall is the tower? Everybody asks how tall the tower is.",
        ),
        page(
            SAYING,
            "A beacon",
            "From its foot to its lantern the tower measures 47 metres.",
        ),
    ]);
    web.late.insert(SAYING.into(), late);
    let (mut pipeline, _) = pipeline(
        web,
        FakeSearcher::finding([ASKING, SAYING]),
        FakeModel::saying(&["It measures 47 metres [1]."]),
    );
    pipeline.embedder = Some(Arc::clone(embedder) as Arc<dyn Embedder>);
    pipeline
}

fn asked() -> Question {
    Question {
        search: SearchMode::Always,
        ..Question::new(QUESTION)
    }
}

fn sources(answer: &Answer) -> Vec<&str> {
    answer.sources.iter().map(|source| source.url.as_str()).collect()
}

/// What was told of reranking: passages, and the code of what went wrong.
fn told(events: &[AnswerEvent]) -> Vec<(u32, Option<ErrorCode>)> {
    let reranked = |event: &AnswerEvent| match event {
        AnswerEvent::Reranked {
            model,
            passages,
            failure,
        } => {
            assert_eq!(model, "ollama/all-minilm");
            Some((*passages, failure.as_ref().map(|failure| failure.code)))
        }
        _ => None,
    };
    events.iter().filter_map(reranked).collect()
}

#[tokio::test]
async fn the_passage_that_means_the_answer_is_cited_first() {
    let embedder = Arc::new(ByMetres::default());
    let mut pipeline = with(&embedder);
    let (answer, events) = run(&pipeline, &asked()).await;
    let answer = answer.unwrap();
    assert_eq!(sources(&answer), [SAYING, ASKING]);
    assert!(answer.citations[0].quote.contains("47 metres"));
    assert_eq!(told(&events), [(2, None)]);

    pipeline.embedder = None;
    let (answer, events) = run(&pipeline, &asked()).await;
    assert_eq!(sources(&answer.unwrap()), [ASKING, SAYING]);
    assert!(told(&events).is_empty());
}

#[tokio::test]
async fn the_question_goes_before_the_passages_within_the_limit() {
    let embedder = Arc::new(ByMetres::default());
    let mut pipeline = with(&embedder);
    pipeline.limits.rerank = Duration::from_millis(700);
    run(&pipeline, &asked()).await.0.unwrap();
    let asked = embedder.asked.lock().unwrap();
    let [(loading, _), (texts, within)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(loading, &[QUESTION]);
    assert_eq!((texts.len(), texts[0].as_str()), (3, QUESTION));
    assert!(texts[1].contains("Everybody asks"), "the best by its words comes first");
    assert_eq!(*within, Duration::from_millis(700));
}

#[tokio::test]
async fn where_the_model_fails_the_words_decide_and_that_is_told() {
    let embedder = Arc::new(ByMetres {
        fails: true,
        ..ByMetres::default()
    });
    let (answer, events) = run(&with(&embedder), &asked()).await;
    assert_eq!(sources(&answer.unwrap()), [ASKING, SAYING]);
    assert_eq!(told(&events), [(2, Some(ErrorCode::TimedOut))]);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_still_being_loaded_holds_up_no_reading() {
    let embedder = Arc::new(ByMetres {
        loads_in: Duration::from_secs(25),
        ..ByMetres::default()
    });
    let started = tokio::time::Instant::now();
    let pipeline = reading_for(&embedder, Duration::from_secs(1));
    run(&pipeline, &asked()).await.0.unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(
        embedder.was_dropped.load(Ordering::SeqCst),
        "nobody waits for it any more"
    );
}

#[tokio::test]
async fn a_single_passage_needs_no_order_and_is_not_sent() {
    let embedder = Arc::new(ByMetres::default());
    let mut pipeline = with(&embedder);
    pipeline.searchers = vec![FakeSearcher::finding([SAYING])];
    let (answer, events) = run(&pipeline, &asked()).await;
    assert_eq!(sources(&answer.unwrap()), [SAYING]);
    assert!(told(&events).is_empty());
    let asked = embedder.asked.lock().unwrap();
    assert!(asked.iter().all(|(texts, _)| texts == &[QUESTION]), "{asked:?}");
}

#[tokio::test]
async fn an_answer_that_goes_on_keeps_its_numbers_whatever_is_nearer() {
    let embedder = Arc::new(ByMetres::default());
    let pipeline = with(&embedder);
    let pages = [ASKING, SAYING].map(|url| {
        let text = "How tall is the tower? The tower measures 47 metres.";
        page(url, "The tower", &format!("{text} So says {url}."))
    });
    let mut question = asked();
    question.so_far = Some(SoFar {
        content: "It is tall [2]. ".into(),
        pages: pages.to_vec(),
    });
    let (answer, _) = run(&pipeline, &question).await;
    assert_eq!(sources(&answer.unwrap()), [ASKING, SAYING]);
}
