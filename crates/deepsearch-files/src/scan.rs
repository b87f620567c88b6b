//! Scanning: what has changed since the index last looked, by size and time, then by hash; only that is read.
//!
//! A file whose bytes hold no text is known by their hash and left alone until it changes or the program does. One that is too
//! large, empty, refused by the system, or cost its parser is looked at with each scan, because what kept it from being
//! read may have passed without a change of the file.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use futures::StreamExt as _;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::error::FilesError;
use crate::files::{Files, FolderProgress, Report, Rules, address};
use crate::index::{Change, Entry, Known, as_terms, key_of};
use crate::kind::{self, Kind};
use crate::read;
use crate::walk::{Found, Part, Unseen, walk};

/// Files whose changes are one transaction, unless their terms are more than are held.
const BATCH: usize = 256;
/// Bytes of terms that are held before they are written.
const HELD: usize = 16 << 20;
/// Files that the walk may be ahead.
const AHEAD: usize = 4_096;
/// Characters of a file that are shown where it is found.
const LEAD: usize = 280;
/// Text of one file that is indexed; what comes after it is still read by an answer that reads the file.
const INDEXED: usize = 4 << 20;

/// Looks through a part of a folder.
pub(crate) async fn scan(files: &Files, part: &Part) -> Result<Report, FilesError> {
    let inner = &files.inner;
    let _one = inner.scanning.lock().await;
    let rules = files.rules();
    let mut known = inner.index.known(&part.target).await?;
    known.retain(|path, _| part.holds(Path::new(path)));
    let (sender, mut seen) = mpsc::channel(AHEAD);
    let walked = part.clone();
    let walking = tokio::task::spawn_blocking(move || {
        walk(&walked, rules, |entry| sender.blocking_send(entry).is_ok());
    });
    let mut scan = Scan {
        files,
        rules,
        folder: part.folder.to_string_lossy().into_owned(),
        report: Report::default(),
        unseen: Vec::new(),
    };
    let mut batch = Vec::new();
    let mut is_whole = true;
    while seen.recv_many(&mut batch, BATCH).await > 0 {
        scan.report.paused = files.is_paused();
        // What is no folder any more is forgotten by whoever waits for this scan's end.
        if scan.report.paused || !files.folders().contains(&part.folder) {
            is_whole = false;
            break;
        }
        scan.batch(batch.drain(..), &mut known).await?;
    }
    drop(seen);
    let _ = walking.await;
    if is_whole {
        scan.remove(known).await?;
    }
    inner.progress.send_modify(|progress| {
        *progress = FolderProgress {
            paused: progress.paused,
            ..FolderProgress::default()
        };
    });
    Ok(scan.report)
}

struct Scan<'a> {
    files: &'a Files,
    rules: Rules,
    folder: String,
    report: Report,
    /// Folders that could not be looked into: what is known below them stays.
    unseen: Vec<String>,
}

impl Scan<'_> {
    async fn batch(
        &mut self,
        batch: impl Iterator<Item = Result<Found, Unseen>>,
        known: &mut HashMap<String, Known>,
    ) -> Result<(), FilesError> {
        let (mut pending, mut changed) = (Pending::default(), Vec::new());
        for entry in batch {
            self.report.seen += 1;
            match entry {
                Ok(found) => {
                    let path = found.path.to_string_lossy().into_owned();
                    let before = known.remove(&path);
                    if found.path.to_str().is_none() {
                        let change = problem(path, "Its name is no Unicode text.");
                        self.take(change.unless_known(before.as_ref()), &mut pending);
                        continue;
                    }
                    let is_same = |before: &Known| {
                        before.size == found.size as i64
                            && before.modified == found.modified
                            && found.modified != 0
                            && !before.hash.is_empty()
                    };
                    if !before.as_ref().is_some_and(is_same) {
                        changed.push((path, found, before));
                    }
                }
                Err(unseen) => {
                    let path = unseen.path.to_string_lossy().into_owned();
                    let before = known.remove(&path);
                    self.unseen.push(path.clone());
                    let change = problem(path, &unseen.reason);
                    self.take(change.unless_known(before.as_ref()), &mut pending);
                }
            }
        }
        let at_once = 2 * std::thread::available_parallelism().map_or(2, usize::from);
        let (files, rules) = (self.files, self.rules);
        let mut read = futures::stream::iter(changed)
            .map(|(path, found, before)| change(files, rules, path, found, before))
            .buffer_unordered(at_once);
        while let Some(change) = read.next().await {
            self.report.read += u64::from(matches!(change, Some(Change::Put(_))));
            self.take(change, &mut pending);
            if pending.terms >= HELD {
                self.write(&mut pending).await?;
            }
        }
        drop(read);
        self.write(&mut pending).await?;
        self.files.inner.progress.send_modify(|progress| {
            progress.folder = Some(self.folder.clone());
            (progress.seen, progress.read) = (self.report.seen, self.report.read);
        });
        Ok(())
    }

    fn take(&mut self, change: Option<Change>, pending: &mut Pending) {
        let Some(change) = change else { return };
        if let Change::Put(entry) = &change {
            self.report.problems += u64::from(entry.problem.is_some());
            pending.terms += entry.terms.iter().flatten().map(String::len).sum::<usize>();
        }
        pending.changes.push(change);
    }

    async fn write(&self, pending: &mut Pending) -> Result<(), FilesError> {
        let Pending { changes, .. } = std::mem::take(pending);
        if changes.is_empty() {
            return Ok(());
        }
        self.files.inner.index.write(&changes).await
    }

    /// Removes what was known and was not seen, except where nothing could be seen.
    async fn remove(&mut self, known: HashMap<String, Known>) -> Result<(), FilesError> {
        let unseen: HashSet<&str> = self.unseen.iter().map(String::as_str).collect();
        let is_gone = |path: &str| {
            // A problem that stands for a folder goes once the folder can be seen.
            !unseen.contains(path)
                && !Path::new(path)
                    .ancestors()
                    .filter_map(Path::to_str)
                    .any(|above| unseen.contains(above))
        };
        let gone: Vec<Change> = known
            .iter()
            .filter(|(path, _)| is_gone(path))
            .map(|(_, known)| Change::Remove { id: known.id })
            .collect();
        self.report.removed += gone.len() as u64;
        for batch in gone.chunks(1_000) {
            self.files.inner.index.write(batch).await?;
        }
        Ok(())
    }
}

