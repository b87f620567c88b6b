//! Asking: one question from its first save to its last. The run belongs to the app, not to whoever asked: a window that
//! closes loses nothing.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use deepsearch_answer::research::Research;
use deepsearch_answer::{Answer, AnswerError, Evidence, Limits, Pipeline, Question, SearchMode, SoFar, Step};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::validate::message_content;
use deepsearch_core::{
    ChatId, ChatModel, EngineKind, ErrorCode, Failure, Message, MessageId, MessageMetadata, MessageState, PageId,
    PlanEdit, ResearchBudget, ResearchState, Role, Searcher, TimeRange, Turn as SaidTurn,
};
use deepsearch_net::{Recorder, carried};
use deepsearch_sqlite::{FinishedAnswer, NewTurn, Turn as SavedTurn};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::app::{App, Wired};
use crate::error::AppError;
use crate::ledger::OpenLedger;
use crate::research::{Depth, ResearchOptions};
use crate::runs::Run;
use crate::tally::Tally;

/// Where answers come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The web and the guide; what is on this machine when there is no network.
    #[default]
    Web,
    /// Past chats and their saved pages.
    Chats,
    Guide,
    /// The person's own folders.
    Files,
    /// Papers, each with its year and DOI.
    Academic,
    /// Forums, and questions with answers.
    Discussions,
    News,
    /// No search: the model alone.
    None,
}

impl Scope {
    /// Whether asking there leaves this machine.
    pub(crate) fn is_elsewhere(self) -> bool {
        matches!(self, Self::Web | Self::Academic | Self::Discussions | Self::News)
    }
}

/// Which place in a chat the question takes. Nothing is ever overwritten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// A new chat.
    #[default]
    New,
    /// The next question of a chat.
    In(ChatId),
    /// Another wording of this question, beside it.
    Editing(MessageId),
    /// Another answer to this question, beside the first.
    Regenerating(MessageId),
    /// The rest of this interrupted answer.
    Continuing(MessageId),
}

/// What is asked. `question` is not read where the turn already has one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct AskRequest {
    pub question: String,
    pub turn: Turn,
    /// `None` leaves it to the settings.
    pub scope: Option<Scope>,
    /// Places that are asked beside it. Past chats stay alone.
    #[serde(default)]
    pub also: Vec<Scope>,
    /// Addresses of files that the answer is to rest on, as [`App::attach_file`] gives them. With them and no scope, nothing
    /// is searched for.
    #[serde(default)]
    pub files: Vec<String>,
    /// `provider/name` or `extractive`; `None` leaves it to the settings.
    pub model: Option<String>,
    pub time_range: Option<TimeRange>,
    /// What was begun as a research is continued as one, whatever is said here.
    #[serde(default)]
    pub depth: Depth,
    #[serde(default)]
    pub research: ResearchOptions,
    /// The question is another assistant's, whom a page may have misled: addresses in it are not read, because what it
    /// knows could go out in them, and nothing is looked for in a place that it did not name. The first is kept with the
    /// question: whoever has it answered anew sees its answers, and not what stands in its addresses.
    #[serde(skip)]
    #[specta(skip)]
    pub by_assistant: bool,
}

// Text that streams is kept this often: a kill loses at most so much of it.
const JOURNAL_EVERY: Duration = Duration::from_millis(250);
// Files that one question may bring.
const ATTACHED: usize = 8;
/// Under this name an answer keeps where it looked.
pub(crate) const PLACES: &str = "places";
// Turns of the chat that a model may be shown.
const HISTORY: u32 = 12;

impl App {
    /// Answers a question, telling each step, and gives the saved answer. Dropping the future only stops the telling:
    /// the run goes on, and [`App::stop`] ends it.
    ///
    /// # Errors
    /// [`AppError`]; the question and all that had come are kept.
    pub async fn ask(
        &self,
        request: AskRequest,
        on_event: impl FnMut(AnswerEvent) + Send,
    ) -> Result<Message, AppError> {
        self.ask_until(&CancellationToken::new(), request, on_event).await
    }

