//! Starting and ending: one process for all windows, closed only when nothing is lost. Until there is an app, it is being
//! opened (`opening.rs`).

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deepsearch_app::App;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};

use crate::commands::{Carrying, Navigate, Offered};
use crate::opening::{Asked, Wish};
use crate::{bindings, changes, deep_link, notify, opening, shortcut, tray, windows};

/// Shows no window: for starting at login.
pub(crate) const HIDDEN: &str = "--hidden";
pub(crate) const QUICK_ASK: &str = "--quick-ask";

/// The daily backup reads the whole history: not while a person waits for their first window or their first answer.
const CHORES_AFTER: Duration = Duration::from_secs(60);

/// The exit code of a start that came to nothing.
pub(crate) const NOT_STARTED: i32 = 1;

/// Opens the window and runs until the app is quit. A second start only tells the first what was asked of it.
pub fn run() -> ExitCode {
    #[cfg(target_os = "linux")]
    without_dmabuf();
    log();
    let bindings = bindings::builder();
    let built = tauri::Builder::default()
        // First, so that a second start ends before it opens anything.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _| {
            // They may hold a deep link and with it a sign-in code: they are never logged.
            let wish = Wish::of(&arguments);
            on_main_thread(app, move |app| ask(app, wish));
        }))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(
            tauri_plugin_opener::Builder::new()
                .open_js_links_on_click(false)
                .build(),
        )
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_global_shortcut::Builder::new().build())
        .plugin(tauri_plugin_autostart::Builder::new().arg(HIDDEN).build())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_denylist(&[windows::QUICK, windows::OPENING])
                .map_label(windows::state_label)
                .build(),
        )
        .invoke_handler(bindings.invoke_handler())
        .setup(move |app| {
            bindings.mount_events(app);
            Ok(set_up(app.handle())?)
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(on_run_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "DeepSearch did not start");
            ExitCode::FAILURE
        }
    }
}

fn set_up(handle: &AppHandle) -> tauri::Result<()> {
    // First, so that no link comes to nobody; what it needs is there before the event loop runs.
    deep_link::listen(handle);
    opening::begin(handle)
}

/// Goes on once there is an app, with all that was asked of it until then.
pub(crate) fn begin_with(handle: &AppHandle, app: App, asked: Asked) -> tauri::Result<()> {
    handle.manage(app.clone());
    handle.manage(Ending::default());
    handle.manage(windows::Arriving::default());
    handle.manage(windows::LastUsed::default());
    handle.manage(shortcut::Registered::default());
    handle.manage(Carrying::default());
    handle.manage(Offered::default());
    handle.manage(tray::Presence::default());
    handle.manage(tray::sync::Line::default());
    if let Some(link) = &asked.link {
        windows::show_main(handle, Some(link.leads_to()))?;
    } else if asked.main {
        windows::show_main(handle, None)?;
    }
    if asked.quick_ask {
        windows::show_quick_ask(handle);
    }
    windows::close_opening(handle);
    changes::forward(handle, &app);
    shortcut::set_up(handle, &app);
    if let Some(link) = asked.link {
        link.follow(handle);
    }
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        // What else there is to set up takes the main thread's time, which the first page wants: it is loaded there.
        windows::all_arrived(&handle).await;
        on_main_thread(&handle, settle);
        tokio::time::sleep(CHORES_AFTER).await;
        app.keep_up().await;
    });
    Ok(())
}

/// All that nobody waits for.
fn settle(handle: &AppHandle) {
    tray::set_up(handle);
    #[cfg(target_os = "linux")]
    deep_link::register(handle.clone());
    notify::set_up(handle);
    stay_in_touch(handle, &handle.state::<App>());
    prepare_quick_ask(handle);
}

/// A sign-in that an earlier start began goes on waiting for its answer, sync runs whenever somebody is signed in, the
/// folders are watched, and answers whose time has come are checked again. Each spawns its work, which wants the runtime
/// that is entered only within a task.
fn stay_in_touch(handle: &AppHandle, app: &App) {
    let (handle, app) = (handle.clone(), app.clone());
    tauri::async_runtime::spawn(async move {
        app.resume_sign_in();
        app.start_sync();
        app.watch_folders();
        let told = app.clone();
        app.start_rechecks(move |due| notify::answer_changed(&handle, &told, &due));
    });
}

/// Builds quick ask once the first window has had its time: the shortcut then only has to show it. Whoever has turned the
/// shortcut off does not pay for a web view that waits.
fn prepare_quick_ask(handle: &AppHandle) {
    if !shortcut::is_wanted(handle) {
        return;
    }
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let here = handle.clone();
        let prepared = handle.run_on_main_thread(move || {
            if let Err(error) = windows::prepare_quick_ask(&here) {
                tracing::warn!(%error, "quick ask is not ready");
            }
        });
        if let Err(error) = prepared {
            tracing::warn!(%error, "quick ask is not ready");
        }
    });
}

/// Does what a second start asks for, or keeps it until it can be done.
fn ask(app: &AppHandle, wish: Wish) {
    if app.try_state::<App>().is_none() {
        return opening::keep(app, wish);
    }
    match wish {
        Wish::Main => windows::tell_main(app, Navigate::Here),
        Wish::QuickAsk => windows::show_quick_ask(app),
        Wish::Nothing => {}
    }
}