/// Changes that are not written yet.
#[derive(Debug, Default)]
struct Pending {
    changes: Vec<Change>,
    /// Bytes of terms in them.
    terms: usize,
}

impl Change {
    /// `None` where it would write of a file that cannot be read what is known of it.
    fn unless_known(self, before: Option<&Known>) -> Option<Self> {
        let is_known = |entry: &Entry, before: &Known| {
            entry.problem.is_some()
                && (&entry.problem, &entry.hash) == (&before.problem, &before.hash)
                && (entry.size, entry.modified) == (before.size, before.modified)
        };
        match (&self, before) {
            (Self::Put(entry), Some(before)) if is_known(entry, before) => None,
            _ => Some(self),
        }
    }
}

/// Something that cannot be looked at, as the index keeps it.
fn problem(path: String, reason: &str) -> Change {
    unreadable(path, 0, 0, String::new(), reason.to_owned())
}

/// What is to be written of a file that may have changed.
async fn change(files: &Files, rules: Rules, path: String, found: Found, before: Option<Known>) -> Option<Change> {
    let known = before.clone();
    look(files, rules, path, found, before)
        .await
        .unless_known(known.as_ref())
}

async fn look(files: &Files, rules: Rules, path: String, found: Found, before: Option<Known>) -> Change {
    let (size, modified) = (found.size as i64, found.modified);
    let name = path.clone();
    let work = tokio::task::spawn_blocking(move || first_look(name, &found, rules, before.as_ref()));
    let (bytes, hash) = match work.await {
        Ok(Look::Done(change)) => return change,
        Ok(Look::Parse { bytes, hash }) => (bytes, hash),
        Err(_) => return unreadable(path, size, modified, String::new(), read::NO_TEXT.to_owned()),
    };
    let (inner, file) = (&files.inner, Path::new(&path));
    let url = address(&key_of(&path), file);
    let options = &inner.options;
    let page = read::page(file, &url, bytes, &options.indexing, &*options.clock).await;
    let page = match page {
        Ok(page) => page,
        Err(unread) => {
            let hash = if unread.may_pass { String::new() } else { hash };
            return unreadable(path, size, modified, hash, unread.reason);
        }
    };
    let name = path.clone();
    let indexing = tokio::task::spawn_blocking(move || put(name, size, modified, hash, page.title, &page.text));
    let failed = |_| unreadable(path, size, modified, String::new(), read::NO_TEXT.to_owned());
    indexing.await.unwrap_or_else(failed)
}

enum Look {
    Done(Change),
    Parse { bytes: Vec<u8>, hash: String },
}

/// Reads and hashes a file; what is plain text is done with.
fn first_look(path: String, found: &Found, rules: Rules, before: Option<&Known>) -> Look {
    let (size, modified) = (found.size as i64, found.modified);
    let bytes = match read::bytes(&found.path, rules) {
        Ok(bytes) => bytes,
        Err(reason) => return Look::Done(unreadable(path, size, modified, String::new(), reason)),
    };
    let hash = hex::encode(&Sha256::digest(&bytes)[..16]);
    if let Some(before) = before.filter(|before| before.hash == hash) {
        let id = before.id;
        return Look::Done(Change::Touch { id, size, modified });
    }
    if kind::of(&found.path) != Some(Kind::Plain) {
        return Look::Parse { bytes, hash };
    }
    let url = address(&key_of(&path), &found.path);
    Look::Done(match read::plain(&bytes, &url) {
        Some(read) => put(path, size, modified, hash, read.title, &read.text),
        None => unreadable(path, size, modified, hash, read::NO_TEXT.to_owned()),
    })
}

fn put(path: String, size: i64, modified: i64, hash: String, title: String, text: &str) -> Change {
    let indexed = &text[..text.floor_char_boundary(INDEXED)];
    let words: Vec<&str> = indexed.split_whitespace().take(LEAD / 2).collect();
    Change::Put(Box::new(Entry {
        terms: Some([as_terms(&title), as_terms(&path), as_terms(indexed)]),
        lead: words.join(" ").chars().take(LEAD).collect(),
        path,
        size,
        modified,
        hash,
        title,
        problem: None,
    }))
}

fn unreadable(path: String, size: i64, modified: i64, hash: String, reason: String) -> Change {
    Change::Put(Box::new(Entry {
        path,
        size,
        modified,
        hash,
        title: String::new(),
        lead: String::new(),
        terms: None,
        problem: Some(reason),
    }))
}
