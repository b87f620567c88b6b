//! Asking, and joining an answer that is being written already.

use std::time::Duration;

use deepsearch_app::{App, AskRequest, RunningAnswer};
use deepsearch_core::{AnswerEvent, Failure, MessageId};
use tauri::ipc::Channel;
use tauri::{AppHandle, State};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::told;
use crate::notify;

/// One frame: what comes within it is told together, and tokens are merged.
const FRAME: Duration = Duration::from_millis(16);

/// Answers a question, streaming each step to the window. Fails only when nothing was begun: what happens later is
/// told as an event.
#[tauri::command]
#[specta::specta]
pub(crate) async fn ask(
    window: AppHandle,
    app: State<'_, App>,
    request: AskRequest,
    events: Channel<Vec<AnswerEvent>>,
) -> Result<(), Failure> {
    told(async {
        let (question, begun) = (request.question.clone(), Instant::now());
        let mut has_begun = false;
        let told = stream(events, async |tell| {
            app.ask(request, |event| {
                has_begun = true;
                tell(event);
            })
            .await
        });
        match told.await {
            Err(error) if !has_begun => Err(error),
            Err(_) => Ok(()),
            Ok(_) => {
                notify::answer_ready(&window, &app, &question, begun.elapsed());
                Ok(())
            }
        }
    })
    .await
}

/// Tells an answer from its beginning, then as it comes, until it has ended. `false` when it is not being written.
#[tauri::command]
#[specta::specta]
pub(crate) async fn watch_answer(
    app: State<'_, App>,
    answer: MessageId,
    events: Channel<Vec<AnswerEvent>>,
) -> Result<bool, Failure> {
    told(async { Ok::<_, Failure>(stream(events, async |tell| app.watch(&answer, tell).await).await) }).await
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

/// Runs `work` with a function that tells the window, once a frame at most. A window that has gone is no reason to stop.
async fn stream<T>(
    events: Channel<Vec<AnswerEvent>>,
    work: impl AsyncFnOnce(&mut (dyn FnMut(AnswerEvent) + Send)) -> T,
) -> T {
    // Holds what one frame brings: the other end takes all that is there each time.
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let telling = tauri::async_runtime::spawn(async move {
        while let Some(first) = receiver.recv().await {
            let mut batch = vec![first];
            while let Ok(event) = receiver.try_recv() {
                push(&mut batch, event);
            }
            let _ = events.send(batch);
            tokio::time::sleep(FRAME).await;
        }
    });
    let done = work(&mut |event| {
        let _ = sender.send(event);
    })
    .await;
    drop(sender);
    // The last events go before the command's own answer.
    let _ = telling.await;
    done
}

fn push(batch: &mut Vec<AnswerEvent>, event: AnswerEvent) {
    match (batch.last_mut(), event) {
        (Some(AnswerEvent::Token { text }), AnswerEvent::Token { text: more }) => text.push_str(&more),
        (_, event) => batch.push(event),
    }
}