    /// The same until `stop` is cancelled, also before the answer has its place in a chat, when [`App::stop`] could not
    /// name it.
    ///
    /// # Errors
    /// As [`App::ask`]; [`AppError::Cancelled`] once it is stopped.
    pub async fn ask_until(
        &self,
        stop: &CancellationToken,
        request: AskRequest,
        on_event: impl FnMut(AnswerEvent) + Send,
    ) -> Result<Message, AppError> {
        let app = self.clone();
        let run = self.inner.runs.begin();
        let (listener, stopping) = (run.listen(), run.stop().clone());
        let running = self.inner.tasks.spawn(async move { app.run(request, run).await });
        let mut telling = pin!(listener.each(on_event));
        tokio::select! {
            () = &mut telling => {}
            () = stop.cancelled() => {
                stopping.cancel();
                telling.await;
            }
        }
        running
            .await
            .map_err(|panic| AppError::Answer(Failure::new(ErrorCode::Internal, panic.to_string())))?
    }

    async fn run(&self, request: AskRequest, run: Run) -> Result<Message, AppError> {
        let recorder = Recorder::default();
        recorder.during(self.answer(request, run, &recorder)).await
    }

    async fn answer(&self, mut request: AskRequest, run: Run, recorder: &Recorder) -> Result<Message, AppError> {
        self.heed_privacy().await?;
        if request.files.is_empty() {
            request.files = self.files_asked_with(&request.turn).await?;
        }
        request.files.truncate(ATTACHED);
        let wired = self.wired();
        if matches!(request.turn, Turn::New | Turn::In(_) | Turn::Editing(_)) {
            message_content(&request.question)?;
        }
        let places = places(&request, &wired)?;
        // An unknown model is told before anything is saved.
        let choosing = async {
            match &request.model {
                Some(id) => wired.models.model(id).await,
                None => wired.models.default().await,
            }
        };
        let model = run.stop().run_until_cancelled(choosing).await;
        let model = model.ok_or(AppError::Cancelled)??;
        self.can_afford(&request, &wired, model.info()).await?;
        let asked_for = asked_for(&request, &places);
        let turn = self.begin(&request, &asked_for).await?;
        self.chat_changed(&turn.chat.id);
        let tally = Tally::default();
        let mut pipeline = self.pipeline(&wired, &places, tally.on(model));
        if request.by_assistant {
            pipeline.fallback.clear();
        }
        let started = AnswerEvent::Started {
            chat_id: turn.chat.id.clone(),
            question_id: turn.question.id.clone(),
            answer_id: turn.answer.id.clone(),
            model: pipeline.model.info().id.clone(),
        };
        run.tell(started);
        let ledger = OpenLedger::open(self, &turn.answer.id, recorder).await?;
        let mut answering = Answering::new(self, &turn, &run, ledger.clone(), asked_for, tally);
        let ended = match self.work(&request, &turn, &wired, &places, &pipeline, ledger).await {
            Ok(work) => answering.drive(work).await,
            Err(error) => Ended::Broken(error),
        };
        // The run is over only with this: whoever stops an answer while it is being saved still finds it.
        let ended = answering.end(ended, &pipeline, request.turn == Turn::New).await;
        self.keep_health(&wired).await;
        ended
    }

    /// The files that the question of a turn was asked with: whoever has it answered anew, or goes on with the answer, still
    /// asks of them. Put in other words, it is asked of those that are still there.
    async fn files_asked_with(&self, turn: &Turn) -> Result<Vec<String>, AppError> {
        let question = match turn {
            Turn::New | Turn::In(_) => return Ok(Vec::new()),
            Turn::Editing(question) | Turn::Regenerating(question) => Some(question.clone()),
            Turn::Continuing(answer) => self.message(answer).await?.parent,
        };
        let Some(question) = question else {
            return Ok(Vec::new());
        };
        let files = self.store().list_attached_files(&question).await?;
        if !matches!(turn, Turn::Editing(_)) {
            return Ok(files);
        }
        let mut there = Vec::new();
        for file in files {
            if self.attached_file(&file).await.is_ok() {
                there.push(file);
            }
        }
        Ok(there)
    }

