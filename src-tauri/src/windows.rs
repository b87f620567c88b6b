//! Windows: the main ones, any number of them, and quick ask, of which there is one, kept ready while it is hidden.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deepsearch_app::App;
use deepsearch_core::{ChatId, ErrorCode, Failure};
use tauri::window::Color;
use tauri::{
    AppHandle, LogicalSize, Manager, PhysicalPosition, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};
use tauri_specta::Event;
use tokio::sync::watch;

use crate::commands::{Navigate, QuickAskShown, Start, WindowKind};
use crate::opening::{self, Opening};
use crate::{start, tray};

pub(crate) const MAIN: &str = "main";
pub(crate) const QUICK: &str = "quick";
pub(crate) const OPENING: &str = "opening";

const OPENING_WIDTH: f64 = 540.0;

const QUICK_WIDTH: f64 = 720.0;
/// A bare field; the page asks for more as its answer grows.
const QUICK_HEIGHT: f64 = 76.0;
const QUICK_TALLEST: f64 = 640.0;

/// A page that takes longer is waited for in sight.
#[cfg(target_os = "linux")]
const LATEST: Duration = Duration::from_secs(1);

/// How far another window lies from the one it was opened from, to the right and down, in logical pixels.
const STEP: f64 = 28.0;

/// Further main windows are numbered, and all share the size that was remembered for the first.
static NUMBER: AtomicU32 = AtomicU32::new(2);

/// Windows whose page does not listen yet, each with where it is to go as soon as it does.
#[derive(Default)]
pub(crate) struct Arriving(watch::Sender<HashMap<String, Option<Navigate>>>);

/// Until no page is on its way, within reason.
pub(crate) async fn all_arrived(app: &AppHandle) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut arriving = app.state::<Arriving>().0.subscribe();
    let all = arriving.wait_for(HashMap::is_empty);
    // A page that does not come keeps nothing else waiting.
    let _ = tokio::time::timeout(PATIENCE, all).await;
}

/// A window's page listens from now on; gives where it was asked to go meanwhile.
pub(crate) fn arrived(app: &AppHandle, label: &str) -> Option<Navigate> {
    arriving(app, |arriving| arriving.remove(label)).flatten()
}

fn arriving<T>(app: &AppHandle, what: impl FnOnce(&mut HashMap<String, Option<Navigate>>) -> T) -> T {
    let mut given = None;
    app.state::<Arriving>()
        .0
        .send_modify(|arriving| given = Some(what(arriving)));
    given.expect("what is sent is changed at once")
}

/// Which main window the person was in last.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<String>);

