//! Notifications: a long answer that nobody waited for is ready, or an old one has changed. A click leads to its chat.

use std::time::Duration;

use deepsearch_app::{App, DueRecheck};
use deepsearch_core::{ChatId, Message, MessageId};
use serde_json::Value;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

use crate::commands::Navigate;
use crate::tray::words;
use crate::windows;

/// Who waited less is still looking.
const LONG: Duration = Duration::from_secs(10);

/// What a notification carries, so that a click on it leads there.
const CHAT: &str = "chat";
const MESSAGE: &str = "message";

/// Leads to the chat of a notification that is clicked, for as long as the app runs.
pub(crate) fn set_up(handle: &AppHandle) {
    let own = handle.clone();
    let registered = handle.notification().on_action(move |action| {
        let carried = action.notification().map(|notification| notification.extra());
        let text = |key: &str| carried?.get(key).and_then(Value::as_str).map(str::to_owned);
        let navigate = match text(CHAT) {
            Some(chat) => Navigate::Chat {
                chat_id: ChatId::from_stored(chat),
                message_id: text(MESSAGE).map(MessageId::from_stored),
            },
            None => Navigate::Here,
        };
        let here = own.clone();
        // Windows are made and shown by the main thread alone.
        let shown = own.run_on_main_thread(move || windows::tell_main(&here, navigate));
        if let Err(error) = shown {
            tracing::warn!(%error, "the notification leads nowhere");
        }
    });
    if let Err(error) = registered {
        tracing::warn!(%error, "a click on a notification leads nowhere");
    }
}

/// Says that the answer to `question` is ready, if it took long, nobody looks, and the person wants to be told.
pub(crate) fn answer_ready(handle: &AppHandle, app: &App, question: &str, answer: &Message, took: Duration) {
    if took < LONG || windows::is_watched(handle) {
        return;
    }
    show(
        handle,
        app,
        words::of(app).answer_ready,
        question,
        (&answer.chat_id, &answer.id),
    );
}

/// Says that an answer that is checked again by itself is not what it was, once for each change.
pub(crate) fn answer_changed(handle: &AppHandle, app: &App, due: &DueRecheck) {
    if due.news == 0 {
        return;
    }
    show(
        handle,
        app,
        words::of(app).answer_changed,
        &due.question,
        (&due.chat_id, &due.answer_id),
    );
}

fn show(handle: &AppHandle, app: &App, title: &str, question: &str, (chat, message): (&ChatId, &MessageId)) {
    let is_wanted = app
        .setting("notifications.enabled")
        .is_ok_and(|setting| setting.value == true);
    if !is_wanted {
        return;
    }
    let shown = handle
        .notification()
        .builder()
        .title(title)
        .body(deepsearch_core::chat::title_from_question(question))
        .extra(CHAT, chat.as_str())
        .extra(MESSAGE, message.as_str())
        .show();
    if let Err(error) = shown {
        tracing::warn!(%error, "the notification was not shown");
    }
}
