//! Asking, and joining an answer that is being written already.

use std::time::Duration;

use deepsearch_app::{App, AskRequest, RunningAnswer};
use deepsearch_core::{AnswerEvent, Failure, MessageId};
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::told;
use crate::notify;

/// One frame: what comes within it is told together, and tokens are merged.
const FRAME: Duration = Duration::from_millis(16);

/// Answers a question, streaming each step to the window; no events at all are the end. Answers itself as soon as the
/// question is kept, and fails only when nothing was begun: what happens later is told as an event.
///
/// Were it pending until the end, a page that is loaded anew in the meantime would ask twice: Tauri's script takes the
/// request that the webview then drops for one that never arrived, and sends it again another way.
#[tauri::command]
#[specta::specta]
pub(crate) async fn ask(
    window: AppHandle,
    request: AskRequest,
    events: Channel<Vec<AnswerEvent>>,
) -> Result<(), Failure> {
    told(async {
        let (begun, beginning) = oneshot::channel();
        tauri::async_runtime::spawn(answer(window, request, events, begun));
        // Nobody tells when it ended before it began, and then there is nothing to tell.
        beginning.await.unwrap_or(Ok(()))
    })
    .await
}

async fn answer(
    window: AppHandle,
    request: AskRequest,
    events: Channel<Vec<AnswerEvent>>,
    begun: oneshot::Sender<Result<(), Failure>>,
) {
    let app = window.state::<App>();
    let (question, started) = (request.question.clone(), Instant::now());
    let mut telling = Telling::to(events, begun);
    let answered = app.ask(request, |event| telling.push(event)).await;
    if let Some(message) = telling.end(answered).await {
        notify::answer_ready(&window, &app, &question, &message, started.elapsed());
    }
}

/// Tells an answer from its beginning, then as it comes, until it has ended. `false` when it is not being written.
#[tauri::command]
#[specta::specta]
pub(crate) async fn watch_answer(
    app: State<'_, App>,
    answer: MessageId,
    events: Channel<Vec<AnswerEvent>>,
) -> Result<bool, Failure> {
    told(async {
        let frames = Frames::to(events);
        let was_running = app.watch(&answer, |events| frames.push(events)).await;
        frames.finish().await;
        Ok::<_, Failure>(was_running)
    })
    .await
}

/// Stops an answer; what has come is kept.
#[tauri::command]
#[specta::specta]
pub(crate) async fn stop_answer(app: State<'_, App>, answer: MessageId) -> Result<bool, Failure> {
    told(async { Ok::<_, Failure>(app.stop(&answer)) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn running_answers(app: State<'_, App>) -> Result<Vec<RunningAnswer>, Failure> {
    told(async { Ok::<_, Failure>(app.running()) }).await
}

/// Tells a window of work that was begun for it, and whoever began it that it has begun.
pub(super) struct Telling {
    frames: Frames,
    events: Channel<Vec<AnswerEvent>>,
    /// Until the first event.
    begun: Option<oneshot::Sender<Result<(), Failure>>>,
}

impl Telling {
    pub(super) fn to(events: Channel<Vec<AnswerEvent>>, begun: oneshot::Sender<Result<(), Failure>>) -> Self {
        Self {
            frames: Frames::to(events.clone()),
            events,
            begun: Some(begun),
        }
    }

    pub(super) fn push(&mut self, event: AnswerEvent) {
        self.frames.push(vec![event]);
        self.begun.take().map(|begun| begun.send(Ok(())));
    }

    /// Tells that it is over, and gives what came of it. Why nothing was begun is told to whoever wanted it.
    pub(super) async fn end<T, E: Into<Failure>>(self, done: Result<T, E>) -> Option<T> {
        self.frames.finish().await;
        let _ = self.events.send(Vec::new());
        match (done, self.begun) {
            (Ok(done), _) => Some(done),
            (Err(error), begun) => {
                begun.map(|begun| begun.send(Err(error.into())));
                None
            }
        }
    }
}

/// Tells a window events, once a frame at most. A window that has gone is no reason to stop.
pub(super) struct Frames {
    // Holds what one frame brings: the other end takes all that is there each time.
    events: mpsc::UnboundedSender<Vec<AnswerEvent>>,
    telling: JoinHandle<()>,
}

impl Frames {
    pub(super) fn to(window: Channel<Vec<AnswerEvent>>) -> Self {
        let (events, mut coming) = mpsc::unbounded_channel::<Vec<AnswerEvent>>();
        let telling = tauri::async_runtime::spawn(async move {
            while let Some(mut batch) = coming.recv().await {
                while let Ok(more) = coming.try_recv() {
                    more.into_iter().for_each(|event| push(&mut batch, event));
                }
                let _ = window.send(batch);
                tokio::time::sleep(FRAME).await;
            }
        });
        Self { events, telling }
    }

    /// What is given together is told together: a window takes the first that it is told for all there was.
    pub(super) fn push(&self, events: Vec<AnswerEvent>) {
        let _ = self.events.send(events);
    }

    /// Waits until the last event is told: it goes before the command's own answer.
    pub(super) async fn finish(self) {
        drop(self.events);
        let _ = self.telling.await;
    }
}

fn push(batch: &mut Vec<AnswerEvent>, event: AnswerEvent) {
    match (batch.last_mut(), event) {
        (Some(AnswerEvent::Token { text }), AnswerEvent::Token { text: more }) => text.push_str(&more),
        (_, event) => batch.push(event),
    }
}