    /// Keeps what is asked, and of the answer where it is to look, before anything else is done.
    async fn begin(&self, request: &AskRequest, asked_for: &[Scope]) -> Result<SavedTurn, AppError> {
        let store = self.store();
        let answer_metadata = (!asked_for.is_empty()).then(|| {
            let mut metadata = MessageMetadata::default();
            remember_places(&mut metadata, asked_for);
            metadata
        });
        let new = |chat, edits, by_assistant: bool| NewTurn {
            chat,
            edits,
            parent: None,
            question: request.question.clone(),
            files: request.files.clone(),
            metadata: by_assistant.then(MessageMetadata::by_assistant),
            answer_metadata: answer_metadata.clone(),
        };
        let by_assistant = request.by_assistant;
        Ok(match &request.turn {
            Turn::New => store.begin_answer(new(None, None, by_assistant)).await?,
            Turn::In(chat) => {
                // Whoever goes on with a chat wants it kept.
                if store
                    .lookup_chat(chat)
                    .await?
                    .is_some_and(|chat| chat.deleted_at.is_some())
                {
                    store.restore_chat(chat).await?;
                }
                store.begin_answer(new(Some(chat.clone()), None, by_assistant)).await?
            }
            Turn::Editing(question) => {
                let old = self.message(question).await?;
                // Sent off as it was, it is nobody else's by that.
                let is_same = is_by_assistant(&old) && old.content.trim() == request.question.trim();
                let new = new(Some(old.chat_id), Some(question.clone()), by_assistant || is_same);
                store.begin_answer(new).await?
            }
            Turn::Regenerating(question) => store.begin_regenerate(question, answer_metadata).await?,
            Turn::Continuing(answer) => store.begin_continue(answer).await?,
        })
    }

    /// What is to be done for an answer.
    async fn work(
        &self,
        request: &AskRequest,
        turn: &SavedTurn,
        wired: &Wired,
        places: &[Scope],
        pipeline: &Pipeline,
        ledger: Arc<OpenLedger>,
    ) -> Result<Work, AppError> {
        let mut question = self.question(request, turn, wired, places).await?;
        let answer = &turn.answer.id;
        let kept = match request.turn {
            Turn::Continuing(_) => self.store().lookup_research(answer).await?,
            _ => None,
        };
        let state = match kept {
            Some(state) => {
                if !request.research.is_default() {
                    let budget = request.research.over(state.budget);
                    self.store().edit_research(answer, &PlanEdit::Budget { budget }).await?;
                }
                state
            }
            // What was interrupted before there was a plan, or was none, goes on as it began.
            // Without a search there is nothing to research.
            None if request.depth == Depth::Quick || question.so_far.is_some() || places.is_empty() => {
                return Ok(Work::Answer(Box::new((pipeline.clone(), question))));
            }
            None => {
                let budget = request.research.over(ResearchBudget::default());
                let mut state = ResearchState::new(question.text.clone(), budget);
                state.agree = request.research.plan_first;
                state
            }
        };
        // A research keeps its own text, and its question is always one that is searched for.
        question.so_far = None;
        question.search = SearchMode::Always;
        let research = self.research_of(pipeline.clone(), wired, answer, ledger);
        Ok(Work::Research(Box::new(Researching {
            research,
            question,
            state,
            told: turn.answer.content.clone(),
        })))
    }

