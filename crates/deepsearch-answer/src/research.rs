//! Deep research: plan → search → read → note → review (what is missing or contradicted) → … → outline → write.
//!
//! Code owns the loop, the budget and the citations; a model is asked short single questions and can fail at each of
//! them. Everything there is to know stands in a [`ResearchState`], which is kept after every task, so a research that was
//! killed goes on from its last finished task. What is to be done next follows from the state alone (`tasks.rs`).

mod notebook;
mod tasks;

mod facets;
mod subquestions;

mod gather;
mod notes;
mod review;

mod mend;
mod outline;
mod report;
mod section;
mod words;

mod edits;
mod ledger;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::research::{ResearchEnd, ResearchPhase};
use deepsearch_core::{ChatModel, Failure, MessageMetadata, Page, PageId, ResearchState, TokenUsage};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

pub use self::edits::apply as apply_edit;
pub use self::ledger::Prices;
pub use self::notebook::{Kept, Notebook, NotebookError};

use self::ledger::Ledger;
use self::tasks::{Task, next};
use self::words::Words;
use crate::afterwards::afterwards;
use crate::evidence::Evidence;
use crate::pipeline::{Answer, AnswerError, Pipeline, Question, Step, Steps, blocking};
use crate::plan::Plan;

/// Bounds of the single tasks of a research; the budget of the whole is the state's.
#[derive(Debug, Clone, Copy)]
pub struct ResearchLimits {
    /// For one short question to the model.
    pub short: Duration,
    /// For one section, if the budget's time allows it.
    pub section: Duration,
    /// Tokens of passages that a section is written from; fewer where the model's context is small.
    pub section_tokens: usize,
    /// How long a plan waits for the person, and how often that is looked for.
    pub agree: Duration,
    pub agree_every: Duration,
}

impl Default for ResearchLimits {
    fn default() -> Self {
        Self {
            short: Duration::from_secs(20),
            section: Duration::from_secs(90),
            section_tokens: 1_500,
            agree: Duration::from_secs(30 * 60),
            agree_every: Duration::from_millis(300),
        }
    }
}

/// Everything that research needs, beside what answering does.
#[derive(Clone)]
pub struct Research {
    pub pipeline: Pipeline,
    /// Writes a section where there is no model, or where the model fails at it.
    pub extractive: Arc<dyn ChatModel>,
    pub notebook: Arc<dyn Notebook>,
    pub prices: Option<Prices>,
    pub limits: ResearchLimits,
}

impl Research {
    /// Goes on with `state` until the report is written, keeping it after each task. `told` is the text that whoever
    /// listens has already. Dropping the future stops it at once: what was kept stands.
    ///
    /// # Errors
    /// [`AnswerError`] when nothing can be kept, or the plan has waited for the person in vain.
    pub async fn run(
        &self,
        question: &Question,
        state: ResearchState,
        told: &str,
        steps: mpsc::Sender<Step>,
    ) -> Result<Answer, AnswerError> {
        let mut desk = Desk::open(self, question, state, Steps::new(steps)).await?;
        told.clone_into(&mut desk.told);
        if desk.state.phase == ResearchPhase::Plan {
            // Kept before the first task: whoever goes on after a kill has the question, and no files with it.
            desk.point_at(&question.named);
        }
        desk.keep(None).await?;
        while let Some(task) = next(&desk.state) {
            let began = Instant::now();
            desk.tell_progress(task.part()).await;
            desk.perform(task).await?;
            // While a plan waits for the person, nobody works on it.
            if task != Task::Agree {
                desk.spend_time(began.elapsed());
            }
            desk.keep(task.part()).await?;
        }
        desk.finish().await
    }

    /// The report that can be written of `state` at once: no network, no model, and nothing is kept of it. For whoever
    /// stops a research, which can still be continued.
    ///
    /// # Errors
    /// [`AnswerError`] when the pages cannot be read back.
    pub async fn wrap_up(&self, question: &Question, state: ResearchState) -> Result<WrittenUp, AnswerError> {
        let (sender, _) = mpsc::channel(1);
        let mut desk = Desk::open(self, question, state, Steps::new(sender)).await?;
        desk.ledger.rest();
        desk.state.ended.get_or_insert(ResearchEnd::Person);
        if !desk.state.pages.is_empty() {
            if matches!(desk.state.phase, ResearchPhase::Plan | ResearchPhase::Agree) {
                desk.state.phase = ResearchPhase::Gather;
            }
            while let Some(task) = next(&desk.state) {
                desk.perform(task).await?;
            }
        }
        let answer = desk.answer().await?;
        Ok(WrittenUp {
            pages: desk.evidence.pages.clone(),
            answer,
        })
    }
}

