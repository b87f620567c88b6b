//! Opening: what there is before there is an app. The store is opened, a window tells what takes its time or why it came to
//! nothing, and what is asked meanwhile is kept until it can be done.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deepsearch_app::{App, AppError, AppOptions, Config, OpeningStep, program_beside};
use deepsearch_core::Failure;
use serde::{Deserialize, Serialize};
use tauri::async_runtime::JoinHandle;
use tauri::{AppHandle, Manager};
use tauri_specta::Event;

use crate::deep_link::{self, Link};
use crate::{start, windows};

/// A start that takes longer than this says what it is doing.
const SOON: Duration = Duration::from_millis(500);

/// How far a start has come that has no app yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Opening {
    UnderWay {
        step: OpeningStep,
    },
    Failed {
        failure: Failure,
        /// Whether the data folder is there, to be looked at.
        folder: bool,
    },
}

impl Default for Opening {
    fn default() -> Self {
        Self::UnderWay {
            step: OpeningStep::default(),
        }
    }
}

/// The opening has come further, has failed, or is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type, Event)]
pub(crate) struct OpeningChanged {
    opening: Opening,
}

/// What a start asks for, beside the link that it may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Main,
    QuickAsk,
    Nothing,
}

impl Wish {
    pub(crate) fn of(arguments: &[String]) -> Self {
        if start::has(arguments, start::QUICK_ASK) {
            Self::QuickAsk
        } else if start::has(arguments, start::HIDDEN) || deep_link::is_link(arguments) {
            Self::Nothing
        } else {
            Self::Main
        }
    }
}

/// What was asked for before it could be done: each window once, and of several links the last.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) main: bool,
    pub(crate) quick_ask: bool,
    pub(crate) link: Option<Link>,
}

impl Asked {
    fn add(&mut self, wish: Wish) {
        match wish {
            Wish::Main => self.main = true,
            Wish::QuickAsk => self.quick_ask = true,
            Wish::Nothing => {}
        }
    }

    fn is_nothing(&self) -> bool {
        !self.main && !self.quick_ask && self.link.is_none()
    }
}

#[derive(Default)]
struct Shown(Mutex<Opening>);

#[derive(Default)]
struct Kept(Mutex<Asked>);