/// Does it where windows are made and shown: on the main thread alone, one after the other.
pub(crate) fn on_main_thread(app: &AppHandle, what: impl FnOnce(&AppHandle) + Send + 'static) {
    let here = app.clone();
    if let Err(error) = app.run_on_main_thread(move || what(&here)) {
        tracing::error!(%error, "what was asked for is not done");
    }
}

/// Whether it was started without a window.
pub(crate) fn is_hidden() -> bool {
    has(&arguments(), HIDDEN)
}

pub(crate) fn arguments() -> Vec<String> {
    std::env::args().collect()
}

pub(crate) fn has(arguments: &[String], flag: &str) -> bool {
    arguments.iter().any(|argument| argument == flag)
}

fn on_run_event(handle: &AppHandle, event: RunEvent) {
    match event {
        // No window is left. With a tray the app lives on there, and an answer is always written to its end.
        RunEvent::ExitRequested { code, api, .. } => {
            if code.is_none() && handle.try_state::<App>().is_none() {
                api.prevent_exit();
                handle.exit(NOT_STARTED);
            } else if code.is_none() && tray::is_there(handle) {
                api.prevent_exit();
            } else if code.is_none() && (windows::leaves_answers(handle) || tray::may_come(handle)) {
                api.prevent_exit();
                windows::exit_after_answers(handle);
            } else if closes_first(handle, code.unwrap_or_default()) {
                api.prevent_exit();
            }
        }
        // Sync looks often while somebody looks at a window, and seldom else. Which of two windows says first that the
        // focus went from one to the other is not certain.
        RunEvent::WindowEvent {
            event: WindowEvent::Focused(is_focused),
            label,
            ..
        } => {
            if is_focused {
                windows::used(handle, &label);
            }
            if let Some(app) = handle.try_state::<App>() {
                app.focus_sync(windows::is_watched(handle));
            }
        }
        RunEvent::Exit => {
            // Not closed before where the system ends it: that cannot be put off.
            if let Some(app) = handle.try_state::<App>()
                && !is_closed(handle)
            {
                tauri::async_runtime::block_on(app.close());
            }
            if handle
                .try_state::<Ending>()
                .is_some_and(|ending| ending.again.load(Ordering::Relaxed))
            {
                start_anew(handle);
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen {
            has_visible_windows: false,
            ..
        } => ask(handle, Wish::Main),
        _ => {}
    }
}

/// How far the end has come, and whether it is a new beginning.
#[derive(Default)]
struct Ending {
    closing: Mutex<Closing>,
    again: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Closing {
    #[default]
    NotBegun,
    Begun,
    Done,
}

fn is_closed(handle: &AppHandle) -> bool {
    let ending = handle.try_state::<Ending>();
    ending.is_some_and(|ending| *ending.closing.lock().unwrap_or_else(PoisonError::into_inner) == Closing::Done)
}

/// Closes the app beside the event loop, which takes the windows off the screen meanwhile and serves whoever waits for it,
/// and exits then. `false` when there is nothing to wait for any more.
fn closes_first(handle: &AppHandle, code: i32) -> bool {
    let (Some(app), Some(ending)) = (handle.try_state::<App>(), handle.try_state::<Ending>()) else {
        return false;
    };
    let mut closing = ending.closing.lock().unwrap_or_else(PoisonError::into_inner);
    if *closing == Closing::NotBegun {
        *closing = Closing::Begun;
        let (app, handle) = (app.inner().clone(), handle.clone());
        tauri::async_runtime::spawn(async move {
            app.close().await;
            if let Some(ending) = handle.try_state::<Ending>() {
                *ending.closing.lock().unwrap_or_else(PoisonError::into_inner) = Closing::Done;
            }
            handle.exit(code);
        });
    }
    *closing != Closing::Done
}

/// Ends the app and starts it again.
pub(crate) fn again(handle: &AppHandle) {
    if let Some(ending) = handle.try_state::<Ending>() {
        ending.again.store(true, Ordering::Relaxed);
    }
    handle.exit(0);
}

/// Starts as from the menu, whatever this start was asked for: somebody is looking at a window, who had none after a start
/// that is hidden.
fn start_anew(handle: &AppHandle) -> ! {
    let mut environment = handle.env();
    environment.args_os.truncate(1);
    handle.cleanup_before_exit();
    tauri::process::restart(&environment)
}

/// Some drivers paint nothing with it; what it saves is not worth a blank window. Set here and not by a second start of
/// this program, which would load the window's 160 libraries twice: an eighth of a second.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "WebKit takes this by the environment alone")]
fn without_dmabuf() {
    const RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if std::env::var_os(RENDERER).is_none() {
        // SAFETY: called before anything else, so there is no other thread that could read the environment meanwhile.
        unsafe { std::env::set_var(RENDERER, "1") };
    }
}

fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DEEPSEARCH_LOG").unwrap_or_else(|_| "error".into());
    // This library logs what providers answer, keys that they repeat included.
    let filter = filter.add_directive("genai=off".parse().expect("a fixed directive"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