pub(crate) fn used(app: &AppHandle, label: &str) {
    if state_label(label) == MAIN
        && let Some(last) = app.try_state::<LastUsed>()
    {
        label.clone_into(&mut last.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

pub(crate) fn state_label(label: &str) -> &str {
    if label.starts_with("main-") { MAIN } else { label }
}

/// Another main window, or the first.
pub(crate) fn open_main(app: &AppHandle, navigate: Option<Navigate>) -> tauri::Result<WebviewWindow> {
    let label = if app.get_webview_window(MAIN).is_none() {
        MAIN.to_owned()
    } else {
        format!("main-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    };
    let beside = a_main(app).and_then(|other| other.outer_position().ok().zip(other.scale_factor().ok()));
    arriving(app, |arriving| arriving.insert(label.clone(), None));
    let window = build(app, &label, "index.html", WindowKind::Main, navigate)?
        .title("DeepSearch")
        .inner_size(1180.0, 780.0)
        .min_inner_size(420.0, 480.0)
        .center();
    #[cfg(target_os = "linux")]
    let window = window.on_page_load(|window, load| {
        if load.event() == tauri::webview::PageLoadEvent::Finished {
            show_page(&window);
        }
    });
    let window = window.build()?;
    #[cfg(target_os = "linux")]
    show_with_its_page(&window)?;
    // Exactly over the other nobody would see that it is there.
    if let Some((at, scale)) = beside {
        let step = (STEP * scale) as i32;
        let _ = window.set_position(PhysicalPosition::new(at.x + step, at.y + step));
    }
    crate::commands::take_drops(&window);
    let own = app.clone();
    window.on_window_event(move |event| {
        if matches!(event, WindowEvent::Destroyed) {
            arrived(&own, &label);
            left(&own, Some(&label));
        }
    });
    Ok(window)
}

/// WebKitGTK waits half a second for a page to be drawn that is not here yet, and that on the very thread that loads it:
/// until then the window shows its paper.
#[cfg(target_os = "linux")]
fn show_with_its_page(window: &WebviewWindow) -> tauri::Result<()> {
    use gtk::prelude::WidgetExt;
    window.with_webview(|page| {
        // Else it is shown with the window.
        page.inner().set_no_show_all(true);
        page.inner().hide();
    })?;
    let window = window.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(LATEST).await;
        show_page(&window);
    });
    Ok(())
}

#[cfg(target_os = "linux")]
fn show_page(window: &WebviewWindow) {
    use gtk::prelude::WidgetExt;
    let shown = window.with_webview(|page| {
        let page = page.inner();
        if !page.is_visible() {
            page.set_no_show_all(false);
            page.show();
            page.grab_focus();
        }
    });
    if let Err(error) = shown {
        tracing::error!(%error, "a page cannot be shown");
    }
}

/// Where no tray shows the app it ends with the last window that a person sees, which a hidden quick ask is not.
fn left(app: &AppHandle, gone: Option<&str>) {
    if tray::is_there(app) || is_anything_seen(app, gone) {
        return;
    }
    if let Some(quick) = app.get_webview_window(QUICK)
        && let Err(error) = quick.destroy()
    {
        tracing::error!(%error, "quick ask stays behind");
    }
}

fn is_anything_seen(app: &AppHandle, gone: Option<&str>) -> bool {
    let is_seen = |(label, window): (String, WebviewWindow)| {
        Some(label.as_str()) != gone && (state_label(&label) == MAIN || window.is_visible().unwrap_or(false))
    };
    app.webview_windows().into_iter().any(is_seen)
}

/// Shows a main window, the one used last if there are several, and tells it where to go.
pub(crate) fn show_main(app: &AppHandle, navigate: Option<Navigate>) -> tauri::Result<()> {
    let Some(window) = a_main(app) else {
        open_main(app, navigate)?;
        return Ok(());
    };
    if let Some(navigate) = navigate {
        let waits = arriving(app, |arriving| {
            let waits = arriving.get_mut(window.label());
            waits.map(|later| *later = Some(navigate.clone())).is_some()
        });
        if !waits {
            navigate.emit_to(app, window.label())?;
        }
    }
    window.show()?;
    window.unminimize()?;
    window.set_focus()
}

/// As [`show_main`], for callers that have nobody to tell of an error.
pub(crate) fn tell_main(app: &AppHandle, navigate: Navigate) {
    if let Err(error) = show_main(app, Some(navigate)) {
        tracing::error!(%error, "the main window cannot be shown");
    }
}

fn a_main(app: &AppHandle) -> Option<WebviewWindow> {
    let windows = app.webview_windows();
    let last = app.state::<LastUsed>();
    let last = last.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut mains: Vec<_> = windows
        .into_iter()
        .filter(|(label, _)| state_label(label) == MAIN)
        .map(|(_, window)| window)
        .collect();
    mains.sort_by_key(|window| (window.label() != last, window.label().to_owned()));
    mains.into_iter().next()
}

/// Whether the person is looking at any window of ours.
pub(crate) fn is_watched(app: &AppHandle) -> bool {
    let windows = app.webview_windows();
    windows.values().any(|window| window.is_focused().unwrap_or(false))
}

/// Builds quick ask hidden, so that the shortcut has only to show it.
pub(crate) fn prepare_quick_ask(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    if let Some(window) = app.get_webview_window(QUICK) {
        return Ok(window);
    }
    let window = build(app, QUICK, "quick.html", WindowKind::Quick, None)?
        .title(tray::words::of(&app.state::<App>()).quick_ask)
        .inner_size(QUICK_WIDTH, QUICK_HEIGHT)
        // A window that GTK may not resize cannot be lower than a web view wants to be. Without a frame nobody can anyway.
        .resizable(cfg!(target_os = "linux"))
        .decorations(false)
        .always_on_top(true)
        .skip_taskbar(true)
        .visible_on_all_workspaces(true)
        .visible(false)
        .build()?;
    let own = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            hide_quick_ask(own.app_handle());
        }
    });
    Ok(window)
}

