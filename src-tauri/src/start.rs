//! Starting and ending: one process for all windows, opened on one data folder, closed only when nothing is lost.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deepsearch_app::{App, AppError, AppOptions, Config, program_beside};
use deepsearch_core::Failure;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};

use crate::commands::{Carrying, Navigate, Offered};
use crate::{bindings, changes, deep_link, notify, shortcut, tray, windows};

/// Shows no window: for starting at login.
pub(crate) const HIDDEN: &str = "--hidden";
const QUICK_ASK: &str = "--quick-ask";

/// The daily backup reads the whole history: not while a person waits for their first window or their first answer.
const CHORES_AFTER: Duration = Duration::from_secs(60);

/// A start that takes longer than this says what it is doing.
const SOON: Duration = Duration::from_millis(500);

/// The exit code of a start that came to nothing.
const NOT_STARTED: i32 = 1;

/// Opens the window and runs until the app is quit. A second start only tells the first what was asked of it.
pub fn run() -> ExitCode {
    #[cfg(target_os = "linux")]
    without_dmabuf();
    log();
    let bindings = bindings::builder();
    let built = tauri::Builder::default()
        // First, so that a second start ends before it opens anything.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _| {
            second_start(app, &arguments);
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
                .with_denylist(&[windows::QUICK, windows::OPENING, windows::FAILED])
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
    let mut opening = tauri::async_runtime::spawn(open());
    let soon = async { tokio::time::timeout(SOON, &mut opening).await };
    if let Ok(opened) = tauri::async_runtime::block_on(soon) {
        return begin(handle, opened?);
    }
    // The backup before a migration, or a repair: with a large history they take their time, and the windows theirs after.
    if !is_hidden() {
        windows::show_opening(handle, None)?;
    }
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        let opened = opening.await;
        let here = handle.clone();
        let begun = handle.run_on_main_thread(move || {
            if let Err(error) = opened.and_then(|opened| begin(&here, opened)) {
                tracing::error!(%error, "DeepSearch did not start");
                here.exit(NOT_STARTED);
            }
        });
        if let Err(error) = begun {
            tracing::error!(%error, "DeepSearch did not start");
        }
    });
    Ok(())
}

/// Goes on once the store is open, or says why it is not.
fn begin(handle: &AppHandle, opened: Result<App, AppError>) -> tauri::Result<()> {
    match opened {
        Ok(app) => begin_with(handle, app),
        Err(error) => {
            let failure = Failure::from(&error);
            tracing::error!(%failure, "the data folder cannot be opened");
            windows::show_opening(handle, Some(&failure))
        }
    }
}

fn begin_with(handle: &AppHandle, app: App) -> tauri::Result<()> {
    handle.manage(app.clone());
    handle.manage(Ending::default());
    handle.manage(windows::Arriving::default());
    handle.manage(windows::LastUsed::default());
    handle.manage(shortcut::Registered::default());
    handle.manage(Carrying::default());
    handle.manage(Offered::default());
    handle.manage(tray::Presence::default());
    handle.manage(tray::sync::Line::default());
    let arguments = arguments();
    let link = deep_link::at_start(handle);
    if has(&arguments, QUICK_ASK) {
        windows::show_quick_ask(handle);
    } else if let Some(link) = &link {
        windows::show_main(handle, Some(link.leads_to()))?;
    } else if !has(&arguments, HIDDEN) {
        windows::show_main(handle, None)?;
    }
    windows::close_opening(handle);
    tray::set_up(handle);
    changes::forward(handle, &app);
    shortcut::set_up(handle, &app);
    deep_link::set_up(handle);
    notify::set_up(handle);
    stay_in_touch(handle, &app);
    if let Some(link) = link {
        link.follow(handle);
    }
    prepare_quick_ask(handle);
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(CHORES_AFTER).await;
        app.keep_up().await;
    });
    Ok(())
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

async fn open() -> Result<App, AppError> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut options = AppOptions::new(Config::load(environment)?);
    // The command parses the pages for both: this program would take fifty times as long to start, for it loads the
    // libraries of the window first.
    options.crawl.parser.command.program = program_beside("deepsearch");
    App::open(options).await
}

// The arguments may hold a deep link and with it a sign-in code: they are never logged.
fn second_start(app: &AppHandle, arguments: &[String]) {
    if app.try_state::<App>().is_none() {
        windows::front_opening(app);
    } else if has(arguments, QUICK_ASK) {
        windows::show_quick_ask(app);
    } else if !arguments.iter().any(|argument| argument.starts_with(deep_link::SCHEME)) {
        windows::tell_main(app, Navigate::Here);
    }
}

/// Whether it was started without a window.
pub(crate) fn is_hidden() -> bool {
    has(&arguments(), HIDDEN)
}

fn arguments() -> Vec<String> {
    std::env::args().collect()
}

fn has(arguments: &[String], flag: &str) -> bool {
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
            } else if code.is_none() && windows::leaves_answers(handle) {
                api.prevent_exit();
                windows::exit_after_answers(handle);
            } else if closes_first(handle, code.unwrap_or_default()) {
                api.prevent_exit();
            }
        }
        // Sync looks often while somebody looks at a window, and seldom else.
        RunEvent::WindowEvent {
            event: WindowEvent::Focused(is_focused),
            label,
            ..
        } => {
            if is_focused {
                windows::used(handle, &label);
            }
            if let Some(app) = handle.try_state::<App>() {
                app.focus_sync(is_focused);
            }
        }
        // Not closed before where the app starts again: that cannot be put off.
        RunEvent::Exit if !is_closed(handle) => {
            if let Some(app) = handle.try_state::<App>() {
                tauri::async_runtime::block_on(app.close());
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen {
            has_visible_windows: false,
            ..
        } if handle.try_state::<App>().is_some() => windows::tell_main(handle, Navigate::Here),
        _ => {}
    }
}

/// How far the end has come.
#[derive(Default)]
struct Ending(Mutex<Closing>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Closing {
    #[default]
    NotBegun,
    Begun,
    Done,
}

fn is_closed(handle: &AppHandle) -> bool {
    let ending = handle.try_state::<Ending>();
    ending.is_some_and(|ending| *ending.0.lock().unwrap_or_else(PoisonError::into_inner) == Closing::Done)
}

/// Closes the app beside the event loop, which takes the windows off the screen meanwhile and serves whoever waits for it,
/// and exits then. `false` when there is nothing to wait for any more.
fn closes_first(handle: &AppHandle, code: i32) -> bool {
    let (Some(app), Some(ending)) = (handle.try_state::<App>(), handle.try_state::<Ending>()) else {
        return false;
    };
    let mut closing = ending.0.lock().unwrap_or_else(PoisonError::into_inner);
    if *closing == Closing::NotBegun {
        *closing = Closing::Begun;
        let (app, handle) = (app.inner().clone(), handle.clone());
        tauri::async_runtime::spawn(async move {
            app.close().await;
            if let Some(ending) = handle.try_state::<Ending>() {
                *ending.0.lock().unwrap_or_else(PoisonError::into_inner) = Closing::Done;
            }
            handle.exit(code);
        });
    }
    *closing != Closing::Done
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