/// A report of what was found until somebody stopped it.
#[derive(Debug)]
pub struct WrittenUp {
    pub answer: Answer,
    /// What its `[n]` cite, in order.
    pub pages: Vec<Page>,
}

/// The table that one research is worked on at: the state, and the texts of the pages it speaks of.
struct Desk<'a> {
    research: &'a Research,
    question: &'a Question,
    state: ResearchState,
    pages: HashMap<PageId, Arc<Page>>,
    ledger: Ledger,
    words: &'static Words,
    steps: Steps,
    /// What whoever listens has of the report's text.
    told: String,
    /// The last edit of the plan that the state holds.
    edited: i64,
    /// The sources that were told last, with their pages made ready for citing.
    evidence: Arc<Evidence>,
}

impl<'a> Desk<'a> {
    async fn open(
        research: &'a Research,
        question: &'a Question,
        state: ResearchState,
        steps: Steps,
    ) -> Result<Self, AnswerError> {
        let pages = research.notebook.pages().await.map_err(AnswerError::Notebook)?;
        let mut desk = Self {
            words: Words::of(&state.question, question.locale.as_deref()),
            ledger: Ledger::new(research),
            pages: pages
                .into_iter()
                .map(|page| (page.id.clone(), Arc::new(page)))
                .collect(),
            told: String::new(),
            edited: 0,
            evidence: Arc::default(),
            research,
            question,
            state,
            steps,
        };
        desk.forget_lost_pages();
        Ok(desk)
    }

    /// A page whose text cannot be read back is no evidence any more. Those that the report cites stay in its numbers.
    fn forget_lost_pages(&mut self) {
        let pages = &self.pages;
        self.state.pages.retain(|note| pages.contains_key(&note.page));
        for part in &mut self.state.parts {
            part.notes.retain(|note| pages.contains_key(&note.page));
            part.chosen.retain(|note| pages.contains_key(&note.page));
        }
        let has = |page: &PageId| pages.contains_key(page);
        self.state
            .conflicts
            .retain(|conflict| has(&conflict.one.page) && has(&conflict.other.page));
    }

    async fn perform(&mut self, task: Task) -> Result<(), AnswerError> {
        match task {
            Task::Plan => self.plan().await,
            Task::Agree => self.wait_for_agreement().await?,
            Task::Search(part) => self.search(part).await,
            Task::Read(part) => self.read(part).await?,
            Task::Note(part) => self.note(part).await,
            Task::Review => self.review().await,
            Task::Outline(end) => self.outline(end).await,
            Task::Lead => self.write_lead().await,
            Task::Section(part) => self.write_section(part).await,
            Task::Close => self.close(),
        }
        Ok(())
    }

    /// Keeps the state, then tells it; takes what the person changed meanwhile.
    async fn keep(&mut self, at: Option<u32>) -> Result<(), AnswerError> {
        loop {
            let text = report::text(&self.state);
            let kept = Kept {
                state: &self.state,
                text: &text,
                edited: self.edited,
            };
            let edits = self.research.notebook.keep(kept).await.map_err(AnswerError::Notebook)?;
            self.tell_text(text).await;
            if edits.is_empty() {
                break;
            }
            for (number, edit) in edits {
                apply_edit(&mut self.state, edit);
                self.edited = number;
            }
        }
        self.tell_progress(at).await;
        Ok(())
    }

    async fn tell_progress(&self, at: Option<u32>) {
        let progress = self.state.progress(at);
        self.steps.event(AnswerEvent::Research { progress }).await;
    }

    /// Tells what has been added to the text, with its citations; all of it where it is another one.
    async fn tell_text(&mut self, text: String) {
        if text == self.told {
            return;
        }
        self.tell_sources().await;
        let from = match text.strip_prefix(&self.told) {
            Some(more) => {
                self.steps.event(AnswerEvent::Token { text: more.to_owned() }).await;
                self.told.len()
            }
            None => {
                self.steps.event(AnswerEvent::Replaced { content: text.clone() }).await;
                0
            }
        };
        let (evidence, content) = (Arc::clone(&self.evidence), text.clone());
        let citations = blocking(move || crate::cite::cite(&content, &evidence)).await;
        for citation in citations
            .into_iter()
            .filter(|citation| citation.marker.start as usize >= from)
        {
            self.steps.event(AnswerEvent::Cited { citation }).await;
        }
        self.told = text;
    }

    /// The sources as the report numbers them, told once more when there are more of them.
    async fn tell_sources(&mut self) {
        if self.evidence.pages.len() == self.state.sources.len() {
            return;
        }
        self.evidence = Arc::new(self.all_evidence());
        let sources = self.evidence.sources();
        self.research
            .pipeline
            .tell_sources(&self.evidence, &sources, &self.steps)
            .await;
    }

