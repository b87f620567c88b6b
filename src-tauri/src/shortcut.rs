//! The global shortcut of quick ask: registered with the system, or with the desktop's portal on Wayland.

use std::sync::{Mutex, PoisonError};

use deepsearch_app::App;
use deepsearch_core::{ErrorCode, Failure};
use serde::Serialize;
use tauri::{AppHandle, Manager};
use tauri_plugin_global_shortcut::{GlobalShortcutExt, ShortcutState};

use crate::commands::session;
use crate::windows;

const KEY: &str = "shortcut.quick_ask";

/// The shortcut as it stands.
#[derive(Debug, Clone, Default, Serialize, specta::Type)]
pub(crate) struct Shortcut {
    /// As Tauri writes it, `CommandOrControl+Shift+Space`; empty when there is none.
    keys: String,
    /// The keys that a Wayland desktop gave, in its words; it need not have taken ours.
    given: Option<String>,
    /// Whether the system lets it through to us now.
    active: bool,
    /// Why not, in words.
    problem: Option<Failure>,
}

/// What is registered now.
#[derive(Default)]
pub(crate) struct Registered(Mutex<Shortcut>);

pub(crate) fn current(app: &AppHandle) -> Shortcut {
    app.state::<Registered>()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn remember(app: &AppHandle, shortcut: Shortcut) -> Shortcut {
    *app.state::<Registered>()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = shortcut.clone();
    shortcut
}

/// Registers the shortcut of the settings. One that is taken is no reason not to start: the window says so.
pub(crate) fn set_up(handle: &AppHandle, app: &App) {
    let keys = wanted(app);
    #[cfg(target_os = "linux")]
    if session() == "wayland" {
        let handle = handle.clone();
        tauri::async_runtime::spawn(async move {
            let bound = |given: Option<String>| {
                let bound = Shortcut {
                    keys: keys.clone(),
                    given,
                    active: true,
                    ..Shortcut::default()
                };
                remember(&handle, bound);
            };
            let problem = crate::portal::listen(&handle, &keys, bound).await.err();
            let ended = Shortcut {
                keys: keys.clone(),
                problem: problem.or_else(|| Some(crate::portal::ended())),
                ..Shortcut::default()
            };
            remember(&handle, ended);
        });
        return;
    }
    let problem = register(handle, &keys).err();
    if let Some(problem) = &problem {
        tracing::warn!(%problem, "the shortcut is not registered");
    }
    let active = problem.is_none() && !keys.is_empty();
    let shortcut = Shortcut {
        keys,
        active,
        problem,
        ..Shortcut::default()
    };
    remember(handle, shortcut);
}

/// Whether quick ask is to be called by keys.
pub(crate) fn is_wanted(handle: &AppHandle) -> bool {
    !wanted(&handle.state::<App>()).is_empty()
}

fn wanted(app: &App) -> String {
    let setting = app.setting(KEY).ok();
    setting
        .and_then(|setting| setting.value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Takes another shortcut and keeps it in the settings. The old one stays when the new one cannot be had.
///
/// # Errors
/// [`Failure`] that says whether the keys are no shortcut, or taken by another program.
pub(crate) async fn update(handle: &AppHandle, app: &App, keys: String) -> Result<Shortcut, Failure> {
    if session() == "wayland" {
        return Err(
            Failure::new(ErrorCode::Refused, "On Wayland the desktop decides on shortcuts.")
                .hint("Change it in your desktop's keyboard settings, or bind `deepsearch --quick-ask` there."),
        );
    }
    let old = current(handle);
    if old.keys == keys && old.active {
        return Ok(old);
    }
    if old.active {
        let _ = handle.global_shortcut().unregister(old.keys.as_str());
    }
    let kept = match register(handle, &keys) {
        Ok(()) => app.update_setting(KEY, Some(&keys)).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    if let Err(failure) = kept {
        let _ = handle.global_shortcut().unregister(keys.as_str());
        let _ = register(handle, &old.keys);
        return Err(failure);
    }
    let active = !keys.is_empty();
    Ok(remember(
        handle,
        Shortcut {
            keys,
            active,
            ..Shortcut::default()
        },
    ))
}

fn register(app: &AppHandle, keys: &str) -> Result<(), Failure> {
    if keys.is_empty() {
        return Ok(());
    }
    let pressed = |app: &AppHandle, _: &_, event: tauri_plugin_global_shortcut::ShortcutEvent| {
        if event.state() == ShortcutState::Pressed {
            windows::toggle_quick_ask(app);
        }
    };
    if keys.parse::<tauri_plugin_global_shortcut::Shortcut>().is_err() {
        return Err(Failure::new(ErrorCode::Invalid, format!("`{keys}` is no shortcut."))
            .hint("Press Ctrl, Alt, Shift or the Windows or Command key together with another key."));
    }
    app.global_shortcut().on_shortcut(keys, pressed).map_err(|error| {
        tracing::debug!(%error, "a shortcut was refused");
        let refused = |message| Failure::new(ErrorCode::Refused, message);
        // The plugin passes on the library's words and no more.
        if error.to_string().starts_with("HotKey already registered") {
            return refused(format!("Another program has taken {keys}."))
                .hint("Choose other keys, or free them there.");
        }
        refused(format!("The system does not let {keys} through to this app."))
            .hint("Choose other keys, or bind `deepsearch --quick-ask` to keys in the desktop's keyboard settings.")
    })
}