    pub(crate) async fn question(
        &self,
        request: &AskRequest,
        turn: &SavedTurn,
        wired: &Wired,
        places: &[Scope],
    ) -> Result<Question, AppError> {
        let before = self
            .store()
            .list_messages(&turn.chat.id, Some(&turn.question.id), HISTORY)
            .await?;
        let said = |message: Message| SaidTurn {
            role: message.role,
            content: message.content,
        };
        let history = before
            .into_iter()
            .filter(|message| message.role != Role::System && !message.content.is_empty())
            .map(said);
        let so_far = match &request.turn {
            Turn::Continuing(answer) if !turn.answer.content.is_empty() => {
                let pages = self.store().list_pages_of(answer).await?;
                Some(SoFar {
                    content: turn.answer.content.clone(),
                    pages,
                })
            }
            _ => None,
        };
        let asked_for = request.scope.is_some();
        let search = match places {
            [] => SearchMode::Never,
            // Whoever names a place to search in wants it searched.
            _ if asked_for => SearchMode::Always,
            _ => SearchMode::Auto,
        };
        let mut named = Vec::new();
        for file in &request.files {
            named.push(self.attached_file(file).await?);
        }
        Ok(Question {
            text: turn.question.content.clone(),
            history: history.collect(),
            search,
            locale: wired.settings.text("language").map(str::to_owned),
            time_range: request.time_range,
            reads_addresses: !request.by_assistant
                && !is_by_assistant(&turn.question)
                && places.iter().any(|place| place.is_elsewhere()),
            named,
            results: wired.settings.number("max_search_results", 10).clamp(1, 50) as usize,
            so_far,
        })
    }

    pub(crate) fn pipeline(&self, wired: &Wired, places: &[Scope], model: Arc<dyn ChatModel>) -> Pipeline {
        self.pipeline_on(&wired.asked_web, wired, places, model)
    }

    /// With the web as it is asked here.
    pub(crate) fn pipeline_on(
        &self,
        web: &Arc<dyn Searcher>,
        wired: &Wired,
        places: &[Scope],
        model: Arc<dyn ChatModel>,
    ) -> Pipeline {
        let (mut searchers, mut fallback) = (Vec::new(), Vec::new());
        for place in places {
            match place {
                // What there is without a web is no last resort then, but all there is.
                Scope::Web if wired.settings.is_private() => {
                    searchers.extend([wired.guide.clone(), wired.chats.clone(), wired.files.clone()]);
                }
                Scope::Web => searchers.extend([wired.guide.clone(), web.clone()]),
                Scope::Chats => searchers.push(wired.chats.clone()),
                Scope::Guide => searchers.push(wired.whole_guide.clone()),
                Scope::Files => searchers.push(wired.files.clone()),
                Scope::Academic => searchers.extend(wired.special(EngineKind::Academic)),
                Scope::Discussions => searchers.extend(wired.special(EngineKind::Discussions)),
                Scope::News => searchers.extend(wired.special(EngineKind::News)),
                Scope::None => {}
            }
        }
        if places == [Scope::Web] && !wired.settings.is_private() {
            fallback.push(wired.chats.clone());
            // Files that nobody asked for are shown to a model of this machine only, with or without a network.
            if model.info().local {
                fallback.push(wired.files.clone());
            }
        }
        let mut limits = Limits::default();
        let settings = &wired.settings;
        if settings.get("answer.pages").is_some() {
            let pages = settings.number("answer.pages", limits.read.pages as i64) as usize;
            limits.read = limits.read.wanting(pages);
        }
        limits.evidence_tokens = settings.number("answer.evidence_tokens", limits.evidence_tokens as i64) as usize;
        limits.answer_tokens = settings.number("answer.tokens", i64::from(limits.answer_tokens)) as u32;
        Pipeline {
            searchers,
            fallback,
            fetcher: wired.fetcher.clone(),
            model,
            embedder: wired.embedder(),
            clock: self.inner.clock.clone(),
            limits,
        }
    }
}

fn is_by_assistant(question: &Message) -> bool {
    question.metadata.as_ref().is_some_and(MessageMetadata::is_by_assistant)
}

/// The places that are asked, each once; none where the model is to answer alone.
///
/// # Errors
/// [`AppError::ChatsBeside`].
pub(crate) fn places(request: &AskRequest, wired: &Wired) -> Result<Vec<Scope>, AppError> {
    let by_default = if wired.settings.flag("enable_search_by_default", true) && request.files.is_empty() {
        Scope::Web
    } else {
        Scope::None
    };
    let mut places = Vec::new();
    for place in std::iter::once(request.scope.unwrap_or(by_default)).chain(request.also.iter().copied()) {
        if place != Scope::None && !places.contains(&place) {
            places.push(place);
        }
    }
    if places.contains(&Scope::Chats) && places.len() > 1 {
        return Err(AppError::ChatsBeside);
    }
    Ok(places)
}