    /// The whole evidence of the report: its numbered pages, and the passages its sections are written from.
    fn all_evidence(&self) -> Evidence {
        let chosen = self.state.parts.iter().flat_map(|part| &part.chosen);
        self.evidence_of(chosen)
    }

    fn evidence_of<'n>(&self, notes: impl Iterator<Item = &'n deepsearch_core::research::PassageNote>) -> Evidence {
        let pages: Vec<Page> = self
            .state
            .sources
            .iter()
            .filter_map(|id| self.pages.get(id))
            .map(|page| Page::clone(page))
            .collect();
        let passages = notes.filter_map(|note| {
            let at = pages.iter().position(|page| page.id == note.page)?;
            Some(deepsearch_core::Passage {
                page_id: note.page.clone(),
                page: at,
                span: note.span,
                text: pages[at].quote(note.span).to_owned(),
                score: note.score,
            })
        });
        let passages = passages.collect();
        Evidence::of_pages(pages, passages)
    }

    fn spend_time(&mut self, took: Duration) {
        let took = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.state.spent.milliseconds = self.state.spent.milliseconds.saturating_add(took);
        self.ledger.book(&mut self.state.spent);
    }

    async fn wait_for_agreement(&mut self) -> Result<(), AnswerError> {
        let limits = self.research.limits;
        let until = Instant::now() + limits.agree;
        while self.state.phase == ResearchPhase::Agree {
            if Instant::now() >= until {
                return Err(AnswerError::NotAgreed);
            }
            tokio::time::sleep(limits.agree_every).await;
            let has_edits = self.research.notebook.has_edits().await;
            if has_edits.map_err(AnswerError::Notebook)? {
                self.keep(None).await?;
            }
        }
        Ok(())
    }

    /// After the last section: the title, the questions to ask next, the check of every sentence.
    async fn finish(mut self) -> Result<Answer, AnswerError> {
        let began = Instant::now();
        let plan = self.as_plan();
        let content = report::text(&self.state);
        let mut answer = self.answer().await?;
        if !answer.checks.is_empty() {
            let sentences = answer.checks.clone();
            self.steps.event(AnswerEvent::Checked { sentences }).await;
        }
        let may_ask = self.ledger.may_ask(&self.state) && self.time_left() >= section::SHORTEST;
        let after = if may_ask || !self.research.pipeline.model.follows_instructions() {
            let asked = afterwards(
                &self.research.pipeline,
                self.question,
                &plan,
                &content,
                &self.evidence,
                &self.steps,
            );
            // Nice to have, and not worth more time than the person gave.
            timeout(self.time_left(), asked).await.unwrap_or_default()
        } else {
            Default::default()
        };
        self.ledger.add(after.usage);
        self.spend_time(began.elapsed());
        answer.metadata = self.metadata();
        answer.title = after.title;
        answer.follow_ups = after.follow_ups;
        Ok(answer)
    }

    /// The report as an answer: each sentence cited and checked by the code that does so for every answer.
    async fn answer(&mut self) -> Result<Answer, AnswerError> {
        if self.evidence.pages.len() != self.state.sources.len() {
            self.evidence = Arc::new(self.all_evidence());
        }
        let content = report::text(&self.state);
        let own = report::own_words(&self.state, self.words);
        let (evidence, text) = (Arc::clone(&self.evidence), content.clone());
        let (citations, checks) = blocking(move || {
            let mut checks = crate::check::check(&text, &evidence);
            // What the report says of itself no source can say.
            checks.retain(|check| own.is_none_or(|own| (check.sentence.start as usize) < own));
            (crate::cite::cite(&text, &evidence), checks)
        })
        .await;
        Ok(Answer {
            content,
            sources: self.evidence.sources(),
            citations,
            checks,
            metadata: self.metadata(),
            follow_ups: Vec::new(),
            title: None,
            truncated: false,
        })
    }

    fn as_plan(&self) -> Plan {
        Plan {
            question: self.state.question.clone(),
            queries: self.state.parts.iter().map(|part| part.question.clone()).collect(),
            urls: Vec::new(),
            prefer_fresh: false,
            usage: TokenUsage::default(),
        }
    }

    fn metadata(&self) -> MessageMetadata {
        let spent = self.state.spent;
        let urls = self.state.pages.iter().map(|page| page.url.clone()).collect();
        MessageMetadata {
            search_query: self.state.parts.iter().find_map(|part| part.queries.first().cloned()),
            crawled_urls: Some(urls),
            model: Some(self.research.pipeline.model.info().id.clone()),
            tokens: (spent.usage != TokenUsage::default()).then_some(spent.usage),
            processing_time: Some(f64::from(spent.milliseconds)),
            ..MessageMetadata::default()
        }
    }

    fn trouble(&mut self, failure: Failure) {
        self.state.trouble = Some(failure);
    }
}
