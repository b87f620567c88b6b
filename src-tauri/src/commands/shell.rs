//! What belongs to the window and the desktop around it, and what windows are told.

use chrono::{DateTime, Utc};
use deepsearch_app::{App, Recovery};
use deepsearch_core::{ChatId, Failure, MessageId};
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager, State, WebviewWindow};
use tauri_plugin_autostart::ManagerExt;
use tauri_specta::Event;

use super::told;
use crate::windows::{self, shell_failure};
use crate::{shortcut, tray};

/// Which of the windows a page is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WindowKind {
    Main,
    Quick,
}

/// What a window is given before its first paint, as `window.__START__`.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub(crate) struct Start {
    window: WindowKind,
    /// Where to go first.
    navigate: Option<Navigate>,
    /// `dark`, `light` or `system`.
    pub(crate) theme: String,
    /// A language tag; `None` is the system's.
    language: Option<String>,
    /// Percent.
    text_size: u32,
}

impl Start {
    pub(crate) fn now(app: &App, window: WindowKind, navigate: Option<Navigate>) -> Self {
        let setting = |key| app.setting(key).ok();
        let text = |key| setting(key).and_then(|setting| setting.value.as_str().map(str::to_owned));
        let is_chosen = setting("language").is_some_and(|setting| setting.origin != deepsearch_app::Origin::Default);
        let size = setting("appearance.text_size").and_then(|setting| setting.value.as_u64());
        Self {
            window,
            navigate,
            theme: text("theme").unwrap_or_else(|| "dark".into()),
            language: text("language").filter(|_| is_chosen),
            text_size: size.and_then(|size| u32::try_from(size).ok()).unwrap_or(100),
        }
    }
}

/// What a window is asked to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type, Event)]
#[serde(tag = "to", rename_all = "snake_case")]
pub(crate) enum Navigate {
    /// Come to the front, and stay where you are.
    Here,
    Chat {
        chat_id: ChatId,
        message_id: Option<MessageId>,
    },
    Ask {
        question: Option<String>,
    },
    Settings {
        section: Option<String>,
    },
    Notice {
        failure: Failure,
    },
}

/// Chats that changed; none named is all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type, Event)]
pub(crate) struct LibraryChanged {
    pub(crate) chats: Vec<ChatId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type, Event)]
pub(crate) struct SettingsChanged {
    pub(crate) keys: Vec<String>,
}

/// Quick ask came to the front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type, Event)]
pub(crate) struct QuickAskShown;

/// What a window says of the app around it.
#[derive(Debug, Serialize, specta::Type)]
pub(crate) struct AppInfo {
    version: String,
    /// `linux`, `macos`, `windows`.
    os: &'static str,
    /// `x11`, `wayland`, or nothing to tell.
    session: &'static str,
    /// Whether the desktop shows tray icons.
    tray: bool,
    data_folder: String,
    read_only: bool,
    /// What was done at the start about a store that was damaged.
    recovery: Option<Repair>,
}

/// What was done about a damaged store. The window says it in its own language.
#[derive(Debug, Serialize, specta::Type)]
pub(crate) struct Repair {
    /// When the backup was made that took its place; `None` where there was none.
    restored: Option<DateTime<Utc>>,
    /// Rows that were read out of the damaged file beside it.
    rows: u32,
    /// At most so many could not be.
    lost: u32,
    /// Where the damaged file is kept.
    damaged: String,
}

impl From<&Recovery> for Repair {
    fn from(recovery: &Recovery) -> Self {
        let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            restored: recovery.restored.as_ref().map(|backup| backup.created_at),
            rows: count(recovery.salvaged.rows),
            lost: count(recovery.salvaged.lost),
            damaged: recovery.damaged.to_string_lossy().into_owned(),
        }
    }
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn info(window: AppHandle, app: State<'_, App>) -> Result<AppInfo, Failure> {
    told(async {
        Ok::<_, Failure>(AppInfo {
            version: window.package_info().version.to_string(),
            os: std::env::consts::OS,
            session: session(),
            tray: tray::will_be_there(&window).await,
            data_folder: app.config().home.to_string_lossy().into_owned(),
            read_only: app.store().is_read_only(),
            recovery: app.store().recovery().map(Repair::from),
        })
    })
    .await
}

pub(crate) fn session() -> &'static str {
    if !cfg!(target_os = "linux") {
        return "other";
    }
    if std::env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty()) {
        "wayland"
    } else {
        "x11"
    }
}

/// The window listens from now on; gives where it was asked to go while it came up.
#[tauri::command]
#[specta::specta]
pub(crate) async fn arrive(window: WebviewWindow) -> Result<Option<Navigate>, Failure> {
    told(async { Ok::<_, Failure>(windows::arrived(window.app_handle(), window.label())) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn shortcut(window: AppHandle) -> Result<shortcut::Shortcut, Failure> {
    told(async { Ok::<_, Failure>(shortcut::current(&window)) }).await
}

/// Takes another shortcut for quick ask; empty takes none. The old one stays when the new one cannot be had.
#[tauri::command]
#[specta::specta]
pub(crate) async fn update_shortcut(
    window: AppHandle,
    app: State<'_, App>,
    keys: String,
) -> Result<shortcut::Shortcut, Failure> {
    told(shortcut::update(&window, &app, keys)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn starts_at_login(window: AppHandle) -> Result<bool, Failure> {
    told(async { window.autolaunch().is_enabled().map_err(|error| shell_failure(&error)) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn update_starts_at_login(window: AppHandle, on: bool) -> Result<(), Failure> {
    told(async {
        let autostart = window.autolaunch();
        let done = if on { autostart.enable() } else { autostart.disable() };
        done.map_err(|error| shell_failure(&error))
    })
    .await
}

/// Another main window, at a chat or at a new question.
#[tauri::command]
#[specta::specta]
pub(crate) async fn new_window(window: AppHandle, chat: Option<ChatId>) -> Result<(), Failure> {
    told(async {
        let navigate = chat.map(|chat_id| Navigate::Chat {
            chat_id,
            message_id: None,
        });
        windows::open_main(&window, navigate)
            .map(drop)
            .map_err(|error| shell_failure(&error))
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn show_quick_ask(window: AppHandle) -> Result<(), Failure> {
    told(async {
        windows::show_quick_ask(&window);
        Ok::<_, Failure>(())
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn hide_quick_ask(window: AppHandle) -> Result<(), Failure> {
    told(async {
        windows::hide_quick_ask(&window);
        Ok::<_, Failure>(())
    })
    .await
}

/// Makes quick ask as tall as what it shows, in logical pixels.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fit_quick_ask(window: AppHandle, height: f64) -> Result<(), Failure> {
    told(async { windows::fit_quick_ask(&window, height).map_err(|error| shell_failure(&error)) }).await
}

/// Shows the chat in the main window and puts quick ask away.
#[tauri::command]
#[specta::specta]
pub(crate) async fn carry_on(window: AppHandle, chat: ChatId) -> Result<(), Failure> {
    told(async { windows::carry_on(&window, chat) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn close_window(window: WebviewWindow) -> Result<(), Failure> {
    told(async { window.close().map_err(|error| shell_failure(&error)) }).await
}
