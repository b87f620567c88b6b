//! Recheck: an old answer's question asked again, and its sentences held against what comes of it now. The old answer
//! stays as it is.
//!
//! It looks anew: no search that was kept answers, past chats are not asked, and the pages that the answer cites are read
//! again whatever the engines find, so that a sentence is not gone only because another page was found. Like an answer, it
//! belongs to the app and not to the face that asked for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_answer::recheck::{Kept, compare, count_changed};
use deepsearch_answer::{Answer, Evidence, Pipeline, Question, SearchMode, Step};
use deepsearch_core::error::PRIVATE_HINT;
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::{Compared, Recheck, RecheckNote, RecheckSchedule};
use deepsearch_core::{
    AnswerLedger, ChatModel, ErrorCode, Failure, FetchError, Message, MessageId, MessageState, Page, PageFetcher, Role,
};
use deepsearch_llm::{ExtractiveWriter, Models};
use deepsearch_net::{Recorder, carried};
use deepsearch_sqlite::{NewRecheck, Turn as SavedTurn};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::app::{App, Wired};
use crate::ask::{AskRequest, Scope, Turn, places};
use crate::changes::Change;
use crate::error::AppError;
use crate::ledger::until_quiet;
use crate::runs::Run;
use crate::tally::Tally;

/// The longest that one takes, a slow model included.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// Pages of the old answer that are read again; a report cites more than an answer.
const CITED: usize = 24;
/// Of pages that are read, for who waits for all of them.
const READING: Duration = Duration::from_secs(45);

/// What is kept of the rechecks of an answer, and whether there are to be more.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct RecheckHistory {
    /// The latest first.
    pub rechecks: Vec<Recheck>,
    pub schedule: Option<RecheckSchedule>,
    /// Whether it is checked right now.
    pub running: bool,
}

impl App {
    /// Asks an answer's question again, tells each step, and says what has become of each sentence. It is kept beside the
    /// answer. One that is under way is joined. Dropping the future only stops the telling; [`App::stop_recheck`] ends it.
    ///
    /// # Errors
    /// [`AppError`] where the message is no whole answer, or nothing can be found now; what was sent is kept either way.
    pub async fn recheck(
        &self,
        answer: &MessageId,
        on_event: impl FnMut(AnswerEvent) + Send,
    ) -> Result<Recheck, AppError> {
        self.check_again(answer, false, on_event).await
    }

    pub(crate) async fn check_again(
        &self,
        answer: &MessageId,
        scheduled: bool,
        on_event: impl FnMut(AnswerEvent) + Send,
    ) -> Result<Recheck, AppError> {
        let (old, question) = self.checkable(answer).await?;
        let model = old.metadata.as_ref().and_then(|metadata| metadata.model.clone());
        let started = AnswerEvent::Started {
            chat_id: old.chat_id.clone(),
            question_id: question.id.clone(),
            answer_id: answer.clone(),
            model: model.unwrap_or_default(),
        };
        match self.inner.rechecks.begin_or_join(answer, started) {
            Ok(run) => {
                let (app, listener) = (self.clone(), run.listen());
                let running = self.inner.tasks.spawn(async move {
                    let checked = app.run_recheck(&old, question, &run, scheduled).await;
                    drop(run);
                    checked
                });
                listener.each(on_event).await;
                running
                    .await
                    .map_err(|panic| AppError::Answer(Failure::new(ErrorCode::Internal, panic.to_string())))?
            }
            Err(listener) => {
                listener.each(on_event).await;
                match self.store().list_rechecks(answer).await?.into_iter().next() {
                    Some(Recheck {
                        failure: Some(failure), ..
                    }) => Err(AppError::Answer(failure)),
                    Some(recheck) => Ok(recheck),
                    None => Err(was_stopped()),
                }
            }
        }
    }

    /// Joins a recheck that is under way, as [`App::watch`] joins an answer.
    pub async fn watch_recheck(&self, answer: &MessageId, on_events: impl FnMut(Vec<AnswerEvent>) + Send) -> bool {
        self.inner.rechecks.watch(answer, on_events).await
    }

    /// Stops a recheck. Says whether it was under way here.
    pub fn stop_recheck(&self, answer: &MessageId) -> bool {
        self.inner.rechecks.stop(answer)
    }

