//! Walking a folder: every file that is to be read, and what keeps parts of it from being looked at.
//!
//! What `.gitignore` and `.ignore` name is left out, and hidden files unless they are wanted. Links are not followed, so a
//! folder holds what lies in it, no file comes twice, and a loop of links is none.

use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::files::Rules;
use crate::kind;

/// The part of a folder that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The folder as it was added.
    pub(crate) folder: PathBuf,
    /// What of it: the folder itself, or something in it.
    pub(crate) target: PathBuf,
    /// Whether what lies in folders of `target` is looked at too.
    pub(crate) deep: bool,
}

impl Part {
    pub(crate) fn whole(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            target: folder.to_owned(),
            deep: true,
        }
    }

    /// Whether a file is of this part.
    pub(crate) fn holds(&self, file: &Path) -> bool {
        file == self.target
            || if self.deep {
                file.starts_with(&self.target)
            } else {
                file.parent() == Some(&self.target)
            }
    }

    /// Whether the way to the part leads through here, or is there.
    fn leads(&self, path: &Path) -> bool {
        self.target.starts_with(path) || self.holds(path)
    }
}

/// A file that may be read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Nanoseconds since 1970; 0 where the system does not say.
    pub(crate) modified: i64,
}

/// Something of a folder that could not be looked at.
#[derive(Debug)]
pub(crate) struct Unseen {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

/// Walks a part from the folder down, so that each ignore file on the way counts. Blocks.
pub(crate) fn walk(part: &Part, rules: Rules, mut each: impl FnMut(Result<Found, Unseen>) -> bool) {
    let within = part.clone();
    let walk = WalkBuilder::new(&part.folder)
        .hidden(!rules.hidden)
        .git_ignore(rules.ignore_files)
        .git_exclude(rules.ignore_files)
        .git_global(rules.ignore_files)
        .ignore(rules.ignore_files)
        .parents(rules.ignore_files)
        // A folder need not be a repository for its `.gitignore` to say what is no document.
        .require_git(false)
        .follow_links(false)
        .filter_entry(move |entry| within.leads(entry.path()) && !is_innards(entry))
        .build();
    for entry in walk {
        let seen = match entry {
            Ok(entry) => found(&entry).filter(|seen| seen.as_ref().map_or(true, |found| part.holds(&found.path))),
            Err(error) => unseen(&error, &part.folder).map(Err),
        };
        if seen.is_some_and(|seen| !each(seen)) {
            return;
        }
    }
}

/// What tools keep for themselves, also where hidden files are wanted or nothing is ignored.
fn is_innards(entry: &DirEntry) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    let name = entry.file_name();
    is_folder
        && entry.depth() > 0
        && [".git", ".hg", ".svn", "node_modules"]
            .iter()
            .any(|innards| name == *innards)
}

fn found(entry: &DirEntry) -> Option<Result<Found, Unseen>> {
    if !entry.file_type()?.is_file() || kind::of(entry.path()).is_none() {
        return None;
    }
    Some(match entry.metadata() {
        Ok(metadata) => Ok(Found {
            path: entry.path().to_owned(),
            size: metadata.len(),
            modified: modified(&metadata),
        }),
        Err(error) => Err(Unseen {
            path: entry.path().to_owned(),
            reason: words(&error),
        }),
    })
}

pub(crate) fn modified(metadata: &std::fs::Metadata) -> i64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    since
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or(0)
}

fn unseen(error: &ignore::Error, folder: &Path) -> Option<Unseen> {
    // What was there a moment ago and has gone is no problem.
    if error
        .io_error()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    {
        return None;
    }
    let reason = error.io_error().map_or_else(|| error.to_string(), words_of);
    Some(Unseen {
        path: path_of(error).unwrap_or(folder).to_owned(),
        reason,
    })
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

fn words(error: &ignore::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), words_of)
}

/// Why the system would not give a file, for a person.
pub(crate) fn words_of(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "You have no permission to read it.".to_owned(),
        _ => format!("The system says: {error}."),
    }
}
