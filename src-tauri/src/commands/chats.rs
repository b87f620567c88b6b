//! The list of chats and one chat at a time.

use deepsearch_app::{App, ChatCursor, ChatFilter, ChatView, OpenChat, OpenMessage};
use deepsearch_core::{AnswerLedger, Chat, ChatId, Failure, MessageId};
use tauri::{AppHandle, Manager, State};

use super::told;
use crate::changes;

/// The most chats or messages that one call gives.
pub(super) const MOST: u32 = 500;

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_chats(
    app: State<'_, App>,
    view: ChatView,
    after: Option<ChatCursor>,
    limit: u32,
) -> Result<Vec<Chat>, Failure> {
    let filter = ChatFilter::of(view);
    told(app.store().list_chats(filter, after.as_ref(), limit.min(MOST))).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn open_chat(
    app: State<'_, App>,
    chat: ChatId,
    before: Option<MessageId>,
    limit: u32,
) -> Result<OpenChat, Failure> {
    told(app.open_chat(&chat, before.as_ref(), limit.min(MOST))).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn open_message(app: State<'_, App>, message: MessageId) -> Result<OpenMessage, Failure> {
    told(app.open_message(&message)).await
}

/// Makes the branch that holds this message the one that is shown.
#[tauri::command]
#[specta::specta]
pub(crate) async fn show_branch(app: State<'_, App>, message: MessageId) -> Result<(), Failure> {
    told(async { app.store().show_branch(&message).await.map(drop) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn rename_chat(
    window: AppHandle,
    app: State<'_, App>,
    chat: ChatId,
    title: String,
) -> Result<Chat, Failure> {
    changed(&window, told(app.store().rename_chat(&chat, &title)).await)
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pin_chat(
    window: AppHandle,
    app: State<'_, App>,
    chat: ChatId,
    pinned: bool,
) -> Result<Chat, Failure> {
    changed(&window, told(app.store().pin_chat(&chat, pinned)).await)
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn archive_chat(
    window: AppHandle,
    app: State<'_, App>,
    chat: ChatId,
    archived: bool,
) -> Result<Chat, Failure> {
    changed(&window, told(app.store().archive_chat(&chat, archived)).await)
}

/// Moves a chat to Trash.
#[tauri::command]
#[specta::specta]
pub(crate) async fn delete_chat(window: AppHandle, app: State<'_, App>, chat: ChatId) -> Result<Chat, Failure> {
    changed(&window, told(app.store().delete_chat(&chat)).await)
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn restore_chat(window: AppHandle, app: State<'_, App>, chat: ChatId) -> Result<Chat, Failure> {
    changed(&window, told(app.store().restore_chat(&chat)).await)
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn delete_chat_forever(window: AppHandle, app: State<'_, App>, chat: ChatId) -> Result<(), Failure> {
    told(app.store().delete_chat_forever(&chat)).await?;
    tell(&window, vec![chat]);
    Ok(())
}

/// Forgets everything in Trash. Returns how many chats that were.
#[tauri::command]
#[specta::specta]
pub(crate) async fn empty_trash(window: AppHandle, app: State<'_, App>) -> Result<u32, Failure> {
    let count = told(app.empty_trash()).await?;
    tell(&window, Vec::new());
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn changed(window: &AppHandle, chat: Result<Chat, Failure>) -> Result<Chat, Failure> {
    chat.inspect(|chat| tell(window, vec![chat.id.clone()]))
}

/// What a person changes in a window is in the others at once, and on its way to other devices.
pub(super) fn tell(window: &AppHandle, chats: Vec<ChatId>) {
    window.state::<App>().nudge_sync();
    changes::tell_library(window, chats);
}

/// What an answer sent to whom; `None` where nobody wrote it down.
#[tauri::command]
#[specta::specta]
pub(crate) async fn answer_ledger(app: State<'_, App>, message: MessageId) -> Result<Option<AnswerLedger>, Failure> {
    told(app.ledger(&message)).await
}