    /// What is kept of the rechecks of an answer.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read, or has no such answer.
    pub async fn rechecks(&self, answer: &MessageId) -> Result<RecheckHistory, AppError> {
        self.message(answer).await?;
        Ok(RecheckHistory {
            rechecks: self.store().list_rechecks(answer).await?,
            schedule: self.store().lookup_recheck_schedule(answer).await?,
            running: self.inner.rechecks.has(answer),
        })
    }

    /// What an answer says of its rechecks; `None` where it was never checked again and is not to be.
    pub(crate) async fn recheck_note(&self, answer: &MessageId) -> Result<Option<RecheckNote>, AppError> {
        let kept = self.store().lookup_recheck_note(answer).await?;
        if !self.inner.rechecks.has(answer) {
            return Ok(kept);
        }
        Ok(Some(RecheckNote {
            running: true,
            ..kept.unwrap_or_default()
        }))
    }

    /// What a recheck sent to whom; `None` where that was not written down.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read.
    pub async fn recheck_ledger(
        &self,
        answer: &MessageId,
        checked_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<Option<AnswerLedger>, AppError> {
        Ok(self.store().lookup_recheck_ledger(answer, checked_at).await?)
    }

    /// An answer that can be checked again, and its question.
    pub(crate) async fn checkable(&self, answer: &MessageId) -> Result<(Message, Message), AppError> {
        let old = self.message(answer).await?;
        let is_whole = old.role == Role::Assistant && old.state == MessageState::Complete;
        match &old.parent {
            Some(parent) if is_whole => {
                let question = self.message(parent).await?;
                Ok((old, question))
            }
            _ => Err(not_to_be_checked("Only a whole answer can be checked again.")),
        }
    }

    async fn run_recheck(
        &self,
        old: &Message,
        question: Message,
        run: &Run,
        scheduled: bool,
    ) -> Result<Recheck, AppError> {
        let recorder = Recorder::default();
        let private = self.inner.network.is_private();
        let tally = Tally::default();
        let looking = tokio::time::timeout(LIMIT, self.look_again(old, question, run, &tally));
        let looking = recorder.during(run.stop().run_until_cancelled(looking)).await;
        let found = match looking {
            None => Err(was_stopped()),
            Some(Err(_)) => Err(took_too_long()),
            Some(Ok(found)) => found,
        };
        let at = self.inner.clock.now();
        let ledger = AnswerLedger {
            message_id: old.id.clone(),
            at,
            private,
            ledger: recorder.ledger(),
        };
        let (recheck, pages, error) = match found {
            Ok(found) => {
                let recheck = Recheck {
                    checked_at: at,
                    changed: count_changed(&found.sentences) as u32,
                    sentences: found.sentences,
                    failure: None,
                    scheduled,
                };
                (recheck, found.pages, None)
            }
            Err(error) => {
                let recheck = Recheck {
                    scheduled,
                    ..Recheck::failed(at, Failure::from(&error))
                };
                (recheck, Vec::new(), Some(error))
            }
        };
        let new = NewRecheck {
            recheck,
            pages,
            ledger: ledger.clone(),
            metadata: tally.metadata(),
        };
        let kept = self.store().add_recheck(&old.id, new).await;
        self.complete_ledger(recorder, ledger);
        self.keep_health(&self.wired()).await;
        self.tell_change(Change::Library {
            chats: vec![old.chat_id.clone()],
        });
        match error {
            Some(error) => Err(error),
            None => Ok(kept?),
        }
    }

    /// Writes down what the pages' icons sent once they have come, too.
    fn complete_ledger(&self, recorder: Recorder, ledger: AnswerLedger) {
        let app = self.clone();
        self.inner.tasks.spawn(async move {
            until_quiet(&app, &recorder).await;
            let written = recorder.ledger();
            if written == ledger.ledger {
                return;
            }
            let ledger = AnswerLedger {
                ledger: written,
                ..ledger
            };
            if let Err(error) = app.store().update_recheck_ledger(ledger.at, &ledger).await {
                tracing::warn!(%error, "what the recheck sent is not all kept");
            }
        });
    }

    /// Looks, reads, writes and compares.
    async fn look_again(&self, old: &Message, question: Message, run: &Run, tally: &Tally) -> Result<Found, AppError> {
        self.heed_privacy().await?;
        let wired = self.wired();
        let (request, places) = self.asked_where(&old.id, &question, &wired).await?;
        if self.inner.network.is_private() && places.iter().any(|place| place.is_elsewhere()) {
            let failure = Failure::new(
                ErrorCode::Private,
                "An answer from the web is not checked again in private mode.",
            );
            return Err(AppError::Answer(failure.hint(PRIVATE_HINT)));
        }
        let model = model_again(&wired.models, old).await?;
        let chat = self.chat(&old.chat_id).await?;
        let saved = SavedTurn {
            chat,
            question,
            answer: old.clone(),
        };
        let mut asked = self.question(&request, &saved, &wired, &places).await?;
        asked.search = SearchMode::Always;
        asked.named = cited(&places, old);
        let mut pipeline = self.pipeline_on(&wired.web_anew, &wired, &places, tally.on(model));
        // What was saved before is what is to be checked.
        pipeline.fallback.clear();
        let read = &mut pipeline.limits.read;
        *read = read.wanting(read.pages + asked.named.len());
        read.total = READING;
        let noted = Arc::new(Noted::on(pipeline.fetcher.clone()));
        pipeline.fetcher = noted.clone();
        let new = self.answer_again(pipeline, asked, run).await;
        let Looked { pages, known } = noted.take();
        let new = match new {
            // Where nothing could be read, nothing was checked: that is no sign that the world has changed.
            Ok(new) if pages.is_empty() => return Err(AppError::Answer(found_nothing(&new))),
            Ok(new) => Some(new),
            Err(error) if pages.is_empty() => return Err(error),
            // The sentences are held against pages. Without a model there is only no new answer to tell more.
            Err(error) => {
                tracing::warn!(%error, "the new answer was not written; its pages are compared");
                None
            }
        };
        let unread = old.sources.iter().flatten().map(|source| source.url.clone());
        let unread = unread.filter(|url| Url::parse(url).is_ok_and(|url| !known.contains(&url)));
        self.compared(old, new, pages, unread.collect()).await
    }

    /// How the question is asked again: where the answer looked, which has to be somewhere that may have changed.
    pub(crate) async fn asked_where(
        &self,
        answer: &MessageId,
        question: &Message,
        wired: &Wired,
    ) -> Result<(AskRequest, Vec<Scope>), AppError> {
        let looked = self.remembered_places(&Turn::Continuing(answer.clone())).await?;
        let mut looked = looked.into_iter();
        let request = AskRequest {
            turn: Turn::Regenerating(question.id.clone()),
            scope: looked.next(),
            also: looked.collect(),
            ..AskRequest::default()
        };
        let places = places(&request, wired)?;
        if places.contains(&Scope::Chats) {
            return Err(not_to_be_checked(
                "An answer from past chats has nothing new to be held against.",
            ));
        }
        if places.is_empty() {
            return Err(not_to_be_checked(
                "An answer that nothing was searched for has nothing to be held against.",
            ));
        }
        Ok((request, places))
    }

    /// The question asked again, and each step of it told.
    async fn answer_again(&self, pipeline: Pipeline, asked: Question, run: &Run) -> Result<Answer, AppError> {
        let (sender, mut steps) = mpsc::channel(64);
        let answering = tokio::spawn(carried(async move { pipeline.answer(&asked, sender).await }));
        let answering = AbortOnDropHandle::new(answering);
        while let Some(step) = steps.recv().await {
            if let Step::Event(event) = step
                && is_progress(&event)
            {
                run.tell(*event);
            }
        }
        let answered = answering
            .await
            .map_err(|panic| AppError::Answer(Failure::new(ErrorCode::Internal, panic.to_string())))?;
        answered.map_err(|error| AppError::Answer(Failure::from(&error)))
    }

    async fn compared(
        &self,
        old: &Message,
        new: Option<Answer>,
        pages: Vec<Page>,
        unread: HashSet<String>,
    ) -> Result<Found, AppError> {
        let kept = self.store().lookup_evidence(&old.id).await?.unwrap_or_default();
        let (content, sources) = (old.content.clone(), old.sources.clone().unwrap_or_default());
        // At the deadline, and when it is stopped, this future is dropped, and the thread is not to go on alone.
        let unwanted = CancellationToken::new();
        let _goes_with_this = unwanted.clone().drop_guard();
        let comparing = tokio::task::spawn_blocking(move || {
            let old = Kept {
                content: &content,
                citations: &kept.citations,
                sources: &sources,
            };
            let evidence = Evidence::of_pages(pages, Vec::new());
            let new_kept = new.as_ref().map(|new| Kept {
                content: &new.content,
                citations: &new.citations,
                sources: &new.sources,
            });
            let nothing = Kept {
                content: "",
                citations: &[],
                sources: &[],
            };
            let sentences = compare(old, new_kept.unwrap_or(nothing), &evidence, &unread, &|| {
                !unwanted.is_cancelled()
            });
            Found {
                sentences,
                pages: evidence.pages,
            }
        });
        comparing
            .await
            .map_err(|panic| AppError::Answer(Failure::new(ErrorCode::Internal, panic.to_string())))
    }
}

/// The model that wrote the answer. Where that cannot be had, one of this machine: a recheck may come by itself, and what
/// was said to one model is not told to another elsewhere.
async fn model_again(models: &Models, old: &Message) -> Result<Arc<dyn ChatModel>, AppError> {
    if let Some(id) = old.metadata.as_ref().and_then(|metadata| metadata.model.as_deref()) {
        match models.model(id).await {
            Ok(model) => return Ok(model),
            Err(error) => tracing::info!(%error, "the model that wrote the answer cannot be had"),
        }
    }
    match models.default().await {
        Ok(model) if model.info().local => Ok(model),
        _ => Ok(Arc::new(ExtractiveWriter::default())),
    }
}

/// What a recheck found.
struct Found {
    sentences: Vec<Compared>,
    pages: Vec<Page>,
}

/// Every page that is read on the way, also those that the new answer finds no use for; and of which addresses it is known
/// how they are now.
struct Noted {
    fetcher: Arc<dyn PageFetcher>,
    looked: Mutex<Looked>,
}

#[derive(Default)]
struct Looked {
    pages: Vec<Page>,
    known: HashSet<Url>,
}

impl Noted {
    fn on(fetcher: Arc<dyn PageFetcher>) -> Self {
        Self {
            fetcher,
            looked: Mutex::default(),
        }
    }