/// What is remembered of the places: those that were asked for, and also that none was wanted.
fn asked_for(request: &AskRequest, places: &[Scope]) -> Vec<Scope> {
    match request.scope {
        None => Vec::new(),
        Some(_) if places.is_empty() => vec![Scope::None],
        Some(_) => places.to_vec(),
    }
}

/// Keeps with an answer where it was asked to look.
fn remember_places(metadata: &mut MessageMetadata, places: &[Scope]) {
    metadata.other.insert(PLACES.into(), serde_json::json!(places));
}

/// What a run does.
enum Work {
    Answer(Box<(Pipeline, Question)>),
    Research(Box<Researching>),
}

#[derive(Clone)]
struct Researching {
    research: Research,
    question: Question,
    state: ResearchState,
    told: String,
}

impl Work {
    async fn run(self, steps: mpsc::Sender<Step>) -> Result<Answer, AnswerError> {
        match self {
            Self::Answer(work) => work.0.answer(&work.1, steps).await,
            Self::Research(work) => work.research.run(&work.question, work.state, &work.told, steps).await,
        }
    }
}

/// How a run came to its end.
enum Ended {
    Whole(Box<Answer>),
    Stopped,
    Broken(AppError),
}

/// One answer on its way: what has come, and what of it is journalled.
struct Answering<'a> {
    app: &'a App,
    turn: &'a SavedTurn,
    run: &'a Run,
    ledger: Arc<OpenLedger>,
    content: String,
    journalled: usize,
    /// A search that it rests on was past its time.
    is_stale: bool,
    /// A page that was saved before keeps the id it had: from the pipeline's to the store's.
    saved: HashMap<PageId, PageId>,
    evidence: Evidence,
    /// Only where the answer is one: it keeps its text itself.
    research: Option<Box<Researching>>,
    /// Where was asked, kept with the answer so that the next question can be asked there too.
    places: Vec<Scope>,
    tally: Tally,
}

impl<'a> Answering<'a> {
    fn new(
        app: &'a App,
        turn: &'a SavedTurn,
        run: &'a Run,
        ledger: Arc<OpenLedger>,
        places: Vec<Scope>,
        tally: Tally,
    ) -> Self {
        let content = turn.answer.content.clone();
        Self {
            app,
            turn,
            run,
            ledger,
            journalled: content.len(),
            content,
            is_stale: false,
            saved: HashMap::new(),
            evidence: Evidence::default(),
            research: None,
            places,
            tally,
        }
    }

    /// Does the work, keeps what comes and tells it, until it ends or is stopped. The pipeline goes on while its
    /// sources are saved: the model is asked meanwhile, and no word of it is told before they are.
    async fn drive(&mut self, work: Work) -> Ended {
        let (sender, mut steps) = mpsc::channel(64);
        match &work {
            Work::Answer(work) => {
                if let Some(so_far) = &work.1.so_far {
                    self.evidence = Evidence::of_pages(so_far.pages.clone(), Vec::new());
                }
            }
            Work::Research(research) => self.research = Some(research.clone()),
        }
        let answering = tokio::spawn(carried(work.run(sender)));
        let answering = AbortOnDropHandle::new(answering);
        let mut tick = tokio::time::interval(JOURNAL_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let kept = tokio::select! {
                biased;
                () = self.run.stop().cancelled() => return Ended::Stopped,
                step = steps.recv() => match step {
                    Some(step) => self.keep(step).await,
                    // The sender goes with the pipeline, when every step is handled.
                    None => break,
                },
                _ = tick.tick() => self.journal().await,
            };
            if let Err(error) = kept {
                return Ended::Broken(error);
            }
        }
        match answering.await {
            Ok(Ok(answer)) => Ended::Whole(Box::new(answer)),
            Ok(Err(error)) => Ended::Broken(AppError::Answer(Failure::from(&error))),
            Err(panic) => Ended::Broken(AppError::Answer(Failure::new(ErrorCode::Internal, panic.to_string()))),
        }
    }