/// Calls quick ask by its name in the language of the app, which may be another now.
pub(crate) fn name_quick_ask(app: &AppHandle) {
    let Some(window) = app.get_webview_window(QUICK) else {
        return;
    };
    if let Err(error) = window.set_title(tray::words::of(&app.state::<App>()).quick_ask) {
        tracing::warn!(%error, "quick ask keeps its old name");
    }
}

/// Shows quick ask with its field ready, in the upper part of the screen where the pointer is.
pub(crate) fn show_quick_ask(app: &AppHandle) {
    let shown = prepare_quick_ask(app).and_then(|window| {
        place(&window);
        window.show()?;
        window.set_focus()?;
        QuickAskShown.emit_to(app, QUICK)
    });
    if let Err(error) = shown {
        tracing::error!(%error, "quick ask cannot be shown");
    }
    keep_focus(app);
}

/// A page that is only coming takes the focus with its question field, from quick ask too, which is given it back.
fn keep_focus(app: &AppHandle) {
    if app.state::<Arriving>().0.borrow().is_empty() {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        all_arrived(&app).await;
        start::on_main_thread(&app, |app| {
            if let Some(window) = app.get_webview_window(QUICK)
                && window.is_visible().unwrap_or(false)
                && let Err(error) = window.set_focus()
            {
                tracing::warn!(%error, "quick ask has not the focus");
            }
        });
    });
}

/// The shortcut shows it, and pressed again hides it.
pub(crate) fn toggle_quick_ask(app: &AppHandle) {
    let is_shown = |window: WebviewWindow| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false);
    if app.get_webview_window(QUICK).is_some_and(is_shown) {
        hide_quick_ask(app);
    } else {
        show_quick_ask(app);
    }
}

/// As [`toggle_quick_ask`], on a Wayland desktop: without its token a window that is shown stays behind the others.
#[cfg(target_os = "linux")]
pub(crate) fn call_quick_ask(app: &AppHandle, token: Option<String>) {
    let here = app.clone();
    let called = app.run_on_main_thread(move || {
        use gtk::prelude::{GtkWindowExt, ObjectExt, WidgetExt};
        if let Some(token) = token
            && let Ok(window) = prepare_quick_ask(&here).and_then(|window| window.gtk_window())
            // On X11 it would be read as a time, and a wrong one.
            && window.display().type_().name() == "GdkWaylandDisplay"
        {
            window.set_startup_id(&token);
        }
        toggle_quick_ask(&here);
    });
    if let Err(error) = called {
        tracing::error!(%error, "quick ask cannot be shown");
    }
}

/// Hides it; the system gives the focus back to the window that had it.
pub(crate) fn hide_quick_ask(app: &AppHandle) {
    put_away(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Soon after the start nobody knows yet whether there is one. Whoever starts it hidden wants it to wait unseen.
        if tray::will_be_there(&app).await || start::is_hidden() {
            return;
        }
        let here = app.clone();
        if let Err(error) = app.run_on_main_thread(move || left(&here, None)) {
            tracing::error!(%error, "quick ask stays behind");
        }
    });
}

fn put_away(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(QUICK)
        && let Err(error) = window.hide()
    {
        tracing::error!(%error, "quick ask cannot be hidden");
    }
    // There the focus goes back only with the whole app.
    #[cfg(target_os = "macos")]
    if a_main(app).is_none_or(|window| !window.is_visible().unwrap_or(false)) {
        let _ = app.hide();
    }
}

/// Makes quick ask as tall as what it shows, in logical pixels.
pub(crate) fn fit_quick_ask(app: &AppHandle, height: f64) -> tauri::Result<()> {
    let Some(window) = app.get_webview_window(QUICK) else {
        return Ok(());
    };
    let height = if height.is_finite() { height } else { QUICK_HEIGHT };
    window.set_size(LogicalSize::new(QUICK_WIDTH, height.clamp(QUICK_HEIGHT, QUICK_TALLEST)))
}

fn place(window: &WebviewWindow) {
    let pointer = window.cursor_position().ok();
    let there = pointer.and_then(|at| window.monitor_from_point(at.x, at.y).ok().flatten());
    let Some(monitor) = there.or_else(|| window.primary_monitor().ok().flatten()) else {
        return;
    };
    let scale = monitor.scale_factor();
    let (screen, origin) = (monitor.size(), monitor.position());
    let x = f64::from(origin.x) + (f64::from(screen.width) - QUICK_WIDTH * scale) / 2.0;
    let y = f64::from(origin.y) + f64::from(screen.height) * 0.18;
    // Where a window may not place itself, as on Wayland, the desktop does.
    let _ = window.set_position(PhysicalPosition::new(x, y));
}