    fn take(&self) -> Looked {
        std::mem::take(&mut *self.looked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl PageFetcher for Noted {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        let fetched = self.fetcher.fetch(url).await;
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match &fetched {
            Ok(page) => {
                looked.known.insert(url.clone());
                looked.pages.push(page.clone());
            }
            // That a page is there no more is an answer; that a site is not to be reached is none.
            Err(FetchError::Status { status: 404 | 410, .. } | FetchError::Empty { .. }) => {
                looked.known.insert(url.clone());
            }
            Err(_) => {}
        }
        drop(looked);
        fetched
    }
}

/// The addresses that the old answer rests on, where they may be read now.
fn cited(places: &[Scope], old: &Message) -> Vec<Url> {
    let is_elsewhere = places.iter().any(|place| place.is_elsewhere());
    let may_read = |url: &Url| match url.scheme() {
        "http" | "https" => is_elsewhere,
        deepsearch_files::SCHEME => places.contains(&Scope::Files),
        deepsearch_search::guide::SCHEME => true,
        _ => false,
    };
    let mut seen = HashSet::new();
    let sources = old.sources.iter().flatten();
    let urls = sources.filter_map(|source| Url::parse(&source.url).ok());
    urls.filter(may_read)
        .filter(|url| seen.insert(url.clone()))
        .take(CITED)
        .collect()
}

/// The new answer's words are nobody's to read.
fn is_progress(event: &AnswerEvent) -> bool {
    matches!(
        event,
        AnswerEvent::Planned { .. }
            | AnswerEvent::Searched { .. }
            | AnswerEvent::SearchFailed { .. }
            | AnswerEvent::SourceRead { .. }
            | AnswerEvent::SourceFailed { .. }
            | AnswerEvent::Reranked { .. }
            | AnswerEvent::Ranked { .. }
    )
}

fn found_nothing(new: &Answer) -> Failure {
    // Without evidence, what was written says why there is none.
    Failure::new(ErrorCode::NoResults, new.content.clone())
}

fn was_stopped() -> AppError {
    AppError::Answer(Failure::new(ErrorCode::Cancelled, "The check was stopped."))
}

fn took_too_long() -> AppError {
    let minutes = LIMIT.as_secs() / 60;
    let failure = Failure::new(
        ErrorCode::TimedOut,
        format!("The check took longer than {minutes} minutes."),
    );
    AppError::Answer(failure.hint("Try again, or choose a faster model: `deepsearch models`."))
}

pub(crate) fn not_to_be_checked(why: &str) -> AppError {
    let failure = Failure::new(ErrorCode::Invalid, why);
    AppError::Answer(failure.hint("Name the id of an answer; `deepsearch chats show CHAT` prints them."))
}
