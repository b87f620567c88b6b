//! Checking an old answer again: now, by itself, and what came of it.

use chrono::{DateTime, Utc};
use deepsearch_app::{App, RecheckHistory};
use deepsearch_core::recheck::{Every, RecheckSchedule, ScheduledRecheck};
use deepsearch_core::{AnswerEvent, AnswerLedger, Failure, MessageId};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State};
use tokio::sync::oneshot;

use super::ask::{Frames, Telling};
use super::told;

/// Checks an answer again, or joins the check that is under way, streaming its steps; no events at all are the end, and
/// what came of it is in its history. Answers itself as soon as the check has begun, for the reason that `ask` has.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recheck_answer(
    window: AppHandle,
    answer: MessageId,
    events: Channel<Vec<AnswerEvent>>,
) -> Result<(), Failure> {
    told(async {
        let (begun, beginning) = oneshot::channel();
        tauri::async_runtime::spawn(check(window, answer, events, begun));
        beginning.await.unwrap_or(Ok(()))
    })
    .await
}

async fn check(
    window: AppHandle,
    answer: MessageId,
    events: Channel<Vec<AnswerEvent>>,
    begun: oneshot::Sender<Result<(), Failure>>,
) {
    let app = window.state::<App>();
    let mut telling = Telling::to(events, begun);
    let checked = app.recheck(&answer, |event| telling.push(event)).await;
    telling.end(checked).await;
}

/// Tells a check from its beginning, then as it comes, until it has ended. `false` when there is none under way.
#[tauri::command]
#[specta::specta]
pub(crate) async fn watch_recheck(
    app: State<'_, App>,
    answer: MessageId,
    events: Channel<Vec<AnswerEvent>>,
) -> Result<bool, Failure> {
    told(async {
        let frames = Frames::to(events);
        let was_running = app.watch_recheck(&answer, |events| frames.push(events)).await;
        frames.finish().await;
        Ok::<_, Failure>(was_running)
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn stop_recheck(app: State<'_, App>, answer: MessageId) -> Result<bool, Failure> {
    told(async { Ok::<_, Failure>(app.stop_recheck(&answer)) }).await
}

/// What is kept of an answer's checks, and when it is checked again.
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_rechecks(app: State<'_, App>, answer: MessageId) -> Result<RecheckHistory, Failure> {
    told(app.rechecks(&answer)).await
}

/// What one check sent to whom; `None` where nobody wrote it down.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recheck_ledger(
    app: State<'_, App>,
    answer: MessageId,
    checked_at: DateTime<Utc>,
) -> Result<Option<AnswerLedger>, Failure> {
    told(app.recheck_ledger(&answer, checked_at)).await
}

/// Sets how often an answer is checked again by itself; `None` is not at all.
#[tauri::command]
#[specta::specta]
pub(crate) async fn schedule_recheck(
    app: State<'_, App>,
    answer: MessageId,
    every: Option<Every>,
) -> Result<Option<RecheckSchedule>, Failure> {
    told(app.schedule_recheck(&answer, every)).await
}

/// The answers that are checked again by themselves, the next one first.
#[tauri::command]
#[specta::specta]
pub(crate) async fn scheduled_rechecks(app: State<'_, App>) -> Result<Vec<ScheduledRecheck>, Failure> {
    told(app.scheduled_rechecks()).await
}
