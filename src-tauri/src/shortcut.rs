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

/// Registers the shortcut of the settings. One that is taken is no reason not to start: settings show it.
pub(crate) fn set_up(handle: &AppHandle, app: &App) {
    let setting = app.setting(KEY).ok();
    let keys = setting
        .and_then(|setting| setting.value.as_str().map(str::to_owned))
        .unwrap_or_default();
    #[cfg(target_os = "linux")]
    if session() == "wayland" {
        let handle = handle.clone();
        tauri::async_runtime::spawn(async move {
            let bound = || {
                drop(remember(
                    &handle,
                    Shortcut {
                        keys: keys.clone(),
                        active: true,
                        problem: None,
                    },
                ))
            };
            let problem = crate::portal::listen(&handle, &keys, bound).await.err();
            remember(
                &handle,
                Shortcut {
                    keys: keys.clone(),
                    active: false,
                    problem,
                },
            );
        });
        return;
    }
    let problem = register(handle, &keys).err();
    if let Some(problem) = &problem {
        tracing::warn!(%problem, "the shortcut is not registered");
    }
    let active = problem.is_none() && !keys.is_empty();
    remember(handle, Shortcut { keys, active, problem });
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
            problem: None,
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
        Failure::new(ErrorCode::Refused, format!("Another program has taken {keys}."))
            .hint("Choose other keys, or free them there.")
    })
}
