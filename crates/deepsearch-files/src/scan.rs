//! Scanning: what has changed since the index last looked, by size and time, then by hash; only that is read.

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

/// Files whose changes are one transaction.
const BATCH: usize = 256;
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
    while seen.recv_many(&mut batch, BATCH).await > 0 {
        if files.is_paused() {
            scan.report.paused = true;
            break;
        }
        scan.batch(batch.drain(..), &mut known).await?;
    }
    drop(seen);
    let _ = walking.await;
    if !scan.report.paused {
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
        let (mut changes, mut changed) = (Vec::new(), Vec::new());
        for entry in batch {
            self.report.seen += 1;
            match entry {
                Ok(found) => {
                    let name = found.path.to_str().map(str::to_owned);
                    let Some(path) = name else {
                        changes.push(problem(&found.path, "Its name is no Unicode text."));
                        continue;
                    };
                    let before = known.remove(&path);
                    let is_same = |before: &Known| {
                        before.size == found.size as i64 && before.modified == found.modified && found.modified != 0
                    };
                    if !before.as_ref().is_some_and(is_same) {
                        changed.push((path, found, before));
                    }
                }
                Err(unseen) => {
                    let path = unseen.path.to_string_lossy().into_owned();
                    known.remove(&path);
                    self.unseen.push(path);
                    changes.push(problem(&unseen.path, &unseen.reason));
                }
            }
        }
        self.report.problems += changes.len() as u64;
        let at_once = 2 * std::thread::available_parallelism().map_or(2, usize::from);
        let (files, rules) = (self.files, self.rules);
        let mut read = futures::stream::iter(changed)
            .map(|(path, found, before)| change(files, rules, path, found, before))
            .buffer_unordered(at_once);
        while let Some(change) = read.next().await {
            if let Change::Put(entry) = &change {
                self.report.read += 1;
                self.report.problems += u64::from(entry.problem.is_some());
            }
            changes.push(change);
        }
        drop(read);
        if !changes.is_empty() {
            self.files.inner.index.write(&changes).await?;
        }
        self.files.inner.progress.send_modify(|progress| {
            progress.folder = Some(self.folder.clone());
            (progress.seen, progress.read) = (self.report.seen, self.report.read);
        });
        Ok(())
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

/// Something that cannot be read, as the index keeps it.
fn problem(path: &Path, reason: &str) -> Change {
    Change::Put(Box::new(Entry {
        path: path.to_string_lossy().into_owned(),
        size: 0,
        modified: 0,
        hash: String::new(),
        title: String::new(),
        lead: String::new(),
        terms: None,
        problem: Some(reason.to_owned()),
    }))
}

/// What is to be written of a file that may have changed.
async fn change(files: &Files, rules: Rules, path: String, found: Found, before: Option<Known>) -> Change {
    let (size, modified) = (found.size as i64, found.modified);
    let name = path.clone();
    let work = tokio::task::spawn_blocking(move || first_look(name, &found, rules, before.as_ref()));
    let look = work
        .await
        .unwrap_or_else(|_| Look::Done(problem(Path::new(&path), read::NO_TEXT)));
    let (bytes, hash) = match look {
        Look::Done(change) => return change,
        Look::Parse { bytes, hash } => (bytes, hash),
    };
    let (inner, file) = (&files.inner, Path::new(&path));
    let url = address(&key_of(&path), file);
    let options = &inner.options;
    let page = read::page(file, &url, bytes, &options.indexing, &*options.clock).await;
    let indexing = tokio::task::spawn_blocking(move || match page {
        Ok(page) => put(path, size, modified, hash, page.title, &page.text),
        Err(reason) => unreadable(path, size, modified, hash, reason),
    });
    indexing.await.unwrap_or_else(|_| problem(Path::new(""), read::NO_TEXT))
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