/// How far it is now.
pub(crate) fn current(handle: &AppHandle) -> Opening {
    let shown = handle.state::<Shown>();
    shown.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn tell(handle: &AppHandle, opening: Opening) {
    let shown = handle.state::<Shown>();
    shown
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone_from(&opening);
    if let Err(error) = (OpeningChanged { opening }).emit_to(handle, windows::OPENING) {
        tracing::warn!(%error, "the window of the start was not told how far it is");
    }
}

/// Keeps a wish of a second start until there is an app, and shows what it waits for.
pub(crate) fn keep(handle: &AppHandle, wish: Wish) {
    if wish != Wish::Nothing {
        kept(handle, |asked| asked.add(wish));
        windows::front_opening(handle);
    }
}

/// As [`keep`], of a link.
pub(crate) fn keep_link(handle: &AppHandle, link: Link) {
    kept(handle, |asked| asked.link = Some(link));
    windows::front_opening(handle);
}

fn kept<T>(handle: &AppHandle, what: impl FnOnce(&mut Asked) -> T) -> T {
    let kept = handle.state::<Kept>();
    let mut asked = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    what(&mut asked)
}

/// Opens the store, and goes on at once where that is soon done.
pub(crate) fn begin(handle: &AppHandle) -> tauri::Result<()> {
    handle.manage(Shown::default());
    handle.manage(Kept::default());
    kept(handle, |asked| {
        asked.add(Wish::of(&start::arguments()));
        asked.link = deep_link::at_start(handle);
    });
    let mut opened = tauri::async_runtime::spawn(open(handle.clone()));
    let soon = async { tokio::time::timeout(SOON, &mut opened).await };
    if let Ok(opened) = tauri::async_runtime::block_on(soon) {
        return end(handle, opened?);
    }
    // The backup before a migration, or a repair: with a large history they take their time, and the windows theirs after.
    if !start::is_hidden() {
        windows::show_opening(handle)?;
    }
    follow(handle.clone(), opened);
    Ok(())
}

/// Opens the store once more, where that has failed. What was asked for is still to be done.
pub(crate) fn try_again(handle: &AppHandle) {
    if matches!(current(handle), Opening::Failed { .. }) {
        tell(handle, Opening::default());
        windows::front_opening(handle);
        follow(handle.clone(), tauri::async_runtime::spawn(open(handle.clone())));
    }
}

/// The data folder, if it is there.
pub(crate) fn folder() -> Option<PathBuf> {
    Config::find_home(&environment()).filter(|home| home.is_dir())
}

fn follow(handle: AppHandle, opened: JoinHandle<Result<App, AppError>>) {
    tauri::async_runtime::spawn(async move {
        let opened = opened.await;
        start::on_main_thread(&handle, move |handle| {
            if let Err(error) = opened.and_then(|opened| end(handle, opened)) {
                tracing::error!(%error, "DeepSearch did not start");
                handle.exit(start::NOT_STARTED);
            }
        });
    });
}

/// Goes on once the store is open, or says why it is not.
fn end(handle: &AppHandle, opened: Result<App, AppError>) -> tauri::Result<()> {
    match opened {
        Ok(app) => {
            let mut asked = kept(handle, std::mem::take);
            // Started hidden, it failed, and was tried again from its window: somebody is there.
            asked.main |= asked.is_nothing() && windows::is_opening_shown(handle);
            start::begin_with(handle, app, asked)
        }
        Err(error) => {
            let failure = Failure::from(&error);
            tracing::error!(%failure, "the data folder cannot be opened");
            let folder = folder().is_some();
            tell(handle, Opening::Failed { failure, folder });
            windows::show_opening(handle)
        }
    }
}

async fn open(handle: AppHandle) -> Result<App, AppError> {
    let mut options = AppOptions::new(Config::load(environment())?);
    // The command parses the pages for both: this program would take fifty times as long to start, for it loads the
    // libraries of the window first.
    options.crawl.parser.command.program = program_beside("deepsearch");
    let mut steps = options.opening.subscribe();
    let mut opened = std::pin::pin!(App::open(options));
    loop {
        tokio::select! {
            opened = &mut opened => return opened,
            Ok(()) = steps.changed() => {
                let step = *steps.borrow_and_update();
                tell(&handle, Opening::UnderWay { step });
            }
        }
    }
}

fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(arguments: &[&str]) -> Wish {
        let program = std::iter::once("/usr/bin/deepsearch-desktop");
        let arguments: Vec<String> = program.chain(arguments.iter().copied()).map(str::to_owned).collect();
        Wish::of(&arguments)
    }

    #[test]
    fn a_start_asks_for_the_window_unless_it_says_otherwise() {
        assert_eq!(wish(&[]), Wish::Main);
        assert_eq!(wish(&["notes.md"]), Wish::Main);
        assert_eq!(wish(&["--quick-ask"]), Wish::QuickAsk);
        assert_eq!(wish(&["--hidden", "--quick-ask"]), Wish::QuickAsk);
        assert_eq!(wish(&["--hidden"]), Wish::Nothing);
        assert_eq!(wish(&["deepsearch://auth/callback?code=K"]), Wish::Nothing);
        // Of these no link is told.
        assert_eq!(wish(&["deepsearch://auth/callback?code=K", "--other"]), Wish::Main);
        assert_eq!(wish(&["deepsearch://[/"]), Wish::Main);
    }

    #[test]
    fn everything_asked_for_meanwhile_is_kept_and_of_links_the_last() {
        let mut asked = Asked::default();
        assert!(asked.is_nothing());
        asked.add(Wish::Nothing);
        assert!(asked.is_nothing());
        for wish in [Wish::QuickAsk, Wish::Main, Wish::QuickAsk] {
            asked.add(wish);
        }
        assert!(asked.main && asked.quick_ask);
    }
}