/// Shows how far the start is, or why it came to nothing. There is no app yet: nobody knows its settings, and the page
/// looks as it did last time.
pub(crate) fn show_opening(app: &AppHandle) -> tauri::Result<()> {
    let opening = opening::current(app);
    let height = match opening {
        Opening::UnderWay { .. } => 150.0,
        Opening::Failed { .. } => 280.0,
    };
    if let Some(window) = app.get_webview_window(OPENING) {
        window.set_size(LogicalSize::new(OPENING_WIDTH, height))?;
        window.unminimize()?;
        return window.set_focus();
    }
    let told = serde_json::to_string(&opening).map_err(tauri::Error::from)?;
    page(app, OPENING, "opening.html", ("__OPENING__", &told))
        .title("DeepSearch")
        .inner_size(OPENING_WIDTH, height)
        .min_inner_size(320.0, 120.0)
        .center()
        .build()
        .map(drop)
}

/// As [`show_opening`], for callers that have nobody to tell of an error.
pub(crate) fn front_opening(app: &AppHandle) {
    if let Err(error) = show_opening(app) {
        tracing::error!(%error, "the window of the start cannot be shown");
    }
}

pub(crate) fn is_opening_shown(app: &AppHandle) -> bool {
    app.get_webview_window(OPENING).is_some()
}

pub(crate) fn close_opening(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(OPENING)
        && let Err(error) = window.destroy()
    {
        tracing::error!(%error, "the window of the start stays behind");
    }
}

fn build<'a>(
    app: &'a AppHandle,
    label: &str,
    file: &str,
    kind: WindowKind,
    navigate: Option<Navigate>,
) -> tauri::Result<WebviewWindowBuilder<'a, tauri::Wry, AppHandle>> {
    let start = Start::now(&app.state::<App>(), kind, navigate);
    let paper = match start.theme.as_str() {
        "dark" => Some(Color(17, 20, 24, 255)),
        "light" => Some(Color(252, 252, 251, 255)),
        // What the system's is, only the page finds out.
        _ => None,
    };
    let start = serde_json::to_string(&start).map_err(tauri::Error::from)?;
    let window = page(app, label, file, ("__START__", &start));
    Ok(match paper {
        Some(paper) => window.background_color(paper),
        None => window,
    })
}

/// A window on one of our pages, which finds what it is told under this name.
fn page<'a>(
    app: &'a AppHandle,
    label: &str,
    file: &str,
    (name, told): (&str, &str),
) -> WebviewWindowBuilder<'a, tauri::Wry, AppHandle> {
    WebviewWindowBuilder::new(app, label, WebviewUrl::App(file.into()))
        .initialization_script(format!("Object.defineProperty(window, '{name}', {{ value: {told} }});"))
        // The page itself never goes anywhere else, whatever is clicked.
        .on_navigation(is_own)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .zoom_hotkeys_enabled(false)
}

fn is_own(url: &tauri::Url) -> bool {
    match url.scheme() {
        "tauri" => true,
        "http" | "https" if url.host_str() == Some("tauri.localhost") => true,
        "http" => cfg!(debug_assertions) && url.host_str() == Some("localhost"),
        _ => false,
    }
}

/// Whether an answer is being written although no window is left.
pub(crate) fn leaves_answers(app: &AppHandle) -> bool {
    app.try_state::<App>().is_some_and(|app| !app.running().is_empty())
}

/// Ends the app as soon as the last answer is saved and there is no tray to live on in, unless a window came back.
pub(crate) fn exit_after_answers(handle: &AppHandle) {
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        while leaves_answers(&handle) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if !tray::will_be_there(&handle).await && !is_anything_seen(&handle, None) {
            handle.exit(0);
        }
    });
}

/// Shows a chat in the main window and puts quick ask away.
pub(crate) fn carry_on(app: &AppHandle, chat: ChatId) -> Result<(), Failure> {
    put_away(app);
    let navigate = Navigate::Chat {
        chat_id: chat,
        message_id: None,
    };
    show_main(app, Some(navigate)).map_err(|error| shell_failure(&error))
}

/// What Tauri could not do, in words.
pub(crate) fn shell_failure(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        deepsearch_core::error::sentence(&error.to_string()),
    )
}
