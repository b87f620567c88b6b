//! Runs: the answers being written, each with all that it has told so far, so that a face may go and come again.
//!
//! A run never waits for who watches it. Each watcher reads the one record of what was told at its own pace, and who is
//! slow gets in one piece the text that came meanwhile: nothing is queued for anybody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{ChatId, MessageId};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// An answer that is being written now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct RunningAnswer {
    pub chat_id: ChatId,
    pub question_id: MessageId,
    pub answer_id: MessageId,
}

impl App {
    /// The answers being written, in the order they began.
    pub fn running(&self) -> Vec<RunningAnswer> {
        let live = self.inner.runs.lock();
        live.iter().filter_map(|run| run.answer()).collect()
    }

    /// Joins an answer that is being written: tells every step so far at once, text that came in pieces as one, then what
    /// comes as it comes, and returns when the run has ended. `false`, and nothing told, when it is not running here.
    pub async fn watch(&self, answer: &MessageId, on_events: impl FnMut(Vec<AnswerEvent>) + Send) -> bool {
        self.inner.runs.watch(answer, on_events).await
    }

    /// Stops an answer; what has come of it is kept. Says whether it was running here.
    pub fn stop(&self, answer: &MessageId) -> bool {
        self.inner.runs.stop(answer)
    }
}

/// Every run there is, from before its question is saved until its answer is.
#[derive(Default)]
pub(crate) struct Runs {
    /// Once it is cancelled, runs that begin are stopped from their beginning.
    closing: CancellationToken,
    live: Mutex<Vec<Arc<Live>>>,
}

impl Runs {
    pub(crate) fn begin(self: &Arc<Self>) -> Run {
        let run = self.make(Told::default());
        self.lock().push(Arc::clone(&run.live));
        run
    }

    /// Begins a run of an answer that has its place already, or listens to the one there is.
    pub(crate) fn begin_or_join(self: &Arc<Self>, answer: &MessageId, started: AnswerEvent) -> Result<Run, Listener> {
        let run = self.make(Told(vec![started]));
        let mut live = self.lock();
        let joined = live.iter().find(|run| run.is_of(answer)).map(|run| run.listen());
        if joined.is_none() {
            live.push(Arc::clone(&run.live));
        }
        drop(live);
        joined.map_or(Ok(run), Err)
    }

    fn make(self: &Arc<Self>, told: Told) -> Run {
        let (told, listening) = watch::channel(told);
        let live = Arc::new(Live {
            stop: self.closing.child_token(),
            told: listening,
        });
        Run {
            live,
            told,
            all: Arc::clone(self),
        }
    }

