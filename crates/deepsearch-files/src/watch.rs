//! Watching: the system tells what changed, and when it has been quiet for a moment, that part is looked at again.
//!
//! What the system loses, or cannot tell of some disks, the next start finds: every watch begins with a whole scan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::error::FilesError;
use crate::files::Files;
use crate::scan::scan;
use crate::walk::Part;

/// How long it is to be quiet.
const QUIET: Duration = Duration::from_millis(700);
/// After this it is looked at, although it is not.
const LONGEST: Duration = Duration::from_secs(10);
/// A folder that cannot be watched is looked through this often.
const UNTOLD: Duration = Duration::from_secs(15 * 60);
/// Changes that wait; with more, the whole folder is looked at.
const WAITING: usize = 4_096;
/// Parts that are looked at one by one.
const PARTS: usize = 500;

impl Files {
    /// Brings the index up to date and keeps it so, until the future is dropped or the folders are configured anew.
    ///
    /// # Errors
    /// [`FilesError`] when the index cannot be written.
    pub async fn watch(&self) -> Result<(), FilesError> {
        let (sender, mut changes) = mpsc::channel(WAITING);
        // Watching first, so that nothing changes unseen between the scan and the watch.
        let watcher = watcher(sender)?;
        let (watched, are_all) = self.watched(watcher).await;
        let mut damaged = self.inner.index.damaged();
        let mut is_whole = true;
        loop {
            if is_whole {
                self.scan_to_the_end().await?;
            }
            let next = async {
                tokio::select! {
                    next = changes.recv() => next,
                    // A search met it: a whole scan makes the index anew.
                    _ = damaged.wait_for(|damaged| *damaged) => Some(None),
                }
            };
            let first = if are_all {
                next.await
            } else {
                timeout(UNTOLD, next).await.unwrap_or(Some(None))
            };
            let Some(first) = first else { break };
            // What changes while it is paused, or is no longer known one by one, a whole scan finds.
            is_whole = match collect(first, &mut changes).await {
                Some(paths) if !self.is_paused() => self.scan_parts(&paths).await?,
                _ => true,
            };
        }
        drop(watched);
        Ok(())
    }

    /// Looks through all folders, however often the person pauses meanwhile.
    async fn scan_to_the_end(&self) -> Result<(), FilesError> {
        loop {
            let _ = self.progress().wait_for(|progress| !progress.paused).await;
            if !self.scan().await?.paused {
                return Ok(());
            }
        }
    }

    /// Looks at what changed; whether everything is to be looked at instead, because that was paused before its end or met
    /// damage.
    async fn scan_parts(&self, paths: &BTreeSet<PathBuf>) -> Result<bool, FilesError> {
        for part in parts(&self.folders(), paths) {
            match scan(self, &part).await {
                Ok(report) if report.paused => return Ok(true),
                Ok(_) => {}
                Err(_) if *self.inner.index.damaged().borrow() => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Adds the folders to a watcher; whether all could be. A disk may be away, and systems watch so many folders only.
    async fn watched(&self, mut watcher: RecommendedWatcher) -> (RecommendedWatcher, bool) {
        let folders = self.folders();
        let adding = tokio::task::spawn_blocking(move || {
            let mut are_all = true;
            for folder in &folders {
                if let Err(error) = watcher.watch(folder, RecursiveMode::Recursive) {
                    tracing::warn!(%error, "a folder cannot be watched, and is looked through from time to time");
                    are_all = false;
                }
            }
            (watcher, are_all)
        });
        match adding.await {
            Ok(watched) => watched,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// A path that changed; `None` when changes were lost.
type Changed = Option<PathBuf>;

fn watcher(sender: mpsc::Sender<Changed>) -> Result<RecommendedWatcher, FilesError> {
    let told = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else {
            let _ = sender.try_send(None);
            return;
        };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        if event.need_rescan() {
            let _ = sender.try_send(None);
        }
        // A queue that is full already means that much is to be looked at; its end is a whole scan.
        for path in event.paths {
            let _ = sender.try_send(Some(path));
        }
    };
    notify::recommended_watcher(told).map_err(FilesError::Watch)
}

/// What changes until it is quiet; `None` when that is too much to be looked at one by one.
async fn collect(first: Changed, changes: &mut mpsc::Receiver<Changed>) -> Option<BTreeSet<PathBuf>> {
    let last = Instant::now() + LONGEST;
    let (mut paths, mut count, mut lost) = (BTreeSet::new(), 1, first.is_none());
    paths.extend(first);
    while let Ok(Some(next)) = timeout_at(last.min(Instant::now() + QUIET), changes.recv()).await {
        count += 1;
        lost |= next.is_none();
        paths.extend(next);
        if Instant::now() >= last {
            break;
        }
    }
    if count >= WAITING {
        sleep_until(Instant::now() + QUIET).await;
        while changes.try_recv().is_ok() {}
        lost = true;
    }
    (!lost && paths.len() <= PARTS).then_some(paths)
}

/// The parts of folders in which these paths lie.
fn parts(folders: &[PathBuf], paths: &BTreeSet<PathBuf>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for path in paths {
        let Some(folder) = folders.iter().find(|folder| path.starts_with(folder)) else {
            continue;
        };
        // What is ignored may be another now, anywhere below.
        let decides = matches!(
            path.file_name().and_then(|name| name.to_str()),
            Some(".gitignore" | ".ignore")
        );
        let target = if decides { path.parent().unwrap_or(folder) } else { path };
        let part = Part {
            folder: folder.clone(),
            target: target.to_owned(),
            deep: true,
        };
        if !parts.iter().any(|known| known.holds(&part.target)) {
            parts.push(part);
        }
    }
    parts.retain(|part| part.folder.is_dir() && !is_unreachable(&part.target));
    parts
}

/// The system tells of names that are no text too; those are found by whole scans.
fn is_unreachable(path: &Path) -> bool {
    path.to_str().is_none()
}