    async fn keep(&mut self, step: Step) -> Result<(), AppError> {
        match step {
            Step::Evidence { sources, pages } => {
                let saved = self
                    .app
                    .store()
                    .journal_sources(&self.turn.answer.id, &sources, &pages)
                    .await?;
                self.app.copy_pictures(&self.turn.answer.id, &pages, &saved);
                self.saved = pages.iter().map(|page| page.id.clone()).zip(saved).collect();
                self.evidence = Evidence::of_pages(pages, Vec::new());
            }
            Step::Event(mut event) => {
                match &*event {
                    AnswerEvent::Token { text } => self.content.push_str(text),
                    AnswerEvent::Replaced { content } => self.content.clone_from(content),
                    _ => {}
                }
                self.is_stale |= matches!(&*event, AnswerEvent::Searched { stale: true, .. });
                self.rename_pages(&mut event);
                self.run.tell(*event);
            }
        }
        Ok(())
    }

    async fn journal(&mut self) -> Result<(), AppError> {
        if self.research.is_none() && self.journalled < self.content.len() {
            self.app
                .store()
                .journal_text(&self.turn.answer.id, &self.content[self.journalled..])
                .await?;
            self.journalled = self.content.len();
        }
        self.ledger.keep_begun().await;
        Ok(())
    }

    fn saved(&self, id: &mut PageId) {
        if let Some(saved) = self.saved.get(id) {
            *id = saved.clone();
        }
    }

    fn rename_pages(&self, event: &mut AnswerEvent) {
        match event {
            AnswerEvent::Ranked { pages, .. } => pages.iter_mut().for_each(|id| self.saved(id)),
            AnswerEvent::Cited { citation } => self.saved(&mut citation.page_id),
            AnswerEvent::Checked { sentences } => sentences
                .iter_mut()
                .filter_map(|check| check.evidence.as_mut())
                .for_each(|found| self.saved(&mut found.page_id)),
            _ => {}
        }
    }

    /// Keeps the answer as it ended, and tells it.
    async fn end(mut self, ended: Ended, pipeline: &Pipeline, is_new: bool) -> Result<Message, AppError> {
        let (mut answer, error) = match ended {
            Ended::Whole(answer) if answer.truncated => (*answer, Some(reached_its_limit())),
            Ended::Whole(answer) if answer.content.trim().is_empty() => (*answer, Some(wrote_nothing())),
            Ended::Whole(answer) => (*answer, None),
            Ended::Stopped => (self.cut_off(pipeline).await, Some(AppError::Cancelled)),
            Ended::Broken(error) => (self.cut_off(pipeline).await, Some(error)),
        };
        self.book(&mut answer.metadata);
        answer.metadata.stale_search = self.is_stale.then_some(true);
        if !self.places.is_empty() {
            remember_places(&mut answer.metadata, &self.places);
        }
        let title = answer.title.clone().filter(|_| is_new);
        let state = if error.is_none() {
            MessageState::Complete
        } else {
            MessageState::Interrupted
        };
        let kept = self
            .app
            .store()
            .finish_answer(&self.turn.answer.id, finished(answer, state))
            .await;
        // Before it is told that the answer is there, so that whoever looks finds its ledger too.
        self.ledger.clone().close(self.app).await;
        self.rename(title).await;
        if state == MessageState::Complete && self.research.is_some() {
            self.release_pages().await;
        }
        self.app.chat_changed(&self.turn.chat.id);
        match (kept, error) {
            (Ok(message), None) => {
                self.run.tell(AnswerEvent::Finished {
                    message: message.clone(),
                });
                Ok(message)
            }
            (kept, error) => {
                let (message, error) = match (kept, error) {
                    (Ok(message), Some(error)) => (Some(message), error),
                    (Ok(message), None) => return Ok(message),
                    (Err(store), _) => (None, store.into()),
                };
                let failure = Failure::from(&error);
                tracing::warn!(code = ?failure.code, answer = %self.turn.answer.id, "an answer ended early");
                self.run.tell(AnswerEvent::Failed { message, failure });
                Err(error)
            }
        }
    }