    /// Ends with the app.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    pub(crate) fn stop_all(&self) {
        self.closing.cancel();
    }

    /// As [`App::watch`].
    pub(crate) async fn watch(&self, answer: &MessageId, on_events: impl FnMut(Vec<AnswerEvent>) + Send) -> bool {
        let Some(run) = self.lookup(answer) else {
            return false;
        };
        run.listen().all(on_events).await;
        true
    }

    /// As [`App::stop`].
    pub(crate) fn stop(&self, answer: &MessageId) -> bool {
        self.lookup(answer).inspect(|run| run.stop.cancel()).is_some()
    }

    pub(crate) fn has(&self, answer: &MessageId) -> bool {
        self.lookup(answer).is_some()
    }

    /// Which model writes an answer that is being written here.
    pub(crate) fn model_of(&self, answer: &MessageId) -> Option<String> {
        match self.lookup(answer)?.told.borrow().0.first()? {
            AnswerEvent::Started { model, .. } => Some(model.clone()),
            _ => None,
        }
    }

    pub(crate) fn are_any(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lookup(&self, answer: &MessageId) -> Option<Arc<Live>> {
        self.lock().iter().find(|run| run.is_of(answer)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run as others see it.
struct Live {
    stop: CancellationToken,
    told: watch::Receiver<Told>,
}

impl Live {
    fn is_of(&self, answer: &MessageId) -> bool {
        self.answer().is_some_and(|running| running.answer_id == *answer)
    }

    fn listen(&self) -> Listener {
        Listener {
            told: self.told.clone(),
            event: 0,
            byte: 0,
        }
    }

    /// Which answer it is, once that has a place in its chat.
    fn answer(&self) -> Option<RunningAnswer> {
        match self.told.borrow().0.first()? {
            AnswerEvent::Started {
                chat_id,
                question_id,
                answer_id,
                ..
            } => Some(RunningAnswer {
                chat_id: chat_id.clone(),
                question_id: question_id.clone(),
                answer_id: answer_id.clone(),
            }),
            _ => None,
        }
    }
}

/// A run as whoever drives it holds it. It is over for everybody when this is dropped, however that comes about.
pub(crate) struct Run {
    live: Arc<Live>,
    told: watch::Sender<Told>,
    all: Arc<Runs>,
}

impl Run {
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.live.stop
    }

    /// Tells everybody, without waiting for anybody.
    pub(crate) fn tell(&self, event: AnswerEvent) {
        self.told.send_modify(|told| told.push(event));
    }

    pub(crate) fn listen(&self) -> Listener {
        self.live.listen()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Before the sender goes: who is told that it is over no longer finds it running.
        self.all.lock().retain(|run| !Arc::ptr_eq(run, &self.live));
    }
}

/// What a run has told. Text in a row is one event, so this is at most as long as what the answer holds.
#[derive(Default)]
struct Told(Vec<AnswerEvent>);

impl Told {
    fn push(&mut self, event: AnswerEvent) {
        if let (Some(AnswerEvent::Token { text }), AnswerEvent::Token { text: more }) = (self.0.last_mut(), &event) {
            text.push_str(more);
        } else {
            self.0.push(event);
        }
    }
}

/// One watcher's place in what a run has told.
pub(crate) struct Listener {
    told: watch::Receiver<Told>,
    event: usize,
    /// How much of that event's text was told already, where it is text.
    byte: usize,
}

impl Listener {
    /// Tells everything from the beginning to the end of the run.
    pub(crate) async fn each(self, mut on_event: impl FnMut(AnswerEvent) + Send) {
        self.all(|events| events.into_iter().for_each(&mut on_event)).await;
    }

    /// As [`each`](Self::each), with all that has come since the last time told together.
    async fn all(mut self, mut on_events: impl FnMut(Vec<AnswerEvent>) + Send) {
        loop {
            let events: Vec<_> = std::iter::from_fn(|| self.next()).collect();
            if !events.is_empty() {
                on_events(events);
            }
            // Seen changes come before the end, so nothing is left untold.
            if self.told.changed().await.is_err() {
                return;
            }
        }
    }

    /// The next step that was told, or what its text has grown by. The record is locked no longer than it is copied.
    fn next(&mut self) -> Option<AnswerEvent> {
        let told = self.told.borrow_and_update();
        if let AnswerEvent::Token { text } = told.0.get(self.event)? {
            if self.byte < text.len() {
                let text = text[self.byte..].to_owned();
                self.byte += text.len();
                return Some(AnswerEvent::Token { text });
            }
            // The last text may still grow; one that has another event behind it will not.
            let next = told.0.get(self.event + 1)?.clone();
            self.event += 2;
            self.byte = 0;
            return Some(next);
        }
        let event = told.0[self.event].clone();
        self.event += 1;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> AnswerEvent {
        AnswerEvent::Token { text: text.into() }
    }

    fn titled() -> AnswerEvent {
        AnswerEvent::Titled { title: "é".into() }
    }

    fn told_now(listener: &mut Listener) -> Vec<AnswerEvent> {
        std::iter::from_fn(|| listener.next()).collect()
    }

    #[test]
    fn who_joins_late_or_is_slow_is_told_everything_once_and_in_order() {
        let runs = Arc::new(Runs::default());
        let run = runs.begin();
        let mut early = run.listen();
        run.tell(token("a "));
        assert_eq!(told_now(&mut early), [token("a ")]);
        run.tell(token("lígh"));
        run.tell(token("thouse"));
        let mut late = run.listen();
        assert_eq!(told_now(&mut early), [token("líghthouse")], "what was missed, as one");
        assert_eq!(told_now(&mut early), []);
        assert_eq!(told_now(&mut late), [token("a líghthouse")]);
        run.tell(titled());
        run.tell(token(" end"));
        assert_eq!(told_now(&mut early), [titled(), token(" end")]);
        assert_eq!(told_now(&mut late), [titled(), token(" end")]);
        assert_eq!(
            told_now(&mut run.listen()),
            [token("a líghthouse"), titled(), token(" end")]
        );
    }

    #[test]
    fn a_record_is_no_longer_than_the_text() {
        let run = Arc::new(Runs::default()).begin();
        (0..10_000).for_each(|_| run.tell(token("x")));
        assert_eq!(run.told.borrow().0.len(), 1);
    }

    #[tokio::test]
    async fn a_run_that_breaks_is_over_for_everybody() {
        let runs = Arc::new(Runs::default());
        let run = runs.begin();
        let listener = run.listen();
        let driven = tokio::spawn(async move {
            run.tell(token("half"));
            panic!("on purpose");
        });
        let mut told = Vec::new();
        listener.each(|event| told.push(event)).await;
        assert!(driven.await.is_err());
        assert_eq!(told, [token("half")]);
        assert!(runs.lock().is_empty());
    }

    #[test]
    fn a_run_that_begins_while_the_app_closes_is_stopped_from_its_beginning() {
        let runs = Arc::new(Runs::default());
        runs.stop_all();
        assert!(runs.begin().stop().is_cancelled());
    }
}