    /// Gives a new chat the model's title, unless the person gave it one meanwhile. The answer is kept either way.
    async fn rename(&self, title: Option<String>) {
        let (store, id) = (self.app.store(), &self.turn.chat.id);
        let Some(title) = title else { return };
        let renamed = match store.lookup_chat(id).await {
            Ok(Some(chat)) if chat.title == self.turn.chat.title => store.rename_chat(id, &title).await.map(drop),
            other => other.map(drop),
        };
        if let Err(error) = renamed {
            tracing::warn!(%error, "the chat keeps its first title");
        }
    }

    /// The pages that the report does not cite are needed no more. If they stay, they only take room.
    async fn release_pages(&self) {
        if let Err(error) = self.app.store().release_research_pages(&self.turn.answer.id).await {
            tracing::warn!(%error, "pages that a research read are still kept");
        }
    }

    /// What an answer has that was cut off: of a research, a report of what it found.
    async fn cut_off(&mut self, pipeline: &Pipeline) -> Answer {
        match self.wrapped_up().await {
            Ok(Some(answer)) => answer,
            Ok(None) => self.partial(pipeline),
            Err(error) => {
                tracing::warn!(%error, "what a research found could not be written up");
                self.partial(pipeline)
            }
        }
    }

    async fn wrapped_up(&self) -> Result<Option<Answer>, AppError> {
        let Some(work) = &self.research else { return Ok(None) };
        let (store, id) = (self.app.store(), &self.turn.answer.id);
        let Some(state) = store.lookup_research(id).await? else {
            return Ok(None);
        };
        let written = work.research.wrap_up(&work.question, state).await;
        let written = written.map_err(|error| AppError::Answer(Failure::from(&error)))?;
        store
            .journal_sources(id, &written.answer.sources, &written.pages)
            .await?;
        Ok(Some(written.answer))
    }

    /// Books what the model was used for now, however it ended.
    fn book(&self, metadata: &mut MessageMetadata) {
        let before = self.turn.answer.metadata.as_ref();
        let mut spent = self.tally.told();
        if self.research.is_some() {
            // A research knows what all of it used up to its last finished task, also where a provider tells nothing.
            let already = before.and_then(|before| before.tokens).unwrap_or_default();
            spent = metadata.tokens.unwrap_or_default().beyond(already).at_least(spent);
        }
        metadata.book(before, spent);
    }

    /// What a stopped answer has: its text, cited and checked as far as it goes.
    fn partial(&mut self, pipeline: &Pipeline) -> Answer {
        let content = std::mem::take(&mut self.content);
        Answer {
            sources: self.evidence.sources(),
            citations: deepsearch_answer::cite::cite(&content, &self.evidence),
            checks: deepsearch_answer::check::check(&content, &self.evidence),
            metadata: MessageMetadata {
                model: Some(pipeline.model.info().id.clone()),
                ..MessageMetadata::default()
            },
            follow_ups: Vec::new(),
            title: None,
            truncated: false,
            content,
        }
    }
}

fn reached_its_limit() -> AppError {
    let failure = Failure::new(
        ErrorCode::TooLarge,
        "The answer is not at its end, but at the model's token limit.",
    );
    AppError::Answer(
        failure
            .hint("Continue it, or set a higher limit and ask again: `deepsearch settings set answer.tokens NUMBER`."),
    )
}

fn wrote_nothing() -> AppError {
    let failure = Failure::new(ErrorCode::Upstream, "The model wrote nothing.");
    AppError::Answer(failure.hint("Ask again, or choose another model: `deepsearch models`."))
}

/// As the store keeps it, which binds citations to the saved pages by their numbers.
fn finished(answer: Answer, state: MessageState) -> FinishedAnswer {
    FinishedAnswer {
        content: answer.content,
        metadata: Some(answer.metadata),
        citations: answer.citations,
        checks: answer.checks,
        follow_ups: answer.follow_ups,
        state,
    }
}
